"""Claims paid 赔付: in advance, in full, closed, and got back from whoever is liable."""

from dataexchange.accounts.book import Book, account_key
from dataexchange.guarantee.enforcement import OVERPAID, owed_fen, paid_down
from dataexchange.guarantee.pledge import Pledge
from dataexchange.insurance.assessment import (
    ABOVE_RESERVE,
    LIABLE,
    ClaimReasoned,
    confirmed,
    room_fen,
    with_cover,
)
from dataexchange.insurance.claim import Claim, missed, of_insurer
from dataexchange.insurance.cover import Cover
from dataexchange.insurance.indemnity import check_confirmed, check_subrogation
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
from dataexchange.rules.payload import PositiveFen
from dataexchange.rules.reference import ClaimId, CoverId, PartyId, PledgeId

ASSESSOR_PAYS = RefusalCode(
    "claim.assessor_pays",
    clause="保险公司内部控制: 理赔分离",
    zh="付款人不得是核定人：须用另一把密钥签署",
    en="Who assessed cannot pay: sign with another key",
)
BEYOND_CLAIM = RefusalCode(
    "claim.beyond_claim",
    clause="保险法 art. 25",
    zh="先行赔付累计 {paid_fen} 分超过索赔额 {claimed_fen} 分",
    en="Payments in advance of {paid_fen} fen in all are more than the {claimed_fen} fen claimed",
)
NOT_A_THIRD_PARTY = RefusalCode(
    "claim.not_a_third_party",
    clause="保险法 art. 60",
    zh="{party} 是索赔人或保险人本身，不是负有责任的第三者",
    en="{party} is the claimant or the insurer, not a third party that is liable",
    kind="forbidden",
)


class ClaimPaid(Payload):
    """The payment of all that is agreed and not paid yet."""

    claim: ClaimId
    cover: CoverId
    claimant: PartyId
    pledge: PledgeId | None = None


class ClaimPaidInAdvance(Payload):
    """A payment of what is certain, before the assessment 先行赔付."""

    claim: ClaimId
    cover: CoverId
    claimant: PartyId
    pledge: PledgeId | None = None
    amount_fen: PositiveFen


class ClaimSubrogated(Payload):
    """Whoever is liable for the loss pays the insurer 代位求偿."""

    claim: ClaimId
    insurer: PartyId
    amount_fen: PositiveFen


@event(
    "claim.paid@1",
    by={Role.INSURER},
    zh="赔付",
    en="Pay a claim",
    clause="保险法 art. 23",
    also=lambda payload, actor: (account_key(actor), account_key(payload.claimant)),
    sealable=("account",),
)
def pay(view: View, event: Event[ClaimPaid]) -> Changes:
    """Pay what was agreed, with another key than the assessor's."""
    said = event.payload
    claim, cover = _payable(view, event)
    require_status(claim, "AGREED")
    if event.key == claim.assessed_by:
        raise ASSESSOR_PAYS()
    due = _still_owed(view, claim, event)
    late = missed(claim.pay_by, event.recorded_at, "payment")
    paid = due.but(
        status="PAID",
        paid_fen=due.payable_fen,
        mitigation_paid_fen=due.mitigation_fen,
        clocks_missed=(*claim.clocks_missed, *late),
    )
    book = Book(view)
    book.move(due.unpaid_fen, source=account_key(event.actor), target=account_key(said.claimant))
    indemnity_fen = due.payable_fen - claim.paid_fen
    lessened = _lessened(view, event, indemnity_fen)
    cover = _after_payment(confirmed(cover, claim, due), indemnity_fen)
    return paid, cover, *lessened, *book.changes()


@event(
    "claim.paid_in_advance@1",
    by={Role.INSURER},
    zh="先行赔付",
    en="Pay in advance on a claim",
    clause="保险法 art. 25",
    also=lambda payload, actor: (account_key(actor), account_key(payload.claimant)),
)
def pay_in_advance(view: View, event: Event[ClaimPaidInAdvance]) -> Changes:
    """Pay what is certain, within the reserve, the claim and the sum insured."""
    said = event.payload
    claim, cover = _payable(view, event)
    require_status(claim, "RESERVED")
    require_status(cover, *LIABLE)
    paid_fen = claim.paid_fen + said.amount_fen
    if paid_fen > claim.reserve_fen:
        raise ABOVE_RESERVE(payable_fen=paid_fen, reserve_fen=claim.reserve_fen)
    if paid_fen > claim.claimed_fen:
        raise BEYOND_CLAIM(paid_fen=paid_fen, claimed_fen=claim.claimed_fen)
    others_fen = cover.confirmed_fen - claim.payable_fen
    check_confirmed(others_fen, paid_fen, others_fen + room_fen(cover, claim))
    paid = claim.but(paid_fen=paid_fen, payable_fen=paid_fen)
    book = Book(view)
    book.move(said.amount_fen, source=account_key(event.actor), target=account_key(said.claimant))
    lessened = _lessened(view, event, said.amount_fen)
    cover = _after_payment(confirmed(cover, claim, paid), said.amount_fen)
    return paid, cover, *lessened, *book.changes()


@event(
    "claim.closed@1",
    by={Role.INSURER},
    zh="结案",
    en="Close a claim",
    clause="保险法 art. 23",
)
def close(view: View, event: Event[ClaimReasoned]) -> Changes:
    """Paid or rejected, and done."""
    claim, cover = with_cover(view, event)
    require_status(claim, "PAID", "REJECTED")
    require_actor(event.actor, claim.insurer, claim.id)
    closed = claim.but(status="CLOSED", reason=event.payload.reason)
    return closed, cover.but(claims_open=cover.claims_open - 1)


@event(
    "claim.subrogated@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER, Role.DATA_SERVICE},
    zh="代位求偿到账",
    en="Pay an insurer back for a loss",
    clause="保险法 art. 60",
    also=lambda payload, actor: (account_key(actor), account_key(payload.insurer)),
)
def subrogate(view: View, event: Event[ClaimSubrogated]) -> Changes:
    """A third party pays the insurer, never more than the insurer paid."""
    said = event.payload
    claim = view.get(Claim, said.claim)
    require_status(claim, "PAID", "CLOSED")
    require_same("insurer", said.insurer, claim.insurer)
    if event.actor in (claim.claimant, claim.insurer):
        raise NOT_A_THIRD_PARTY(party=event.actor)
    sought_fen = claim.subrogated_fen + said.amount_fen
    check_subrogation(sought_fen, claim.paid_fen + claim.mitigation_paid_fen)
    book = Book(view)
    book.move(said.amount_fen, source=account_key(event.actor), target=account_key(said.insurer))
    return claim.but(subrogated_fen=sought_fen), *book.changes()


def _payable(
    view: View, event: Event[ClaimPaid] | Event[ClaimPaidInAdvance]
) -> tuple[Claim, Cover]:
    said = event.payload
    claim, cover = of_insurer(view, said.claim, event.actor), view.get(Cover, said.cover)
    require_same("cover", said.cover, claim.cover)
    require_same("claimant", said.claimant, claim.claimant)
    require_same("pledge", said.pledge, claim.pledge)
    return claim, cover


def _still_owed(view: View, claim: Claim, event: Event[ClaimPaid]) -> Claim:
    """Return the claim with no more payable than the lender is still owed on the loan."""
    if event.payload.pledge is None:
        return claim
    owed = owed_fen(view.get(Pledge, event.payload.pledge), event.recorded_at)
    return claim.but(payable_fen=min(claim.payable_fen, claim.paid_fen + owed))


def _lessened(
    view: View, event: Event[ClaimPaid] | Event[ClaimPaidInAdvance], amount_fen: int
) -> tuple[State, ...]:
    """Return the pledge with the debt that the insurer has paid the lender taken off."""
    if event.payload.pledge is None:
        return ()
    pledge = view.get(Pledge, event.payload.pledge)
    due_fen = owed_fen(pledge, event.recorded_at)
    if amount_fen > due_fen:
        raise OVERPAID(amount_fen=amount_fen, due_fen=due_fen)
    return (paid_down(pledge, amount_fen, event.recorded_at),)


def _after_payment(cover: Cover, indemnity_fen: int) -> Cover:
    paid_fen = cover.paid_fen + indemnity_fen
    exhausted = cover.status == "IN_FORCE" and paid_fen >= cover.sum_insured_fen
    return cover.but(paid_fen=paid_fen, status="EXHAUSTED" if exhausted else cover.status)
