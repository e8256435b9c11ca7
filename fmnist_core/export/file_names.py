"""File names that are safe on every system, made of what people call their runs."""

import re
import unicodedata

_LONGEST_NAME = 60  # characters, before the run's key; file systems allow 255 bytes for all
# Windows keeps these for devices, with any ending.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


def file_stem(name: str, otherwise: str, key: str) -> str:
    """The name of a file, without its ending: a learner's name made safe, or `otherwise`, and a key.

    Letters and digits of every script stay; all else, path separators and characters that nobody sees among it, becomes
    a hyphen. So no name leads out of a folder, hides its ending, or is one that Windows keeps for devices.
    """
    composed = unicodedata.normalize("NFC", name)
    kept = "".join(character if _may_stay(character) else " " for character in composed)
    words = "-".join(kept.split())[:_LONGEST_NAME].strip("-") or otherwise
    # Together with the key, as "con-0123456789abcdef", it would be harmless; people shorten names.
    return f"{'run-' if _RESERVED.fullmatch(words) else ''}{words}-{key}"


def _may_stay(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM" or character == "_"
