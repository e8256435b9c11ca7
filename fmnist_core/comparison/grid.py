"""When does it help? One comparison, made again at each value of a second setting; and how a link carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from fmnist_core.comparison.factors import FACTORS, Factor, Level, at_default, at_level
from fmnist_core.comparison.setting_texts import quoted, read_levels, write_levels
from fmnist_core.comparison.study import ADDRESS_NAMES, Study
from fmnist_core.config import RunConfig

VALUE_LIMITS = (2, 6)
RUNS_LIMIT = 240

GRID_NAMES = ADDRESS_NAMES | {"across", "values"}


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A comparison at each value of a second setting, called `across`.

    The values are kept from the least to the most, and the comparison is kept with that setting's default, which no
    part of the grid takes from it. Raises ValueError that names the rule, the value and what to do.
    """

    study: Study
    across: str
    values: tuple[Level, ...]

    def __post_init__(self) -> None:
        others = [setting for setting in FACTORS if setting != self.study.setting]
        if self.across not in others:
            raise ValueError(
                f"a comparison in {self.study.setting} can go across one of {', '.join(others)}, "
                f"got {quoted(str(self.across))}"
            )
        low, high = VALUE_LIMITS
        if not low <= len(self.values) <= high:
            remedy = "add another" if len(self.values) < low else "leave some out"
            raise ValueError(
                f"a comparison must go across {low} to {high} values of {self.second.name.lower()}, "
                f"got {len(self.values)}; {remedy}"
            )
        values = [getattr(at_level(self.study.base, self.across, value), self.across) for value in self.values]
        if twice := [value for value in values if values.count(value) > 1]:
            raise ValueError(f"values must differ: {self.second.label(twice[0])} is given twice; change or remove one")
        if (runs := len(values) * len(self.study.levels) * self.study.seeds) > RUNS_LIMIT:
            raise ValueError(
                f"a comparison across a second setting must have at most {RUNS_LIMIT} runs, got {len(values)} values "
                f"x {len(self.study.levels)} arms x {self.study.seeds} seeds = {runs}; choose fewer of one of them"
            )
        object.__setattr__(self, "values", self.second.in_order(values))
        base = at_default(self.study.base, self.across)
        object.__setattr__(self, "study", replace(self.study, base=base))

    @property
    def second(self) -> Factor:
        """The setting that it goes across."""
        return FACTORS[self.across]

    @cached_property
    def studies(self) -> tuple[Study, ...]:
        """The comparison at each value, in their order."""
        return tuple(replace(self.study, base=at_level(self.study.base, self.across, value)) for value in self.values)

    def configs(self) -> list[RunConfig]:
        """All runs, seed by seed, so that whole rounds of the grid finish early."""
        by_study = [study.configs() for study in self.studies]
        arms = len(self.study.levels)
        return [
            config
            for place in range(self.study.seeds)
            for configs in by_study
            for config in configs[place * arms : (place + 1) * arms]
        ]

    def describe(self) -> str:
        """What its runs have in common, in a few words, and their seeds."""
        return self.study.describe(self.across)

    def to_address(self) -> dict[str, str]:
        """Query parameters, `from_address`'s inverse."""
        return {
            **self.study.to_address(),
            "across": self.across,
            "values": write_levels(self.second, self.values),
        }

    @classmethod
    def from_address(cls, values: Mapping[str, str]) -> Self:
        """Read query parameters, of which "across" is one. Raises ValueError with a sentence for people."""
        across = values["across"]
        if across not in FACTORS:
            raise ValueError(f"the link's across must be one of {', '.join(FACTORS)}, got {quoted(across)}")
        second = FACTORS[across]
        chosen = read_levels(second, values["values"], "values") if "values" in values else second.levels
        return cls(study=Study.from_address(values), across=across, values=chosen)
