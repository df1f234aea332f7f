"""Replay a log: rebuild every entry by the rules and compare it, byte for byte, with what is given.

An entry is a function of what came before it, the signed statement, and the time it was recorded.
So one comparison checks its index, the log's chain, every subject's chain, its canonical form, and
that the rules of the exchange let it in.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from dataexchange.accounts.book import Account
from dataexchange.errors import RefusedError
from dataexchange.ledger.entry import Entry, EntryError
from dataexchange.ledger.merkle import Frontier
from dataexchange.ledger.statement import Statement, format_time
from dataexchange.registry import submission
from dataexchange.registry.catalogue import RULES_VERSION, catalogue
from dataexchange.registry.decide import RULES_UNKNOWN
from dataexchange.registry.submission import Submission
from dataexchange.registry.tail import Appended, Tail
from dataexchange.rules import POLICY_KEY, Held
from dataexchange.rules.state import S
from dataexchange.supervision.completeness import MapCommitted
from dataexchange.supervision.evaluation import evaluate, report_hash
from dataexchange.supervision.indicators import IndicatorsPublished
from dataexchange.supervision.record import Record
from dataexchange.supervision.stock import record_of
from dataexchange.verification.examination import Examined, Fault, Seen, examine
from dataexchange.verification.map_pass import MapPass
from dataexchange.verification.past import Past
from dataexchange.verification.verdict import UnsoundError, UnusableError

_OTHER_RULES = (
    "账本采用的规则版本，本验证程序不认识；请使用对应版本"
    " / the log follows rules that this verifier does not know; use the version of dataexchange"
    " that it was made under"
)

HELD_MAX = 50_000  # aggregates in memory

_Read: TypeAlias = tuple[bytes, Submission, datetime]


class Replay:
    """A log as it grows again from nothing; raises `UnsoundError` at the first entry at fault.

    `map_sizes` are the sizes that its committed maps cover (`map_pass.map_sizes`); without them
    maps are not made again.
    """

    def __init__(
        self, origin: str, map_sizes: frozenset[int] | None = None, past: Past | None = None
    ) -> None:
        self.tail = Tail(origin)
        self.frontier = Frontier()
        self.events: Counter[str] = Counter()
        self.maps: MapPass | None = None
        self._past = past or Past()
        self._changed: dict[str, Held] = {}
        self._encoded: dict[str, bytes] = {}
        self._linked: tuple[str, ...] = ()
        self._linked_at = 0
        self._index = 0
        self._records: list[Record] = []
        if map_sizes is not None:
            self.expect_maps(map_sizes)

    def expect_maps(self, sizes: frozenset[int]) -> None:
        """Make the maps of `sizes` again, none of which is behind already."""
        self.maps = MapPass(sizes)
        if sizes and self.tail.size:
            self.maps.seed(self.all())

    def extend(self, bodies: Iterable[bytes]) -> list[bytes]:
        """Take the next entries; return their leaf hashes."""
        bodies, begin = list(bodies), self.tail.size
        return self.take(examine(bodies), lambda index: bodies[index - begin])

    def take(self, examined: Examined, body: Callable[[int], bytes]) -> list[bytes]:
        """Take the next entries, examined already; return their leaf hashes.

        `body` gives the bytes of an entry that comes out otherwise, to say in what.
        """
        begin = self.tail.size
        read, fault = _read(examined.entries)
        new = self._recall(read)
        leaves = []
        for position, (leaf, one, recorded_at) in enumerate(read):
            self._index = begin + position
            if position >= new:
                raise self._fault(
                    "statement.twice", "同一陈述出现两次", "a statement appears twice"
                )
            appended = self._append(one, recorded_at)
            if appended.leaf != leaf:
                raise self._different(body(self._index), appended.body)
            self._keep(one, appended)
            leaves.append(leaf)
        self.frontier = self.frontier.extend(leaves)
        self._remember()
        if fault := fault or examined.fault:
            raise UnsoundError(fault.code, fault.zh, fault.en, begin + len(read))
        return leaves

    def finish(self) -> None:
        """Check what only the end shows: no linked group is cut off."""
        if self._linked:
            raise self._fault("linked.cut", "关联条目被截断", "a linked group is cut off")

    def all(self, kind: str | None = None) -> Iterator[tuple[str, Held]]:
        """Yield every aggregate, or every one of `kind`, in the order of keys."""
        self._flush()
        return self._past.all(kind)

    def held(self, keys: Collection[str]) -> dict[str, Held]:
        """Return the aggregates of `keys`, as far as there are any."""
        here = {key: self.tail.held[key] for key in keys if key in self.tail.held}
        return {**self._past.held(self.tail.missing(keys)), **here}

    def find(self, kind: type[S], key: str) -> S | None:
        """Return the state of `key`, or `None` where there is none of `kind`."""
        held = self.held([key]).get(key)
        return held.state if held is not None and isinstance(held.state, kind) else None

    @property
    def balance_fen(self) -> int:
        """The sum of all accounts, which the rules keep at zero."""
        states = (held.state for _, held in self.all(Account.KIND))
        return sum(state.balance_fen for state in states if isinstance(state, Account))

    def save(self) -> None:
        """Keep all of it in its past, for `resumed`; it is finished, so no linked group is open."""
        tail = self.tail
        self._past.commit(
            {
                "origin": tail.origin,
                "rules": _rules(),
                "size": tail.size,
                "prev": tail.prev,
                "recorded_at": format_time(tail.recorded_at) if tail.recorded_at else None,
                "frontier": self.frontier.to_bytes().hex(),
                "events": self.events,
            }
        )

    @classmethod
    def resumed(cls, origin: str, past: Past) -> "Replay":
        """Return the replay that `past` kept, or a new one where it kept none that serves.

        One serves if it is of this log and was made under these rules.
        """
        said = past.position
        if said is None or (said["origin"], said["rules"]) != (origin, _rules()):
            past.forget()
            return cls(origin, past=past)
        replay = cls(origin, past=past)
        replay.tail.size, replay.tail.prev = said["size"], said["prev"]
        if said["recorded_at"]:
            replay.tail.recorded_at = datetime.fromisoformat(said["recorded_at"])
        replay.frontier = Frontier.from_bytes(bytes.fromhex(said["frontier"]))
        replay.events.update(said["events"])
        return replay

    def _recall(self, read: Sequence[_Read]) -> int:
        """Load what the next entries touch; return how many come before one met already."""
        keys = {key for _, one, _ in read for key in one.touched} | {POLICY_KEY}
        self.tail.held.update(self._past.held(self.tail.missing(keys)))
        return self._past.meet([f"{one.id} {one.actor}" for _, one, _ in read])

    def _remember(self) -> None:
        """Put into the past what must not pile up here."""
        self._past.record(self._records)
        self._records.clear()
        self._flush()
        if len(self.tail.held) > HELD_MAX:
            if self.maps is not None:
                self.maps.settle(self.tail.held)
            self.tail.held.clear()

    def _flush(self) -> None:
        self._past.keep(self._changed, self._encoded)
        self._changed.clear()
        self._encoded.clear()

    def _append(self, submitted: Submission, recorded_at: datetime) -> Appended:
        self._require_linked(submitted)
        try:
            return self.tail.append(submitted, recorded_at)
        except RefusedError as error:
            if error.refusal is RULES_UNKNOWN:
                raise UnusableError(_OTHER_RULES) from error
            raise self._fault(error.code, error.zh, error.en) from error
        except (LookupError, TypeError, ValueError, ArithmeticError, AssertionError) as error:
            # The exchange refuses an event whose rule fails, so no sound log holds one.
            raise self._fault("rule.failed", "规则无法应用于此条目", repr(error)) from error

    def _keep(self, submitted: Submission, appended: Appended) -> None:
        self._changed.update(appended.subjects)
        self._encoded.update(appended.encoded)
        self.events[submitted.type.name] += 1
        self._fold(submitted, appended.recorded_at)
        self._map(submitted, appended)

    def _fold(self, submitted: Submission, recorded_at: datetime) -> None:
        """Keep what indicators are folded of; recompute those that are published."""
        payload, name = submitted.payload, submitted.type.name
        actor = submitted.actor
        record = record_of(self._index, name, payload, recorded_at=recorded_at, actor=actor)
        self._records.append(record)
        if isinstance(payload, IndicatorsPublished):
            records = itertools.chain(self._past.records(), self._records)
            report = evaluate(records, payload.quarter, payload.covers)
            if report_hash(report) != payload.report_sha256:
                raise self._fault(
                    "indicators.differ",
                    "公布的指标与按条目重算的结果不符",
                    "the published indicators are not what the entries give",
                )

    def _map(self, submitted: Submission, appended: Appended) -> None:
        """Keep the map up to date; compare it with those that are committed."""
        if self.maps is None:
            return
        self.maps.take(appended, self.tail)
        payload = submitted.payload
        if isinstance(payload, MapCommitted) and not self.maps.verify(appended, payload):
            raise self._fault(
                "map.differs",
                f"提交的状态映射与前 {payload.covers} 条重放的结果不符",
                f"the committed map is not what the first {payload.covers} entries give",
            )

    def _require_linked(self, submitted: Submission) -> None:
        """Linked statements stand together, whole, in their order."""
        linked = submitted.statement.fields.linked
        expected = self._linked or linked
        if linked != expected or (linked and linked[self._linked_at] != submitted.id):
            raise self._fault("linked.broken", "关联条目不连续", "a linked group is broken up")
        self._linked_at += 1
        self._linked = linked
        if self._linked_at >= len(linked):
            self._linked, self._linked_at = (), 0

    def _different(self, body: bytes, rebuilt: bytes) -> UnsoundError:
        """Say in what an entry differs from the one that its statement and its past give."""
        try:
            given, expected = Entry.parse(body).fields, Entry.read(rebuilt).fields
        except EntryError as error:
            return self._fault("entry.malformed", "条目格式有误", str(error))
        names = [
            name
            for name in ("index", "prev", "recorded_at", "signature", "subjects")
            if getattr(given, name) != getattr(expected, name)
        ]
        what = ", ".join(names) or "form"
        return self._fault(
            "entry.differs", f"条目与重放结果不符（{what}）", f"differs from its replay in: {what}"
        )

    def _fault(self, code: str, zh: str, en: str) -> UnsoundError:
        return UnsoundError(code, zh, en, self._index)


def _rules() -> list[str]:
    return [RULES_VERSION, catalogue().rules_hash]


def _read(entries: Sequence[Seen]) -> tuple[list[_Read], Fault | None]:
    """Return the submissions of examined entries and their times, up to one that is not known."""
    read: list[_Read] = []
    for leaf, recorded_at, signature, statement in entries:
        try:
            submitted = submission.read_encoded(Statement.reread(statement), signature)
        except RefusedError as error:
            return read, Fault(error.code, error.zh, error.en)
        read.append((leaf, submitted, datetime.fromisoformat(recorded_at)))
    return read, None
