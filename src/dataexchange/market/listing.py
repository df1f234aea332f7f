"""Listings 挂牌: what a holder offers to the market, at what price, on what terms, until when."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from dataexchange.asset.title import Asset, require_holder
from dataexchange.asset.version import Version, version_key
from dataexchange.ledger.statement import parse_time
from dataexchange.market.ceiling import ceiling_key, is_public_data, require_price_within
from dataexchange.market.price import (
    AUCTION_UNFIT,
    Auction,
    Price,
    price_of,
    require_sound,
    versions_of,
)
from dataexchange.market.terms import DeliveryForm, Terms, kept, require_scenarios, terms_of
from dataexchange.pipeline.gate import require_listable
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
from dataexchange.rules.payload import Line, Moment, PositiveCount
from dataexchange.rules.reference import AssetId, ListingId

TRADE_RULES = "福建省数据流通交易管理办法(试行)"
SOURCES_MAX = 16

LISTING_OVER = RefusalCode(
    "listing.over",
    clause=TRADE_RULES + "; domain: listing validity",
    zh="挂牌 {listing} 的有效期至 {valid_until}，已过",
    en="Listing {listing} was valid until {valid_until}",
    remedy_zh="由提供方重新挂牌。",
    remedy_en="The provider must list again.",
    kind="conflict",
)
VALIDITY_PAST = RefusalCode(
    "listing.validity_past",
    clause="domain: listing validity",
    zh="有效期 {valid_until} 不晚于当前时间",
    en="The validity {valid_until} does not lie ahead",
    kind="malformed",
)
EXCLUSIVELY_LICENSED = RefusalCode(
    "listing.exclusively_licensed",
    clause="domain: exclusive licences exclude",
    zh="资产 {asset} 已独占许可（{licence}），在其终止前不得挂牌",
    en="Asset {asset} is licensed exclusively by {licence}; it is not listed before that ends",
    remedy_zh="独占许可到期的，先提交 licence.expired。",
    remedy_en="Where the exclusive licence has run out, announce it by licence.expired first.",
    kind="conflict",
)


AUCTION_STANDS = RefusalCode(
    "listing.auction_stands",
    clause="拍卖法 art. 45: the announced terms bind",
    zh="拍卖 {listing} 公告后不得更改价格条款",
    en="The terms of auction {listing} stand once announced",
    remedy_zh="撤牌后重新挂牌。",
    remedy_en="Withdraw it and list anew.",
)


class Listing(State, frozen=True, kw_only=True):
    """A listing of one version (or a menu of versions) of an asset."""

    KIND = "listing"

    asset: str
    provider: str
    version: int
    status: str  # published | paused | withdrawn
    price: dict[str, Any]
    negotiable: bool
    terms: dict[str, Any]
    forms: tuple[DeliveryForm, ...]
    valid_until: str
    public_data: bool = False
    paused_by: str | None = None

    def is_open(self, now: datetime) -> bool:
        """Tell whether licences may be asked for now."""
        return self.status == "published" and now < parse_time(self.valid_until)

    @property
    def offered_terms(self) -> Terms:
        """The terms, to reason with."""
        return terms_of(self.terms)

    @property
    def offered_price(self) -> Price:
        """The price, to reason with."""
        return price_of(self.price)


class ListingPublished(Payload):
    """An asset's version, its price and terms; `sources` are all that the asset is made of."""

    listing: ListingId
    asset: AssetId
    version: PositiveCount
    sources: Annotated[tuple[AssetId, ...], Field(max_length=SOURCES_MAX)] = ()
    price: Price
    negotiable: bool = False
    terms: Terms
    forms: Annotated[tuple[DeliveryForm, ...], Field(min_length=1, max_length=3)]
    valid_until: Moment


class ListingRepriced(Payload):
    """A new price for the same offer."""

    listing: ListingId
    asset: AssetId
    price: Price
    reason: Line


class ListingNamed(Payload):
    """One listing, and why it changes."""

    listing: ListingId
    reason: Line


def _sold_versions(version: int, price: Price) -> tuple[int, ...]:
    return tuple(dict.fromkeys((version, *versions_of(price))))


@event(
    "listing.published@1",
    by={Role.PROVIDER},
    zh="挂牌",
    en="Publish a listing",
    clause=TRADE_RULES,
    also=lambda payload, actor: (
        ceiling_key(payload.asset),
        *(
            version_key(payload.asset, number)
            for number in _sold_versions(payload.version, payload.price)
        ),
    ),
)
def publish(view: View, event: Event[ListingPublished]) -> Changes:
    """The holder lists what passed every gate, at a price and on terms that hold together."""
    given = event.payload
    view.require_new(given.listing)
    asset = view.get(Asset, given.asset)
    sources = [view.get(Asset, source) for source in given.sources]
    require_holder(asset, event.actor)
    for number in _sold_versions(given.version, given.price):
        require_listable(view, asset, view.get(Version, version_key(asset.id, number)), sources)
    if asset.exclusive_licence is not None:
        raise EXCLUSIVELY_LICENSED(asset=asset.id, licence=asset.exclusive_licence)
    require_scenarios(view, given.terms)
    if parse_time(given.valid_until) <= event.recorded_at:
        raise VALIDITY_PAST(valid_until=given.valid_until)
    public_data = is_public_data(asset, sources)
    require_sound(given.price, negotiable=given.negotiable)
    if isinstance(given.price, Auction) and given.valid_until <= given.price.opened_by:
        raise AUCTION_UNFIT()
    if public_data:
        require_price_within(view, asset, given.price)
    return Listing(
        id=given.listing,
        asset=asset.id,
        provider=event.actor,
        version=given.version,
        status="published",
        price=kept(given.price),
        negotiable=given.negotiable,
        terms=kept(given.terms),
        forms=tuple(sorted(set(given.forms))),
        valid_until=given.valid_until,
        public_data=public_data,
    )


@event(
    "listing.repriced@1",
    by={Role.PROVIDER},
    zh="调价",
    en="Change the price",
    clause=TRADE_RULES,
    also=lambda payload, actor: (ceiling_key(payload.asset),),
)
def reprice(view: View, event: Event[ListingRepriced]) -> Changes:
    """A price of the same model; what was agreed before stays as agreed."""
    given = event.payload
    listing = _own_listing(view, given.listing, event.actor)
    require_status(listing, "published", "paused")
    require_same("asset", given.asset, listing.asset)
    require_same("price.model", given.price.model, listing.price["model"])
    old, new = versions_of(listing.offered_price), versions_of(given.price)
    require_same("versions", sorted(new), sorted(old))
    require_sound(given.price, negotiable=listing.negotiable)
    if given.price.model == "auction":
        raise AUCTION_STANDS(listing=listing.id)
    if listing.public_data:
        require_price_within(view, view.get(Asset, listing.asset), given.price)
    return listing.but(price=kept(given.price))


@event(
    "listing.paused@1",
    by={Role.PROVIDER, Role.OPERATOR},
    zh="暂停挂牌",
    en="Pause a listing",
    clause=TRADE_RULES,
)
def pause(view: View, event: Event[ListingNamed]) -> Changes:
    """Take no requests for a while; the operator may pause anyone's listing."""
    listing = _listing_of(view, event)
    require_status(listing, "published")
    return listing.but(status="paused", paused_by=event.actor)


@event(
    "listing.resumed@1",
    by={Role.PROVIDER, Role.OPERATOR},
    zh="恢复挂牌",
    en="Resume a listing",
    clause=TRADE_RULES,
)
def resume(view: View, event: Event[ListingNamed]) -> Changes:
    """Whoever paused a listing lets it take requests again; the operator may for anyone."""
    listing = _listing_of(view, event)
    require_status(listing, "paused")
    if Role.OPERATOR not in event.roles:
        require_actor(event.actor, listing.paused_by or "", listing.id)
    return listing.but(status="published", paused_by=None)


@event(
    "listing.withdrawn@1",
    by={Role.PROVIDER, Role.OPERATOR},
    zh="撤牌",
    en="Withdraw a listing",
    clause=TRADE_RULES,
)
def withdraw(view: View, event: Event[ListingNamed]) -> Changes:
    """End a listing for good; licences agreed from it go on."""
    listing = _listing_of(view, event)
    require_status(listing, "published", "paused")
    return listing.but(status="withdrawn")


def require_open(listing: Listing, now: datetime) -> None:
    """Refuse unless licences may be asked for now."""
    require_status(listing, "published")
    if not listing.is_open(now):
        raise LISTING_OVER(listing=listing.id, valid_until=listing.valid_until)


def _own_listing(view: View, key: str, actor: str) -> Listing:
    listing = view.get(Listing, key)
    require_actor(actor, listing.provider, key)
    return listing


def _listing_of(view: View, event: Event[ListingNamed]) -> Listing:
    if Role.OPERATOR in event.roles:
        return view.get(Listing, event.payload.listing)
    return _own_listing(view, event.payload.listing, event.actor)
