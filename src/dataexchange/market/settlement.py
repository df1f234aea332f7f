"""Settlement 结算: money waits in the licence's escrow, then is split or goes back.

Nobody chooses an amount here. Who gets what follows from the agreement, the meter and the title
register, so either party or the operator may submit a release or a refund once it is due. Of a
release the platform's fee is taken first, rounded half up; of the rest, the upstream part (rounded
half up) is shared among the sources' holders by lineage weights, largest remainder first; what is
left is the provider's. The parts always add up.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from dataexchange.accounts.book import FEES, Book, account_key
from dataexchange.accounts.rounding import half_up_fen
from dataexchange.accounts.split import split_fen
from dataexchange.asset.grant import grant_key
from dataexchange.asset.title import Asset
from dataexchange.ledger.statement import parse_time
from dataexchange.market.licence import (
    CONCLUDED,
    Licence,
    is_served,
    licensed_asset,
    over,
)
from dataexchange.market.listing import SOURCES_MAX
from dataexchange.market.price import CallCharge, calls_due_fen
from dataexchange.market.usage import Meter, meter_key, meter_of
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    View,
    event,
    require_actor,
    require_same,
    require_status,
)
from dataexchange.rules.payload import PositiveFen
from dataexchange.rules.reference import AssetId, LicenceId, PartyId
from dataexchange.rules.time import end_of_day_after

SETTLEMENT = "domain: settlement; 电子商务法 arts. 53-57"

NOTHING_DUE = RefusalCode(
    "escrow.nothing_due",
    clause=SETTLEMENT,
    zh="许可 {licence} 没有到期应付的托管款（托管余额 {escrow_fen} 分）",
    en="Nothing of the {escrow_fen} fen in escrow of licence {licence} is due",
    remedy_zh="先验收交付、报告用量，或待验收期满。",
    remedy_en="Accept the delivery, report usage, or let the time for acceptance pass first.",
    kind="conflict",
)
NOTHING_TO_REFUND = RefusalCode(
    "escrow.nothing_to_refund",
    clause=SETTLEMENT,
    zh="许可 {licence} 没有应退的托管款（托管余额 {escrow_fen} 分）",
    en="Nothing of the {escrow_fen} fen in escrow of licence {licence} is to be refunded",
    remedy_zh="许可终止、到期，或拒收期满后再退款。",
    remedy_en="Refunds follow an end, an expiry, or a rejection that stood its time.",
    kind="conflict",
)
IN_DISPUTE = RefusalCode(
    "escrow.in_dispute",
    clause="domain: dispute; 民法典 art. 570",
    zh="许可 {licence} 的托管款因争议 {dispute} 止付",
    en="The escrow of licence {licence} is held by dispute {dispute}",
    remedy_zh="先裁决或撤回争议。",
    remedy_en="The dispute must be decided or withdrawn first.",
    kind="conflict",
)
LOCKED_ALREADY = RefusalCode(
    "escrow.locked_already",
    clause=SETTLEMENT,
    zh="许可 {licence} 应托管 {needed_fen} 分，而非 {amount_fen} 分",
    en="Licence {licence} needs {needed_fen} fen in escrow, not {amount_fen}",
    kind="conflict",
)


class EscrowLocked(Payload):
    """The sum that the agreement asks for."""

    licence: LicenceId
    amount_fen: PositiveFen


class UpstreamShare(Payload):
    """A source of the asset and the party that holds it, which has a share."""

    asset: AssetId
    holder: PartyId


class EscrowReleased(Payload):
    """A release to all whom it concerns; `sources` are all that the asset is made of."""

    licence: LicenceId
    asset: AssetId
    provider: PartyId
    sources: Annotated[tuple[UpstreamShare, ...], Field(max_length=SOURCES_MAX)] = ()


class EscrowRefunded(Payload):
    """A refund to the buyer."""

    licence: LicenceId
    asset: AssetId
    buyer: PartyId


@event(
    "escrow.locked@1",
    by={Role.BUYER},
    zh="托管",
    en="Lock money in escrow",
    clause=SETTLEMENT,
    also=lambda payload, actor: (account_key(actor), account_key(payload.licence)),
)
def lock(view: View, event: Event[EscrowLocked]) -> Changes:
    """The buyer puts up what the agreement asks for, once."""
    given = event.payload
    licence = view.get(Licence, given.licence)
    require_actor(event.actor, licence.buyer, licence.id)
    require_status(licence, "agreed")
    needed_fen = licence.due_at_agreement_fen - licence.locked_fen
    if given.amount_fen != needed_fen:
        raise LOCKED_ALREADY(licence=licence.id, needed_fen=needed_fen, amount_fen=given.amount_fen)
    book = Book(view)
    book.move(needed_fen, source=account_key(licence.buyer), target=account_key(licence.id))
    return (licence.but(locked_fen=licence.locked_fen + needed_fen), *book.changes())


@event(
    "escrow.released@1",
    by={Role.BUYER, Role.PROVIDER, Role.OPERATOR},
    zh="放款分账",
    en="Release money from escrow",
    clause=SETTLEMENT,
    also=lambda payload, actor: (
        meter_key(payload.licence),
        account_key(payload.licence),
        account_key(payload.provider),
        FEES,
        *(account_key(source.holder) for source in payload.sources),
    ),
)
def release(view: View, event: Event[EscrowReleased]) -> Changes:
    """Pay out what is due: the platform's fee, the sources' shares, the provider's rest."""
    given = event.payload
    licence = _settleable(view, event)
    asset = licensed_asset(view, licence, given.asset)
    require_same("provider", given.provider, licence.provider)
    holders = _holders(view, asset, given.sources)
    due_fen = due(licence, meter_of(view, licence), event.recorded_at)
    if due_fen == 0:
        raise NOTHING_DUE(licence=licence.id, escrow_fen=licence.escrow_fen)
    weights = [Decimal(source.weight) for source in asset.sources]
    parts = shares_fen(licence, due_fen, weights)
    book = Book(view)
    targets = (FEES, *map(account_key, holders), account_key(licence.provider))
    for target, part_fen in zip(targets, parts, strict=True):
        book.move(part_fen, source=account_key(licence.id), target=target)
    return (licence.but(released_fen=licence.released_fen + due_fen), *book.changes())


@event(
    "escrow.refunded@1",
    by={Role.BUYER, Role.PROVIDER, Role.OPERATOR},
    zh="退款",
    en="Refund money from escrow",
    clause=SETTLEMENT,
    also=lambda payload, actor: (
        meter_key(payload.licence),
        grant_key(payload.asset, payload.licence),
        account_key(payload.licence),
        account_key(payload.buyer),
    ),
)
def refund(view: View, event: Event[EscrowRefunded]) -> Changes:
    """Give back what will never be due; a refund after a rejection ends the licence too."""
    given = event.payload
    licence = _settleable(view, event)
    asset = licensed_asset(view, licence, given.asset)
    require_same("buyer", given.buyer, licence.buyer)
    if not _may_refund(licence, event):
        raise NOTHING_TO_REFUND(licence=licence.id, escrow_fen=licence.escrow_fen)
    due_fen = due(licence, meter_of(view, licence), event.recorded_at)
    back_fen = licence.escrow_fen - due_fen
    if back_fen == 0:
        raise NOTHING_TO_REFUND(licence=licence.id, escrow_fen=licence.escrow_fen)
    book = Book(view)
    book.move(back_fen, source=account_key(licence.id), target=account_key(licence.buyer))
    paid = licence.but(refunded_fen=licence.refunded_fen + back_fen)
    if licence.ended_at is not None:
        return (paid, *book.changes())
    return (
        *over(view, paid, asset, status="terminated", now=event.recorded_at),
        *book.changes(),
    )


def due(licence: Licence, meter: Meter, now: datetime) -> int:
    """Return what of the escrow is the provider's now, in 分: nothing before it has performed."""
    if not is_served(licence, now):
        return 0
    charge = licence.agreed_offer.charge
    if not isinstance(charge, CallCharge):
        return licence.escrow_fen
    earned_fen = calls_due_fen(charge, calls=meter.calls, locked_fen=licence.locked_fen)
    return min(max(0, earned_fen - licence.released_fen), licence.escrow_fen)


def shares_fen(licence: Licence, due_fen: int, weights: Sequence[Decimal]) -> tuple[int, ...]:
    """Return the parts of `due_fen`: the platform's, one per weight, the provider's."""
    fee_fen = half_up_fen(Fraction(licence.fee_ratio) * due_fen)
    net_fen = due_fen - fee_fen
    upstream_fen = half_up_fen(Fraction(licence.upstream_ratio) * net_fen) if weights else 0
    upstream = split_fen(upstream_fen, weights) if weights else ()
    return (fee_fen, *upstream, net_fen - upstream_fen)


def _settleable(view: View, event: Event[EscrowReleased] | Event[EscrowRefunded]) -> Licence:
    licence = view.get(Licence, event.payload.licence)
    if Role.OPERATOR not in event.roles:
        require_actor(event.actor, (licence.provider, licence.buyer), licence.id)
    require_status(licence, *CONCLUDED)
    if licence.dispute is not None:
        raise IN_DISPUTE(licence=licence.id, dispute=licence.dispute)
    return licence


def _holders(view: View, asset: Asset, named: Sequence[UpstreamShare]) -> list[str]:
    """Return who holds each source of `asset`, in its order; refuse unless just those are named."""
    holders = {share.asset: share.holder for share in named}
    require_same("sources", sorted(holders), sorted(source.asset for source in asset.sources))
    require_same("sources", len(named), len(holders))
    for source, holder in holders.items():
        require_same(f"holder of {source}", holder, view.get(Asset, source).holder)
    return [holders[source.asset] for source in asset.sources]


def _may_refund(licence: Licence, event: Event[EscrowRefunded]) -> bool:
    """Tell whether what is not due now never will be, or the provider gives it back freely."""
    ended = licence.ended_at is not None
    if ended and not licence.is_concluded:
        return True
    if event.actor == licence.provider:
        return ended or licence.served == "rejected"
    if licence.served == "rejected":
        return _has_passed(licence.served_at, licence, event.recorded_at)
    if not ended or licence.served == "completed":
        return ended and is_served(licence, event.recorded_at)
    if isinstance(licence.agreed_offer.charge, CallCharge):
        return _has_passed(licence.ended_at, licence, event.recorded_at)
    return True


def _has_passed(since: str | None, licence: Licence, now: datetime) -> bool:
    """Tell whether the days for acceptance have passed: time to answer, or to report usage."""
    return since is not None and now >= end_of_day_after(parse_time(since), licence.acceptance_days)
