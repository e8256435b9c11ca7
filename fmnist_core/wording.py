"""Words that more than one room uses: what arms are called, signed numbers, shares, lists."""

import math
from collections.abc import Sequence
from decimal import Decimal

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def dropout_name(dropout: float) -> str:
    """What an arm, or a run of it, is called: "no dropout", "dropout 0.2"."""
    return f"dropout {dropout:g}" if dropout else "no dropout"


def capitalised(text: str) -> str:
    """`text` as the beginning of a sentence; the rest of it stays as it is."""
    return text[:1].upper() + text[1:]


def listed(parts: Sequence[str], *, last: str = "and") -> str:
    """At least one part as a sentence lists them: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def shortened(text: str, most: int) -> str:
    """At most so many characters of `text`, with an ellipsis where some are left out."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def percentage(share: float) -> str:
    """Word a probability without false certainty: 0.9341 is "93.4%", a trace "<0.1%", near one ">99.9%"."""
    if share < 0.001:
        return "<0.1%"
    return ">99.9%" if share > 0.999 else f"{share:.1%}"


def counted(count: int, noun: str) -> str:
    """ "1 epoch", "30 epochs"; nouns with a plural in -s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def file_size(size: int) -> str:
    """How large a file is, in units of ten: "812 bytes", "3.4 KB", "1.2 MB"."""
    if size < 1000:
        return counted(size, "byte")
    number, unit = (size / 1000, "KB") if size < 999_500 else (size / 1e6, "MB")
    return f"{number:.1f} {unit}" if number < 99.5 else f"{number:.0f} {unit}"


def decimal(value: float, digits: int) -> str:
    """`value` with so many decimals, with no sign where it rounds to zero; from a million on with a power of ten.

    A minus is a true one.
    """
    if math.isfinite(value) and abs(value) >= 1e6:
        size, power = f"{value:.1e}".split("e")
        text = f"{size} \N{MULTIPLICATION SIGN} 10{str(int(power)).translate(_RAISED)}"
    else:
        text = f"{value:.{digits}f}"
        text = text.removeprefix("-") if float(text) == 0 else text
    return text.replace("-", "\N{MINUS SIGN}")


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number, without an exponent where people can do without one.

    "0", "0.2", "0.000001", "2147483647"; "1e-12".
    """
    text = f"{Decimal(repr(value)):f}" if value == 0 or 1e-9 <= abs(value) < 1e15 else repr(value)
    return text.removesuffix(".0")


def signed_number(value: float, digits: int, zero: str | None = None) -> str:
    """A change with its sign, a true minus among them; "+0.12" for one.

    What rounds to zero has no sign. `zero`, where given, stands for exactly none and for what is not known (NaN).
    """
    if zero is not None and (value == 0 or math.isnan(value)):
        return zero
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return ("\N{MINUS SIGN}" if value < 0 else "+") + text
