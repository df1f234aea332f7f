"""Claims 理赔: notified, documented, reserved, assessed, agreed, paid, closed.

    NOTIFIED → DOCUMENTED → RESERVED → ASSESSED → AGREED → PAID → CLOSED
    RESERVED → REJECTED → DISPUTED;  CLOSED, REJECTED, DISPUTED → REOPENED → (as RESERVED)

What is payable is computed by the rule from the loss that the insurer adjusts, or from the index
that independent feeds report. Clocks are kept on the claim; a missed one is marked, not forgiven.
"""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from pydantic import Field

from dataexchange.accounts.book import Book, account_key
from dataexchange.guarantee.pledge import Pledge
from dataexchange.insurance import parametric
from dataexchange.insurance.cover import Cover, InsuranceProduct
from dataexchange.insurance.indemnity import check_confirmed, indemnity_fen, mitigation_fen
from dataexchange.insurance.parametric import corroborated_value, parametric_payout_fen
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
from dataexchange.rules.payload import Fen, Hash, Line, Moment, Number, PositiveFen, decimal
from dataexchange.rules.reference import ClaimId, CoverId, PartyId, PledgeId
from dataexchange.rules.time import end_of_day_after

READINGS_MAX = 8
LIMITATION = timedelta(days=730)

OUTSIDE_PERIOD = RefusalCode(
    "claim.outside_period",
    clause="保险法 art. 14",
    zh="事故发生于 {occurred}，不在保险期间内",
    en="The loss occurred at {occurred}, outside the period of the policy",
)
TOO_LATE = RefusalCode(
    "claim.limitation_over",
    clause="保险法 art. 26",
    zh="自知道事故之日起已超过二年",
    en="More than two years since the loss was known",
)
LOSS_IN_FUTURE = RefusalCode(
    "claim.loss_in_future",
    clause="保险法 art. 21",
    zh="事故时间 {occurred} 晚于报案时间",
    en="The loss at {occurred} is later than its notification",
)
DUPLICATE_LOSS = RefusalCode(
    "claim.duplicate_loss",
    clause="保险法 art. 27",
    zh="该事故（{loss}）已报案",
    en="That loss ({loss}) was notified before",
    kind="conflict",
)
ABOVE_RESERVE = RefusalCode(
    "claim.above_reserve",
    clause="保险法 art. 98: 未决赔款准备金",
    zh="核定 {payable_fen} 分超过已提准备金 {reserve_fen} 分",
    en="An assessment of {payable_fen} fen is above the reserve of {reserve_fen} fen",
    remedy_zh="先追加准备金（claim.reserved）。",
    remedy_en="Raise the reserve first (claim.reserved).",
)
ASSESSOR_PAYS = RefusalCode(
    "claim.assessor_pays",
    clause="保险公司内部控制: 理赔分离",
    zh="付款人不得是核定人：须用另一把密钥签署",
    en="Who assessed cannot pay: sign with another key",
)
DEFAULT_NEEDED = RefusalCode(
    "claim.default_needed",
    clause="贷款保证保险: a claim rests on a default on this ledger",
    zh="贷款保证保险的理赔须以本账本上已违约的质押为据",
    en="A claim on loan insurance rests on a pledge in default on this ledger",
)
NOT_PARAMETRIC = RefusalCode(
    "claim.not_parametric",
    clause="M23 指数保险",
    zh="该保单不是参数型",
    en="The policy is not parametric",
)
READ_ALREADY = RefusalCode(
    "claim.read_already",
    clause="M23: 两个独立数据源",
    zh="{party} 已报送过指数，或读数已达上限",
    en="{party} has reported already, or there are as many readings as can be",
    kind="conflict",
)


class Reading(msgspec.Struct, frozen=True):
    """An index as one party measured it; evidence by hash."""

    party: str
    value: str
    evidence: str


class Claim(State, frozen=True, kw_only=True):
    """A claim; money in 分."""

    KIND = "claim"

    cover: str
    claimant: str
    insurer: str
    occurred_at: str
    claimed_fen: int
    status: str
    loss: str
    evidence: str | None = None
    pledge: str | None = None
    readings: tuple[Reading, ...] = ()
    reserve_fen: int = 0
    assess_by: str | None = None
    assessed_by: str | None = None
    payable_fen: int = 0
    pay_by: str | None = None
    paid_fen: int = 0
    clocks_missed: tuple[str, ...] = ()
    reason: str | None = None


class LossNotice(State, frozen=True, kw_only=True):
    """A loss of one policy as notified; its key is `loss/<cover>/<reference hash>`."""

    KIND = "loss"

    claim: str


class ClaimNotified(Payload):
    """The claimant reports a loss; `loss_reference` names it, so that it is claimed once."""

    claim: ClaimId
    cover: CoverId
    occurred_at: Moment
    claimed_fen: PositiveFen
    loss_reference: Annotated[Hash, Field(description="SHA-256 of the incident's own paper")]
    pledge: PledgeId | None = None


class ClaimDocumented(Payload):
    """The proofs, by hash."""

    claim: ClaimId
    evidence_sha256: Hash


class IndexReported(Payload):
    """A reading of the index of a parametric policy, by an independent party."""

    claim: ClaimId
    cover: CoverId
    value: Number
    evidence_sha256: Hash


class ClaimReserved(Payload):
    """What the insurer sets aside."""

    claim: ClaimId
    reserve_fen: PositiveFen


class ClaimAssessed(Payload):
    """The loss as adjusted; what is payable follows from it and the policy."""

    claim: ClaimId
    cover: CoverId
    loss_fen: Fen
    mitigation_fen: Fen = 0
    report_sha256: Hash


class ClaimAgreed(Payload):
    """The claimant's consent to exactly the assessment."""

    claim: ClaimId
    proposal: Hash


class ClaimPaid(Payload):
    """The payment."""

    claim: ClaimId
    cover: CoverId
    claimant: PartyId


class ClaimReasoned(Payload):
    """A step with its reason: rejected, disputed, reopened, closed."""

    claim: ClaimId
    cover: CoverId
    reason: Line


def loss_key(cover: str, reference: str) -> str:
    """Return the key of a notified loss."""
    return f"loss/{cover}/{reference}"


@event(
    "claim.notified@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="报案",
    en="Notify a claim",
    clause="保险法 arts. 21, 22, 26",
    also=lambda payload, actor: (loss_key(payload.cover, payload.loss_reference),),
)
def notify(view: View, event: Event[ClaimNotified]) -> Changes:
    """A loss inside the period, once."""
    said = event.payload
    view.require_new(said.claim)
    cover = view.get(Cover, said.cover)
    require_status(cover, "IN_FORCE", "CLOSED", "CANCELLED")
    require_actor(event.actor, cover.policyholder, cover.id)
    key = loss_key(said.cover, said.loss_reference)
    if view.find(LossNotice, key) is not None:
        raise DUPLICATE_LOSS(loss=said.loss_reference)
    _require_loss(cover, event.recorded_at, said.occurred_at)
    _require_default(view, cover, said.pledge)
    claim = Claim(
        id=said.claim,
        cover=cover.id,
        claimant=event.actor,
        insurer=cover.insurer,
        occurred_at=said.occurred_at,
        claimed_fen=said.claimed_fen,
        status="NOTIFIED",
        loss=said.loss_reference,
        pledge=said.pledge,
    )
    return claim, LossNotice(id=key, claim=claim.id), cover.but(claims_open=cover.claims_open + 1)


@event(
    "claim.documented@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="提交索赔材料",
    en="Document a claim",
    clause="保险法 arts. 22, 23",
)
def document(view: View, event: Event[ClaimDocumented]) -> Changes:
    """The proofs are in; the clock of the assessment starts."""
    claim = view.get(Claim, event.payload.claim)
    require_status(claim, "NOTIFIED", "DOCUMENTED")
    require_actor(event.actor, claim.claimant, claim.id)
    by = end_of_day_after(event.recorded_at, view.policy.claim_assessment_days)
    return claim.but(
        status="DOCUMENTED", evidence=event.payload.evidence_sha256, assess_by=format_time(by)
    )


@event(
    "claim.index_reported@1",
    by={Role.DATA_SERVICE, Role.WITNESS},
    zh="报送指数",
    en="Report an index",
    clause="M23: 两个独立数据源",
)
def report_index(view: View, event: Event[IndexReported]) -> Changes:
    """An independent party's reading; each reports once."""
    said = event.payload
    claim, cover = view.get(Claim, said.claim), view.get(Cover, said.cover)
    require_same("cover", said.cover, claim.cover)
    require_status(claim, "NOTIFIED", "DOCUMENTED", "RESERVED")
    if cover.trigger is None:
        raise NOT_PARAMETRIC()
    known = {reading.party for reading in claim.readings} | {claim.claimant, claim.insurer}
    if event.actor in known or len(claim.readings) >= READINGS_MAX:
        raise READ_ALREADY(party=event.actor)
    reading = Reading(event.actor, said.value, said.evidence_sha256)
    return claim.but(readings=(*claim.readings, reading))


@event(
    "claim.reserved@1",
    by={Role.INSURER},
    zh="立案提存",
    en="Reserve for a claim",
    clause="保险法 art. 98",
)
def reserve(view: View, event: Event[ClaimReserved]) -> Changes:
    """No payment before a reserve."""
    claim = _of_insurer(view, event.payload.claim, event.actor)
    require_status(claim, "DOCUMENTED", "RESERVED", "REOPENED")
    return claim.but(status="RESERVED", reserve_fen=event.payload.reserve_fen)


@event(
    "claim.assessed@1",
    by={Role.INSURER},
    zh="核定",
    en="Assess a claim",
    clause="保险法 arts. 18, 23, 55-57",
)
def assess(view: View, event: Event[ClaimAssessed]) -> Changes:
    """What is payable: by the index, or by the loss, the value and the deductible."""
    said = event.payload
    claim, cover = _of_insurer(view, said.claim, event.actor), view.get(Cover, said.cover)
    require_same("cover", said.cover, claim.cover)
    require_status(claim, "RESERVED")
    payable_fen = _payable_fen(cover, claim, said)
    if payable_fen > claim.reserve_fen:
        raise ABOVE_RESERVE(payable_fen=payable_fen, reserve_fen=claim.reserve_fen)
    check_confirmed(cover.confirmed_fen, payable_fen, cover.sum_insured_fen)
    late = _missed(claim.assess_by, event.recorded_at, "assessment")
    assessed = claim.but(
        status="ASSESSED",
        payable_fen=payable_fen,
        assessed_by=event.key,
        clocks_missed=(*claim.clocks_missed, *late),
    )
    return assessed, cover.but(confirmed_fen=cover.confirmed_fen + payable_fen)


@event(
    "claim.agreed@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="达成赔偿协议",
    en="Agree to an assessment",
    clause="保险法 art. 23",
)
def agree(view: View, event: Event[ClaimAgreed]) -> Changes:
    """The claimant agrees; the clock of the payment starts."""
    claim = view.get(Claim, event.payload.claim)
    require_status(claim, "ASSESSED")
    require_actor(event.actor, claim.claimant, claim.id)
    require_same("proposal", event.payload.proposal, view.head(claim.id))
    by = end_of_day_after(event.recorded_at, view.policy.claim_payment_days)
    return claim.but(status="AGREED", pay_by=format_time(by))


@event(
    "claim.paid@1",
    by={Role.INSURER},
    zh="赔付",
    en="Pay a claim",
    clause="保险法 art. 23",
    also=lambda payload, actor: (account_key(actor), account_key(payload.claimant)),
)
def pay(view: View, event: Event[ClaimPaid]) -> Changes:
    """Pay what was agreed, with another key than the assessor's."""
    said = event.payload
    claim, cover = _of_insurer(view, said.claim, event.actor), view.get(Cover, said.cover)
    require_same("cover", said.cover, claim.cover)
    require_status(claim, "AGREED")
    require_same("claimant", said.claimant, claim.claimant)
    if event.key == claim.assessed_by:
        raise ASSESSOR_PAYS()
    book = Book(view)
    book.move(
        claim.payable_fen, source=account_key(event.actor), target=account_key(claim.claimant)
    )
    late = _missed(claim.pay_by, event.recorded_at, "payment")
    paid = claim.but(
        status="PAID", paid_fen=claim.payable_fen, clocks_missed=(*claim.clocks_missed, *late)
    )
    return paid, _after_payment(cover, claim.payable_fen), *book.changes()


@event(
    "claim.closed@1",
    by={Role.INSURER},
    zh="结案",
    en="Close a claim",
    clause="保险法 art. 23",
)
def close(view: View, event: Event[ClaimReasoned]) -> Changes:
    """Paid or rejected, and done."""
    claim, cover = _with_cover(view, event)
    require_status(claim, "PAID", "REJECTED")
    require_actor(event.actor, claim.insurer, claim.id)
    return claim.but(status="CLOSED", reason=event.payload.reason), cover.but(
        claims_open=cover.claims_open - 1
    )


@event(
    "claim.rejected@1",
    by={Role.INSURER},
    zh="拒赔",
    en="Reject a claim",
    clause="保险法 art. 24",
)
def reject(view: View, event: Event[ClaimReasoned]) -> Changes:
    """Reject with the reason."""
    claim, _ = _with_cover(view, event)
    require_status(claim, "NOTIFIED", "DOCUMENTED", "RESERVED")
    require_actor(event.actor, claim.insurer, claim.id)
    return claim.but(status="REJECTED", reason=event.payload.reason)


@event(
    "claim.disputed@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="对赔案提出异议",
    en="Dispute a claim's outcome",
    clause="保险法 art. 24",
)
def dispute(view: View, event: Event[ClaimReasoned]) -> Changes:
    """The claimant does not accept a rejection or an assessment; what was confirmed is undone."""
    claim, cover = _with_cover(view, event)
    require_status(claim, "REJECTED", "ASSESSED")
    require_actor(event.actor, claim.claimant, claim.id)
    disputed = claim.but(status="DISPUTED", payable_fen=0, reason=event.payload.reason)
    return disputed, cover.but(confirmed_fen=cover.confirmed_fen - claim.payable_fen)


@event(
    "claim.reopened@1",
    by={Role.INSURER},
    zh="重开赔案",
    en="Reopen a claim",
    clause="domain: CLOSED → REOPENED",
)
def reopen(view: View, event: Event[ClaimReasoned]) -> Changes:
    """Take up a closed or disputed claim again."""
    claim, cover = _with_cover(view, event)
    require_status(claim, "CLOSED", "DISPUTED")
    require_actor(event.actor, claim.insurer, claim.id)
    was_closed = claim.status == "CLOSED"
    return claim.but(status="REOPENED", reason=event.payload.reason), cover.but(
        claims_open=cover.claims_open + was_closed
    )


def _of_insurer(view: View, key: str, actor: str) -> Claim:
    claim = view.get(Claim, key)
    require_actor(actor, claim.insurer, claim.id)
    return claim


def _with_cover(view: View, event: Event[ClaimReasoned]) -> tuple[Claim, Cover]:
    claim = view.get(Claim, event.payload.claim)
    require_same("cover", event.payload.cover, claim.cover)
    return claim, view.get(Cover, claim.cover)


def _require_loss(cover: Cover, now: datetime, occurred: str) -> None:
    moment = parse_time(occurred)
    if moment > now:
        raise LOSS_IN_FUTURE(occurred=occurred)
    if not cover.covers(moment):
        raise OUTSIDE_PERIOD(occurred=occurred)
    if now - moment > LIMITATION:
        raise TOO_LATE()


def _require_default(view: View, cover: Cover, pledge: str | None) -> None:
    require_same("pledge", pledge, cover.pledge)
    if cover.product is not InsuranceProduct.LOAN or pledge is None:
        return
    if view.get(Pledge, pledge).status not in ("DEFAULTED", "REALISING", "REALISED"):
        raise DEFAULT_NEEDED()


def _payable_fen(cover: Cover, claim: Claim, said: ClaimAssessed) -> int:
    if cover.trigger is not None:
        readings = [parametric.Reading(r.party, r.party, decimal(r.value)) for r in claim.readings]
        attach, exit_ = decimal(cover.trigger.attach), decimal(cover.trigger.exit)
        trigger = parametric.Trigger(attach, exit_, cover.sum_insured_fen)
        return parametric_payout_fen(corroborated_value(readings), trigger)
    loss_fen = min(said.loss_fen, claim.claimed_fen)
    paid_fen = indemnity_fen(loss_fen, cover.insured)
    return paid_fen + mitigation_fen(said.mitigation_fen, cover.insured)


def _after_payment(cover: Cover, paid_fen: int) -> Cover:
    paid = cover.paid_fen + paid_fen
    status = "EXHAUSTED" if paid >= cover.sum_insured_fen else cover.status
    return cover.but(paid_fen=paid, status=status)


def _missed(by: str | None, now: datetime, clock: str) -> tuple[str, ...]:
    return (clock,) if by is not None and now > parse_time(by) else ()
