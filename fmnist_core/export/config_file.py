"""A run's settings as a file, and the way back: what is read gives the run's own key again."""

import json
from dataclasses import dataclass, fields
from typing import Any

from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import CLASSES
from fmnist_core.network.figures import TRAINING_VERSION
from fmnist_core.store.run import Run

LONGEST_FILE = 64 * 1024  # bytes: fifty times what one has
_FORMAT = "dropout-lab-run"
_LONGEST_QUOTE = 80


@dataclass(frozen=True)
class ReadConfig:
    """Settings from a file, and whether they will have the run's own key here."""

    config: RunConfig
    key: str  # of the run that the file was written for; empty where the file does not say
    is_same_here: bool  # with this server's data and training code


def config_file(run: Run) -> str:
    """The run's settings with what else decides its key: JSON, for people as well."""
    content = {
        "format": _FORMAT,
        "key": run.key,
        "settings": run.config.to_dict(),
        "data": {"name": run.data_name, "fingerprint": run.data_fingerprint, "classes": list(CLASSES)},
        "training_version": TRAINING_VERSION,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_config_file(content: bytes, data_fingerprint: str) -> ReadConfig:
    """Read `config_file`'s text, or the plain settings alone; `data_fingerprint` is that of the data in use.

    Raises ValueError with what is wrong, for people: a setting that this version does not know is named.
    """
    if len(content) > LONGEST_FILE:
        raise ValueError(
            f"a settings file must have at most {LONGEST_FILE // 1024} KB, got {len(content) / 1024:,.0f} KB; "
            "choose the JSON file that Take away made"
        )
    values = _parsed(content)
    if "format" not in values and {field.name for field in fields(RunConfig)} & values.keys():
        settings, key, data, version = values, "", {}, TRAINING_VERSION
    else:
        if values.get("format") != _FORMAT:
            raise ValueError(f'a settings file must say "format": "{_FORMAT}", got {_quoted(values.get("format"))}')
        settings, key = _part(values, "settings", dict), _part(values, "key", str)
        data, version = _part(values, "data", dict), _part(values, "training_version", int)
    config = _config(settings)
    fingerprint = str(data.get("fingerprint", data_fingerprint))
    if key and config.key(fingerprint, version) != key:
        raise ValueError(
            f"the settings and data in the file must be those of its run {_quoted(key)}, but were changed since; "
            'delete "key" and the lines beside "settings" to use them as new ones'
        )
    is_same = fingerprint == data_fingerprint and version == TRAINING_VERSION
    return ReadConfig(config, key, is_same)


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        values = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_without_doubles, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise ValueError(f"a settings file must be text in UTF-8; byte {error.start} is none") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"a settings file must be JSON; line {error.lineno} is not: {error.msg}") from None
    except RecursionError:
        raise ValueError("a settings file must be JSON of a few levels, got one that is nested without end") from None
    if not isinstance(values, dict):
        raise ValueError(f"a settings file must hold one JSON object, got {_quoted(values)}")
    return values


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"a settings file must say everything once, got {_quoted(twice[0])} twice")
    return dict(pairs)


def _constant(text: str) -> float:
    raise ValueError(f"a settings file must hold numbers, got {text}")


def _part(values: dict[str, Any], name: str, kind: type) -> Any:
    value = values.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        words = {dict: "an object", str: "a text", int: "a whole number"}[kind]
        raise ValueError(f'a settings file must have "{name}" as {words}, got {_quoted(value)}')
    return value


def _config(settings: dict[str, Any]) -> RunConfig:
    known = {field.name for field in fields(RunConfig)}
    if unknown := [name for name in settings if name not in known]:
        raise ValueError(
            f"unknown setting {', '.join(map(_quoted, unknown[:5]))}; the file may be of a newer version of the lab, "
            "and without it the run would be another one"
        )
    return RunConfig.from_dict(settings)


def _quoted(value: object) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"
