"""Who asks something of the store, and which runs are theirs to stop and to delete."""

from dataclasses import dataclass


class NotYoursError(RuntimeError):
    """Somebody wants to stop or delete a run that is not theirs; the message is for people."""


@dataclass(frozen=True)
class Visitor:
    """Somebody who asks. `name` is what runs remember of who asked for them; None: not to be told from others."""

    name: str | None
    may_change_all: bool = False

    def may_change(self, asked_by: str | None) -> bool:
        """Whether this visitor may stop and delete a run that `asked_by` asked for first."""
        return self.may_change_all or (self.name is not None and self.name == asked_by)


OPERATOR = Visitor(None, may_change_all=True)  # a program that has the store itself in hand
