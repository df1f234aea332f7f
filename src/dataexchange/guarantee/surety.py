"""Guarantees 担保: applied for, reviewed, approved, signed, in force, called, paid, recovered.

    APPLIED → REVIEWED → APPROVED → SIGNED → IN_FORCE → CALLED → PAID → CLOSED
    APPLIED, REVIEWED → REJECTED;  IN_FORCE → RELEASED | LAPSED

Limits are checked again at SIGNED, in the same event that adds the commitment.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dataexchange.accounts.book import Book, account_key
from dataexchange.guarantee import commitments
from dataexchange.guarantee.commitments import GuarantorBook, book_key
from dataexchange.guarantee.exposure import ObligorKind
from dataexchange.guarantee.pledge import Pledge
from dataexchange.guarantee.risk_sharing import check_recourse
from dataexchange.identity.party import Party
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    State,
    View,
    event,
    require_actor,
    require_same,
    require_status,
)
from dataexchange.rules.payload import Code, Days, Fen, Hash, Line, PositiveFen
from dataexchange.rules.reference import GroupId, GuaranteeId, PartyId, PledgeId
from dataexchange.rules.time import end_of_day_after

REVIEWER_APPROVES = RefusalCode(
    "guarantee.reviewer_approves",
    clause="国务院令683号 art. 24: 保审分离",
    zh="审批人不得是调查人：须用另一把密钥签署",
    en="Who reviewed cannot approve: sign with another key",
)
NOT_A_GUARANTOR = RefusalCode(
    "guarantee.not_a_guarantor",
    clause="国务院令683号 art. 6",
    zh="{party} 不是担保机构",
    en="{party} is not a guarantor",
)
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
BEYOND_AMOUNT = RefusalCode(
    "guarantee.beyond_amount",
    clause="民法典 art. 691",
    zh="{amount_fen} 分超过担保金额 {limit_fen} 分",
    en="{amount_fen} fen is more than the {limit_fen} fen guaranteed",
)


class Liability(StrEnum):
    """How the guarantor answers (民法典 art. 686)."""

    GENERAL = "general"  # 一般保证
    JOINT = "joint"  # 连带责任保证


class Guarantee(State, frozen=True, kw_only=True):
    """A guarantee; money in 分."""

    KIND = "guarantee"

    obligor: str
    guarantor: str
    creditor: str
    amount_fen: int
    fee_fen: int
    kind: ObligorKind
    liability: Liability
    period_days: int
    status: str
    policy_version: int
    pledge: str | None = None
    group: str | None = None
    reviewed_by: str | None = None
    review: str | None = None
    until: str | None = None
    called_fen: int = 0
    paid_fen: int = 0
    recovered_fen: int = 0


class CapitalReported(Payload):
    """A guarantor's audited capital: what its limits rest on."""

    net_assets_fen: PositiveFen
    stakes_in_guarantors_fen: Fen = 0
    focused: Annotated[bool, Field(description="主要为小微企业和“三农”服务")] = False
    controlling_shareholders: Annotated[tuple[PartyId, ...], Field(max_length=8)] = ()
    report_sha256: Hash


class GuaranteeApplied(Payload):
    """What the obligor asks for, and whose debt it backs."""

    guarantee: GuaranteeId
    guarantor: PartyId
    creditor: PartyId
    amount_fen: PositiveFen
    fee_fen: Fen
    kind: ObligorKind = ObligorKind.OTHER
    liability: Liability = Liability.JOINT
    period_days: Days
    pledge: PledgeId | None = None


class GuaranteeReviewed(Payload):
    """The analyst's review 尽职调查."""

    guarantee: GuaranteeId
    report_sha256: Hash
    recommended: bool


class GuaranteeNamed(Payload):
    """An act on a guarantee."""

    guarantee: GuaranteeId


class GuaranteeSigned(Payload):
    """The guarantor signs; `group` is the obligor's group of affiliates, as recorded."""

    guarantee: GuaranteeId
    obligor: PartyId
    group: GroupId | None = None


class GuaranteeAccepted(Payload):
    """The creditor takes the guarantee that was signed; the fee is paid now."""

    guarantee: GuaranteeId
    proposal: Hash
    obligor: PartyId
    guarantor: PartyId


class GuaranteeCalled(Payload):
    """The creditor calls."""

    guarantee: GuaranteeId
    amount_fen: PositiveFen
    execution_reference: Code | None = None
    pledge: PledgeId | None = None


class GuaranteePaid(Payload):
    """The guarantor pays the creditor 代偿."""

    guarantee: GuaranteeId
    creditor: PartyId
    obligor: PartyId
    group: GroupId | None = None
    amount_fen: PositiveFen


class GuaranteeRecovered(Payload):
    """The obligor pays back to the guarantor 追偿."""

    guarantee: GuaranteeId
    guarantor: PartyId
    amount_fen: PositiveFen


class GuaranteeEnded(Payload):
    """The end of a guarantee that was never called."""

    guarantee: GuaranteeId
    guarantor: PartyId
    obligor: PartyId
    group: GroupId | None = None
    reason: Line


@event(
    "guarantor.capital_reported@1",
    by={Role.GUARANTOR},
    zh="报告净资产",
    en="Report a guarantor's capital",
    clause="国务院令683号 art. 15",
    also=lambda payload, actor: (book_key(actor),),
)
def report_capital(view: View, event: Event[CapitalReported]) -> Changes:
    """Set what the limits rest on; the balance carried stays as it is."""
    said = event.payload
    held = view.find(GuarantorBook, book_key(event.actor))
    return GuarantorBook(
        id=book_key(event.actor),
        net_assets_fen=said.net_assets_fen,
        stakes_fen=said.stakes_in_guarantors_fen,
        focused=said.focused,
        controlling_shareholders=said.controlling_shareholders,
        report=said.report_sha256,
        balance_fen=held.balance_fen if held is not None else 0,
    )


@event(
    "guarantee.applied@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="申请担保",
    en="Apply for a guarantee",
    clause="民法典 art. 681",
)
def apply(view: View, event: Event[GuaranteeApplied]) -> Changes:
    """The debtor applies."""
    said = event.payload
    view.require_new(said.guarantee)
    guarantor = view.get(Party, said.guarantor)
    if Role.GUARANTOR not in guarantor.roles or guarantor.status != "active":
        raise NOT_A_GUARANTOR(party=said.guarantor)
    if said.pledge is not None:
        pledge = view.get(Pledge, said.pledge)
        require_same("pledgor", event.actor, pledge.pledgor)
        require_same("creditor", said.creditor, pledge.lender)
    return Guarantee(
        id=said.guarantee,
        obligor=event.actor,
        guarantor=said.guarantor,
        creditor=view.get(Party, said.creditor).id,
        amount_fen=said.amount_fen,
        fee_fen=said.fee_fen,
        kind=said.kind,
        liability=said.liability,
        period_days=said.period_days,
        pledge=said.pledge,
        status="APPLIED",
        policy_version=view.policy.version,
    )


@event(
    "guarantee.reviewed@1",
    by={Role.GUARANTOR},
    zh="担保调查",
    en="Review an application",
    clause="国务院令683号 art. 24",
)
def review(view: View, event: Event[GuaranteeReviewed]) -> Changes:
    """The analyst reports; what is not recommended ends here."""
    said = event.payload
    guarantee = _of_guarantor(view, said.guarantee, event.actor)
    require_status(guarantee, "APPLIED")
    return guarantee.but(
        status="REVIEWED" if said.recommended else "REJECTED",
        reviewed_by=event.key,
        review=said.report_sha256,
    )


@event(
    "guarantee.approved@1",
    by={Role.GUARANTOR},
    zh="担保审批",
    en="Approve a guarantee",
    clause="国务院令683号 art. 24",
)
def approve(view: View, event: Event[GuaranteeNamed]) -> Changes:
    """The committee approves, with another key than the analyst's."""
    guarantee = _of_guarantor(view, event.payload.guarantee, event.actor)
    require_status(guarantee, "REVIEWED")
    if event.key == guarantee.reviewed_by:
        raise REVIEWER_APPROVES()
    return guarantee.but(status="APPROVED")


@event(
    "guarantee.signed@1",
    by={Role.GUARANTOR},
    zh="签订保证合同",
    en="Sign a guarantee",
    clause="民法典 art. 685; 国务院令683号 arts. 15-17",
    also=lambda payload, actor: commitments.keys(actor, payload.obligor, payload.group),
)
def sign(view: View, event: Event[GuaranteeSigned]) -> Changes:
    """Commit; every limit is checked with this commitment in it."""
    said = event.payload
    guarantee = _of_guarantor(view, said.guarantee, event.actor)
    require_status(guarantee, "APPROVED")
    require_same("obligor", said.obligor, guarantee.obligor)
    require_same("group", said.group, view.get(Party, said.obligor).group)
    carried = _carry(view, guarantee, said.group, guarantee.amount_fen)
    return guarantee.but(status="SIGNED", group=said.group), *carried


@event(
    "guarantee.accepted@1",
    by={Role.LENDER, Role.PROVIDER, Role.BUYER},
    zh="担保生效",
    en="Take a guarantee",
    clause="民法典 arts. 685, 692",
    also=lambda payload, actor: (account_key(payload.obligor), account_key(payload.guarantor)),
)
def accept(view: View, event: Event[GuaranteeAccepted]) -> Changes:
    """The creditor accepts; the fee is paid and the guarantee is in force."""
    said = event.payload
    guarantee = view.get(Guarantee, said.guarantee)
    require_status(guarantee, "SIGNED")
    require_actor(event.actor, guarantee.creditor, guarantee.id)
    require_same("proposal", said.proposal, view.head(guarantee.id))
    require_same("obligor", said.obligor, guarantee.obligor)
    require_same("guarantor", said.guarantor, guarantee.guarantor)
    book = Book(view)
    book.move(
        guarantee.fee_fen, source=account_key(said.obligor), target=account_key(said.guarantor)
    )
    until = format_time(end_of_day_after(event.recorded_at, guarantee.period_days))
    return guarantee.but(status="IN_FORCE", until=until), *book.changes()


@event(
    "guarantee.called@1",
    by={Role.LENDER, Role.PROVIDER, Role.BUYER},
    zh="请求代偿",
    en="Call a guarantee",
    clause="民法典 arts. 687, 688, 693",
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
    if said.amount_fen > guarantee.amount_fen:
        raise BEYOND_AMOUNT(amount_fen=said.amount_fen, limit_fen=guarantee.amount_fen)
    require_same("pledge", said.pledge, guarantee.pledge)
    if said.pledge is not None:
        require_status(view.get(Pledge, said.pledge), "DEFAULTED", "REALISING", "REALISED")
    return guarantee.but(status="CALLED", called_fen=said.amount_fen)


@event(
    "guarantee.paid@1",
    by={Role.GUARANTOR},
    zh="代偿",
    en="Pay under a guarantee",
    clause="民法典 art. 681",
    also=lambda payload, actor: (
        account_key(actor),
        account_key(payload.creditor),
        *commitments.keys(actor, payload.obligor, payload.group),
    ),
)
def pay(view: View, event: Event[GuaranteePaid]) -> Changes:
    """Pay what was called; the commitment is no longer in force."""
    said = event.payload
    guarantee = _of_guarantor(view, said.guarantee, event.actor)
    require_status(guarantee, "CALLED")
    require_same("amount", said.amount_fen, guarantee.called_fen)
    _require_names(guarantee, said.obligor, said.group)
    require_same("creditor", said.creditor, guarantee.creditor)
    book = Book(view)
    book.move(said.amount_fen, source=account_key(event.actor), target=account_key(said.creditor))
    carried = _carry(view, guarantee, said.group, -guarantee.amount_fen)
    return guarantee.but(status="PAID", paid_fen=said.amount_fen), *carried, *book.changes()


@event(
    "guarantee.recovered@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="追偿到账",
    en="Pay a guarantor back",
    clause="民法典 art. 700",
    also=lambda payload, actor: (account_key(actor), account_key(payload.guarantor)),
)
def recover(view: View, event: Event[GuaranteeRecovered]) -> Changes:
    """The obligor pays back; never more than the guarantor paid."""
    said = event.payload
    guarantee = view.get(Guarantee, said.guarantee)
    require_status(guarantee, "PAID")
    require_actor(event.actor, guarantee.obligor, guarantee.id)
    require_same("guarantor", said.guarantor, guarantee.guarantor)
    check_recourse(
        said.amount_fen, paid_fen=guarantee.paid_fen, recovered_fen=guarantee.recovered_fen
    )
    book = Book(view)
    book.move(said.amount_fen, source=account_key(event.actor), target=account_key(said.guarantor))
    recovered_fen = guarantee.recovered_fen + said.amount_fen
    status = "CLOSED" if recovered_fen == guarantee.paid_fen else "PAID"
    return guarantee.but(status=status, recovered_fen=recovered_fen), *book.changes()


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
    require_status(guarantee, "IN_FORCE", "SIGNED")
    require_actor(event.actor, guarantee.creditor, guarantee.id)
    return _ended(view, guarantee, event.payload, "RELEASED")


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
    if event.recorded_at <= parse_time(guarantee.until or ""):
        raise PERIOD_RUNS(until=guarantee.until)
    return _ended(view, guarantee, event.payload, "LAPSED")


def _of_guarantor(view: View, key: str, actor: str) -> Guarantee:
    guarantee = view.get(Guarantee, key)
    require_actor(actor, guarantee.guarantor, guarantee.id)
    return guarantee


def _require_names(guarantee: Guarantee, obligor: str, group: str | None) -> None:
    require_same("obligor", obligor, guarantee.obligor)
    require_same("group", group, guarantee.group)


def _carry(
    view: View, guarantee: Guarantee, group: str | None, delta_fen: int
) -> tuple[State, ...]:
    return commitments.changed(
        view,
        guarantee.guarantor,
        guarantee.obligor,
        group=group,
        kind=guarantee.kind,
        delta_fen=delta_fen,
    )


def _ended(view: View, guarantee: Guarantee, said: GuaranteeEnded, status: str) -> Changes:
    _require_names(guarantee, said.obligor, said.group)
    require_same("guarantor", said.guarantor, guarantee.guarantor)
    carried = _carry(view, guarantee, said.group, -guarantee.amount_fen)
    return guarantee.but(status=status), *carried
