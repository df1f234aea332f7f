"""Market evidence: the closed deals of this log, each with the proof that its entry is in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.asset.grant import grant_key
from dataexchange.asset.title import Asset
from dataexchange.asset.version import Version, version_key
from dataexchange.database import reading, tile_store
from dataexchange.database.reading import Reader
from dataexchange.database.tables import AggregateRow, CheckpointRow, EntryRow
from dataexchange.identity.party import Party
from dataexchange.ledger import merkle
from dataexchange.ledger.entry import Entry
from dataexchange.ledger.proof import TlogProof
from dataexchange.market.evidence import DealKind, MarketDeal, are_related, closed_deal
from dataexchange.market.licence import Licence
from dataexchange.market.transfer import TitleTransfer
from dataexchange.rules.state import decode
from dataexchange.rules.time import day_of

# How many licences and transfers one page looks at: its cost has a bound, whatever is asked.
SCAN_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which deals are asked for; what is `None` does not matter."""

    category: str | None = None
    grade: str | None = None
    kind: DealKind | None = None
    form: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A deal with the entry that closed it; `asset` and `version` as they stand now."""

    deal: MarketDeal
    asset: Asset
    version: Version | None
    closed_on: date
    arms_length: bool
    entry: EntryRow
    proof: TlogProof


@dataclass(frozen=True, slots=True)
class Evidence:
    """A page, under the checkpoint of `as_of` entries; `next` is where the following one begins."""

    as_of: int
    deals: Sequence[Proven]
    next: int | None


@dataclass(frozen=True, slots=True)
class _Found:
    """A closed deal, what it is about, and the index of the entry that closed it."""

    row: AggregateRow
    deal: MarketDeal
    held: Mapping[str, AggregateRow]

    @property
    def index(self) -> int:
        if self.deal.kind is DealKind.TITLE:
            return self.row.head_index
        # The right to use the asset begins with the entry that finalised the licence.
        return self.held[grant_key(self.deal.asset, self.deal.deal)].first_index

    @property
    def asset(self) -> Asset:
        return decode(Asset, self.held[self.deal.asset].state)

    @property
    def version(self) -> Version | None:
        row = self.held.get(version_key(self.deal.asset, self.deal.version or 0))
        return decode(Version, row.state) if row is not None else None

    @property
    def arms_length(self) -> bool:
        seller, buyer = (
            decode(Party, self.held[party].state) for party in (self.deal.seller, self.deal.buyer)
        )
        return not are_related(seller, buyer)


async def evidence(
    session: AsyncSession, wanted: Wanted, reader: Reader, *, before: int, limit: int
) -> Evidence:
    """Return closed deals whose negotiation began before index `before`, the newest first.

    Those that `reader` may know the price of: all, or those that it is a party to. A page may hold
    fewer than `limit`, even none, and still not be the last.
    """
    checkpoint = await reading.latest_checkpoint(session)
    if checkpoint is None:
        return Evidence(0, (), None)
    rows = await _rows(session, reader, before)
    found = await _closed(session, rows, wanted, checkpoint)
    entries = await reading.entries_at(session, {one.index for one in found})
    dated = [(one, day_of(Entry.parse(entries[one.index].body).recorded_at)) for one in found]
    kept = [(one, day) for one, day in dated if _is_within(day, wanted)]
    proofs = await _proofs(session, checkpoint, [one.index for one, _ in kept[:limit]])
    deals = tuple(
        Proven(
            deal=one.deal,
            asset=one.asset,
            version=one.version,
            closed_on=day,
            arms_length=one.arms_length,
            entry=entries[one.index],
            proof=proof,
        )
        for (one, day), proof in zip(kept[:limit], proofs, strict=True)
    )
    return Evidence(checkpoint.size, deals, _following(rows, [one.row for one, _ in kept], limit))


async def _rows(session: AsyncSession, reader: Reader, before: int) -> list[AggregateRow]:
    """Return the newest licences and transfers before `before`, in one order."""
    names = None if reader.reads_prices else reader.party or ""
    rows: list[AggregateRow] = []
    for kind in (Licence.KIND, TitleTransfer.KIND):
        rows += await reading.newest(session, kind, before=before, limit=SCAN_MAX, names=names)
    return sorted(rows, key=lambda row: -row.first_index)[:SCAN_MAX]


async def _closed(
    session: AsyncSession,
    rows: Iterable[AggregateRow],
    wanted: Wanted,
    checkpoint: CheckpointRow,
) -> list[_Found]:
    states = [(row, decode(_STATES[row.kind], row.state)) for row in rows]
    deals = [(row, closed_deal(state)) for row, state in states]
    kept = [(row, deal) for row, deal in deals if deal is not None and _is_like(deal, wanted)]
    held = await reading.aggregates(session, {key for _, deal in kept for key in _about(deal)})
    found = [_Found(row, deal, held) for row, deal in kept]
    return [one for one in found if one.index < checkpoint.size and _is_of(one.asset, wanted)]


def _about(deal: MarketDeal) -> tuple[str, ...]:
    return (
        deal.asset,
        deal.seller,
        deal.buyer,
        version_key(deal.asset, deal.version or 0),
        grant_key(deal.asset, deal.deal),
    )


def _is_like(deal: MarketDeal, wanted: Wanted) -> bool:
    return wanted.kind in (None, deal.kind) and wanted.form in (None, deal.form)


def _is_of(asset: Asset, wanted: Wanted) -> bool:
    return wanted.category in (None, asset.theme) and wanted.grade in (None, asset.grade)


def _is_within(day: date, wanted: Wanted) -> bool:
    return (wanted.since or date.min) <= day <= (wanted.until or date.max)


async def _proofs(
    session: AsyncSession, checkpoint: CheckpointRow, indexes: Sequence[int]
) -> list[TlogProof]:
    size, note = checkpoint.size, checkpoint.note.encode()
    ranges = {one for index in indexes for one in merkle.inclusion_ranges(index, size)}
    tree = await tile_store.tree(session, size, ranges)
    return [
        TlogProof(index=index, path=tuple(tree.inclusion_proof(index)), checkpoint=note)
        for index in indexes
    ]


def _following(
    rows: Sequence[AggregateRow], kept: Sequence[AggregateRow], limit: int
) -> int | None:
    """Return where the next page begins: below the last deal shown, or the last row looked at."""
    if len(kept) > limit:
        return kept[limit - 1].first_index
    return rows[-1].first_index if len(rows) == SCAN_MAX else None


_STATES: Mapping[str, type[Licence] | type[TitleTransfer]] = {
    Licence.KIND: Licence,
    TitleTransfer.KIND: TitleTransfer,
}
