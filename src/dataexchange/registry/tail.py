"""The end of the log: what the next entry is built on.

The sequencer appends to a tail read from the database; the verifier appends to one that starts
empty and compares the bytes that come out with the bytes it was given. Both get the same entries.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from dataexchange.errors import DataExchangeError, RefusedError
from dataexchange.ledger import entry, merkle
from dataexchange.ledger.entry import NO_PREVIOUS
from dataexchange.registry.decide import decide, encode_state
from dataexchange.registry.submission import Submission
from dataexchange.rules import POLICY_KEY, Held, RefusalCode, State

NOTHING_HELD = Held(seq=0, head=NO_PREVIOUS, state=None)

ENTRY_TOO_LARGE = RefusalCode(
    "entry.too_large",
    clause="docs/ledger-format.md, entry",
    zh="条目将有 {size} 字节，上限 {limit}",
    en="The entry would have {size} bytes; {limit} at most",
    remedy_zh="把大的内容存入内容库，以哈希引用。",
    remedy_en="Keep large content in the content store and name it by hash.",
    kind="malformed",
)


class GroupRefusedError(DataExchangeError):
    """A linked group was refused for the sake of one of its statements."""

    def __init__(self, culprit: str, refusal: RefusedError) -> None:
        super().__init__(f"{culprit}: {refusal}")
        self.culprit = culprit
        self.refusal = refusal


class Appended(msgspec.Struct, frozen=True, gc=False):
    """One entry as built: its bytes, leaf hash, time, and the aggregates that it is about.

    `subjects` are in the order of their keys; `encoded` has the states that the event changed, and
    `previous` the index of the entry before about each subject, in the same order.
    """

    index: int
    body: bytes
    leaf: bytes
    recorded_at: datetime
    submission: Submission
    subjects: dict[str, Held]
    previous: tuple[int, ...]
    encoded: dict[str, bytes]


@dataclass(slots=True)
class Tail:
    """The log's size, last leaf hash (hex), last time, and the aggregates known of it."""

    origin: str
    size: int = 0
    prev: str = NO_PREVIOUS
    recorded_at: datetime | None = None
    held: dict[str, Held] = field(default_factory=dict)

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Return those of `keys` that must be read before an event that touches them."""
        return {key for key in keys if key not in self.held}

    def append(self, submission: Submission, now: datetime) -> Appended:
        """Append one event at `now` (or at the last entry's time, if that is later), or refuse."""
        recorded_at = now if self.recorded_at is None else max(now, self.recorded_at)
        for key in submission.touched:
            if key not in self.held:
                self.held[key] = NOTHING_HELD
        self.held.setdefault(POLICY_KEY, NOTHING_HELD)
        states = decide(
            submission, self.held, origin=self.origin, index=self.size, recorded_at=recorded_at
        )
        changed = {state.id: state for state in states}
        encoded = {state.id: encode_state(state) for state in states}
        return self._put(submission, changed, encoded, recorded_at)

    def append_linked(self, group: Iterable[Submission], now: datetime) -> list[Appended]:
        """Append all of `group`, or none: `GroupRefusedError` names the one that was refused."""
        size, prev, last, held = self.size, self.prev, self.recorded_at, dict(self.held)
        appended: list[Appended] = []
        for submission in group:
            try:
                appended.append(self.append(submission, now))
            except Exception as error:
                self.size, self.prev, self.recorded_at, self.held = size, prev, last, held
                if isinstance(error, RefusedError):
                    raise GroupRefusedError(submission.id, error) from error
                raise
        return appended

    def _put(
        self,
        submission: Submission,
        changed: dict[str, State],
        encoded: dict[str, bytes],
        recorded_at: datetime,
    ) -> Appended:
        before = {key: self.held[key] for key in sorted({submission.actor, *changed})}
        links = {key: (held.seq + 1, held.head) for key, held in before.items()}
        body = entry.build(
            index=self.size,
            prev=self.prev,
            recorded_at=recorded_at,
            signature=submission.signature,
            statement=submission.statement.body,
            subjects=links,
        )
        if len(body) > entry.ENTRY_SIZE_MAX:
            raise ENTRY_TOO_LARGE(size=len(body), limit=entry.ENTRY_SIZE_MAX)
        leaf = merkle.leaf_hash(body)
        head = leaf.hex()
        subjects = {
            key: Held(
                held.seq + 1,
                head,
                changed.get(key, held.state),
                self.size,
                self.size if held.seq == 0 else held.first_index,
            )
            for key, held in before.items()
        }
        self.held.update(subjects)
        previous = tuple(held.index for held in before.values())
        appended = Appended(
            self.size, body, leaf, recorded_at, submission, subjects, previous, encoded
        )
        self.size, self.prev, self.recorded_at = self.size + 1, head, recorded_at
        return appended
