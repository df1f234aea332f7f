"""Alert rules of the market: prices far from the value, deals within a group, title in a circle."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from dataexchange.identity.party import Party
from dataexchange.ledger.statement import parse_time
from dataexchange.market.licence import Licence
from dataexchange.market.transfer import TitleTransfer
from dataexchange.supervision.alert import AlertKind
from dataexchange.supervision.finding import Finding, Limits, found
from dataexchange.supervision.record import History, Record
from dataexchange.valuation.record import Valuation


@dataclass(frozen=True, slots=True)
class Deal:
    """A concluded deal: what it was about, between whom, for how much (分), and its entries."""

    subject: str
    asset: str
    seller: str
    buyer: str
    price_fen: int
    record: Record
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Appraised:
    """An issued valuation: its figure in 分, and the entries that drafted and issued it."""

    value_fen: int
    entries: tuple[int, ...]


def price_far_from_value(history: History, limits: Limits) -> Iterator[Finding]:
    """Find titles sold far from the asset's value, and licences that cost more than the asset.

    A licence is worth less than what it is a licence of, so a low fee says nothing.
    """
    for deal in deals(history):
        appraised = appraisal_at(history, deal.asset, deal.record)
        if appraised is None:
            continue
        over_fen = deal.price_fen - appraised.value_fen
        off_fen = over_fen if _is_licence(deal) else abs(over_fen)
        if off_fen > limits.price_deviation * appraised.value_fen:
            yield found(
                AlertKind.PRICE_FAR_FROM_VALUE,
                deal.subject,
                (*appraised.entries, *deal.entries),
                price_fen=deal.price_fen,
                value_fen=appraised.value_fen,
                limit=f"{limits.price_deviation:%}",
            )


def deal_within_group(history: History, limits: Limits) -> Iterator[Finding]:
    """Find deals for money between parties of one group of affiliates 关联方."""
    for deal in deals(history):
        parties = [history.find(Party, party) for party in (deal.seller, deal.buyer)]
        groups = {party.group for party in parties if party is not None}
        if deal.price_fen == 0 or len(groups) != 1 or None in groups:
            continue
        grouped = [history.last(party, "party.grouped@1") for party in (deal.seller, deal.buyer)]
        yield found(
            AlertKind.WASH_TRADE,
            deal.subject,
            (*(one.index for one in grouped if one is not None), *deal.entries),
            seller=deal.seller,
            buyer=deal.buyer,
            how_zh="双方属同一关联组",
            how_en="both are of one group",
        )


def title_in_circle(history: History, limits: Limits) -> Iterator[Finding]:
    """Find title that comes back to a party that gave it up not long before 对敲."""
    given_up: dict[tuple[str, str], Deal] = {}
    for deal in deals(history):
        if _is_licence(deal):
            continue
        before = given_up.get((deal.asset, deal.buyer))
        since = timedelta(days=limits.circle_days)
        if before and deal.record.recorded_at - before.record.recorded_at <= since:
            yield found(
                AlertKind.WASH_TRADE,
                deal.subject,
                (*before.entries, *deal.entries),
                seller=deal.seller,
                buyer=deal.buyer,
                how_zh="权属短期内转回原持有人",
                how_en="title came back to a former holder",
            )
        given_up[deal.asset, deal.seller] = deal


def deals(history: History) -> Iterator[Deal]:
    """Return every licence in force and every transfer of title, in the log's order."""
    proposed = {
        record.payload["transfer"]: record for record in history.each("title.transfer_proposed@1")
    }
    for record in history.each("licence.finalised@1", "title.transferred@1"):
        if record.event == "licence.finalised@1":
            yield from _licensed(history, record)
        else:
            yield from _transferred(history, proposed[record.payload["transfer"]], record)


def appraisal_at(history: History, asset: str, record: Record) -> Appraised | None:
    """Return the last valuation of `asset` that was issued before `record` and stood then."""
    latest: Record | None = None
    for ordered in history.naming(asset, "valuation.commissioned@1"):
        issued = _standing(history, ordered.payload["valuation"], record)
        if issued is not None and (latest is None or issued.index > latest.index):
            latest = issued
    if latest is None:
        return None
    key = latest.payload["valuation"]
    valuation, drafted = history.find(Valuation, key), history.last(key, "valuation.drafted@1")
    if valuation is None or drafted is None:
        return None
    value_fen = max(valuation.value_fen, valuation.agreed_fen or 0)
    return Appraised(value_fen, (drafted.index, latest.index))


def _standing(history: History, key: str, record: Record) -> Record | None:
    """Return the entry that issued a valuation which was valid when `record` was made."""
    valuation, issued = history.find(Valuation, key), history.last(key, "valuation.issued@1")
    if valuation is None or issued is None or valuation.valid_until is None:
        return None
    withdrawn = history.last(key, "valuation.withdrawn@1")
    stood = withdrawn is None or withdrawn.index > record.index
    valid = record.recorded_at <= parse_time(valuation.valid_until)
    return issued if stood and valid and issued.index <= record.index else None


def _licensed(history: History, record: Record) -> Iterator[Deal]:
    licence = history.find(Licence, record.payload["licence"])
    if licence is not None:
        yield Deal(
            subject=licence.id,
            asset=licence.asset,
            seller=licence.provider,
            buyer=licence.buyer,
            price_fen=licence.due_at_agreement_fen,
            record=record,
            entries=(record.index,),
        )


def _transferred(history: History, proposed: Record, record: Record) -> Iterator[Deal]:
    transfer = history.find(TitleTransfer, record.payload["transfer"])
    if transfer is not None:
        yield Deal(
            subject=transfer.id,
            asset=transfer.asset,
            seller=transfer.holder,
            buyer=transfer.to,
            price_fen=transfer.price_fen,
            record=record,
            entries=(proposed.index, record.index),
        )


def _is_licence(deal: Deal) -> bool:
    return deal.record.event == "licence.finalised@1"
