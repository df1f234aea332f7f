"""Claims assessed 核定: what is payable, who may say so, agreement, rejection and dispute.

What is payable is computed by the rule: from the loss that the insurer adjusts, or from the index
that independent feeds report. A claim keeps its whole indemnity, so that one that is reopened, or
was paid in advance, is never paid twice.
"""

from datetime import datetime

from dataexchange.guarantee.enforcement import owed_fen
from dataexchange.guarantee.pledge import Pledge
from dataexchange.insurance import parametric
from dataexchange.insurance.claim import Claim, missed, of_insurer
from dataexchange.insurance.cover import Cover, Trigger
from dataexchange.insurance.double_cover import interest_key, interest_of
from dataexchange.insurance.indemnity import (
    double_cover_fen,
    indemnity_fen,
    mitigation_fen,
)
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
from dataexchange.rules.payload import Fen, Hash, Line, PositiveFen, decimal
from dataexchange.rules.reference import AssetId, ClaimId, CoverId, PartyId, PledgeId
from dataexchange.rules.time import end_of_day_after

LIABLE = ("IN_FORCE", "EXHAUSTED", "CANCELLED", "CLOSED")
"""The states of a policy under which a loss inside its period is still paid."""

ABOVE_RESERVE = RefusalCode(
    "claim.above_reserve",
    clause="保险法 art. 98: 未决赔款准备金",
    zh="核定 {payable_fen} 分超过已提准备金 {reserve_fen} 分",
    en="An assessment of {payable_fen} fen is above the reserve of {reserve_fen} fen",
    remedy_zh="先追加准备金（claim.reserved）。",
    remedy_en="Raise the reserve first (claim.reserved).",
)
NOTHING_PAYABLE = RefusalCode(
    "claim.nothing_payable",
    clause="保险法 art. 24",
    zh="核定应付为零：损失未超过免赔额、未达起赔点，或保险金额已用尽",
    en="Nothing is payable: the loss is within the deductible, below the trigger, or the sum "
    "insured is used up",
    remedy_zh="以拒赔通知说明理由（claim.rejected）。",
    remedy_en="Reject the claim with the reason (claim.rejected).",
)
INTEREST_NOT_SHOWN = RefusalCode(
    "claim.interest_not_shown",
    clause="保险法 art. 48",
    zh="报案时 {party} 已不持有该资产，也不是担保权人；须证明事故发生时具有保险利益",
    en="{party} held neither the asset nor a lien when it gave notice; its interest at the time "
    "of the loss must be shown",
    remedy_zh="填写 interest_sha256。",
    remedy_en="Give interest_sha256.",
)
ASSESSOR_AUTHORISES = RefusalCode(
    "claim.assessor_authorises",
    clause="保险公司内部控制: 理赔授权",
    zh="超权限赔案须由另一把密钥授权",
    en="A sum above the authority is released with another key than the assessor's",
)


class Authority(State, frozen=True, kw_only=True):
    """The most that an insurer's assessor may settle alone; its key is `authority/<insurer>`."""

    KIND = "authority"

    limit_fen: int


class AuthoritySet(Payload):
    """The limit, in 分, above which a second officer must release an assessment."""

    limit_fen: PositiveFen


class ClaimAssessed(Payload):
    """The loss as adjusted; what is payable follows from it and the policy.

    `received_fen` is what the claimant has had from whoever is liable (保险法 art. 60).
    """

    claim: ClaimId
    cover: CoverId
    claimant: PartyId
    asset: AssetId
    pledge: PledgeId | None = None
    loss_fen: Fen
    received_fen: Fen = 0
    mitigation_fen: Fen = 0
    interest_sha256: Hash | None = None
    report_sha256: Hash


class ClaimSigned(Payload):
    """Consent to exactly the assessment: the claimant's, or the second officer's."""

    claim: ClaimId
    proposal: Hash


class ClaimReasoned(Payload):
    """A step with its reason: rejected, disputed, reopened, closed."""

    claim: ClaimId
    cover: CoverId
    reason: Line


def authority_key(insurer: str) -> str:
    """Return the key of an insurer's limit."""
    return f"authority/{insurer}"


def _touched_by_assessing(payload: ClaimAssessed, actor: str) -> tuple[str, ...]:
    return authority_key(actor), interest_key(payload.asset, payload.claimant)


@event(
    "insurer.authority_set@1",
    by={Role.INSURER},
    zh="设定理赔权限",
    en="Set the assessors' authority",
    clause="保险公司内部控制: 理赔授权",
    also=lambda payload, actor: (authority_key(actor),),
)
def set_authority(view: View, event: Event[AuthoritySet]) -> Changes:
    """Set the most that one officer settles alone; without it there is no limit."""
    return Authority(id=authority_key(event.actor), limit_fen=event.payload.limit_fen)


@event(
    "claim.assessed@1",
    by={Role.INSURER},
    zh="核定",
    en="Assess a claim",
    clause="保险法 arts. 18, 23, 48, 55-57, 60",
    also=_touched_by_assessing,
    sealable=("details",),
)
def assess(view: View, event: Event[ClaimAssessed]) -> Changes:
    """What is payable: by the index, or by the loss, the value and the deductible."""
    said = event.payload
    claim, cover = of_insurer(view, said.claim, event.actor), view.get(Cover, said.cover)
    _require_names(claim, cover, said)
    require_status(claim, "RESERVED", "PENDING")
    require_status(cover, *LIABLE)
    if cover.pledge is None and not claim.interest_held and said.interest_sha256 is None:
        raise INTEREST_NOT_SHOWN(party=claim.claimant)
    payable_fen = _payable_fen(view, cover, claim, event)
    costs_fen = _mitigation_fen(cover, claim, said)
    late = missed(claim.assess_by, event.recorded_at, "assessment")
    assessed = claim.but(
        payable_fen=payable_fen,
        mitigation_fen=costs_fen,
        assessed_by=event.key,
        clocks_missed=(*claim.clocks_missed, *late, *_interim_missed(claim, event.recorded_at)),
    )
    if not assessed.unpaid_fen:
        raise NOTHING_PAYABLE()
    if payable_fen + costs_fen > claim.reserve_fen:
        raise ABOVE_RESERVE(payable_fen=payable_fen + costs_fen, reserve_fen=claim.reserve_fen)
    held = view.find(Authority, authority_key(event.actor))
    above = held is not None and assessed.unpaid_fen > held.limit_fen
    status = "PENDING" if above else "ASSESSED"
    return assessed.but(status=status), confirmed(cover, claim, assessed)


@event(
    "claim.authorised@1",
    by={Role.INSURER},
    zh="超权限赔案授权",
    en="Release an assessment above the authority",
    clause="保险公司内部控制: 理赔授权",
)
def authorise(view: View, event: Event[ClaimSigned]) -> Changes:
    """A second officer releases exactly what was assessed."""
    claim = of_insurer(view, event.payload.claim, event.actor)
    require_status(claim, "PENDING")
    require_same("proposal", event.payload.proposal, view.head(claim.id))
    if event.key == claim.assessed_by:
        raise ASSESSOR_AUTHORISES()
    return claim.but(status="ASSESSED")


@event(
    "claim.agreed@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="达成赔偿协议",
    en="Agree to an assessment",
    clause="保险法 art. 23",
)
def agree(view: View, event: Event[ClaimSigned]) -> Changes:
    """The claimant agrees; the clock of the payment starts."""
    claim = view.get(Claim, event.payload.claim)
    require_status(claim, "ASSESSED")
    require_actor(event.actor, claim.claimant, claim.id)
    require_same("proposal", event.payload.proposal, view.head(claim.id))
    by = end_of_day_after(event.recorded_at, view.policy.claim_payment_days)
    return claim.but(status="AGREED", pay_by=format_time(by))


@event(
    "claim.rejected@1",
    by={Role.INSURER},
    zh="拒赔",
    en="Reject a claim",
    clause="保险法 arts. 23-24",
    sealable=("details",),
)
def reject(view: View, event: Event[ClaimReasoned]) -> Changes:
    """Reject with the reason; what was confirmed and not paid is undone."""
    claim, cover = with_cover(view, event)
    require_status(claim, "NOTIFIED", "DOCUMENTED", "RESERVED", "PENDING")
    require_actor(event.actor, claim.insurer, claim.id)
    late = missed(claim.assess_by, event.recorded_at, "assessment")
    rejected = _undone(claim).but(
        status="REJECTED",
        reason=event.payload.reason,
        clocks_missed=(*claim.clocks_missed, *late),
    )
    return rejected, confirmed(cover, claim, rejected)


@event(
    "claim.disputed@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="对赔案提出异议",
    en="Dispute a claim's outcome",
    clause="保险法 art. 24",
    sealable=("details",),
)
def dispute(view: View, event: Event[ClaimReasoned]) -> Changes:
    """The claimant does not accept a rejection or an assessment; what was confirmed is undone."""
    claim, cover = with_cover(view, event)
    require_status(claim, "REJECTED", "ASSESSED")
    require_actor(event.actor, claim.claimant, claim.id)
    disputed = _undone(claim).but(status="DISPUTED", reason=event.payload.reason)
    return disputed, confirmed(cover, claim, disputed)


@event(
    "claim.reopened@1",
    by={Role.INSURER},
    zh="重开赔案",
    en="Reopen a claim",
    clause="domain: CLOSED → REOPENED",
)
def reopen(view: View, event: Event[ClaimReasoned]) -> Changes:
    """Take up a closed or disputed claim again; the clock of the assessment starts anew."""
    claim, cover = with_cover(view, event)
    require_status(claim, "CLOSED", "DISPUTED")
    require_actor(event.actor, claim.insurer, claim.id)
    was_closed = claim.status == "CLOSED"
    by = end_of_day_after(event.recorded_at, view.policy.claim_assessment_days)
    reopened = claim.but(
        status="REOPENED",
        reason=event.payload.reason,
        assess_by=format_time(by),
        interim_by=None,
    )
    return reopened, cover.but(claims_open=cover.claims_open + was_closed)


def with_cover(view: View, event: Event[ClaimReasoned]) -> tuple[Claim, Cover]:
    """Return the claim and the policy that the event names."""
    claim = view.get(Claim, event.payload.claim)
    require_same("cover", event.payload.cover, claim.cover)
    return claim, view.get(Cover, claim.cover)


def confirmed(cover: Cover, before: Claim, after: Claim) -> Cover:
    """Return `cover` with what a claim now comes to in place of what it came to."""
    return cover.but(
        confirmed_fen=cover.confirmed_fen + after.payable_fen - before.payable_fen,
        mitigation_fen=cover.mitigation_fen + after.mitigation_fen - before.mitigation_fen,
    )


def room_fen(cover: Cover, claim: Claim) -> int:
    """Return what other claims leave of the sum insured at the time of this loss, in 分."""
    insured = cover.insured_at(parse_time(claim.occurred_at))
    return max(0, insured.binding_sum_fen - (cover.confirmed_fen - claim.payable_fen))


def _require_names(claim: Claim, cover: Cover, said: ClaimAssessed) -> None:
    require_same("cover", said.cover, claim.cover)
    require_same("claimant", said.claimant, claim.claimant)
    require_same("asset", said.asset, cover.asset)
    require_same("pledge", said.pledge, claim.pledge)


def _undone(claim: Claim) -> Claim:
    return claim.but(payable_fen=claim.paid_fen, mitigation_fen=claim.mitigation_paid_fen)


def _interim_missed(claim: Claim, now: datetime) -> tuple[str, ...]:
    return missed(claim.interim_by, now, "interim") if not claim.paid_fen else ()


def _payable_fen(view: View, cover: Cover, claim: Claim, event: Event[ClaimAssessed]) -> int:
    """Return the whole indemnity of the claim: at most what is left, at least what was paid."""
    room = room_fen(cover, claim)
    trigger = cover.trigger
    computed = _by_index_fen(cover, claim, trigger) if trigger else _by_loss_fen(view, cover, event)
    return max(min(computed, room), claim.paid_fen)


def _by_index_fen(cover: Cover, claim: Claim, agreed: Trigger) -> int:
    readings = [parametric.Reading(r.party, r.operator, decimal(r.value)) for r in claim.readings]
    limit_fen = cover.insured_at(parse_time(claim.occurred_at)).binding_sum_fen
    trigger = parametric.Trigger(decimal(agreed.attach), decimal(agreed.exit), limit_fen)
    return parametric_payout_fen(corroborated_value(readings), trigger)


def _by_loss_fen(view: View, cover: Cover, event: Event[ClaimAssessed]) -> int:
    """Return the indemnity of the adjusted loss, pro rata where other insurers cover it too."""
    said = event.payload
    claim = view.get(Claim, said.claim)
    moment = parse_time(claim.occurred_at)
    insured = cover.insured_at(moment)
    loss_fen = min(said.loss_fen, claim.claimed_fen)
    if said.pledge is not None:
        loss_fen = min(loss_fen, owed_fen(view.get(Pledge, said.pledge), event.recorded_at))
    paid_fen = indemnity_fen(loss_fen, insured)
    sums = interest_of(view, cover.asset, claim.claimant).sums_fen(cover.product.value, moment)
    if len(sums) > 1:
        value_fen = insured.insured_value_fen
        parts = double_cover_fen(loss_fen, sums, insured_value_fen=value_fen)
        paid_fen = min(paid_fen, parts[cover.id])
    return max(0, min(paid_fen, loss_fen - said.received_fen))


def _mitigation_fen(cover: Cover, claim: Claim, said: ClaimAssessed) -> int:
    """Return the mitigation costs of the claim: beside the indemnity, up to the sum insured."""
    if cover.trigger is not None:
        return 0
    insured = cover.insured_at(parse_time(claim.occurred_at))
    others_fen = cover.mitigation_fen - claim.mitigation_fen
    room = max(0, insured.binding_sum_fen - others_fen)
    costs_fen = min(mitigation_fen(said.mitigation_fen, insured), room)
    return max(costs_fen, claim.mitigation_paid_fen)
