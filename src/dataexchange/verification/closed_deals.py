"""The deals that a log has closed so far, against which a market valuation's comparables are held.

An entry that closes a deal names the offer that it closes by its leaf hash, and the offer names the
price: so what a comparable says is checked from the entries alone.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dataexchange.ledger.entry import Entry
from dataexchange.rules.time import day_of
from dataexchange.valuation.arithmetic import fen
from dataexchange.valuation.market import Comparable

TELLING = re.compile(
    rb'"event":"(?:licence\.(?:requested|offered|countered|finalised)|escrow\.released'
    rb'|title\.transfer(?:_proposed|red))@1"'
)


@dataclass(frozen=True, slots=True)
class _Closing:
    leaf: str
    proposal: str
    day: date
    licence: str | None


@dataclass(slots=True)
class ClosedDeals:
    """What was offered, closed and paid, up to the last entry taken."""

    _offered_fen: dict[str, int | None] = field(default_factory=dict)
    _closed: dict[int, _Closing] = field(default_factory=dict)
    _paid: set[str] = field(default_factory=set)

    def take(self, entry: Entry) -> None:
        """Take the next entry; most tell nothing of deals."""
        take = _TAKE.get(entry.statement.fields.event)
        if take is not None:
            take(self, entry, json.loads(entry.statement.payload))

    def fault(self, comparable: Comparable) -> tuple[str, str] | None:
        """Return what of a ledger comparable is not as the log says (zh, en), if anything."""
        closing = self._closed.get(-1 if comparable.entry_index is None else comparable.entry_index)
        if closing is None or closing.leaf != comparable.leaf_hash:
            return "此前没有这样的成交条目", "no entry with that hash had closed a deal there"
        if closing.licence is not None and closing.licence not in self._paid:
            return "价款尚未支付", "its price had not been paid"
        price_fen = self._offered_fen.get(closing.proposal)
        if price_fen != fen(comparable.price):
            return f"成交价为 {price_fen} 分", f"its price was {price_fen} fen"
        if comparable.dealt_on not in (None, closing.day):
            return f"成交日为 {closing.day}", f"it was closed on {closing.day}"
        return None

    def _offer(self, entry: Entry, said: dict[str, Any]) -> None:
        # A charge by the call or by share of revenue has no price that could be compared.
        self._offered_fen[entry.leaf.hex()] = said["offer"]["charge"].get("fee_fen")

    def _propose(self, entry: Entry, said: dict[str, Any]) -> None:
        self._offered_fen[entry.leaf.hex()] = said["price_fen"]

    def _close(self, entry: Entry, said: dict[str, Any]) -> None:
        self._closed[entry.index] = _Closing(
            leaf=entry.leaf.hex(),
            proposal=said["proposal"],
            day=day_of(entry.recorded_at),
            licence=said.get("licence"),
        )

    def _pay(self, _entry: Entry, said: dict[str, Any]) -> None:
        self._paid.add(said["licence"])


_TAKE: dict[str, Callable[[ClosedDeals, Entry, dict[str, Any]], None]] = {
    **dict.fromkeys(
        (f"licence.{step}@1" for step in ("requested", "offered", "countered")),
        ClosedDeals._offer,
    ),
    "title.transfer_proposed@1": ClosedDeals._propose,
    "licence.finalised@1": ClosedDeals._close,
    "title.transferred@1": ClosedDeals._close,
    "escrow.released@1": ClosedDeals._pay,
}
