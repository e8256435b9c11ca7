"""A wish for one export: all that decides what is in the file, and short enough to be handed to another process."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from fmnist_core.export.file_names import file_stem
from fmnist_core.export.kinds import Kind, Subject, kind_of
from fmnist_core.store.notes import NO_NOTES, Notes


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What to make of which run, comparison or grid, as its visitor sees it."""

    kind: str
    subject: Subject
    keys: tuple[str, ...]  # of the runs that it rests on; of a run its own alone
    version: str  # another as soon as anything of these runs is
    data_fingerprint: str
    experiment: Mapping[str, str] = field(default_factory=dict)  # a comparison's or a grid's address
    reading: Mapping[str, str] = field(default_factory=dict)  # the address of how a comparison is read
    second: int = 1  # the place of the level that is shown beside the first one
    reveal_tests: bool = False
    link: str = ""
    notes: Notes = NO_NOTES

    def to_json(self) -> str:
        """`from_json`'s inverse; the same for wishes that are the same."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        return cls(**{**values, "keys": tuple(values["keys"]), "notes": Notes(**values["notes"])})

    @property
    def digest(self) -> str:
        """A short name for all of it."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    @property
    def what(self) -> Kind:
        """What it asks for."""
        return kind_of(self.subject, self.kind)

    def file_name(self) -> str:
        """What the file is called: by the learner's name for it, or by what it is of, and a key."""
        is_run = self.subject == "run"
        otherwise = "run" if is_run else f"{self.experiment.get('factor', 'dropout').replace('_', '-')}-comparison"
        stem = file_stem(self.notes.name, otherwise, self.keys[0] if is_run else self.digest[:8])
        part = "" if self.kind in {"report", "weights", "settings", "onnx", "script", "notebook"} else f"-{self.kind}"
        return f"{stem}{part}{self.what.ending}"
