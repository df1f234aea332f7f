"""Small checks that rules of every room make."""

from collections.abc import Collection
from typing import Protocol

from dataexchange.rules.refusal import (
    FIGURE_OUT_OF_RANGE,
    MISMATCH,
    NOT_A_PARTY_TO_IT,
    WRONG_STATUS,
)


class HasStatus(Protocol):
    """A state with a place in a state machine."""

    @property
    def id(self) -> str:
        """The aggregate's key."""
        ...

    @property
    def status(self) -> str:
        """Its place in its state machine."""
        ...


def require_status(state: HasStatus, *allowed: str) -> None:
    """Refuse unless `state` has one of the `allowed` statuses."""
    if state.status not in allowed:
        raise WRONG_STATUS(key=state.id, status=state.status, needed=" | ".join(allowed))


def require_actor(actor: str, expected: str | Collection[str], subject: str) -> None:
    """Refuse unless `actor` is the party (or one of those) that may act on `subject`."""
    allowed = (expected,) if isinstance(expected, str) else tuple(expected)
    if actor not in allowed:
        raise NOT_A_PARTY_TO_IT(actor=actor, subject=subject, expected=", ".join(allowed))


def require_range(holds: bool, zh: str, en: str) -> None:
    """Refuse a figure outside its range, which `zh` and `en` tell."""
    if not holds:
        raise FIGURE_OUT_OF_RANGE(range_zh=zh, range_en=en)


def require_same(what: str, named: object, held: object) -> None:
    """Refuse unless what the event names is what the ledger holds."""
    if named != held:
        raise MISMATCH(what=what, named=named, held=held)
