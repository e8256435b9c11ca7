"""A comparison: one recipe, the setting that differs, its levels and seeds; and how a link carries it.

An arm is one level with a run for each seed. Runs of different arms that share a seed are pairs: they have everything
in common that the setting leaves alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from fmnist_core.comparison.factors import FACTORS, Factor, Level, at_default, at_level
from fmnist_core.comparison.pairs import drawn_by, shared_by_pairs
from fmnist_core.comparison.setting_texts import SETTING_TEXTS, SettingText, quoted, read_levels, write_levels
from fmnist_core.config import PRESETS, SEED_LIMITS, RunConfig
from fmnist_core.results.run_names import describe_recipe
from fmnist_core.wording import listed

ARM_LIMITS = (2, 8)
SEED_COUNT_LIMITS = (1, 20)

_SEEDS = SettingText("[0-9]{1,10}", int, str, "5")
# "dropout" came last: links of earlier versions carry no such setting, since dropout was what their arms differ in.
ADDRESS_NAMES = frozenset({"factor", "arms", "seeds", *SETTING_TEXTS})


@dataclass(frozen=True, kw_only=True)
class Study:
    """Arms that differ in one setting alone, each with the same seeds: base.seed, base.seed + 1 and so on.

    The levels are kept in their order, from the least to the most, and `base` is kept with the setting's default,
    which no arm takes from it. Raises ValueError that names the rule, the value and what to do.
    """

    base: RunConfig
    setting: str = "dropout"
    levels: tuple[Level, ...] = FACTORS["dropout"].levels
    seeds: int = 1

    def __post_init__(self) -> None:
        if self.setting not in FACTORS:
            raise ValueError(f"arms must differ in one of {', '.join(FACTORS)}, got {self.setting!r}")
        low, high = ARM_LIMITS
        if not isinstance(self.levels, tuple):
            raise ValueError(f"arms must be a tuple of levels, got {self.levels!r}")
        if not low <= len(self.levels) <= high:
            remedy = "add a level to compare with" if len(self.levels) < low else "leave some out"
            raise ValueError(f"a comparison must have {low} to {high} arms, got {len(self.levels)}; {remedy}")
        # RunConfig checks each level, and makes one of those that are the same: 0 and 0.0.
        levels = [getattr(at_level(self.base, self.setting, level), self.setting) for level in self.levels]
        if twice := [level for level in levels if levels.count(level) > 1]:
            raise ValueError(f"arms must differ: {self.factor.label(twice[0])} is given twice; change or remove one")
        fewest, most = SEED_COUNT_LIMITS
        whole = isinstance(self.seeds, int) and not isinstance(self.seeds, bool)
        if not whole or not fewest <= self.seeds <= most:
            raise ValueError(f"seeds an arm must be a whole number from {fewest} to {most}, got {self.seeds!r}")
        if self.base.seed + self.seeds - 1 > SEED_LIMITS[1]:
            raise ValueError(
                f"every seed must be at most {SEED_LIMITS[1]}, got {self.seeds} from {self.base.seed} on; "
                "choose a lower first seed or fewer seeds"
            )
        object.__setattr__(self, "levels", self.factor.in_order(levels))
        object.__setattr__(self, "base", at_default(self.base, self.setting))

    @property
    def factor(self) -> Factor:
        """The setting in which its arms differ."""
        return FACTORS[self.setting]

    @property
    def total_epochs(self) -> int:
        """The epochs of the arm that has the most."""
        return max(at_level(self.base, self.setting, level).epochs for level in self.levels)

    @property
    def shared_epochs(self) -> int:
        """The epochs that every arm has."""
        return min(at_level(self.base, self.setting, level).epochs for level in self.levels)

    def arm_configs(self, level: Level) -> list[RunConfig]:
        """The arm's runs, one a seed."""
        arm = at_level(self.base, self.setting, level)
        return [replace(arm, seed=self.base.seed + place) for place in range(self.seeds)]

    def configs(self) -> list[RunConfig]:
        """All runs, seed by seed, so that whole pairs finish early."""
        return [config for seed in zip(*map(self.arm_configs, self.levels), strict=True) for config in seed]

    def sharing(self) -> str:
        """What runs of one seed have in common, and what they cannot, in Markdown."""
        configs = [self.arm_configs(level)[0] for level in self.levels]
        draws = shared_by_pairs(self.setting, drawn_by(*configs))
        common = f"Runs of one seed share {listed([f'the {draw}' for draw in draws.same])}"
        # An arm that does without has nothing that could be shared, or be apart.
        if sum(not self.factor.is_none(level) for level in self.levels) < 2:
            return f"{common}. They differ in **{self.factor.name.lower()} alone**."
        if draws.apart:
            apart = listed([f"the {draw}" for draw in draws.apart])
            return f"{common}. They **cannot share {apart}**. {draws.sentence}"
        more = f" {draws.sentence}" if draws.sentence else ""
        return f"{common}. They differ in **{self.factor.name.lower()} alone**.{more}"

    def describe(self, across: str = "") -> str:
        """What its runs have in common, in a few words, and their seeds; without a setting that it goes `across`."""
        first, last = self.base.seed, self.base.seed + self.seeds - 1
        seeds = f"seed {first}" if first == last else f"seeds {first} to {last}"
        return f"{describe_recipe(self.base, self.setting, across)} · {seeds}"

    def to_address(self) -> dict[str, str]:
        """Query parameters, `from_address`'s inverse: arms, seeds and what differs from `RunConfig`'s defaults."""
        address = {} if self.setting == "dropout" else {"factor": self.setting}
        address |= {"arms": write_levels(self.factor, self.levels), "seeds": str(self.seeds)}
        standard = RunConfig()
        for name, text in SETTING_TEXTS.items():
            if (value := getattr(self.base, name)) != getattr(standard, name):
                address[name] = text.write(value)
        return address

    @classmethod
    def from_address(cls, values: Mapping[str, str]) -> Self:
        """Read query parameters; none of a known name mean the default comparison, the article's.

        Others are ignored: links gain some on their way. Where there are some, a missing one takes its default: that
        of `RunConfig`, and dropout for the setting that differs. Raises ValueError with a sentence for people.
        """
        known = {name: text for name, text in values.items() if name in ADDRESS_NAMES}
        if not known:
            return cls(base=PRESETS[0].config)
        setting = known.pop("factor", "dropout")
        if setting not in FACTORS:
            raise ValueError(f"the link's factor must be one of {', '.join(FACTORS)}, got {quoted(setting)}")
        factor = FACTORS[setting]
        levels = read_levels(factor, known.pop("arms")) if "arms" in known else factor.levels
        seeds = _SEEDS.parse("seeds", known.pop("seeds")) if "seeds" in known else 1
        base: dict[str, Any] = {name: SETTING_TEXTS[name].parse(name, text) for name, text in known.items()}
        return cls(base=RunConfig(**base), setting=setting, levels=levels, seeds=seeds)
