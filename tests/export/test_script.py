"""What an exported script is made of: nothing that its settings do not need, and nothing that visitors could add."""

import ast
import io
import random
import re
import subprocess
import sys
import tokenize
from dataclasses import dataclass, fields, replace
from typing import get_args

import nbformat
import pytest
from markdown_it import MarkdownIt

from fmnist_core import config as config_module
from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.reading import Reading
from fmnist_core.comparison.study import Study
from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.export.make import make
from fmnist_core.export.material import RunMaterial
from fmnist_core.export.notebook import notebook
from fmnist_core.export.script import comparison_script, run_script
from fmnist_core.export.settings_used import WRITTEN, ExportError
from fmnist_core.network.figures import TRAINING_VERSION, Evaluation
from tests.export.stored import made_up, stored_run
from tests.export.test_exported_scripts import SETTINGS, SEVERAL, SMALL, STUDIES
from tests.network.test_fast_step import EVERYTHING

PLAIN = replace(SMALL, training_images=None, protocol="article")
# What stands only in scripts of runs that have the setting switched on.
MARKS = {
    "dropout": "class Dropout",
    "batch_norm": "BatchNorm1d",
    "schedule": "one_cycle",
    "weight_decay": "WEIGHT_DECAY",
    "label_smoothing": "torch.lerp",
    "flips": "flip",
    "training_images": "choose",
    "label_noise": "mislabel",
    "input_dropout": "InputDropout",
    "shift_pixels": "shift",
    "optimizer": "SGD",
}


def made_up_arms(study):
    arms = []
    for config in study.configs():
        run, epochs = made_up(config)
        arms.append(ArmRun(getattr(config, study.setting), config.seed, run, epochs, {}))
    return arms


def script_of(config, **words):
    return run_script(*made_up(config), **words)


def every_script():
    scripts = {preset.name: script_of(preset.config) for preset in PRESETS}
    scripts |= {name: script_of(config, conclusion="It does.") for name, config in SETTINGS.items()}
    scripts |= {f"arms: {name}": comparison_script(study, made_up_arms(study)) for name, study in STUDIES.items()}
    scripts["tested"] = run_script(*made_up(SMALL), test=Evaluation(0.25, 0.5, 0.125))
    return scripts | {"several": comparison_script(SEVERAL, made_up_arms(SEVERAL), hypothesis="It does.")}


def random_scripts():
    """Scripts of runs and comparisons whose settings come together by chance, the same each time."""
    chance = random.Random(1)
    values = {name: (getattr(PLAIN, name), value) for name, value in EVERYTHING.items() if name != "epochs"}
    for _ in range(25):
        config, base = (
            replace(PLAIN, **{name: chance.choice(either) for name, either in values.items()}) for _ in range(2)
        )
        yield script_of(config)
        setting = chance.choice(sorted(set(values) - {"protocol"}))
        study = Study(base=base, setting=setting, levels=values[setting], seeds=chance.choice([1, 3]))
        yield comparison_script(study, made_up_arms(study))


def test_scripts_are_as_clean_as_the_code_here(tmp_path):
    """Nothing is imported or named that is not used, and the code is laid out as ruff does."""
    for number, script in enumerate([*every_script().values(), *random_scripts()]):
        (tmp_path / f"{number}.py").write_text(script, encoding="utf-8")
        too_long = [line for line in script.splitlines() if len(line) > 100 and not line.startswith("# # ")]
        assert too_long == []
    style = ["--isolated", "--line-length", "100"]
    rules = ["--select", "E,F,W,I,UP,B,C4,SIM,RET,PTH,N", "--ignore", "E501,N812,B905,UP009"]
    for command in (["format", "--diff", *style], ["check", *style, *rules]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_script_imports_torch_and_torchvision_and_what_comes_with_python():
    for script in every_script().values():
        imports = [node for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {
            name.partition(".")[0]
            for node in imports
            for name in ([node.module] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
        }
        assert names - sys.stdlib_module_names <= {"numpy", "torch", "torchvision", "matplotlib"}


def test_a_script_has_the_code_of_its_settings_and_no_other():
    assert set(MARKS) == set(EVERYTHING) - {"hidden", "batch_size", "learning_rate", "protocol", "epochs"}
    plain = script_of(PLAIN)
    for setting, mark in MARKS.items():
        assert mark not in plain, setting
        other = script_of(replace(PLAIN, **{setting: EVERYTHING[setting]}))
        assert {name for name, one in MARKS.items() if one in other} == {setting}
    assert ".eval()" not in plain
    assert "hold_out" not in plain
    assert "hold_out" in script_of(replace(PLAIN, protocol="held-out"))


def test_every_setting_is_written_out_with_every_choice():
    assert set(WRITTEN) == {field.name for field in fields(RunConfig)}
    for name in ("schedule", "protocol", "optimizer"):
        assert WRITTEN[name] == get_args(getattr(config_module, name.capitalize()))


def test_a_setting_that_no_template_knows_is_refused_once_it_does_something():
    @dataclass(frozen=True, kw_only=True)
    class LaterConfig(RunConfig):
        gradient_clipping: float = 0.0

    assert "MET" in script_of(LaterConfig(epochs=1))
    with pytest.raises(ExportError, match=r"gradient clipping 0\.0; this one has 1\.5, which no script writes out yet"):
        script_of(LaterConfig(epochs=1, gradient_clipping=1.5))


def test_a_choice_that_no_template_knows_is_refused():
    config = RunConfig(epochs=1)
    object.__setattr__(config, "schedule", "cosine")
    with pytest.raises(ExportError, match="schedule 'constant' or 'one-cycle'; this one has 'cosine'"):
        script_of(config)


def test_what_no_script_could_make_again_is_refused():
    run, epochs = made_up(SMALL)
    with pytest.raises(ExportError, match="run 1 learnt from drawn garments, which only this program can draw"):
        run_script(replace(run, data_name="Drawn garments"), epochs)
    with pytest.raises(ExportError, match="run 1 is of an earlier one: train it again"):
        run_script(replace(run, key=SMALL.key(run.data_fingerprint, TRAINING_VERSION - 1)), epochs)
    with pytest.raises(ExportError, match="no finished epoch yet"):
        run_script(*stored_run(SMALL, []))
    unfinished = [replace(arm, run=replace(arm.run, status="running")) for arm in made_up_arms(SEVERAL)]
    with pytest.raises(ExportError, match="no seed yet with which every arm finished"):
        comparison_script(SEVERAL, unfinished)


def test_the_test_images_are_looked_at_where_the_run_has_not_shown_them_yet():
    test = Evaluation(0.25, 0.5, 0.125)
    assert "tested" in run_script(*made_up(SMALL), test=test)
    assert "tested" not in run_script(*made_up(SMALL))
    assert "tested" not in run_script(*made_up(PLAIN), test=test)  # they are what it validates on


@pytest.mark.parametrize("is_revealed", [True, False])
def test_the_menus_script_looks_at_the_test_images_where_they_were_revealed(is_revealed):
    run, epochs = made_up(SMALL)
    tests = {"last": Evaluation(0.25, 0.5, 0.125)} if is_revealed else {}
    material = RunMaterial(run=run, epochs=epochs, weights=b"", data=None, tests=tests, link="")
    assert (b"STORED_TEST = (0.25, 0.5)" in make("script", material)) == is_revealed


def test_a_run_that_ended_early_is_trained_as_far_and_as_it_was():
    run, epochs = made_up(replace(SMALL, epochs=30, schedule="one-cycle"))
    script = run_script(replace(run, status="stopped", epochs_done=4), epochs.head(4))
    assert "EPOCHS = 30 " in script
    assert "range(1, EPOCHS_DONE + 1)" in script
    assert "one_cycle(step_of_all, EPOCHS * len(batches)" in script  # the cycle is that of the whole run


def test_seeds_that_not_every_arm_has_finished_are_left_out():
    arms = made_up_arms(replace(SEVERAL, seeds=4))
    arms[4] = replace(arms[4], run=replace(arms[4].run, status="failed"))
    script = comparison_script(replace(SEVERAL, seeds=4), arms)
    assert "SEEDS = (5, 7, 8) " in script
    assert "Not here is seed 6:" in script


@pytest.mark.parametrize(
    ("epoch", "code"),
    [("last", "= history[-1]"), ("best", "= min(history, key=lambda row: row[2])"), (1, "= history[1 - 1]")],
)
def test_a_comparison_is_read_where_the_page_reads_it(epoch, code):
    study = replace(SEVERAL, base=SMALL)
    assert code in comparison_script(study, made_up_arms(study), reading=Reading(epoch=epoch))


HOSTILE = [
    "coding: utf-7 +AAo-import os",
    "# -*- coding: latin-1 -*-",
    "two\nlines\r\nand\rmore\x0bthan\x0cthat\x1cof\x85all\u2028kinds\u2029here",
    "\n# %%\nimport os\nos.abort()\n# %% [markdown]\n",
    '"""\nraise SystemExit\n"""',
    "'''",
    "\\\nimport os",
    "null \x00 bell \x07 escape \x1b[31m lone \ud800 surrogate",
    "turned \u202egninrut\u202c \u2066around\u2069",
    "<script>alert(1)</script> <img src=x onerror=alert(1)> &lt;b&gt;",
    "[a link](javascript:alert(1)) ![picture](http://example.org/x.png) <http://example.org>",
    "$\\href{javascript:alert(1)}{x}$ \\(x\\) \\\\(x\\\\) $$y$$ \\begin{align}",
    "# heading\n- list\n1. list\n+ list\n> quote\n---\n===\n    code\n```python\nimport os\n```\n~~~\n| a | b |",
    "{{ 7 * 7 }} {% raw %} {# comment #} %matplotlib !ls",
    "*stars* _lines_ `code` ~~struck~~ **bold** [^1] @@1@@",
    "Does 0.5 help? I guess it does: 3 - 2 = 1, 50 % of it",
    "Grüße, 世界 🎉 " + "a-very-long-word" * 20,
]


# What Jupyter takes for a formula, before it looks at the Markdown.
FORMULA = re.compile(r"\$|\\(?:begin|end)\{|@@\d+@@|\\\\[()\[\]]")


def cells(content):
    return nbformat.reads(content.decode(), as_version=4).cells


def code_of(script):
    """The script's tokens without its comments."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING}
    tokens = tokenize.tokenize(io.BytesIO(script.encode()).readline)
    return [(token.type, token.string) for token in tokens if token.type not in skipped]


def words_of(text):
    """The words that can be seen of a text."""
    return "".join(one if one.isprintable() or one == "\u200d" else " " for one in text).split()


def words_shown(inline):
    """The words that a paragraph or heading shows; whatever is more than text fails."""
    assert {child.type for child in inline.children} <= {"text", "softbreak"}, inline
    return "".join(child.content or " " for child in inline.children).split()


@pytest.mark.parametrize("text", HOSTILE)
def test_what_visitors_wrote_is_shown_word_for_word_and_does_nothing(text):
    harmless = script_of(SMALL, title="Title", hypothesis="Hypothesis", conclusion="Conclusion")
    script = script_of(SMALL, title=text, hypothesis=text, conclusion=text)
    assert tokenize.detect_encoding(io.BytesIO(script.encode()).readline)[0] == "utf-8"
    assert code_of(script) == code_of(harmless)
    ours, expected = cells(notebook(script)), cells(notebook(harmless))
    assert [cell.cell_type for cell in ours] == [cell.cell_type for cell in expected]
    for cell, other in zip(ours, expected, strict=True):
        assert cell.source == other.source or any(word in other.source for word in ("Hypothesis", "Conclusion"))
    for cell in (ours[0], next(cell for cell in ours if "What was concluded" in cell.source)):
        assert not FORMULA.search(cell.source)
        tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(cell.source)
        assert {token.type.rpartition("_")[0] for token in tokens} <= {"", "heading", "paragraph", "blockquote"}
        quoted = [token for token in tokens if token.type == "inline" and token.level == 2]
        assert [word for one in quoted for word in words_shown(one)] == words_of(text)
    (heading,) = [token for token in MarkdownIt().parse(ours[0].source) if token.type == "inline" and token.level == 1][
        :1
    ]
    assert words_shown(heading) == words_of(text)


def test_without_a_title_things_are_called_as_pages_call_them():
    assert script_of(PRESETS[0].config).splitlines()[4] == "# # Article · seed 0"
    script = comparison_script(SEVERAL, made_up_arms(SEVERAL))
    assert script.splitlines()[4].startswith("# # Does dropout help here? ")
