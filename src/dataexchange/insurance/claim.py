"""Claims 理赔, from the notice of a loss to the reserve.

    NOTIFIED → DOCUMENTED → RESERVED → ASSESSED → AGREED → PAID → CLOSED
    RESERVED → PENDING → ASSESSED where the sum is above the assessor's authority
    REJECTED, ASSESSED → DISPUTED;  CLOSED, DISPUTED → REOPENED → RESERVED

What follows is in `insurance.assessment` and `insurance.payment`. Clocks are kept on the claim; a
missed one is marked, not forgiven.
"""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from pydantic import Field

from dataexchange.asset.title import Asset
from dataexchange.guarantee.pledge import Pledge
from dataexchange.identity.party import Party
from dataexchange.insurance.cover import Cover, has_interest
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
from dataexchange.rules.payload import Hash, Moment, Number, PositiveFen
from dataexchange.rules.reference import AssetId, ClaimId, CoverId, PartyId, PledgeId
from dataexchange.rules.time import end_of_day_after

READINGS_MAX = 8
INTERIM_DAYS = 60
"""What is certain is paid in advance within sixty days of the proofs (保险法 art. 25)."""
LIMITATION = timedelta(days=730)
IN_DEFAULT = ("DEFAULTED", "REALISING", "REALISED")

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
DEFAULT_NEEDED = RefusalCode(
    "claim.default_needed",
    clause="贷款保证保险: a claim rests on a default on this ledger",
    zh="贷款保证保险的理赔须以本账本上已违约的质押为据",
    en="A claim on loan insurance rests on a pledge in default on this ledger",
)
NOT_THE_DEFAULT = RefusalCode(
    "claim.not_the_default",
    clause="保险法 art. 14; 贷款保证保险",
    zh="账本所载违约时间为 {held}，报案写的是 {named}",
    en="The ledger dates the default {held}; the notice says {named}",
    remedy_zh="贷款保证保险的出险时间即账本所载违约时间。",
    remedy_en="The loss under loan insurance is the default that the ledger dates.",
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


READER_NOT_INDEPENDENT = RefusalCode(
    "claim.reader_not_independent",
    clause="M23: 两个独立数据源",
    zh="{party} 与索赔人或保险人属同一主体或关联组",
    en="{party} is the claimant or the insurer, or of one group with it",
    kind="forbidden",
)


class Reading(msgspec.Struct, frozen=True):
    """An index as one party measured it; evidence by hash.

    Readings of one `operator` (a party, or its group of affiliates) count once.
    """

    party: str
    operator: str
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
    interest_held: bool = True
    readings: tuple[Reading, ...] = ()
    reserve_fen: int = 0
    assess_by: str | None = None
    interim_by: str | None = None
    assessed_by: str | None = None
    payable_fen: int = 0  # the indemnity confirmed, what was paid of it included
    mitigation_fen: int = 0  # 施救费用 confirmed, likewise
    pay_by: str | None = None
    paid_fen: int = 0
    mitigation_paid_fen: int = 0
    subrogated_fen: int = 0
    clocks_missed: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def unpaid_fen(self) -> int:
        """What is confirmed and not paid."""
        return self.payable_fen + self.mitigation_fen - self.paid_fen - self.mitigation_paid_fen


class LossNotice(State, frozen=True, kw_only=True):
    """A loss of one policy as notified; its key is `loss/<cover>/<reference hash>`."""

    KIND = "loss"

    claim: str


class ClaimNotified(Payload):
    """The claimant reports a loss; `loss_reference` names it, so that it is claimed once."""

    claim: ClaimId
    cover: CoverId
    asset: AssetId
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
    claimant: PartyId
    insurer: PartyId
    value: Number
    evidence_sha256: Hash


class ClaimReserved(Payload):
    """What the insurer sets aside."""

    claim: ClaimId
    reserve_fen: PositiveFen


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
    sealable=("contact", "details"),
)
def notify(view: View, event: Event[ClaimNotified]) -> Changes:
    """A loss inside the period, once."""
    said = event.payload
    view.require_new(said.claim)
    cover = view.get(Cover, said.cover)
    require_status(cover, "IN_FORCE", "CLOSED", "CANCELLED")
    require_actor(event.actor, cover.policyholder, cover.id)
    require_same("asset", said.asset, cover.asset)
    key = loss_key(said.cover, said.loss_reference)
    if view.find(LossNotice, key) is not None:
        raise DUPLICATE_LOSS(loss=said.loss_reference)
    _require_loss(cover, event.recorded_at, said.occurred_at)
    _require_default(view, cover, said)
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
        interest_held=has_interest(view.get(Asset, said.asset), event.actor),
    )
    return claim, LossNotice(id=key, claim=claim.id), cover.but(claims_open=cover.claims_open + 1)


@event(
    "claim.documented@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="提交索赔材料",
    en="Document a claim",
    clause="保险法 arts. 22, 23",
    sealable=("details",),
)
def document(view: View, event: Event[ClaimDocumented]) -> Changes:
    """The proofs are in; the clock of the assessment starts."""
    claim = view.get(Claim, event.payload.claim)
    require_status(claim, "NOTIFIED", "DOCUMENTED")
    require_actor(event.actor, claim.claimant, claim.id)
    by = end_of_day_after(event.recorded_at, view.policy.claim_assessment_days)
    interim = end_of_day_after(event.recorded_at, INTERIM_DAYS)
    return claim.but(
        status="DOCUMENTED",
        evidence=event.payload.evidence_sha256,
        assess_by=format_time(by),
        interim_by=format_time(interim),
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
    _require_independent(view, event, claim)
    if event.actor in {r.party for r in claim.readings} or len(claim.readings) >= READINGS_MAX:
        raise READ_ALREADY(party=event.actor)
    operator = _house(view, event.actor)
    reading = Reading(event.actor, operator, said.value, said.evidence_sha256)
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
    claim = of_insurer(view, event.payload.claim, event.actor)
    require_status(claim, "DOCUMENTED", "RESERVED", "PENDING", "REOPENED")
    return claim.but(status="RESERVED", reserve_fen=event.payload.reserve_fen)


def of_insurer(view: View, key: str, actor: str) -> Claim:
    """Return the claim; refuse anyone but its insurer."""
    claim = view.get(Claim, key)
    require_actor(actor, claim.insurer, claim.id)
    return claim


def missed(by: str | None, now: datetime, clock: str) -> tuple[str, ...]:
    """Return the mark of a clock that has run out at `now`, or none."""
    return (clock,) if by is not None and now > parse_time(by) else ()


def _house(view: View, party: str) -> str:
    """Return who a party counts as: its group of affiliates, or itself."""
    return view.get(Party, party).group or party


def _require_independent(view: View, event: Event[IndexReported], claim: Claim) -> None:
    require_same("claimant", event.payload.claimant, claim.claimant)
    require_same("insurer", event.payload.insurer, claim.insurer)
    if _house(view, event.actor) in (_house(view, claim.claimant), _house(view, claim.insurer)):
        raise READER_NOT_INDEPENDENT(party=event.actor)


def _require_loss(cover: Cover, now: datetime, occurred: str) -> None:
    moment = parse_time(occurred)
    if moment > now:
        raise LOSS_IN_FUTURE(occurred=occurred)
    if not cover.covers(moment):
        raise OUTSIDE_PERIOD(occurred=occurred)
    if now - moment > LIMITATION:
        raise TOO_LATE()


def _require_default(view: View, cover: Cover, said: ClaimNotified) -> None:
    """A loss under loan insurance is a default on this ledger, at the time the ledger gives it."""
    require_same("pledge", said.pledge, cover.pledge)
    if said.pledge is None:
        return
    pledge = view.get(Pledge, said.pledge)
    if pledge.status not in IN_DEFAULT:
        raise DEFAULT_NEEDED()
    if said.occurred_at != pledge.defaulted_at:
        raise NOT_THE_DEFAULT(held=pledge.defaulted_at, named=said.occurred_at)
