"""Fill a script's template: only what the settings need is written, and cells stand two empty lines apart."""

import re
import textwrap
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmnist_core.export.constants import epoch_parameter, guard, name_in_script, parameter
from fmnist_core.export.settings_used import SettingsUsed

if TYPE_CHECKING:
    import jinja2

_TEMPLATES = Path(__file__).parent / "templates"
_WIDTH = 98  # characters of a line of prose, without "# "


def rendered(template: str, settings: SettingsUsed, values: Mapping[str, Any]) -> str:
    """The script that `template` makes of the settings and of `values`."""
    text = (
        _environment()
        .get_template(template)
        .render(
            n=lambda setting: name_in_script(setting, settings),
            level=lambda *used: parameter(settings, *used),
            only_where=lambda setting, caller: _only_where(settings, setting, caller()),
            epoch_level=epoch_parameter(settings),
            uses=settings.uses,
            uses_value=settings.uses_value,
            has_lone_last_image=settings.has_lone_last_image,
            varying=settings.varying,
            **values,
        )
    )
    return re.sub(r"\n+# %%", "\n\n\n# %%", text).strip("\n") + "\n"


@cache
def _environment() -> "jinja2.Environment":
    import jinja2  # whoever exports nothing does without

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # what visitors wrote comes escaped, for Markdown
    )
    environment.filters |= {"markdown": _markdown_cell, "literal": _literal}
    return environment


def _only_where(settings: SettingsUsed, setting: str, code: str) -> str:
    """`code`, where the setting is on anywhere; below a condition where some arms have it off."""
    if not settings.uses(setting):
        return ""
    if not settings.is_guarded(setting):
        return code
    margin = code[: len(code) - len(code.lstrip(" "))]
    return f"{margin}if {guard(setting)}:\n{textwrap.indent(code, '    ')}"


def _markdown_cell(text: str) -> str:
    """A cell of prose, in comments: paragraphs are filled, headings and quotations stay as they are."""
    paragraphs = re.split(r"\n{2,}", text.strip("\n"))
    lines = "\n\n".join(one if one[0] in "#>" else textwrap.fill(one, _WIDTH) for one in paragraphs)
    return "# %% [markdown]\n" + textwrap.indent(lines, "# ", lambda _: True).replace("# \n", "#\n") + "\n"


def _literal(value: Any) -> str:
    """The value as code, with quotation marks as the rest of the script has them."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    text = repr(value)
    return f'"{text[1:-1]}"' if isinstance(value, str) and '"' not in text else text
