"""Changes of a licence in its term 变更: amended, renewed or dissolved by both parties.

One party proposes, the other consents by naming the proposal's leaf hash; the consent takes effect.
"""

from datetime import datetime, timedelta
from typing import Any

from dataexchange.accounts.book import Book, account_key
from dataexchange.asset.grant import grant_key
from dataexchange.asset.title import Asset, require_dealable, require_holder, require_no_incident
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.market.admission import clearance_key, require_admissible
from dataexchange.market.ceiling import Ceiling, ceiling_key, charged, require_charge_within
from dataexchange.market.licence import (
    CONTRACT_LAW,
    Licence,
    freed,
    licence_grant,
    licensed_asset,
    over,
    require_in_term,
    reserved,
)
from dataexchange.market.price import LumpSum
from dataexchange.market.settlement import IN_DISPUTE
from dataexchange.market.terms import Terms, kept, require_scenarios, terms_of
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
from dataexchange.rules.payload import Days, Fen, Hash
from dataexchange.rules.reference import AssetId, LicenceId, PartyId
from dataexchange.rules.time import end_of_day_after

WELFARE_FIXED = RefusalCode(
    "change.welfare_fixed",
    clause="发改价格〔2025〕65号",
    zh="公益用途不得在许可期内变更；请另行申请许可",
    en="Use for public welfare does not change in the term; ask for another licence",
)
TERM_PAST = RefusalCode(
    "change.term_past",
    clause=CONTRACT_LAW + " art. 543",
    zh="变更后的许可期已经届满（{ends_at}）",
    en="The term as amended would have ended already, at {ends_at}",
)


class Change(State, frozen=True, kw_only=True):
    """The last change proposed for a licence; its key is `change/<licence>`."""

    KIND = "change"

    licence: str
    proposed_by: str
    consenting: str
    kind: str  # amend | renew | dissolve
    status: str  # proposed | effective
    terms: dict[str, Any] = {}
    days: int = 0
    fee_fen: int = 0
    refund_fen: int = 0


class AmendmentProposed(Payload):
    """Other terms for the rest of the licence; its term is counted from its start."""

    licence: LicenceId
    terms: Terms


class RenewalProposed(Payload):
    """More days for more money, which is locked in escrow on consent."""

    licence: LicenceId
    days: Days
    fee_fen: Fen


class DissolutionProposed(Payload):
    """The end of the licence by agreement, with what goes back to the buyer at once."""

    licence: LicenceId
    refund_fen: Fen


class ChangeConsented(Payload):
    """The other party's consent to exactly the proposal with this leaf hash."""

    licence: LicenceId
    asset: AssetId
    buyer: PartyId
    proposal: Hash


def change_key(licence: str) -> str:
    """Return the key of the change proposed for `licence`."""
    return f"change/{licence}"


def _keys(payload: ChangeConsented, actor: str) -> tuple[str, ...]:
    return (
        change_key(payload.licence),
        grant_key(payload.asset, payload.licence),
        ceiling_key(payload.asset),
        clearance_key(payload.buyer),
        account_key(payload.licence),
        account_key(payload.buyer),
    )


def _change_keys(
    payload: AmendmentProposed | RenewalProposed | DissolutionProposed, actor: str
) -> tuple[str, ...]:
    return (change_key(payload.licence),)


@event(
    "licence.amendment_proposed@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="提议变更",
    en="Propose an amendment",
    clause=CONTRACT_LAW + " art. 543",
    also=_change_keys,
    sealable=("details",),
)
def propose_amendment(view: View, event: Event[AmendmentProposed]) -> Changes:
    """A proposal binds nobody until the other party consents; it replaces an earlier one."""
    terms = event.payload.terms
    change, licence = _proposed(view, event, "amend")
    require_scenarios(view, terms)
    if terms.public_welfare != licence.agreed_offer.terms.public_welfare:
        raise WELFARE_FIXED()
    return change.but(terms=kept(terms))


@event(
    "licence.renewal_proposed@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="提议续展",
    en="Propose a renewal",
    clause=CONTRACT_LAW + " art. 543",
    also=_change_keys,
    sealable=("terms",),
)
def propose_renewal(view: View, event: Event[RenewalProposed]) -> Changes:
    """A proposal binds nobody until the other party consents; it replaces an earlier one."""
    change, _ = _proposed(view, event, "renew")
    return change.but(days=event.payload.days, fee_fen=event.payload.fee_fen)


@event(
    "licence.dissolution_proposed@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="提议协议解除",
    en="Propose a dissolution",
    clause=CONTRACT_LAW + " art. 562",
    also=_change_keys,
    sealable=("terms",),
)
def propose_dissolution(view: View, event: Event[DissolutionProposed]) -> Changes:
    """A proposal binds nobody until the other party consents; it replaces an earlier one."""
    change, _ = _proposed(view, event, "dissolve")
    return change.but(refund_fen=event.payload.refund_fen)


@event(
    "licence.amended@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="变更许可",
    en="Amend a licence",
    clause=CONTRACT_LAW + " art. 543",
    also=_keys,
)
def amend(view: View, event: Event[ChangeConsented]) -> Changes:
    """The terms change, within what the asset and the buyer allow now."""
    change, licence, asset = _consented(view, event, "amend")
    terms = terms_of(change.terms)
    require_dealable(asset)
    require_admissible(view, asset, buyer=licence.buyer, terms=terms, now=event.recorded_at)
    ends_at = _end_as_amended(licence, terms.term_days)
    if ends_at <= event.recorded_at:
        raise TERM_PAST(ends_at=format_time(ends_at))
    amended = licence.but(
        offer={**licence.offer, "terms": kept(terms)}, ends_at=format_time(ends_at)
    )
    return (
        amended,
        reserved(freed(asset, licence), amended),
        licence_grant(amended),
        change.but(status="effective"),
    )


@event(
    "licence.renewed@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="续展许可",
    en="Renew a licence",
    clause=CONTRACT_LAW + " art. 543; domain: licence.renewed",
    also=_keys,
)
def renew(view: View, event: Event[ChangeConsented]) -> Changes:
    """The term grows by whole days; the fee goes to escrow and counts towards the ceiling."""
    change, licence, asset = _consented(view, event, "renew")
    require_holder(asset, licence.provider)
    require_dealable(asset)
    require_no_incident(asset)
    terms = licence.agreed_offer.terms
    require_admissible(view, asset, buyer=licence.buyer, terms=terms, now=event.recorded_at)
    ceilings = _charged(view, asset, licence, change.fee_fen)
    book = Book(view)
    book.move(change.fee_fen, source=account_key(licence.buyer), target=account_key(licence.id))
    until = parse_time(licence.ends_at or "") + timedelta(days=change.days)
    renewed = licence.but(
        ends_at=format_time(until), locked_fen=licence.locked_fen + change.fee_fen
    )
    return (
        renewed,
        licence_grant(renewed),
        change.but(status="effective"),
        *ceilings,
        *book.changes(),
    )


@event(
    "licence.dissolved@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="协议解除",
    en="Dissolve a licence",
    clause=CONTRACT_LAW + " art. 562",
    also=_keys,
)
def dissolve(view: View, event: Event[ChangeConsented]) -> Changes:
    """The parties end the licence and divide what the escrow still holds as they agreed."""
    change, licence, asset = _consented(view, event, "dissolve")
    if licence.dispute is not None:
        raise IN_DISPUTE(licence=licence.id, dispute=licence.dispute)
    book = Book(view)
    book.move(change.refund_fen, source=account_key(licence.id), target=account_key(licence.buyer))
    settled = licence.but(
        refunded_fen=licence.refunded_fen + change.refund_fen,
        served="adjudicated",
        served_at=format_time(event.recorded_at),
    )
    ended = over(view, settled, asset, status="terminated", now=event.recorded_at)
    return (*ended, change.but(status="effective"), *book.changes())


def _proposed(
    view: View,
    event: Event[AmendmentProposed] | Event[RenewalProposed] | Event[DissolutionProposed],
    kind: str,
) -> tuple[Change, Licence]:
    licence = view.get(Licence, event.payload.licence)
    require_actor(event.actor, (licence.provider, licence.buyer), licence.id)
    require_in_term(licence, event.recorded_at)
    change = Change(
        id=change_key(licence.id),
        licence=licence.id,
        proposed_by=event.actor,
        consenting=licence.counterparty(event.actor),
        kind=kind,
        status="proposed",
    )
    return change, licence


def _charged(view: View, asset: Asset, licence: Licence, fee_fen: int) -> tuple[Ceiling, ...]:
    """A renewal of public data is charged within the ceiling, as a new licence would be."""
    if not licence.public_data:
        return ()
    charge = LumpSum(kind="lump_sum", fee_fen=fee_fen)
    welfare = licence.agreed_offer.terms.public_welfare
    require_charge_within(view, asset, charge, welfare=welfare)
    return charged(view, asset, fee_fen)


def _end_as_amended(licence: Licence, term_days: int) -> datetime:
    """Return the end of a term of `term_days` from the start, renewals added."""
    starts = parse_time(licence.starts_at or "")
    first_end = end_of_day_after(starts, licence.agreed_offer.terms.term_days)
    renewed = parse_time(licence.ends_at or "") - first_end
    return end_of_day_after(starts, term_days) + renewed


def _consented(
    view: View, event: Event[ChangeConsented], kind: str
) -> tuple[Change, Licence, Asset]:
    given = event.payload
    change = view.get(Change, change_key(given.licence))
    require_status(change, "proposed")
    require_actor(event.actor, change.consenting, change.id)
    require_same("proposal", given.proposal, view.head(change.id))
    require_same("kind", kind, change.kind)
    licence = view.get(Licence, change.licence)
    require_same("buyer", given.buyer, licence.buyer)
    require_in_term(licence, event.recorded_at)
    return change, licence, licensed_asset(view, licence, given.asset)
