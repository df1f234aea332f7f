"""Pledges after the draw: repaid, revalued, called, cured, in default, realised, released."""

from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from dataexchange.accounts.book import Book, account_key
from dataexchange.accounts.rounding import half_up_fen
from dataexchange.asset.title import Asset, released, transferred
from dataexchange.guarantee import waterfall
from dataexchange.guarantee.loan_to_value import MarginTerms, margin_call
from dataexchange.guarantee.pledge import Pledge, valued_at
from dataexchange.guarantee.waterfall import Distribution
from dataexchange.ledger.statement import format_time, parse_time
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
from dataexchange.rules.payload import Code, Fen, Line, PositiveFen, decimal
from dataexchange.rules.reference import AssetId, PartyId, PledgeId, ValuationId
from dataexchange.rules.time import end_of_day_after
from dataexchange.valuation.record import Valuation, require_issued

LIVE = ("ACTIVE", "MARGIN_CALL")
YEAR_SECONDS = 365 * 86_400

NO_CALL_DUE = RefusalCode(
    "pledge.no_call_due",
    clause="M18; loan contract: 追加担保",
    zh="质押率和价值跌幅都未触发追加担保",
    en="Neither the ratio nor the fall in value makes a call due",
)
CURE_NOT_EXPIRED = RefusalCode(
    "pledge.cure_not_expired",
    clause="民法典 art. 563; policy margin_cure_days",
    zh="补救期至 {until} 届满，或债务尚未到期",
    en="The time to cure runs until {until}, or the debt is not due yet",
    kind="conflict",
)
DEBT_LEFT = RefusalCode(
    "pledge.debt_left",
    clause="民法典 art. 393",
    zh="尚有债务 {debt_fen} 分未清偿",
    en="A debt of {debt_fen} fen is left",
    kind="conflict",
)
OVERPAID = RefusalCode(
    "pledge.overpaid",
    clause="民法典 art. 561",
    zh="还款 {amount_fen} 分超过本息 {due_fen} 分",
    en="A payment of {amount_fen} fen is more than the {due_fen} fen owed",
)
BELOW_RESERVE = RefusalCode(
    "pledge.below_reserve",
    clause="民法典 art. 436: 参照市场价格",
    zh="价款 {proceeds_fen} 分低于保留价 {reserve_fen} 分",
    en="The price of {proceeds_fen} fen is below the reserve of {reserve_fen}",
)
NO_FORFEITURE = RefusalCode(
    "pledge.no_forfeiture",
    clause="民法典 art. 428: 流质条款",
    zh="质权人不得以流质条款取得资产，只能就价款优先受偿",
    en="The lender cannot take the asset itself; it is paid from the price",
)


class RealisationMode(StrEnum):
    """How the asset is turned into money (民法典 art. 436)."""

    AGREEMENT = "agreement"  # 协议折价
    AUCTION = "auction"  # 拍卖
    SALE = "sale"  # 变卖
    COURT = "court"  # 申请法院


class PledgeRepaid(Payload):
    """The pledgor pays; interest first, then principal (民法典 art. 561)."""

    pledge: PledgeId
    asset: AssetId
    lender: PartyId
    amount_fen: PositiveFen


class PledgeRevalued(Payload):
    """A new valuation takes the place of the old one."""

    pledge: PledgeId
    valuation: ValuationId


class PledgeNamed(Payload):
    """An act on a pledge."""

    pledge: PledgeId


class PledgeReleased(Payload):
    """The debt is paid; the lien goes."""

    pledge: PledgeId
    asset: AssetId


class RealisationBegun(Payload):
    """The lender puts the asset up: how, on what paper, from what price, at what cost."""

    pledge: PledgeId
    mode: RealisationMode
    reference: Code
    reserve_fen: PositiveFen
    costs_fen: Fen = 0


class LienNamed(Payload):
    """One lien on the asset, and who holds it."""

    pledge: PledgeId
    lender: PartyId


class PledgeRealised(Payload):
    """The purchaser pays the price. `liens` are all that the asset bears."""

    pledge: PledgeId
    asset: AssetId
    pledgor: PartyId
    liens: Annotated[tuple[LienNamed, ...], Field(min_length=1, max_length=16)]
    proceeds_fen: PositiveFen


class PledgeLapsed(Payload):
    """A signed pledge that nobody registered."""

    pledge: PledgeId
    reason: Line


def _accounts_of_repayment(payload: PledgeRepaid, actor: str) -> tuple[str, ...]:
    return account_key(actor), account_key(payload.lender)


def _accounts_of_realisation(payload: PledgeRealised, actor: str) -> list[str]:
    parties = (actor, payload.pledgor, *(lien.lender for lien in payload.liens))
    return [account_key(party) for party in parties]


@event(
    "pledge.repaid@1",
    by={Role.PROVIDER},
    zh="还款",
    en="Repay",
    clause="民法典 arts. 561, 675",
    also=_accounts_of_repayment,
)
def repay(view: View, event: Event[PledgeRepaid]) -> Changes:
    """Pay interest, then principal; a call is cured once the ratio holds again."""
    said = event.payload
    pledge = view.get(Pledge, said.pledge)
    require_status(pledge, *LIVE, "DEFAULTED", "REALISED")
    require_actor(event.actor, pledge.pledgor, pledge.id)
    require_same("lender", said.lender, pledge.lender)
    require_same("asset", said.asset, pledge.asset)
    due_fen = owed_fen(pledge, event.recorded_at)
    if said.amount_fen > due_fen:
        raise OVERPAID(amount_fen=said.amount_fen, due_fen=due_fen)
    book = Book(view)
    book.move(said.amount_fen, source=account_key(event.actor), target=account_key(pledge.lender))
    return paid_down(pledge, said.amount_fen, event.recorded_at), *book.changes()


@event(
    "pledge.revalued@1",
    by={Role.APPRAISER},
    zh="重新估值",
    en="Revalue a pledge",
    clause="资产评估法 art. 26; M18",
)
def revalue(view: View, event: Event[PledgeRevalued]) -> Changes:
    """Put a newer valuation under a live pledge."""
    pledge = view.get(Pledge, event.payload.pledge)
    require_status(pledge, *LIVE)
    valuation = view.get(Valuation, event.payload.valuation)
    require_issued(valuation, event.recorded_at)
    require_actor(event.actor, valuation.appraiser, valuation.id)
    require_same("asset", valuation.asset, pledge.asset)
    return _cured(valued_at(pledge, valuation))


@event(
    "pledge.margin_called@1",
    by={Role.LENDER},
    zh="追加担保通知",
    en="Call for margin",
    clause="民法典 art. 433",
)
def call_margin(view: View, event: Event[PledgeNamed]) -> Changes:
    """The lender calls; the time to cure is the policy's."""
    pledge = view.get(Pledge, event.payload.pledge)
    require_status(pledge, "ACTIVE")
    require_actor(event.actor, pledge.lender, pledge.id)
    if _call(pledge) is None:
        raise NO_CALL_DUE()
    until = end_of_day_after(event.recorded_at, view.policy.margin_cure_days)
    return pledge.but(status="MARGIN_CALL", cure_until=format_time(until))


@event(
    "pledge.defaulted@1",
    by={Role.LENDER},
    zh="违约",
    en="Declare default",
    clause="民法典 arts. 436, 563",
)
def default(view: View, event: Event[PledgeNamed]) -> Changes:
    """Only once the time to cure is over, or the loan is due and unpaid."""
    pledge = view.get(Pledge, event.payload.pledge)
    require_status(pledge, *LIVE)
    require_actor(event.actor, pledge.lender, pledge.id)
    ends = [moment for moment in (pledge.cure_until, pledge.due) if moment is not None]
    if pledge.debt_fen == 0 or not any(event.recorded_at > parse_time(end) for end in ends):
        raise CURE_NOT_EXPIRED(until=pledge.cure_until or pledge.due)
    return pledge.but(status="DEFAULTED", defaulted_at=format_time(event.recorded_at))


@event(
    "pledge.realisation_begun@1",
    by={Role.LENDER},
    zh="实现质权",
    en="Begin realisation",
    clause="民法典 art. 436",
    sealable=("details",),
)
def begin_realisation(view: View, event: Event[RealisationBegun]) -> Changes:
    """The lender puts the asset up for sale."""
    said = event.payload
    pledge = view.get(Pledge, said.pledge)
    require_status(pledge, "DEFAULTED")
    require_actor(event.actor, pledge.lender, pledge.id)
    return pledge.but(status="REALISING", reserve_fen=said.reserve_fen, costs_fen=said.costs_fen)


@event(
    "pledge.realised@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="质权实现",
    en="Realise a pledge",
    clause="民法典 arts. 414, 436, 438, 561",
    also=_accounts_of_realisation,
)
def realise(view: View, event: Event[PledgeRealised]) -> Changes:
    """The purchaser pays; every lien is paid in order, the rest goes back, the title moves."""
    said = event.payload
    pledge, asset = view.get(Pledge, said.pledge), view.get(Asset, said.asset)
    require_status(pledge, "REALISING")
    require_same("asset", said.asset, pledge.asset)
    require_same("pledgor", said.pledgor, pledge.pledgor)
    if event.actor == pledge.lender:
        raise NO_FORFEITURE()
    if said.proceeds_fen < pledge.reserve_fen:
        raise BELOW_RESERVE(proceeds_fen=said.proceeds_fen, reserve_fen=pledge.reserve_fen)
    pledges = _all_liens(view, asset, said.liens)
    shared = _distribute(pledges, pledge, said.proceeds_fen, event.recorded_at)
    book = _paid_out(view, event.actor, pledge, shared=shared, pledges=pledges)
    free = asset
    for one in pledges:
        free = released(free, one.id)
    unpaid = {payment.lien: payment.unpaid_fen for payment in shared.payments}
    now = format_time(event.recorded_at)
    settled = tuple(
        one.but(status="REALISED", debt_fen=unpaid[one.id], drawn_at=one.drawn_at and now)
        for one in pledges
    )
    return transferred(free, event.actor, frozenset()), *settled, *book.changes()


@event(
    "pledge.released@1",
    by={Role.LENDER},
    zh="解除质押",
    en="Release a pledge",
    clause="民法典 art. 393",
)
def release(view: View, event: Event[PledgeReleased]) -> Changes:
    """The debt is zero (or never drawn); the lender lets the asset go."""
    pledge = view.get(Pledge, event.payload.pledge)
    require_status(pledge, *LIVE, "REGISTERED", "DEFAULTED")
    require_actor(event.actor, pledge.lender, pledge.id)
    require_same("asset", event.payload.asset, pledge.asset)
    if pledge.debt_fen:
        raise DEBT_LEFT(debt_fen=pledge.debt_fen)
    asset = view.get(Asset, event.payload.asset)
    return pledge.but(status="RELEASED"), released(asset, pledge.id)


@event(
    "pledge.lapsed@1",
    by={Role.OPERATOR},
    zh="质押失效",
    en="Announce a lapsed pledge",
    clause="民法典 art. 441",
)
def lapse(view: View, event: Event[PledgeLapsed]) -> Changes:
    """A pledge that was signed and never registered gives no right."""
    pledge = view.get(Pledge, event.payload.pledge)
    require_status(pledge, "SIGNED")
    return pledge.but(status="LAPSED")


def accrued_interest_fen(pledge: Pledge, now: datetime) -> int:
    """Return simple interest since the last payment, in 分, half up, on a year of 365 days."""
    if pledge.drawn_at is None:
        return 0
    seconds = int((now - parse_time(pledge.drawn_at)).total_seconds())
    rate = Fraction(pledge.interest_ratio)
    return half_up_fen(pledge.debt_fen * rate * Fraction(max(seconds, 0), YEAR_SECONDS))


def owed_fen(pledge: Pledge, now: datetime) -> int:
    """Return what the pledgor owes at `now`, in 分: debt and interest."""
    return pledge.debt_fen + accrued_interest_fen(pledge, now)


def paid_down(pledge: Pledge, amount_fen: int, now: datetime) -> Pledge:
    """Return `pledge` after the lender was paid `amount_fen`, by whomever, interest first.

    What a guarantor or an insurer pays the lender lessens the debt too: nobody collects it twice.
    """
    left_fen = owed_fen(pledge, now) - amount_fen
    return _cured(pledge.but(debt_fen=left_fen, drawn_at=format_time(now)))


def _call(pledge: Pledge) -> object:
    terms = MarginTerms(ltv_max=decimal(pledge.loan_to_value_max))
    return margin_call(
        pledge.debt_fen, pledge.value_fen, value_at_draw_fen=pledge.value_at_draw_fen, terms=terms
    )


def _cured(pledge: Pledge) -> Pledge:
    """A call ends as soon as nothing calls for it any more."""
    if pledge.status == "MARGIN_CALL" and _call(pledge) is None:
        return pledge.but(status="ACTIVE", cure_until=None)
    return pledge


def _all_liens(view: View, asset: Asset, named: tuple[LienNamed, ...]) -> list[Pledge]:
    """Return the pledge behind each lien; what is named must be all that the asset bears."""
    held = sorted((lien.by, lien.holder) for lien in asset.liens)
    require_same("liens", sorted((one.pledge, one.lender) for one in named), held)
    return [view.get(Pledge, one.pledge) for one in named]


def _distribute(
    pledges: list[Pledge], enforced: Pledge, proceeds_fen: int, now: datetime
) -> Distribution:
    liens = [
        waterfall.Lien(
            one.id,
            parse_time(one.registered_at) if one.registered_at else None,
            principal_fen=one.debt_fen,
            interest_fen=accrued_interest_fen(one, now),
        )
        for one in pledges
    ]
    return waterfall.distribute(proceeds_fen, liens, realisation_costs_fen=enforced.costs_fen)


def _paid_out(
    view: View, purchaser: str, enforced: Pledge, *, shared: Distribution, pledges: list[Pledge]
) -> Book:
    """Move the price: costs to the lender that met them, each lien its share, the rest back."""
    book, source = Book(view), account_key(purchaser)
    book.move(shared.realisation_costs_fen, source=source, target=account_key(enforced.lender))
    lenders = {one.id: one.lender for one in pledges}
    for payment in shared.payments:
        target = account_key(lenders[payment.lien])
        book.move(payment.paid_fen, source=source, target=target)
    book.move(shared.surplus_fen, source=source, target=account_key(enforced.pledgor))
    return book
