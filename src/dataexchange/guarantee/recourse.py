"""Guarantees in force: called, paid, recovered, closed; or released, or lapsed.

What the guarantor pays lessens the debt behind the pledge, so that no creditor collects it twice;
what it recovers is shared with those who bore the risk with it.
"""

from datetime import datetime
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from dataexchange.accounts.book import Book, account_key
from dataexchange.accounts.split import split_fen
from dataexchange.guarantee import commitments
from dataexchange.guarantee.enforcement import owed_fen, paid_down
from dataexchange.guarantee.pledge import Pledge
from dataexchange.guarantee.risk_sharing import check_recourse, share_default_fen
from dataexchange.guarantee.surety import (
    Guarantee,
    Liability,
    carry,
    due_day,
    end_of_day,
    ended,
    of_guarantor,
)
from dataexchange.ledger.statement import parse_time
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
from dataexchange.rules.payload import Code, Line, PositiveFen, decimal
from dataexchange.rules.reference import GroupId, GuaranteeId, PartyId, PledgeId

IN_DEFAULT = ("DEFAULTED", "REALISING", "REALISED")

NOT_EXECUTED = RefusalCode(
    "guarantee.not_executed",
    clause="民法典 art. 687: 先诉抗辩权",
    zh="一般保证须先对债务人强制执行仍不能清偿",
    en="A general guarantee is called only after execution against the debtor has failed",
    remedy_zh="填写执行文书号 execution_reference。",
    remedy_en="Give execution_reference.",
)
PERIOD_OVER = RefusalCode(
    "guarantee.period_over",
    clause="民法典 arts. 692-693: 保证期间",
    zh="保证期间已于 {until} 届满",
    en="The guarantee period ended at {until}",
    kind="conflict",
)
PERIOD_RUNS = RefusalCode(
    "guarantee.period_runs",
    clause="民法典 arts. 692-693",
    zh="保证期间至 {until} 尚未届满",
    en="The guarantee period runs until {until}",
    kind="conflict",
)
DEBT_NOT_DUE = RefusalCode(
    "guarantee.debt_not_due",
    clause="民法典 arts. 681, 688",
    zh="债务于 {due} 到期，尚不能请求代偿",
    en="The debt is due on {due}; the guarantee cannot be called before",
    kind="conflict",
)
BEYOND_AMOUNT = RefusalCode(
    "guarantee.beyond_amount",
    clause="民法典 art. 691",
    zh="{amount_fen} 分超过可请求的 {limit_fen} 分（担保金额与未偿债务中较小者）",
    en="{amount_fen} fen is more than the {limit_fen} fen that can be called: the amount "
    "guaranteed or the debt left, whichever is less",
)
NOTHING_OWED = RefusalCode(
    "guarantee.nothing_owed",
    clause="民法典 art. 393",
    zh="债务已清偿，无须代偿",
    en="The debt is paid; nothing is owed under the guarantee",
    remedy_zh="由债权人解除担保（guarantee.released）。",
    remedy_en="The creditor releases the guarantee (guarantee.released).",
    kind="conflict",
)


class GuaranteeCalled(Payload):
    """The creditor calls."""

    guarantee: GuaranteeId
    amount_fen: PositiveFen
    execution_reference: Code | None = None
    pledge: PledgeId | None = None


class GuaranteePaid(Payload):
    """The guarantor pays the creditor 代偿 what was called, as far as it is still owed."""

    guarantee: GuaranteeId
    creditor: PartyId
    obligor: PartyId
    group: GroupId | None = None
    pledge: PledgeId | None = None


class GuaranteeRecovered(Payload):
    """The obligor pays back 追偿; `sharers` are all who have paid their share of the risk."""

    guarantee: GuaranteeId
    guarantor: PartyId
    sharers: Annotated[tuple[PartyId, ...], Field(max_length=8)] = ()
    amount_fen: PositiveFen


class GuaranteeEnded(Payload):
    """The end of a guarantee that was not paid under."""

    guarantee: GuaranteeId
    guarantor: PartyId
    obligor: PartyId
    group: GroupId | None = None
    reason: Line


class GuaranteeClosed(Payload):
    """The guarantor gives up what is left of its recourse."""

    guarantee: GuaranteeId
    reason: Line


@event(
    "guarantee.called@1",
    by={Role.LENDER, Role.PROVIDER, Role.BUYER},
    zh="请求代偿",
    en="Call a guarantee",
    clause="民法典 arts. 687, 688, 691, 693",
    sealable=("details",),
)
def call(view: View, event: Event[GuaranteeCalled]) -> Changes:
    """The creditor calls within the period; a general guarantee only after execution."""
    said = event.payload
    guarantee = view.get(Guarantee, said.guarantee)
    require_status(guarantee, "IN_FORCE")
    require_actor(event.actor, guarantee.creditor, guarantee.id)
    if event.recorded_at > parse_time(guarantee.until or ""):
        raise PERIOD_OVER(until=guarantee.until)
    if guarantee.liability is Liability.GENERAL and said.execution_reference is None:
        raise NOT_EXECUTED()
    require_same("pledge", said.pledge, guarantee.pledge)
    limit_fen = min(guarantee.amount_fen, _left_fen(view, guarantee, event.recorded_at))
    if said.amount_fen > limit_fen:
        raise BEYOND_AMOUNT(amount_fen=said.amount_fen, limit_fen=limit_fen)
    return guarantee.but(status="CALLED", called_fen=said.amount_fen)


def _accounts_of_payment(payload: GuaranteePaid, actor: str) -> tuple[str, ...]:
    exposures = commitments.keys(actor, payload.obligor, payload.group)
    return account_key(actor), account_key(payload.creditor), *exposures


@event(
    "guarantee.paid@1",
    by={Role.GUARANTOR},
    zh="代偿",
    en="Pay under a guarantee",
    clause="民法典 arts. 681, 700",
    also=_accounts_of_payment,
)
def pay(view: View, event: Event[GuaranteePaid]) -> Changes:
    """Pay what was called, less the creditor's own share; the commitment is no longer in force."""
    said = event.payload
    guarantee = of_guarantor(view, said.guarantee, event.actor)
    require_status(guarantee, "CALLED")
    require_same("obligor", said.obligor, guarantee.obligor)
    require_same("creditor", said.creditor, guarantee.creditor)
    require_same("pledge", said.pledge, guarantee.pledge)
    now = event.recorded_at
    owed = min(guarantee.called_fen, _left_fen(view, guarantee, now))
    if not owed:
        raise NOTHING_OWED()
    paid_fen = owed - _share_fen(guarantee, owed, guarantee.creditor)
    book = Book(view)
    book.move(paid_fen, source=account_key(event.actor), target=account_key(said.creditor))
    carried = carry(view, guarantee, said.group, -guarantee.amount_fen)
    pledges = () if said.pledge is None else (view.get(Pledge, said.pledge),)
    lessened = tuple(paid_down(one, paid_fen, now) for one in pledges)
    paid = guarantee.but(status="PAID", paid_fen=paid_fen)
    return paid, *carried, *lessened, *book.changes()


def _accounts_of_recovery(payload: GuaranteeRecovered, actor: str) -> list[str]:
    return [account_key(party) for party in (actor, payload.guarantor, *payload.sharers)]


@event(
    "guarantee.recovered@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="追偿到账",
    en="Pay a guarantor back",
    clause="民法典 art. 700",
    also=_accounts_of_recovery,
)
def recover(view: View, event: Event[GuaranteeRecovered]) -> Changes:
    """The obligor pays back, never more than was paid; who bore the risk shares what comes."""
    said = event.payload
    guarantee = view.get(Guarantee, said.guarantee)
    require_status(guarantee, "PAID")
    require_actor(event.actor, guarantee.obligor, guarantee.id)
    require_same("guarantor", said.guarantor, guarantee.guarantor)
    require_same("sharers", sorted(said.sharers), sorted(guarantee.shares_paid_fen))
    check_recourse(
        said.amount_fen, paid_fen=guarantee.paid_fen, recovered_fen=guarantee.recovered_fen
    )
    book = Book(view)
    for party, part_fen in _parts_of_recovery(guarantee, said.amount_fen).items():
        book.move(part_fen, source=account_key(event.actor), target=account_key(party))
    recovered_fen = guarantee.recovered_fen + said.amount_fen
    status = "CLOSED" if recovered_fen == guarantee.paid_fen else "PAID"
    return guarantee.but(status=status, recovered_fen=recovered_fen), *book.changes()


@event(
    "guarantee.closed@1",
    by={Role.GUARANTOR},
    zh="核销结案",
    en="Close a guarantee",
    clause="domain: RECOVERING → CLOSED",
)
def close(view: View, event: Event[GuaranteeClosed]) -> Changes:
    """Give up what is left of the recourse; the loss is the guarantor's and its sharers'."""
    guarantee = of_guarantor(view, event.payload.guarantee, event.actor)
    require_status(guarantee, "PAID")
    return guarantee.but(status="CLOSED")


@event(
    "guarantee.released@1",
    by={Role.LENDER, Role.PROVIDER, Role.BUYER},
    zh="解除担保",
    en="Release a guarantee",
    clause="民法典 art. 393",
    also=lambda payload, actor: commitments.keys(payload.guarantor, payload.obligor, payload.group),
)
def release(view: View, event: Event[GuaranteeEnded]) -> Changes:
    """The creditor lets the guarantor go: the debt is extinguished."""
    guarantee = view.get(Guarantee, event.payload.guarantee)
    require_status(guarantee, "SIGNED", "IN_FORCE", "CALLED")
    require_actor(event.actor, guarantee.creditor, guarantee.id)
    return ended(view, guarantee, event.payload, "RELEASED")


@event(
    "guarantee.lapsed@1",
    by={Role.OPERATOR, Role.GUARANTOR},
    zh="保证期间届满",
    en="Announce a lapsed guarantee",
    clause="民法典 arts. 692-693",
    also=lambda payload, actor: commitments.keys(payload.guarantor, payload.obligor, payload.group),
)
def lapse(view: View, event: Event[GuaranteeEnded]) -> Changes:
    """The period is over and nobody called."""
    guarantee = view.get(Guarantee, event.payload.guarantee)
    require_status(guarantee, "IN_FORCE")
    if Role.OPERATOR not in event.roles:
        require_actor(event.actor, guarantee.guarantor, guarantee.id)
    if event.recorded_at <= parse_time(guarantee.until or ""):
        raise PERIOD_RUNS(until=guarantee.until)
    return ended(view, guarantee, event.payload, "LAPSED")


def _left_fen(view: View, guarantee: Guarantee, now: datetime) -> int:
    """Return the debt that may be called: the pledge's on this ledger, or the amount once due."""
    if guarantee.pledge is not None:
        pledge = view.get(Pledge, guarantee.pledge)
        require_status(pledge, *IN_DEFAULT, *(("RELEASED",) if guarantee.called_fen else ()))
        return owed_fen(pledge, now)
    if now <= end_of_day(due_day(guarantee.debt_due)):
        raise DEBT_NOT_DUE(due=guarantee.debt_due)
    return guarantee.amount_fen


def _share_fen(guarantee: Guarantee, whole_fen: int, party: str) -> int:
    if party not in guarantee.shares:
        return 0
    shares = {name: decimal(share) for name, share in guarantee.shares.items()}
    return share_default_fen(whole_fen, shares)[party]


def _parts_of_recovery(guarantee: Guarantee, amount_fen: int) -> dict[str, int]:
    """Return who gets what of a recovery: sharers who have paid by their shares, else the rest."""
    weights = {
        party: Fraction(share)
        for party, share in guarantee.shares.items()
        if party in guarantee.shares_paid_fen
    }
    kept = Fraction(guarantee.shares.get(guarantee.creditor, "0"))
    weights[guarantee.guarantor] = 1 - kept - sum(weights.values())
    return dict(zip(weights, split_fen(amount_fen, list(weights.values())), strict=True))
