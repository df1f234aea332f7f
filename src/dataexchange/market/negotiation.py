"""The negotiation of a licence, in the states of the Dataspace Protocol 2025-1.

Every step names the offer that it answers by its leaf hash, so a consent is to exactly that offer.
An offer is answered by its receiver; an agreement reserves the asset and is confirmed by both.
"""

from datetime import datetime

from dataexchange.asset.title import Asset, require_dealable, require_holder, require_no_incident
from dataexchange.identity.party import Party
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.market.admission import clearance_key, require_admissible
from dataexchange.market.auction import auction_key, hammer_fen
from dataexchange.market.ceiling import ceiling_key, require_charge_within, uncharged
from dataexchange.market.licence import (
    Licence,
    freed,
    licensed_asset,
    require_free,
)
from dataexchange.market.listing import Listing, require_open
from dataexchange.market.offer import Offer, require_offered
from dataexchange.market.terms import kept, require_scenarios
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
from dataexchange.rules.payload import Hash, Line
from dataexchange.rules.reference import AssetId, LicenceId, ListingId, PartyId
from dataexchange.rules.time import end_of_day_after

DSP = "Dataspace Protocol 2025-1, contract negotiation"

OWN_LISTING = RefusalCode(
    "licence.with_oneself",
    clause="民法典 art. 464: a contract has two parties",
    zh="提供方不能向自己取得许可",
    en="A provider cannot license from itself",
)
NOT_A_BUYER = RefusalCode(
    "licence.not_a_buyer",
    clause="domain: licence.requested",
    zh="{party} 不是有效的数据需求方",
    en="{party} is not an active buyer",
    kind="forbidden",
)
NOT_IDLE = RefusalCode(
    "licence.not_idle",
    clause="民法典 art. 481; policy negotiation_lapse_days",
    zh="磋商 {licence} 至 {until} 方可因搁置而终止",
    en="Negotiation {licence} lapses only when it has rested until {until}",
    kind="conflict",
)


class LicenceRequested(Payload):
    """A buyer's offer: the first, or its counter to the provider's."""

    licence: LicenceId
    listing: ListingId
    asset: AssetId
    offer: Offer


class LicenceCountered(LicenceRequested):
    """A buyer's counter-offer; `proposal` is the provider's offer that it answers."""

    proposal: Hash


class LicenceOffered(LicenceRequested):
    """A provider's offer; without a `proposal` it opens the negotiation."""

    buyer: PartyId
    proposal: Hash | None = None


class LicenceAnswered(Payload):
    """A step that rests on the offer whose leaf hash is `proposal`."""

    licence: LicenceId
    asset: AssetId
    proposal: Hash


class LicenceEnded(Payload):
    """The end of a negotiation, and why."""

    licence: LicenceId
    asset: AssetId
    reason: Line


def _offer_keys(payload: LicenceRequested, buyer: str) -> tuple[str, ...]:
    return (
        clearance_key(buyer),
        ceiling_key(payload.asset),
        auction_key(payload.listing),
    )


@event(
    "licence.requested@1",
    by={Role.BUYER},
    zh="申请许可",
    en="Request a licence",
    clause=DSP,
    also=_offer_keys,
    sealable=("terms",),
)
def request(view: View, event: Event[LicenceRequested]) -> Changes:
    """A buyer asks for what is listed, or names its own price and terms where they are open."""
    view.require_new(event.payload.licence)
    return _opened(view, event, buyer=event.actor, status="requested")


@event(
    "licence.offered@1",
    by={Role.PROVIDER},
    zh="要约",
    en="Offer a licence",
    clause=DSP,
    also=lambda payload, actor: _offer_keys(payload, payload.buyer),
    sealable=("terms",),
)
def offer(view: View, event: Event[LicenceOffered]) -> Changes:
    """The provider answers a request by its own offer, or opens with one."""
    given = event.payload
    _require_buyer(view, given.buyer)
    if given.proposal is None:
        view.require_new(given.licence)
        return _opened(view, event, buyer=given.buyer, status="offered")
    licence = view.get(Licence, given.licence)
    require_actor(event.actor, licence.provider, licence.id)
    require_same("buyer", given.buyer, licence.buyer)
    require_status(licence, "requested")
    return _answered(view, event, licence, status="offered", proposal=given.proposal)


@event(
    "licence.countered@1",
    by={Role.BUYER},
    zh="反要约",
    en="Make a counter-offer",
    clause=DSP,
    also=_offer_keys,
    sealable=("terms",),
)
def counter(view: View, event: Event[LicenceCountered]) -> Changes:
    """The buyer answers an offer by its own; the old one is gone (民法典 art. 488)."""
    given = event.payload
    licence = view.get(Licence, given.licence)
    require_actor(event.actor, licence.buyer, licence.id)
    require_status(licence, "offered")
    return _answered(view, event, licence, status="requested", proposal=given.proposal)


@event("licence.accepted@1", by={Role.BUYER}, zh="承诺", en="Accept an offer", clause=DSP)
def accept(view: View, event: Event[LicenceAnswered]) -> Changes:
    """The buyer accepts the provider's last offer as it stands."""
    licence = on_the_table(view, event.payload)
    require_actor(event.actor, licence.buyer, licence.id)
    require_status(licence, "offered")
    require_same("proposal", event.payload.proposal, view.head(licence.id))
    return licence.but(
        status="accepted",
        proposal=event.payload.proposal,
        moved_at=format_time(event.recorded_at),
    )


@event(
    "licence.terminated@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="终止磋商",
    en="Terminate a negotiation",
    clause=DSP,
    also=lambda payload, actor: (ceiling_key(payload.asset),),
    sealable=("details",),
)
def terminate(view: View, event: Event[LicenceEnded]) -> Changes:
    """Who may break off follows the protocol's diagram, state by state."""
    licence = view.get(Licence, event.payload.licence)
    asset = licensed_asset(view, licence, event.payload.asset)
    enders = {
        "requested": (licence.provider, licence.buyer),
        "offered": (licence.provider, licence.buyer),
        "accepted": (licence.provider,),
        "agreed": (licence.buyer,),
        "verified": (licence.provider,),
    }
    require_status(licence, *enders)
    require_actor(event.actor, enders[licence.status], licence.id)
    return _broken_off(view, licence, asset, event)


@event(
    "licence.lapsed@1",
    by={Role.PROVIDER, Role.BUYER, Role.OPERATOR},
    zh="磋商失效",
    en="Announce a lapsed negotiation",
    clause="民法典 art. 481",
    also=lambda payload, actor: (ceiling_key(payload.asset),),
)
def lapse(view: View, event: Event[LicenceEnded]) -> Changes:
    """End a negotiation that rested too long, so that nobody holds an asset or money for ever."""
    licence = view.get(Licence, event.payload.licence)
    asset = licensed_asset(view, licence, event.payload.asset)
    if Role.OPERATOR not in event.roles:
        require_actor(event.actor, (licence.provider, licence.buyer), licence.id)
    require_status(licence, "requested", "offered", "accepted", "agreed", "verified")
    until = end_of_day_after(parse_time(licence.moved_at), view.policy.negotiation_lapse_days)
    if event.recorded_at < until:
        raise NOT_IDLE(licence=licence.id, until=format_time(until))
    return _broken_off(view, licence, asset, event)


def _broken_off(
    view: View, licence: Licence, asset: Asset, event: Event[LicenceEnded]
) -> tuple[State, ...]:
    at = format_time(event.recorded_at)
    gone = licence.but(status="terminated", ended_at=at, moved_at=at)
    if licence.status not in ("agreed", "verified"):
        return (gone,)
    back = uncharged(view, asset.id, licence.due_at_agreement_fen, licence.ceiling_version)
    return (gone, freed(asset, licence), *back)


def _opened(
    view: View, event: Event[LicenceRequested] | Event[LicenceOffered], *, buyer: str, status: str
) -> Licence:
    given = event.payload
    listing = view.get(Listing, given.listing)
    provider = event.actor if status == "offered" else listing.provider
    require_actor(provider, listing.provider, listing.id)
    if buyer == listing.provider:
        raise OWN_LISTING()
    licence = Licence(
        id=given.licence,
        listing=listing.id,
        asset=listing.asset,
        provider=listing.provider,
        buyer=buyer,
        status=status,
        offer=kept(given.offer),
        offered_by=event.actor,
        moved_at=format_time(event.recorded_at),
        public_data=listing.public_data,
    )
    _require_offer(view, listing, licence, event)
    return licence


def _answered(
    view: View,
    event: Event[LicenceOffered] | Event[LicenceCountered],
    licence: Licence,
    *,
    status: str,
    proposal: str,
) -> Licence:
    given = event.payload
    require_same("listing", given.listing, licence.listing)
    require_same("proposal", proposal, view.head(licence.id))
    moved = licence.but(
        status=status,
        offer=kept(given.offer),
        offered_by=event.actor,
        moved_at=format_time(event.recorded_at),
    )
    _require_offer(view, view.get(Listing, licence.listing), moved, event)
    return moved


def _require_offer(
    view: View,
    listing: Listing,
    licence: Licence,
    event: Event[LicenceRequested] | Event[LicenceOffered] | Event[LicenceCountered],
) -> None:
    require_open(listing, event.recorded_at)
    require_same("asset", event.payload.asset, listing.asset)
    hammer = hammer_fen(view, listing, licence.buyer)
    require_offered(listing, event.payload.offer, hammer_fen=hammer)
    require_scenarios(view, event.payload.offer.terms)
    require_deal(view, view.get(Asset, listing.asset), licence, event.recorded_at)


def require_deal(view: View, asset: Asset, licence: Licence, now: datetime) -> None:
    """Refuse what the asset's state, the buyer or the law stands against, at every step anew."""
    offered = licence.agreed_offer
    require_holder(asset, licence.provider)
    require_dealable(asset)
    require_no_incident(asset)
    require_free(asset, exclusive=offered.terms.exclusive)
    require_admissible(view, asset, buyer=licence.buyer, terms=offered.terms, now=now)
    if licence.public_data:
        require_charge_within(view, asset, offered.charge, welfare=offered.terms.public_welfare)


def _require_buyer(view: View, party: str) -> None:
    buyer = view.get(Party, party)
    if buyer.status != "active" or Role.BUYER not in buyer.roles:
        raise NOT_A_BUYER(party=party)


def on_the_table(view: View, given: LicenceAnswered) -> Licence:
    """Return the licence that a step names with its asset."""
    licence = view.get(Licence, given.licence)
    require_same("asset", given.asset, licence.asset)
    return licence
