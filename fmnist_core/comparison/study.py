"""A comparison of dropout rates: what it consists of, how a link carries it, and its figures an epoch and an arm.

An arm is one dropout rate with a run for each seed. Runs of different arms that share a seed share the split, the
first weights and the order of batches, so they are pairs that differ in dropout alone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from fmnist_core.config import DROPOUT_LIMITS, PRESETS, SEED_LIMITS, RunConfig
from fmnist_core.results.run_names import describe_recipe
from fmnist_core.wording import number_text

ARM_LIMITS = (2, 8)
SEED_COUNT_LIMITS = (1, 20)

# Longer than any address that `to_address` writes: eight rates with all their digits.
_VALUE_LENGTH = 250
_WHOLE = r"[0-9]{1,10}"
_NUMBER = r"[0-9]{1,3}(?:\.[0-9]{1,26})?(?:e-[0-9]{1,3})?"
_TYPED_NUMBER = re.compile(rf"{_NUMBER}|\.[0-9]{{1,26}}")


@dataclass(frozen=True, kw_only=True)
class Study:
    """Arms that differ in dropout alone, each with the same seeds: base.seed, base.seed + 1 and so on.

    The rates are kept in ascending order, and `base` is kept with dropout 0, which no arm takes from it. Raises
    ValueError that names the rule, the value and what to do.
    """

    base: RunConfig
    dropouts: tuple[float, ...] = (0.0, 0.2)
    seeds: int = 1

    def __post_init__(self) -> None:
        low, high = ARM_LIMITS
        if not isinstance(self.dropouts, tuple):
            raise ValueError(f"arms must be a tuple of dropout rates, got {self.dropouts!r}")
        if not low <= len(self.dropouts) <= high:
            remedy = "add a rate to compare with" if len(self.dropouts) < low else "leave some out"
            raise ValueError(f"a comparison must have {low} to {high} arms, got {len(self.dropouts)}; {remedy}")
        # RunConfig checks each rate; adding 0.0 turns -0.0 into 0.0.
        rates = sorted(replace(self.base, dropout=rate).dropout + 0.0 for rate in self.dropouts)
        if twice := [rate for rate in rates if rates.count(rate) > 1]:
            raise ValueError(f"arms must differ: {number_text(twice[0])} is given twice; change or remove one")
        fewest, most = SEED_COUNT_LIMITS
        whole = isinstance(self.seeds, int) and not isinstance(self.seeds, bool)
        if not whole or not fewest <= self.seeds <= most:
            raise ValueError(f"seeds an arm must be a whole number from {fewest} to {most}, got {self.seeds!r}")
        if self.base.seed + self.seeds - 1 > SEED_LIMITS[1]:
            raise ValueError(
                f"every seed must be at most {SEED_LIMITS[1]}, got {self.seeds} from {self.base.seed} on; "
                "choose a lower first seed or fewer seeds"
            )
        object.__setattr__(self, "dropouts", tuple(rates))
        object.__setattr__(self, "base", replace(self.base, dropout=0.0))

    def arm_configs(self, dropout: float) -> list[RunConfig]:
        """The arm's runs, one a seed."""
        return [replace(self.base, dropout=dropout, seed=self.base.seed + place) for place in range(self.seeds)]

    def configs(self) -> list[RunConfig]:
        """All runs, seed by seed, so that whole pairs finish early."""
        return [config for seed in zip(*map(self.arm_configs, self.dropouts), strict=True) for config in seed]

    def describe(self) -> str:
        """What its runs have in common, in a few words, and their seeds."""
        first, last = self.base.seed, self.base.seed + self.seeds - 1
        return f"{describe_recipe(self.base)} · " + (f"seed {first}" if first == last else f"seeds {first} to {last}")

    def to_address(self) -> dict[str, str]:
        """Query parameters, `from_address`'s inverse: arms, seeds and what differs from `RunConfig`'s defaults."""
        address = {"arms": ",".join(map(number_text, self.dropouts)), "seeds": str(self.seeds)}
        standard = RunConfig()
        for name, (_, _, write) in _FORMS.items():
            if name not in address and (value := getattr(self.base, name)) != getattr(standard, name):
                address[name] = write(value)
        return address

    @classmethod
    def from_address(cls, values: Mapping[str, str]) -> Self:
        """Read query parameters; none of a known name mean the default comparison, the article's.

        Others are ignored: links gain some on their way. Where there are some, a missing one takes `RunConfig`'s
        default. Raises ValueError with a sentence for people.
        """
        known = {name: text for name, text in values.items() if name in ADDRESS_NAMES}
        if not known:
            return cls(base=PRESETS[0].config)
        parsed: dict[str, Any] = {}
        for name, text in known.items():
            pattern, read, _ = _FORMS[name]
            if len(text) > _VALUE_LENGTH or not re.fullmatch(pattern, text):
                raise ValueError(f"the link's {name} must look like {_EXAMPLES[name]}, got {_quoted(text)}")
            parsed[name] = read(text)
        arms = {name: parsed.pop(key) for key, name in (("arms", "dropouts"), ("seeds", "seeds")) if key in parsed}
        return cls(base=RunConfig(**parsed), **arms)


def parse_dropouts(text: str) -> tuple[float, ...]:
    """Read dropout rates as people type them, in their order: "0, 0.2 0.5". `Study` checks their number and range.

    Raises ValueError that quotes the part that is no number.
    """
    parts = text.replace(",", " ").replace(";", " ").split()
    for part in parts:
        if not _TYPED_NUMBER.fullmatch(part):
            low, high = DROPOUT_LIMITS
            raise ValueError(
                f"dropout rates must be numbers from {low:g} to {high:g} such as 0, 0.2, 0.5; got {_quoted(part)}"
            )
    return tuple(map(float, parts))


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


# A setting's pattern, which must match to the very end and in ASCII; how to read it; how to write it.
_Form = tuple[str, Callable[[str], Any], Callable[[Any], str]]
_WHOLE_FORM: _Form = (_WHOLE, int, str)
_NUMBER_FORM: _Form = (_NUMBER, float, number_text)
_SWITCH_FORM: _Form = ("true|false", lambda text: text == "true", lambda value: str(value).lower())
_CHOICE_FORM: _Form = ("[a-z-]{1,20}", str, str)  # RunConfig knows the choices
_FORMS: dict[str, _Form] = {
    "arms": (rf"{_NUMBER}(?:,{_NUMBER})*", parse_dropouts, str),
    "seeds": _WHOLE_FORM,
    "hidden": (
        rf"{_WHOLE}(?:-{_WHOLE})*",
        lambda text: tuple(map(int, text.split("-"))),
        lambda widths: "-".join(map(str, widths)),
    ),
    "batch_norm": _SWITCH_FORM,
    "learning_rate": _NUMBER_FORM,
    "schedule": _CHOICE_FORM,
    "batch_size": _WHOLE_FORM,
    "epochs": _WHOLE_FORM,
    "weight_decay": _NUMBER_FORM,
    "label_smoothing": _NUMBER_FORM,
    "flips": _SWITCH_FORM,
    "protocol": _CHOICE_FORM,
    "seed": _WHOLE_FORM,
}
ADDRESS_NAMES = frozenset(_FORMS)
_EXAMPLES = {
    **{"arms": "0,0.2", "seeds": "5", "hidden": "256-128-64", "batch_norm": "true", "learning_rate": "0.003"},
    **{"schedule": "one-cycle", "batch_size": "64", "epochs": "30", "weight_decay": "0.01", "label_smoothing": "0.1"},
    **{"flips": "true", "protocol": "article", "seed": "0"},
}
assert {field.name for field in fields(RunConfig)} - {"dropout"} == set(_FORMS) - {"arms", "seeds"}
