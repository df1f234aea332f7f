"""Disputes 争议: opened by one party, answered by the other, decided by an authority.

An open dispute holds the escrow. A decision says what goes back to the buyer at once, whether the
provider counts as having performed, and whether the licence ends.
"""

from dataexchange.accounts.book import Book, account_key
from dataexchange.asset.grant import grant_key
from dataexchange.ledger.statement import format_time
from dataexchange.market.licence import CONCLUDED, Licence, licensed_asset, over
from dataexchange.market.settlement import IN_DISPUTE
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
from dataexchange.rules.payload import Fen, Hash, Line, Prose
from dataexchange.rules.reference import AssetId, DisputeId, LicenceId, PartyId

DISPUTE_RULES = "电子商务法 arts. 58-63; domain: dispute"

OWN_CAUSE = RefusalCode(
    "dispute.own_cause",
    clause="仲裁法 art. 34 (no judge in one's own cause)",
    zh="{actor} 是争议的当事方，不得裁决",
    en="{actor} is a party to the dispute and may not decide it",
    kind="forbidden",
)
AWARD_TOO_HIGH = RefusalCode(
    "dispute.award_too_high",
    clause=DISPUTE_RULES,
    zh="裁决退还 {refund_fen} 分，超过托管余额 {escrow_fen} 分",
    en="The decision returns {refund_fen} fen; the escrow holds {escrow_fen}",
)


class Dispute(State, frozen=True, kw_only=True):
    """A dispute over a licence; documents by hash, money in 分."""

    KIND = "dispute"

    licence: str
    claimant: str
    respondent: str
    status: str  # opened | answered | decided | withdrawn
    opened_at: str
    evidence: str
    answer: str | None = None
    opinion: str | None = None
    decided_by: str | None = None
    refund_fen: int = 0
    closed_at: str | None = None


class DisputeOpened(Payload):
    """What a party complains of, and its evidence."""

    dispute: DisputeId
    licence: LicenceId
    grounds: Prose
    evidence: Hash


class DisputeAnswered(Payload):
    """The other party's answer, and its evidence."""

    dispute: DisputeId
    answer: Prose
    evidence: Hash


class DisputeWithdrawn(Payload):
    """The claimant's withdrawal."""

    dispute: DisputeId
    licence: LicenceId
    reason: Line


class DisputeDecided(Payload):
    """A decision; its reasons by hash."""

    dispute: DisputeId
    licence: LicenceId
    asset: AssetId
    buyer: PartyId
    refund_fen: Fen
    performed: bool
    terminates: bool
    opinion: Hash


@event(
    "dispute.opened@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="提起争议",
    en="Open a dispute",
    clause=DISPUTE_RULES,
    sealable=("details",),
)
def open_dispute(view: View, event: Event[DisputeOpened]) -> Changes:
    """A party to a concluded licence complains; one dispute at a time."""
    given = event.payload
    view.require_new(given.dispute)
    licence = view.get(Licence, given.licence)
    require_actor(event.actor, (licence.provider, licence.buyer), licence.id)
    require_status(licence, *CONCLUDED)
    if licence.dispute is not None:
        raise IN_DISPUTE(licence=licence.id, dispute=licence.dispute)
    dispute = Dispute(
        id=given.dispute,
        licence=licence.id,
        claimant=event.actor,
        respondent=licence.counterparty(event.actor),
        status="opened",
        opened_at=format_time(event.recorded_at),
        evidence=given.evidence,
    )
    return (dispute, licence.but(dispute=dispute.id))


@event(
    "dispute.answered@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="答辩",
    en="Answer a dispute",
    clause=DISPUTE_RULES,
    sealable=("details",),
)
def answer(view: View, event: Event[DisputeAnswered]) -> Changes:
    """The respondent is heard."""
    dispute = view.get(Dispute, event.payload.dispute)
    require_actor(event.actor, dispute.respondent, dispute.id)
    require_status(dispute, "opened")
    return dispute.but(status="answered", answer=event.payload.evidence)


@event(
    "dispute.withdrawn@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="撤回争议",
    en="Withdraw a dispute",
    clause=DISPUTE_RULES,
)
def withdraw(view: View, event: Event[DisputeWithdrawn]) -> Changes:
    """The claimant gives its complaint up; the escrow is free again."""
    dispute, licence = _of(view, event.payload)
    require_actor(event.actor, dispute.claimant, dispute.id)
    require_status(dispute, "opened", "answered")
    closed = dispute.but(status="withdrawn", closed_at=format_time(event.recorded_at))
    return (closed, licence.but(dispute=None))


@event(
    "dispute.decided@1",
    by={Role.OPERATOR, Role.REGULATOR},
    zh="裁决争议",
    en="Decide a dispute",
    clause=DISPUTE_RULES,
    also=lambda payload, actor: (
        grant_key(payload.asset, payload.licence),
        account_key(payload.licence),
        account_key(payload.buyer),
    ),
    sealable=("details",),
)
def decide(view: View, event: Event[DisputeDecided]) -> Changes:
    """Return part of the escrow at once; the rest follows the ordinary rules of settlement."""
    given = event.payload
    dispute, licence = _of(view, given)
    if event.actor in (licence.provider, licence.buyer):
        raise OWN_CAUSE(actor=event.actor)
    require_status(dispute, "opened", "answered")
    require_same("buyer", given.buyer, licence.buyer)
    asset = licensed_asset(view, licence, given.asset)
    if given.refund_fen > licence.escrow_fen:
        raise AWARD_TOO_HIGH(refund_fen=given.refund_fen, escrow_fen=licence.escrow_fen)
    book = Book(view)
    book.move(given.refund_fen, source=account_key(licence.id), target=account_key(licence.buyer))
    at = format_time(event.recorded_at)
    settled = licence.but(
        dispute=None,
        refunded_fen=licence.refunded_fen + given.refund_fen,
        served="adjudicated" if given.performed else "none",
        served_at=at,
    )
    closed = dispute.but(
        status="decided",
        opinion=given.opinion,
        decided_by=event.actor,
        refund_fen=given.refund_fen,
        closed_at=at,
    )
    if not given.terminates or licence.ended_at is not None:
        return (closed, settled, *book.changes())
    ended = over(view, settled, asset, status="terminated", now=event.recorded_at)
    return (closed, *ended, *book.changes())


def _of(view: View, given: DisputeWithdrawn | DisputeDecided) -> tuple[Dispute, Licence]:
    dispute = view.get(Dispute, given.dispute)
    require_same("licence", given.licence, dispute.licence)
    return dispute, view.get(Licence, dispute.licence)
