"""The Compare page as a visitor without a browser sees it. What needs a browser is tested in tests/browser."""

from dataclasses import fields, replace
from functools import partial
from types import SimpleNamespace

import pytest
from streamlit.elements.lib import policies
from streamlit.proto.Block_pb2 import Block
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import local_script_runner

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.factors import FACTORS
from fmnist_core.comparison.study import Study
from fmnist_core.comparison.verdict import conclude
from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.network.model import MLP, model_to_bytes
from fmnist_core.store.database import StoreError
from fmnist_core.store.leases import Workplace
from fmnist_core.store.runs import Store
from tests.conftest import epoch_result
from tests.page_lab import all_words, go_to, keys, live_charts, press, progress_bars, texts, unescaped
from ui.forms import study_form
from ui.views.study_answer import choose_second
from ui.wording import plain

ARTICLE = PRESETS[0].config
STUDY = Study(base=RunConfig(hidden=(16,), epochs=2), seeds=2)
ONE_SEED = replace(STUDY, seeds=1)
THREE_ARMS = replace(STUDY, levels=(0.0, 0.2, 0.5))
# Trains long enough for hidden units to matter.
FORGETFUL = Study(base=RunConfig(hidden=(64,), epochs=3), levels=(0.0, 0.5), seeds=2)


def open_study(lab, study):
    return lab.open("compare", **study.to_address())


def ask(lab, study):
    return lab.store.request_all(study.configs(), lab.dataset.name, lab.dataset.fingerprint)


def train(lab, study):
    """Ask for all runs of a study and be their worker; return their keys."""
    asked = ask(lab, study)
    for key in asked:
        lab.work_on(key)
    return asked


def arm_runs(lab, study, keys_):
    """The stored runs of a study, for the core to work out what the page must say."""
    return [
        ArmRun(config.dropout, config.seed, lab.store.run(key), lab.store.epochs(key), lab.store.tests(key))
        for config, key in zip(study.configs(), keys_, strict=True)
    ]


def finish(lab, study, loss_of, place_of=lambda config: None):
    """Store finished runs whose last validation loss is `loss_of(config)`, and that are equal in all else."""
    asked = ask(lab, study)
    for config, key in zip(study.configs(), asked, strict=True):
        network = model_to_bytes(MLP(config))
        lab.store.leases.claim(key, "a worker", place_of(config))
        for epoch in range(1, config.epochs + 1):
            lab.store.leases.record_epoch(key, "a worker", epoch_result(epoch, loss_of(config)), b"", network)
        lab.store.leases.end(key, "a worker", "finished", last=network)
    return asked


def stored(lab):
    """The configs of all stored runs, in the order in which they were asked for."""
    return [run.config for run in reversed(lab.store.runs())]


def statuses(lab):
    return [run.status for run in reversed(lab.store.runs())]


def address(app):
    """The query parameters, one text each, whether the test or the page has set them."""
    return {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}


def setup(app):
    """What the form says that a study consists of."""
    return app.text_input(key="compare.levels").value, int(app.text_input(key="compare.seeds").value)


def choose(app, key, value):
    (control,) = (control for control in app.segmented_control if control.key == key)
    return control.set_value(value).run()


def traces(figure):
    return [trace["name"] for trace in figure["data"] if trace.get("name")]


def table(app):
    (element,) = app.table
    return element.value


def failing(method, sentence, monkeypatch):
    def fail(self, *arguments, **keywords):
        raise StoreError(sentence)

    monkeypatch.setattr(Store, method, fail)


# The form and starting


def test_the_first_visit_shows_the_default_comparison_and_what_to_do(lab):
    app = lab.open("compare")
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert texts(app.title) == ["Does dropout help here?"]
    assert setup(app) == ("0, 0.2", 1)
    assert app.radio(key="compare.preset").value == "Article"
    assert "No experiment chosen" in texts(app.subheader)
    assert "Press **Compare**" in all_words(app)
    assert not app.button(key="compare.start").disabled
    assert not app.table
    assert lab.store.runs() == []


def test_a_preset_chosen_just_before_the_click_is_the_one_that_is_compared(lab):
    """The browser knows the preset's epochs by then, and sends the other fields as they were."""
    app = lab.open("compare")
    app.radio(key="compare.preset").set_value("Quick").run()
    app.selectbox(key="compare.schedule").set_value("constant")
    app.toggle(key="compare.batch_norm").set_value(False)
    app.button(key="compare.start").click().run()
    assert {replace(run.config, dropout=0.0) for run in lab.store.runs()} == {PRESETS[2].config}


def test_pressing_compare_asks_for_all_runs_in_pairs_and_puts_the_setup_into_the_address(lab):
    app = lab.open("compare")
    app.text_input(key="compare.hidden").set_value("16")
    app.text_input(key="compare.levels").set_value("0.5; 0")
    app.text_input(key="compare.epochs").set_value("2")
    app.text_input(key="compare.seed").set_value("7")
    app.text_input(key="compare.seeds").set_value("2")
    press(app, "compare.start")
    assert not app.exception
    study = Study(base=replace(ARTICLE, hidden=(16,), epochs=2, seed=7), levels=(0.0, 0.5), seeds=2)
    assert [(config.seed, config.dropout) for config in stored(lab)] == [(7, 0.0), (7, 0.5), (8, 0.0), (8, 0.5)]
    assert stored(lab) == study.configs()
    assert {run.data_fingerprint for run in lab.store.runs()} == {lab.dataset.fingerprint}
    assert address(app) == study.to_address()
    assert setup(app) == ("0, 0.5", 2)  # as the link has it
    assert lab.dispatcher.woken == 1
    assert progress_bars(app) == [(0, "0 of 4 runs finished · place 1 in line")]
    assert "No answer yet." in texts(app.subheader)


def test_pressing_compare_twice_asks_once(lab):
    app = lab.open("compare")
    press(app, "compare.start")
    before = address(app)
    press(app, "compare.start")
    assert not app.exception
    assert len(lab.store.runs()) == 2
    assert address(app) == before


def test_five_seeds_are_a_press_away(lab):
    app = lab.open("compare")
    press(app, "compare.five_seeds")
    assert setup(app) == ("0, 0.2", 5)
    press(app, "compare.start")
    assert sorted({config.seed for config in stored(lab)}) == [0, 1, 2, 3, 4]
    assert len(lab.store.runs()) == 10


def test_no_more_than_twenty_seeds_can_be_chosen(lab):
    app = lab.open("compare")
    app.text_input(key="compare.seeds").set_value("25")
    press(app, "compare.start")
    assert lab.store.runs() == []
    assert any("from 1 to 20, got 25" in text for text in map(unescaped, texts(app.error)))
    assert app.button(key="compare.start").disabled


def test_the_form_keeps_its_choices_while_another_page_is_open(lab):
    app = lab.open("compare")
    app.text_input(key="compare.levels").set_value("0, 0.3").run()
    press(app, "compare.five_seeds")
    go_to(app, "data")
    go_to(app, "compare")
    assert setup(app) == ("0, 0.3", 5)


@pytest.mark.parametrize(
    ("key", "schedule"), [("compare.article", "constant"), ("compare.one_cycle", "one-cycle")], ids=["article", "cycle"]
)
def test_an_experiment_on_the_learning_rate_starts_with_one_press(lab, key, schedule):
    app = lab.open("compare")
    press(app, key)
    assert not app.exception
    assert len(lab.store.runs()) == 10
    assert {(config.schedule, config.protocol, config.epochs) for config in stored(lab)} == {(schedule, "article", 30)}
    assert {(config.dropout, config.seed) for config in stored(lab)} == {(p, s) for p in (0.0, 0.2) for s in range(5)}
    assert setup(app) == ("0, 0.2", 5)
    assert app.selectbox(key="compare.schedule").value == schedule
    assert Study.from_address(address(app)).configs() == stored(lab)


# Links


def test_a_link_fills_the_form_and_says_that_nothing_is_stored(lab):
    app = open_study(lab, THREE_ARMS)
    assert not app.exception
    assert not app.warning
    assert setup(app) == ("0, 0.2, 0.5", 2)
    assert app.text_input(key="compare.hidden").value == "16"
    assert app.text_input(key="compare.epochs").value == "2"
    assert app.selectbox(key="compare.protocol").value == "held-out"
    assert "Not run here yet" in texts(app.subheader)
    assert not app.table
    press(app, "compare.start")
    assert stored(lab) == THREE_ARMS.configs()
    assert "Not run here yet" not in texts(app.subheader)


def test_a_link_to_a_stored_experiment_shows_its_results(lab):
    train(lab, STUDY)
    app = open_study(lab, STUDY)
    assert not app.exception
    assert setup(app) == ("0, 0.2", 2)
    assert "Not run here yet" not in texts(app.subheader)
    assert table(app)["Seeds"].tolist() == ["2 of 2", "2 of 2"]
    assert [run.status for run in lab.store.runs()] == ["finished"] * 4


def test_a_way_to_another_page_stands_level_with_the_buttons_beside_it(lab):
    """A page's link is lower than a button."""
    train(lab, STUDY)

    def rows(block):
        for child in block.children.values():
            if child.type in {"page_link", "link_button"}:
                yield child.type, block.proto.flex_container.align
            elif hasattr(child, "children"):
                yield from rows(child)

    found = list(rows(open_study(lab, STUDY).main))
    assert {kind for kind, _ in found} == {"page_link", "link_button"}
    assert {align for _, align in found} == {Block.FlexContainer.ALIGN_CENTER}


def test_a_link_to_an_experiment_that_was_run_in_part_offers_to_go_on(lab):
    train(lab, ONE_SEED)
    app = open_study(lab, STUDY)
    assert not app.exception
    assert "2 of 4 runs have finished. Press **Compare** to go on with the rest." in texts(app.info)
    assert table(app)["Seeds"].tolist() == ["1 of 2", "1 of 2"]
    press(app, "compare.start")
    assert statuses(lab) == ["finished", "finished", "queued", "queued"]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"arms": "0,x"}, "arms must look like 0,0.2, got '0,x'"),
        ({"arms": "0.2"}, "2 to 8 arms, got 1"),
        ({"arms": "0.2,0.2"}, "0.2 is given twice"),
        ({"arms": "0,1"}, "Dropout must be a number from 0 to 0.95"),
        ({"seeds": "21"}, "a whole number from 1 to 20, got 21"),
        ({"seeds": "\N{ARABIC-INDIC DIGIT THREE}"}, "seeds must look like 5, got '\N{ARABIC-INDIC DIGIT THREE}'"),
        ({"epochs": "2.5"}, "epochs must look like 30, got '2.5'"),
        ({"schedule": "noon"}, "Schedule must be one of constant, one-cycle"),
        ({"arms": ""}, "arms must look like 0,0.2, got ''"),
    ],
)
def test_a_broken_link_is_explained_and_the_form_stays_usable(lab, parameters, reason):
    app = lab.open("compare", **parameters)
    assert not app.exception
    (sentence,) = texts(app.warning)
    assert sentence.startswith("The link does not describe an experiment. ")
    assert reason in unescaped(sentence)
    assert setup(app) == ("0, 0.2", 1)
    press(app, "compare.start")
    assert not app.exception
    assert not app.warning
    assert stored(lab) == Study(base=ARTICLE).configs()


def test_a_link_with_nothing_of_ours_chooses_no_experiment(lab):
    app = lab.open("compare", fbclid="IwAR0")
    assert not app.exception
    assert not app.warning
    assert "No experiment chosen" in texts(app.subheader)


def test_after_back_the_form_shows_the_experiment_that_the_result_is_of(lab):
    other = replace(STUDY, levels=(0.0, 0.5), seeds=1)
    app = open_study(lab, STUDY)
    app.text_input(key="compare.levels").set_value("0, 0.5")
    app.text_input(key="compare.seeds").set_value("1")
    press(app, "compare.start")
    assert setup(app) == ("0, 0.5", 1)
    assert other.describe() in texts(app.caption)
    app.query_params.update(STUDY.to_address())
    app.run()
    assert setup(app) == ("0, 0.2", 2)
    train(lab, STUDY)
    assert STUDY.describe() in texts(app.run().caption)


def test_what_is_typed_into_the_form_stays_while_the_result_is_the_same(lab):
    app = open_study(lab, STUDY)
    app.text_input(key="compare.levels").set_value("0, 0.5").run()
    assert setup(app.run()) == ("0, 0.5", 2)


def test_a_link_that_gained_something_on_its_way_shows_the_same_experiment(lab):
    train(lab, ONE_SEED)
    link = {name: f"{value}.\N{ZERO WIDTH SPACE} " for name, value in ONE_SEED.to_address().items()}
    app = lab.open("compare", **link, utm_source="chat")
    assert not app.exception
    assert not app.warning
    assert table(app)["Seeds"].tolist() == ["1 of 1", "1 of 1"]


# Input that cannot be used


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("0.2", "2 to 8 arms, got 1"),
        ("", "2 to 8 arms, got 0"),
        ("0.2, 0.2", "0.2 is given twice"),
        ("0, 0.0", "0 is given twice"),
        ("0, x", "got 'x'"),
        ("0, 0.96", "0 to 0.95, got 0.96"),
        ("0, -0.1", "got '-0.1'"),
        ("0, nan", "got 'nan'"),
        ("0, 0.\N{ARABIC-INDIC DIGIT TWO}", "got '0.\N{ARABIC-INDIC DIGIT TWO}'"),
        ("0 .1 .2 .3 .4 .5 .6 .7 .8", "2 to 8 arms, got 9"),
    ],
)
def test_rates_that_cannot_be_used_are_explained_until_they_are_mended(lab, typed, reason):
    app = lab.open("compare")
    app.text_input(key="compare.levels").set_value(typed).run()
    assert not app.exception
    (sentence,) = texts(app.error)
    assert reason in unescaped(sentence)
    assert app.button(key="compare.start").disabled
    app.text_input(key="compare.levels").set_value("0 0.5").run()
    assert not app.error
    assert not app.button(key="compare.start").disabled


def test_hidden_sizes_that_cannot_be_used_are_explained(lab):
    app = lab.open("compare")
    app.text_input(key="compare.hidden").set_value("abc").run()
    assert not app.exception
    (sentence,) = texts(app.error)
    assert "got 'abc'" in sentence
    assert app.button(key="compare.start").disabled


def test_seeds_beyond_the_last_one_are_explained(lab):
    app = lab.open("compare")
    app.text_input(key="compare.seed").set_value("2147483647")
    press(app, "compare.five_seeds")
    assert not app.exception
    (sentence,) = texts(app.error)
    assert "choose a lower first seed or fewer seeds" in sentence
    assert app.button(key="compare.start").disabled


def test_compare_does_not_start_what_was_mistyped_just_before_the_click(lab):
    app = lab.open("compare")
    app.text_input(key="compare.levels").set_value("0, x")
    press(app, "compare.start")
    assert not app.exception
    assert lab.store.runs() == []
    assert not app.query_params
    assert any("The comparison was not started: " in text and "'x'" in text for text in texts(app.error))


# The answer


def test_a_finished_comparison_shows_verdict_figures_and_table(lab):
    keys_ = train(lab, STUDY)
    app = open_study(lab, STUDY)
    assert not app.exception
    assert not app.error
    verdict = conclude(arm_runs(lab, STUDY, keys_), STUDY.factor, 0.0, 0.2)
    assert texts(app.subheader).count(plain(verdict.headline)) == 1
    assert {plain(sentence) for sentence in verdict.sentences} <= set(texts(app.markdown))
    shown = table(app)
    assert shown.index.tolist() == ["0", "0.2"]
    assert shown["Seeds"].tolist() == ["2 of 2", "2 of 2"]
    assert all(" ± " in text for text in shown["Validation loss, last epoch"])
    assert not [name for name in shown.columns if "Test" in name]
    assert len(app.get("plotly_chart")) == 1
    assert not progress_bars(app)
    assert "compare.stop" not in keys(app.button)
    assert "compare.run_five" in keys(app.button)  # two seeds settle nothing


@pytest.mark.parametrize(("change", "helps"), [(-0.1, True), (0.1, False), (0.0, None)])
def test_the_answer_is_what_the_stored_figures_carry(lab, change, helps):
    study = replace(STUDY, seeds=5)
    noise = (-0.010, 0.004, 0.012, -0.002, -0.004)
    keys_ = finish(lab, study, lambda config: 0.5 + (change + noise[config.seed]) * (config.dropout > 0))
    verdict = conclude(arm_runs(lab, study, keys_), STUDY.factor, 0.0, 0.2)
    assert verdict.helps is helps
    app = open_study(lab, study)
    assert not app.exception
    assert texts(app.subheader).count(plain(verdict.headline)) == 1
    assert {plain(sentence) for sentence in verdict.sentences} <= set(texts(app.markdown))
    assert "compare.run_five" not in keys(app.button)


def test_test_figures_are_shown_on_request_and_for_these_runs_alone(lab):
    train(lab, STUDY)
    app = open_study(lab, STUDY)
    assert "test loss" not in all_words(app).lower()
    press(app, "compare.reveal")
    assert not app.exception
    shown = table(app)
    assert all(" ± " in text for name in shown.columns if name.startswith("Test") for text in shown[name])
    assert len([name for name in shown.columns if name.startswith("Test")]) == 5
    assert "test loss" in all_words(app).lower()
    assert "compare.reveal" not in keys(app.button)
    app.query_params["seeds"] = "1"  # some of the same runs
    app.run()
    assert [name for name in table(app).columns if name.startswith("Test")]
    fewer = open_study(lab, ONE_SEED)  # another visitor, who begins with these
    press(fewer, "compare.reveal")
    fewer.query_params["seeds"] = str(STUDY.seeds)
    fewer.run()
    assert not [name for name in table(fewer).columns if name.startswith("Test")]
    assert "compare.reveal" in keys(fewer.button)


def test_one_seed_settles_nothing_and_five_are_offered(lab):
    verdict = conclude(arm_runs(lab, ONE_SEED, train(lab, ONE_SEED)), STUDY.factor, 0.0, 0.2)
    assert len(verdict.differences) == 3
    assert not verdict.settled
    app = open_study(lab, ONE_SEED)
    assert not app.exception
    assert plain(verdict.headline) in texts(app.subheader)
    assert {plain(sentence) for sentence in verdict.sentences} <= set(texts(app.markdown))
    press(app, "compare.run_five")
    assert not app.exception
    assert stored(lab) == replace(STUDY, seeds=5).configs()
    assert statuses(lab) == ["finished"] * 2 + ["queued"] * 8
    assert setup(app) == ("0, 0.2", 5)
    assert address(app)["seeds"] == "5"
    ((_, words),) = progress_bars(app)
    assert words.startswith("2 of 10 runs finished")


def test_of_three_arms_the_second_one_of_the_answer_can_be_chosen(lab):
    train(lab, THREE_ARMS)
    app = open_study(lab, THREE_ARMS)
    (control,) = (control for control in app.segmented_control if control.key == "compare.second.dropout")
    assert (control.label, control.value) == ("Compare no dropout with", 0.2)
    (before,) = app.get("plotly_chart")
    choose(app, "compare.second.dropout", 0.5)
    assert not app.exception
    (after,) = app.get("plotly_chart")
    assert "0.5" in after.proto.spec
    assert after.proto.spec != before.proto.spec
    assert table(app).index.tolist() == ["0", "0.2", "0.5"]
    # Another experiment, which has no such arm.
    other = replace(THREE_ARMS, levels=(0.0, 0.2, 0.3))
    app.query_params.update(other.to_address())
    ask(lab, other)
    app.run()
    assert not app.exception
    (control,) = (control for control in app.segmented_control if control.key == "compare.second.dropout")
    assert control.value == 0.2


def test_the_arm_that_a_cell_of_a_map_is_about_is_chosen_and_streamlit_has_nothing_to_warn_of(lab, monkeypatch):
    def as_a_click_on_the_cell():
        study_form.open_comparison(THREE_ARMS)
        choose_second(THREE_ARMS, 0.5)

    warnings = []
    monkeypatch.setattr(study_form, "start_study", as_a_click_on_the_cell)
    monkeypatch.setattr(policies, "runtime", SimpleNamespace(exists=lambda: True))  # or it looks for nothing
    monkeypatch.setattr(policies, "_shown_default_value_warning", False)
    monkeypatch.setattr(policies._LOGGER, "warning", lambda *words, **more: warnings.append(words))
    ask(lab, THREE_ARMS)
    app = press(lab.open("compare"), "compare.start")
    (control,) = (control for control in app.segmented_control if control.key == "compare.second.dropout")
    assert control.value == 0.5
    assert not warnings


def test_two_arms_leave_nothing_to_choose(lab):
    ask(lab, STUDY)
    assert "compare.second.dropout" not in [control.key for control in open_study(lab, STUDY).segmented_control]


def test_the_articles_protocol_is_said_to_show_test_figures(lab):
    study = replace(ONE_SEED, base=replace(ONE_SEED.base, protocol="article"))
    train(lab, study)
    app = open_study(lab, study)
    assert not app.exception
    assert "The article validates on the test set" in all_words(app)


# While runs wait and train


def test_waiting_runs_can_be_stopped_all_at_once(lab):
    asked = ask(lab, STUDY)
    other = lab.ask(replace(STUDY.base, seed=99))
    app = open_study(lab, STUDY)
    assert progress_bars(app) == [(0, "0 of 4 runs finished · place 1 in line")]
    lab.store.leases.claim(asked[0], "a worker")
    press(app, "compare.stop")
    assert not app.exception
    assert lab.store.run(asked[0]).cancel_requested
    assert [lab.store.run(key).status for key in asked[1:]] == ["stopped"] * 3
    assert lab.store.run(other).status == "queued"
    lab.store.leases.end(asked[0], "a worker", "stopped")
    app.run()
    assert not progress_bars(app)
    assert "compare.stop" not in keys(app.button)
    assert "0 of 4 runs have finished. Press **Compare** to go on with the rest." in texts(app.info)


def test_the_page_follows_runs_as_they_train(lab):
    asked = ask(lab, STUDY)
    app = open_study(lab, STUDY)
    lab.store.leases.claim(asked[0], "a worker")
    lab.record(asked[0], 1, 0.5, b"best")
    app.run()
    assert not app.exception
    ((share, words),) = progress_bars(app)
    assert share == 1 / 8
    assert words.startswith("0 of 4 runs finished · about ")
    assert table(app)["Seeds"].tolist() == ["0 of 2", "0 of 2"]
    assert "compare.reveal" not in keys(app.button)
    assert "No answer yet." in texts(app.subheader)


def test_a_failed_run_is_reported_with_its_reason(lab):
    asked = ask(lab, STUDY)
    lab.store.leases.claim(asked[1], "a worker")
    lab.store.leases.end(asked[1], "a worker", "failed", error="the loss is *not* a number.")
    app = open_study(lab, STUDY)
    assert not app.exception
    (sentence,) = texts(app.error)
    assert sentence == "1 of 4 runs failed. Run 2: the loss is \\*not\\* a number."
    press(app, "compare.start")
    assert not app.error
    assert lab.store.run(asked[1]).status == "queued"


# Curves


def test_curves_of_loss_and_accuracy_stand_side_by_side(lab):
    train(lab, STUDY)
    app = open_study(lab, STUDY)
    panels = live_charts(app)
    assert list(panels) == ["compare.panel0", "compare.panel1"]
    for figure in panels.values():
        assert traces(figure) == ["As trained", "Evaluated", "Validation"]
    losses = [[trace["y"] for trace in figure["data"]] for figure in panels.values()]
    choose(app, "compare.metric", "accuracy")
    assert not app.exception
    panels = live_charts(app)
    assert [traces(figure) for figure in panels.values()] == [["As trained", "Evaluated", "Validation"]] * 2
    assert losses != [[trace["y"] for trace in figure["data"]] for figure in panels.values()]


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_the_arms_can_be_drawn_in_one_chart(lab, metric):
    train(lab, STUDY)
    app = open_study(lab, STUDY)
    choose(app, "compare.metric", metric)
    choose(app, "compare.layout", "overlay")
    assert not app.exception
    ((key, figure),) = live_charts(app).items()
    assert key == "compare.overlay"
    arms = ("No dropout", "Dropout 0.2")
    expected = {f"{arm}{kind}" for arm in arms for kind in ("", ", training", ", validation")}
    assert expected <= set(traces(figure))


def test_the_gap_is_always_drawn_in_one_chart(lab):
    train(lab, STUDY)
    app = open_study(lab, STUDY)
    choose(app, "compare.metric", "gap")
    assert not app.exception
    ((key, figure),) = live_charts(app).items()
    assert key == "compare.overlay"
    assert {"No dropout, gap", "Dropout 0.2, gap"} <= set(traces(figure))
    (layout,) = (control for control in app.segmented_control if control.key == "compare.layout")
    assert layout.proto.disabled
    choose(app, "compare.metric", "loss")
    assert list(live_charts(app)) == ["compare.panel0", "compare.panel1"]


def test_the_articles_curves_are_added_under_its_own_recipe(lab):
    study = Study(base=replace(ARTICLE, seed=3))
    ask(lab, study)
    app = open_study(lab, study)
    assert not [name for figure in live_charts(app).values() for name in traces(figure) if "Article" in name]
    app.toggle(key="compare.reference").set_value(True).run()
    assert not app.exception
    published = ["Article, train", "Article, test"]
    for figure in live_charts(app).values():
        assert sorted(name for name in traces(figure) if "Article" in name) == sorted(published)
        assert "Validation (test set)" in traces(figure)
    choose(app, "compare.layout", "overlay")
    (figure,) = live_charts(app).values()
    assert [name for name in traces(figure) if "Article" in name] == ["Article, no dropout", "Article, dropout 0.2"]
    choose(app, "compare.metric", "gap")
    assert not app.exception
    (figure,) = live_charts(app).values()
    assert not [name for name in traces(figure) if "Article" in name]


@pytest.mark.parametrize(
    "base",
    [replace(ARTICLE, epochs=29), replace(ARTICLE, protocol="held-out"), replace(ARTICLE, batch_norm=True)],
    ids=["epochs", "protocol", "network"],
)
def test_another_recipe_has_no_curves_of_the_article(lab, base):
    study = Study(base=base)
    ask(lab, study)
    app = open_study(lab, study)
    assert not app.exception
    assert "compare.reference" not in keys(app.toggle)


# model.eval()


def open_explanation(app):
    app.session_state["compare.evaluation_mode"] = True
    return app.run()


def test_an_explanation_that_nobody_opens_computes_nothing_and_reads_no_weights(lab):
    train(lab, FORGETFUL)
    lab.fail("weights")
    app = open_study(lab, FORGETFUL)
    assert not app.exception
    assert not app.metric
    assert "compare.forget" not in keys(app.toggle)
    open_explanation(app)
    assert not app.exception
    assert not app.error  # what was measured rightly is stored with the epoch
    assert len(app.metric) == 2
    app.toggle(key="compare.forget").set_value(True).run()
    (error,) = texts(app.error)
    assert error.startswith("The network cannot be read: ")


def test_dropout_left_on_does_damage(lab):
    asked = train(lab, FORGETFUL)
    app = open_explanation(open_study(lab, FORGETFUL))
    assert not app.exception
    right, accuracy = app.metric
    assert (right.label, accuracy.label) == ("Validation loss", "Validation accuracy")
    assert not right.delta
    epochs = lab.store.epochs(asked[1])  # with dropout, of the first seed
    assert float(right.value) == pytest.approx(epochs["validation_loss"].min(), abs=0.0006)
    app.toggle(key="compare.forget").set_value(True).run()
    assert not app.exception
    wrong, worse = app.metric
    assert float(wrong.value) > float(right.value)
    assert wrong.delta.startswith("+")
    assert float(wrong.delta) == pytest.approx(float(wrong.value) - float(right.value), abs=0.0011)
    assert worse.delta.endswith(" points")


def test_the_run_whose_network_forgets_can_be_chosen_while_another_trains(lab):
    train(lab, replace(FORGETFUL, seeds=1))
    asked = ask(lab, FORGETFUL)
    lab.work_on(asked[3])
    app = open_explanation(open_study(lab, FORGETFUL))
    first = texts(app.metric)
    chooser = app.selectbox(key="compare.forgetful_run")
    assert chooser.options == ["Dropout 0.5, seed 0", "Dropout 0.5, seed 1"]
    chooser.select_index(1).run()
    assert not app.exception
    second = texts(app.metric)
    assert second != first
    lab.work_on(asked[2])
    app.run()
    assert not app.exception
    assert texts(app.metric) == second
    app.toggle(key="compare.forget").set_value(True).run()
    assert not app.exception


def test_before_the_first_epoch_there_is_no_network_to_forget(lab):
    ask(lab, STUDY)
    app = open_explanation(open_study(lab, STUDY))
    assert "Once a run with dropout has an epoch, a switch here shows the damage." in texts(app.caption)
    assert "compare.forget" not in keys(app.toggle)


# What the store refuses


@pytest.mark.parametrize("key", ["compare.start", "compare.article"])
def test_a_full_queue_is_explained_and_starts_nothing(lab, key, monkeypatch):
    monkeypatch.setenv("DROPOUT_LAB_WAITING_RUNS", "2")
    for seed in range(2):
        lab.ask(replace(STUDY.base, seed=seed))
    app = lab.open("compare")
    press(app, key)
    assert not app.exception
    (sentence,) = texts(app.error)
    assert sentence.startswith("The comparison was not started: at most 2 runs may wait at once, and 2 do")
    assert len(lab.store.runs()) == 2
    assert not app.query_params
    assert lab.dispatcher.woken == 0
    assert not app.run().error  # said once


@pytest.mark.parametrize(
    ("method", "key", "start"),
    [
        ("request_all", "compare.start", "The comparison was not started: "),
        ("cancel", "compare.stop", "The runs could not be stopped: "),
    ],
)
def test_a_store_that_cannot_be_written_is_explained(lab, method, key, start, monkeypatch):
    ask(lab, STUDY)
    app = open_study(lab, STUDY)
    failing(method, "the run store cannot be written (disk full)", monkeypatch)
    press(app, key)
    assert not app.exception
    assert texts(app.error) == [f"{start}the run store cannot be written (disk full)."]
    assert not app.run().error


@pytest.mark.parametrize(
    ("method", "start"),
    [
        ("changed_runs", "The comparison cannot be shown: "),
        ("epochs_of", "The comparison cannot be shown: "),
        ("tests_of", "The comparison cannot be shown: "),
    ],
)
def test_a_store_that_cannot_be_read_is_explained(lab, method, start, monkeypatch):
    train(lab, ONE_SEED)
    failing(method, "the run store cannot be read (disk I/O error)", monkeypatch)
    app = open_study(lab, ONE_SEED)
    assert not app.exception
    assert texts(app.error) == [f"{start}the run store cannot be read (disk I/O error)."]
    assert not app.button(key="compare.start").disabled


# A button beside the answer: a browser runs only the part of the page that it is in


def press_in_fragment(app, key, monkeypatch):
    """Press a button as a browser does that has seen it in a fragment."""
    fragment = next(iter(app._fragment_storage._fragments))  # the menu of what to take along is another, within it
    with monkeypatch.context() as patch:
        patch.setattr(local_script_runner, "RerunData", partial(RerunData, fragment_id=fragment))
        return press(app, key)


def test_five_seeds_asked_for_beside_the_answer_are_shown_at_once(lab, monkeypatch):
    train(lab, ONE_SEED)
    app = open_study(lab, ONE_SEED)
    press_in_fragment(app, "compare.run_five", monkeypatch)
    assert not app.exception
    assert len(lab.store.runs()) == 10
    assert setup(app) == ("0, 0.2", 5)
    assert table(app)["Seeds"].tolist() == ["1 of 5", "1 of 5"]
    ((_, words),) = progress_bars(app)
    assert words.startswith("2 of 10 runs finished")


# Another factor


@pytest.mark.parametrize("factor", FACTORS.values(), ids=list(FACTORS))
def test_any_setting_is_compared_as_dropout_is(lab, factor):
    base = RunConfig(hidden=(16,), epochs=2, learning_rate=0.01)
    fitting = {"hidden": ((8,), (16, 16)), "epochs": (1, 2), "training_images": (100, 300)}
    levels = fitting.get(factor.setting, factor.levels)
    study = Study(base=base, setting=factor.setting, levels=levels, seeds=2)
    train(lab, study)
    app = open_study(lab, study)
    assert not app.exception
    assert not app.error
    assert texts(app.title) == [factor.question]
    words = all_words(app)
    assert study.sharing() in words
    assert plain(study.describe()) in words
    assert table(app).index.name == factor.name
    assert table(app).index.tolist() == [factor.label(level) for level in study.levels]
    assert table(app)["Seeds"].tolist() == ["2 of 2"] * 2
    assert app.selectbox(key="compare.factor").value == factor.setting
    own = {element.key for kind in (app.text_input, app.toggle, app.selectbox, app.slider) for element in kind}
    assert f"compare.{factor.setting}" not in own, "the setting that differs has no one value"
    assert {f"compare.{field.name}" for field in fields(RunConfig) if field.name != factor.setting} - own == set()
    if factor.setting != "dropout":
        assert "dropout 0.2" not in words.lower().replace("input dropout", "")


def test_an_arm_with_more_images_than_there_are_is_refused_before_it_starts(lab):
    app = lab.open("compare")
    app.selectbox(key="compare.factor").set_value("training_images").run()
    app.text_input(key="compare.levels").set_value("100, 601").run()
    assert not app.exception
    (sentence,) = map(unescaped, texts(app.error))
    assert sentence.startswith(
        "Training images must be at most the 600 of Fashion-MNIST that validation on the test set"
    )
    assert app.button(key="compare.start").disabled
    app.text_input(key="compare.levels").set_value("100, all").run()
    assert not app.error
    app.text_input(key="compare.levels").set_value("100, 601")
    press(app, "compare.start")  # typed just before the click
    assert lab.store.runs() == []


def test_a_slip_in_the_field_of_what_then_differs_is_no_matter(lab):
    app = lab.open("compare")
    app.text_input(key="compare.label_noise").set_value("x").run()
    assert "Label noise must be" in texts(app.error)[0]
    app.selectbox(key="compare.factor").set_value("label_noise").run()
    assert not app.exception
    assert not app.error
    assert not app.button(key="compare.start").disabled


def test_another_factor_brings_its_levels_and_starts_what_it_says(lab):
    app = lab.open("compare")
    app.text_input(key="compare.hidden").set_value("16")
    app.text_input(key="compare.epochs").set_value("1")
    app.selectbox(key="compare.factor").set_value("weight_decay").run()
    assert setup(app) == ("0, 0.01", 1)
    app.text_input(key="compare.levels").set_value("0; 0,1").run()
    assert "Arms: no weight decay, weight decay 0.1." in all_words(app)
    app.slider(key="compare.dropout").set_value(0.5).run()
    press(app, "compare.start")
    assert not app.exception
    assert [(config.weight_decay, config.dropout) for config in stored(lab)] == [(0.0, 0.5), (0.1, 0.5)]
    assert address(app)["factor"] == "weight_decay"
    assert texts(app.title) == ["Does weight decay help here?"]


@pytest.mark.parametrize(
    ("setting", "typed", "message"),
    [
        ("weight_decay", "0", "2 to 8 arms"),
        ("weight_decay", "0, 0", "given twice"),
        ("weight_decay", "0, 2", "Weight decay must be a number from 0 to 1, got 2"),
        ("batch_size", "64, 1.5", "must be typed like 64, 256"),
        ("hidden", "64, 8-8-8-8-8-8-8", "1 to 6 hidden layers"),
    ],
)
def test_levels_that_cannot_be_run_are_explained_and_start_nothing(lab, setting, typed, message):
    app = lab.open("compare")
    app.selectbox(key="compare.factor").set_value(setting).run()
    app.text_input(key="compare.levels").set_value(typed).run()
    assert not app.exception
    assert message in plain(" ".join(texts(app.error)))
    assert app.button(key="compare.start").disabled


def test_switches_are_compared_off_and_on_without_asking_for_levels(lab):
    app = lab.open("compare")
    app.text_input(key="compare.epochs").set_value("1")
    app.selectbox(key="compare.factor").set_value("batch_norm").run()
    assert "compare.levels" not in {element.key for element in app.text_input}
    press(app, "compare.start")
    assert [config.batch_norm for config in stored(lab)] == [False, True]


# How it is read: at which epoch, and by which margin


def losses(config):
    """Lower with dropout by 0.1, with a little noise that is no pattern of a seed."""
    return 0.5 - config.dropout / 2 + (config.seed * 7 % 5) / 1000 * (1 + config.dropout)


def read_as(app):
    (margin,) = (field for field in app.text_input if field.key == "compare.margin")
    (epoch,) = (control for control in app.segmented_control if control.key == "compare.epoch")
    return epoch.value, [field.value for field in app.number_input], margin.value


def type_margin(app, text):
    (field,) = (field for field in app.text_input if field.key == "compare.margin")
    field.set_value(text).run()


FIVE_SEEDS = replace(STUDY, seeds=5)


def test_the_last_epoch_and_half_a_point_are_read_to_begin_with(lab):
    finish(lab, FIVE_SEEDS, losses)
    app = open_study(lab, FIVE_SEEDS)
    assert not app.exception
    assert read_as(app) == ("last", [], "0.5")
    assert plain("Dropout 0.2 helps: it lowers the validation loss.") in texts(app.subheader)
    # The answer, its chart and the table each say at which epoch they are.
    assert all_words(app).count("at the last epoch.") == 3
    starred = [name for name in table(app).columns if "★" in "".join(table(app)[name])]
    assert starred == ["Validation loss, last epoch", "Gap, last epoch"]
    assert "No, the validation accuracy changes by less than" not in all_words(app)  # equal in too few pairs


@pytest.mark.parametrize(
    ("protocol", "words"), [("held-out", "chosen on the validation images"), ("article", "chosen on the test images")]
)
def test_another_epoch_is_read_everywhere_and_kept_in_the_address(lab, protocol, words):
    study = replace(FIVE_SEEDS, base=replace(STUDY.base, protocol=protocol))
    finish(lab, study, losses)
    app = open_study(lab, study)
    choose(app, "compare.epoch", "best")
    assert not app.exception
    assert address(app) == study.to_address() | {"epoch": "best"}
    assert all_words(app).count(words) == 3
    starred = [name for name in table(app).columns if "★" in "".join(table(app)[name])]
    assert starred == ["Validation loss, best epoch", "Gap, best epoch"]
    choose(app, "compare.epoch", "chosen")
    (number,) = app.number_input
    number.set_value(1).run()
    assert not app.exception
    assert address(app)["epoch"] == "1"
    assert all_words(app).count("at epoch 1. Who picks an epoch once the curves are there") == 3
    assert "Validation loss, epoch 1" in table(app).columns
    choose(app, "compare.epoch", "last")
    assert address(app) == study.to_address()


def test_a_link_says_how_to_read(lab):
    finish(lab, FIVE_SEEDS, losses)
    app = lab.open("compare", **FIVE_SEEDS.to_address(), epoch="1", margin="2")
    assert not app.exception
    assert read_as(app) == ("chosen", [1], "2")
    assert "the margin of 2 percentage points" in all_words(app)
    # Pressing Compare reads the next experiment alike.
    press(app, "compare.start")
    assert address(app) == FIVE_SEEDS.to_address() | {"epoch": "1", "margin": "2"}
    # The browser's Back.
    del app.query_params["epoch"]
    app.run()
    assert not app.exception
    assert read_as(app) == ("last", [], "2")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"epoch": "3"}, "The link's epoch must be last, best or a number from 1 to 2, got '3'."),
        ({"epoch": "first"}, "The link's epoch must be last, best or a number from 1 to 2, got 'first'."),
        ({"margin": "-1"}, "The margin must be 0.01 to 20 percentage points, got"),
        ({"margin": "half"}, "The margin must be 0.01 to 20 percentage points, got 'half'."),
    ],
)
def test_a_link_that_does_not_say_how_to_read_is_explained(lab, said, words):
    finish(lab, FIVE_SEEDS, losses)
    app = lab.open("compare", **FIVE_SEEDS.to_address(), **said)
    assert not app.exception
    (warning,) = app.warning
    assert unescaped(warning.value).startswith(f"The link does not say how to read the experiment. {words}")
    assert read_as(app) == ("last", [], "0.5")


def test_an_epoch_that_the_next_experiment_lacks_is_not_read_there(lab):
    finish(lab, FIVE_SEEDS, losses)
    app = lab.open("compare", **FIVE_SEEDS.to_address(), epoch="2", margin="2")
    (field,) = (field for field in app.text_input if field.key == "compare.epochs")
    field.set_value("1")
    press(app, "compare.start")
    assert not app.exception
    assert "epoch" not in address(app)


@pytest.mark.parametrize("typed", ["much", "0", "21", "nan", ""])
def test_a_margin_that_is_none_is_explained_and_loses_nothing(lab, typed):
    finish(lab, FIVE_SEEDS, losses)
    app = lab.open("compare", **FIVE_SEEDS.to_address(), margin="2")
    type_margin(app, typed)
    assert not app.exception
    assert any("The margin must be 0.01 to 20 percentage points" in unescaped(error.value) for error in app.error)
    assert plain("Dropout 0.2 helps: it lowers the validation loss.") in texts(app.subheader)
    assert address(app)["margin"] == "2"
    type_margin(app, "0,25")
    assert not app.exception
    assert not app.error
    assert address(app)["margin"] == "0.25"


def test_pairs_that_did_not_train_alike_are_named(lab):
    def place(config):
        version = "2.12.1" if config.seed == 3 and config.dropout == 0 else "2.13.0"
        return Workplace(process=None, torch_version=version, processor="EPYC", threads=1)

    finish(lab, FIVE_SEEDS, losses, place)
    app = open_study(lab, FIVE_SEEDS)
    assert not app.exception
    assert "1 pair did not train alike" in all_words(app)
    assert "seed 3 (torch 2.12.1 and 2.13.0)" in all_words(app)
