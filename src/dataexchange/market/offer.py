"""An offer 要约: the version, charge and terms that one party puts to the other.

In a negotiation both sides make offers, in the Dataspace Protocol's sense of the word.
"""

from collections.abc import Mapping
from typing import Any

from dataexchange.market.listing import Listing
from dataexchange.market.price import (
    CallCharge,
    Charge,
    Fixed,
    Free,
    LumpSum,
    PerCall,
    Price,
    RevenueShare,
    ShareCharge,
    Subscription,
    Tier,
    Tiered,
)
from dataexchange.market.terms import DeliveryForm, Terms
from dataexchange.rules import Payload, RefusalCode
from dataexchange.rules.guard import require_same
from dataexchange.rules.payload import Code, PositiveCount

NOT_ON_THE_MENU = RefusalCode(
    "offer.not_on_the_menu",
    clause="domain: price models",
    zh="挂牌不提供所选的 {what}（{chosen}）",
    en="The listing does not offer the {what} chosen ({chosen})",
    remedy_zh="按挂牌内容选择。",
    remedy_en="Choose what the listing offers.",
)
NOT_NEGOTIABLE = RefusalCode(
    "offer.not_negotiable",
    clause="domain: price models",
    zh="该挂牌不议价：{what}须与挂牌一致",
    en="This listing is not negotiable: the {what} must be as listed",
    remedy_zh="按挂牌的价格和条款提出。",
    remedy_en="Ask at the listed price and on the listed terms.",
)
CHARGE_UNFIT = RefusalCode(
    "offer.charge_unfit",
    clause="domain: price models",
    zh="计价方式 {model} 不能收取 {kind} 类费用",
    en="A price of the model {model} cannot be charged as {kind}",
)

_KINDS: Mapping[str, tuple[str, ...]] = {
    "free": ("lump_sum",),
    "fixed": ("lump_sum",),
    "tiered": ("lump_sum",),
    "subscription": ("lump_sum",),
    "per_call": ("per_call",),
    "revenue_share": ("revenue_share",),
    "negotiated": ("lump_sum", "per_call", "revenue_share"),
    "auction": ("lump_sum",),
}


class Offer(Payload):
    """What is offered: `tier` of a menu, `periods` of a subscription, else neither."""

    version: PositiveCount
    tier: Code | None = None
    periods: PositiveCount | None = None
    form: DeliveryForm
    charge: Charge
    terms: Terms


def offer_of(held: Mapping[str, Any]) -> Offer:
    """Return the offer that a state holds in plain form."""
    return Offer.model_validate(held, strict=False)


def require_offered(listing: Listing, offer: Offer, *, hammer_fen: int | None = None) -> None:
    """Refuse an offer that the listing does not cover; `hammer_fen` is what an auction ended at."""
    price = listing.offered_price
    if offer.form not in listing.forms:
        raise NOT_ON_THE_MENU(what="形式 form", chosen=offer.form)
    _require_choice(price, offer)
    require_same("version", offer.version, _version(listing, price, offer))
    if offer.charge.kind not in _KINDS[price.model]:
        raise CHARGE_UNFIT(model=price.model, kind=offer.charge.kind)
    if isinstance(price, Free) and offer.charge != LumpSum(kind="lump_sum", fee_fen=0):
        raise NOT_NEGOTIABLE(what="费用 charge")
    if not listing.negotiable:
        _require_as_listed(listing, offer, hammer_fen)


def _require_choice(price: Price, offer: Offer) -> None:
    if (offer.tier is not None) != isinstance(price, Tiered):
        raise NOT_ON_THE_MENU(what="档次 tier", chosen=offer.tier or "none")
    if (offer.periods is not None) != isinstance(price, Subscription):
        raise NOT_ON_THE_MENU(what="期数 periods", chosen=offer.periods or "none")
    if isinstance(price, Subscription) and (offer.periods or 0) > price.periods_max:
        raise NOT_ON_THE_MENU(what="期数 periods", chosen=offer.periods)


def _version(listing: Listing, price: Price, offer: Offer) -> int:
    return _tier(price, offer).version if isinstance(price, Tiered) else listing.version


def _tier(price: Tiered, offer: Offer) -> Tier:
    for tier in price.tiers:
        if tier.code == offer.tier:
            return tier
    raise NOT_ON_THE_MENU(what="档次 tier", chosen=offer.tier)


def _require_as_listed(listing: Listing, offer: Offer, hammer_fen: int | None) -> None:
    price, terms = listing.offered_price, listing.offered_terms
    if isinstance(price, Subscription):
        terms = terms.model_copy(update={"term_days": price.period_days * (offer.periods or 0)})
    if offer.charge != listed_charge(price, offer, hammer_fen):
        raise NOT_NEGOTIABLE(what="费用 charge")
    if offer.terms != terms:
        raise NOT_NEGOTIABLE(what="条款 terms")


def listed_charge(price: Price, offer: Offer, hammer_fen: int | None) -> Charge | None:
    """Return what the choice made in `offer` costs at `price`; `None` where nothing is listed."""
    match price:
        case PerCall():
            return CallCharge(kind="per_call", call_fen=price.call_fen, cap_fen=price.cap_fen)
        case RevenueShare():
            return ShareCharge(
                kind="revenue_share", ratio=price.ratio, minimum_fen=price.minimum_fen
            )
        case _:
            fee_fen = _listed_fee_fen(price, offer, hammer_fen)
            return None if fee_fen is None else LumpSum(kind="lump_sum", fee_fen=fee_fen)


def _listed_fee_fen(price: Price, offer: Offer, hammer_fen: int | None) -> int | None:
    match price:
        case Free():
            return 0
        case Fixed():
            return price.fee_fen
        case Tiered():
            return _tier(price, offer).fee_fen
        case Subscription():
            return price.fee_fen * (offer.periods or 0)
        case _:
            return hammer_fen
