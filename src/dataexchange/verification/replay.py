"""Replay a log: rebuild every entry by the rules and compare it, byte for byte, with what is given.

An entry is a function of what came before it, the signed statement, and the time it was recorded.
So one comparison checks its index, the log's chain, every subject's chain, its canonical form, and
that the rules of the exchange let it in.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from dataexchange.accounts.book import Account
from dataexchange.errors import DataExchangeError, RefusedError
from dataexchange.ledger.entry import Entry
from dataexchange.ledger.merkle import Frontier
from dataexchange.registry import submission
from dataexchange.registry.decide import RULES_UNKNOWN
from dataexchange.registry.submission import Submission
from dataexchange.registry.tail import Appended, Tail
from dataexchange.supervision.completeness import MapCommitted
from dataexchange.supervision.evaluation import evaluate, report_hash
from dataexchange.supervision.indicators import IndicatorsPublished
from dataexchange.supervision.record import Record
from dataexchange.supervision.stock import record_of
from dataexchange.verification.map_pass import MapPass
from dataexchange.verification.verdict import UnsoundError, UnusableError

_OTHER_RULES = (
    "账本采用的规则版本，本验证程序不认识；请使用对应版本"
    " / the log follows rules that this verifier does not know; use the version of dataexchange"
    " that it was made under"
)


class Replay:
    """A log as it grows again from nothing; raises `UnsoundError` at the first entry at fault.

    `map_sizes` are the sizes that its committed maps cover (`map_pass.map_sizes`); without them
    maps are not made again.
    """

    def __init__(self, origin: str, map_sizes: frozenset[int] | None = None) -> None:
        self.tail = Tail(origin)
        self.frontier = Frontier()
        self.events: Counter[str] = Counter()
        self.hashes_named: set[str] = set()
        self._seen: set[tuple[str, str]] = set()
        self._linked: tuple[str, ...] = ()
        self._linked_at = 0
        self._index = 0
        self._records: list[Record] = []
        self.maps = MapPass(map_sizes) if map_sizes is not None else None

    def extend(self, bodies: Iterable[bytes]) -> None:
        """Take the next entries."""
        leaves = [self._take(body) for body in bodies]
        self.frontier = self.frontier.extend(leaves)

    def finish(self) -> None:
        """Check what only the end shows: no linked group is cut off."""
        if self._linked:
            raise self._fault("linked.cut", "关联条目被截断", "a linked group is cut off")

    @property
    def balance_fen(self) -> int:
        """The sum of all accounts, which the rules keep at zero."""
        held = (one.state for one in self.tail.held.values())
        return sum(state.balance_fen for state in held if isinstance(state, Account))

    def _take(self, body: bytes) -> bytes:
        self._index = self.tail.size
        try:
            entry = Entry.parse(body)
        except DataExchangeError as error:
            raise self._fault("entry.malformed", "条目格式有误", str(error)) from error
        try:
            entry.statement.verify(entry.fields.signature)
            submitted = submission.read(entry.statement, entry.fields.signature)
        except RefusedError as error:
            raise self._fault(error.code, error.zh, error.en) from error
        self._require_once(submitted)
        self._require_linked(submitted)
        try:
            appended = self.tail.append(submitted, entry.recorded_at)
        except RefusedError as error:
            if error.refusal is RULES_UNKNOWN:
                raise UnusableError(_OTHER_RULES) from error
            raise self._fault(error.code, error.zh, error.en) from error
        except (LookupError, TypeError, ValueError, ArithmeticError, AssertionError) as error:
            # The exchange refuses an event whose rule fails, so no sound log holds one.
            raise self._fault("rule.failed", "规则无法应用于此条目", repr(error)) from error
        if appended.body != body:
            raise self._different(entry, appended.body)
        self.events[submitted.type.name] += 1
        self._fold(submitted, appended.recorded_at)
        self._map(submitted, appended)
        return appended.leaf

    def _fold(self, submitted: Submission, recorded_at: datetime) -> None:
        """Keep what indicators are folded of; recompute those that are published."""
        payload, name = submitted.payload, submitted.type.name
        actor = submitted.actor
        record = record_of(self._index, name, payload, recorded_at=recorded_at, actor=actor)
        self._records.append(record)
        if isinstance(payload, IndicatorsPublished):
            report = evaluate(self._records, payload.quarter, payload.covers)
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

    def _require_once(self, submitted: Submission) -> None:
        identity = (submitted.id, submitted.actor)
        if identity in self._seen:
            raise self._fault("statement.twice", "同一陈述出现两次", "a statement appears twice")
        self._seen.add(identity)

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

    def _different(self, entry: Entry, rebuilt: bytes) -> UnsoundError:
        """Say in what an entry differs from the one that its statement and its past give."""
        given, expected = entry.fields, Entry.parse(rebuilt).fields
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
