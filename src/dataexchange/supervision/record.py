"""What the folds over the log read of an entry, and the log as they read it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from dataexchange.rules import State
from dataexchange.rules.state import S


class Record(msgspec.Struct, frozen=True):
    """One entry: its place, event type, payload as JSON, time and signer."""

    index: int
    event: str
    payload: Mapping[str, Any]
    recorded_at: datetime
    actor: str = ""


@dataclass(frozen=True)
class History:
    """The first entries of a log, in order, and the states that they led to."""

    records: tuple[Record, ...]
    states: Mapping[str, State]
    _by_event: dict[str, list[Record]] = field(default_factory=dict, init=False)
    _by_name: dict[str, list[Record]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for record in self.records:
            self._by_event.setdefault(record.event, []).append(record)
            for name in {one for one in record.payload.values() if isinstance(one, str)}:
                if _ID.match(name):
                    self._by_name.setdefault(name, []).append(record)

    @classmethod
    def of(cls, records: Iterable[Record], states: Mapping[str, State]) -> "History":
        """Return the history of `records`, which led to `states`."""
        return cls(tuple(records), states)

    @property
    def now(self) -> datetime:
        """The time of the last entry: what a fold knows of the present."""
        return self.records[-1].recorded_at

    def each(self, *events: str) -> list[Record]:
        """Return the records of these event types, in the log's order."""
        found = [record for event in events for record in self._by_event.get(event, ())]
        return sorted(found, key=lambda record: record.index) if len(events) > 1 else found

    def naming(self, key: str, *events: str) -> list[Record]:
        """Return the records of these event types whose payload names `key`, in the log's order."""
        return [record for record in self._by_name.get(key, ()) if record.event in events]

    def last(self, key: str, *events: str) -> Record | None:
        """Return the last record of these event types whose payload names `key`."""
        named = self.naming(key, *events)
        return named[-1] if named else None

    def all(self, kind: type[S]) -> Iterator[S]:
        """Return the states of `kind`, by key."""
        return (state for _, state in sorted(self.states.items()) if isinstance(state, kind))

    def find(self, kind: type[S], key: str) -> S | None:
        """Return the state of `key`, or `None` where there is none of `kind`."""
        state = self.states.get(key)
        return state if isinstance(state, kind) else None


_ID = re.compile(r"[a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25}\Z")
