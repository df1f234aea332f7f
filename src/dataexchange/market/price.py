"""Price models 定价模式 of a listing, and the charges that licences agree on.

A price says how the charge is found; a charge is what two parties agreed. Money in 分.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from dataexchange.rules import Payload, RefusalCode
from dataexchange.rules.payload import (
    Code,
    Days,
    Fen,
    Moment,
    PositiveCount,
    PositiveFen,
    Ratio,
)
from dataexchange.valuation.menu import Version as MenuLine
from dataexchange.valuation.menu import find_arbitrage

TIERS_MAX = 12
# Whole steps, so that checking a menu takes a bounded number of steps inside the sequencer.
ACCURACY_MAX = 1_000

ARBITRAGE = RefusalCode(
    "listing.arbitrage",
    clause="valuation M13 (Chen, Koutris, Kumar 2019): monotone and subadditive prices",
    zh="档次 {tier} 定价 {fee_fen} 分，组合其他档次只需 {cover_fen} 分即可得到同等精度",
    en="Tier {tier} costs {fee_fen} fen; other tiers combined give its accuracy for {cover_fen}",
    remedy_zh="把该档次的价格降到 {cover_fen} 分以下（含）。",
    remedy_en="Lower the tier's price to {cover_fen} fen or less.",
)
TIERS_AMBIGUOUS = RefusalCode(
    "listing.tiers_ambiguous",
    clause="domain: price models, tiered",
    zh="各档次的代码和精度都不得重复",
    en="No two tiers may share a code or an accuracy",
)
AUCTION_UNFIT = RefusalCode(
    "listing.auction_unfit",
    clause="拍卖法 arts. 48-50; domain: price models, auction",
    zh="拍卖条款不合：密封报价须在截止后留出开标时间，保留价不低于起拍价",
    en="Sealed bids need time to be opened after the close; the reserve is at least the start",
)
NEGOTIABLE_UNFIT = RefusalCode(
    "listing.negotiable_unfit",
    clause="domain: price models",
    zh="协商定价必须可议价，拍卖不可议价",
    en="A negotiated price is negotiable; an auction's is not",
)


class Free(Payload):
    """Given without a charge, as for the public interest."""

    model: Literal["free"]


class Fixed(Payload):
    """One sum for the licence."""

    model: Literal["fixed"]
    fee_fen: PositiveFen


class Tier(Payload):
    """One line of a menu: a version of the product, its relative accuracy (1/variance), its fee."""

    code: Code
    version: PositiveCount
    accuracy: Annotated[int, Field(gt=0, le=ACCURACY_MAX)]
    fee_fen: PositiveFen


class Tiered(Payload):
    """A menu of versions, free of arbitrage."""

    model: Literal["tiered"]
    tiers: Annotated[tuple[Tier, ...], Field(min_length=2, max_length=TIERS_MAX)]


class Subscription(Payload):
    """A sum for each period of so many days."""

    model: Literal["subscription"]
    fee_fen: PositiveFen
    period_days: Days
    periods_max: Annotated[int, Field(gt=0, le=120)]


class PerCall(Payload):
    """A sum for each call, up to a cap."""

    model: Literal["per_call"]
    call_fen: PositiveFen
    cap_fen: PositiveFen


class RevenueShare(Payload):
    """A share of the licensee's revenue, at least a minimum that is paid in advance."""

    model: Literal["revenue_share"]
    ratio: Ratio
    minimum_fen: Fen


class Negotiated(Payload):
    """No price is listed; the parties find it."""

    model: Literal["negotiated"]


class Auction(Payload):
    """Sold to the highest bidder: ascending open bids, or sealed bids at the second price.

    Sealed bids are opened between `closes_at` and `opened_by`. Every bidder puts up `deposit_fen`.
    """

    model: Literal["auction"]
    form: Literal["english", "second_price_sealed"]
    start_fen: PositiveFen
    increment_fen: PositiveFen
    reserve_fen: PositiveFen
    deposit_fen: Fen
    closes_at: Moment
    opened_by: Moment


Price: TypeAlias = Annotated[
    Free | Fixed | Tiered | Subscription | PerCall | RevenueShare | Negotiated | Auction,
    Field(discriminator="model"),
]
_PRICE: TypeAdapter[Price] = TypeAdapter(Price)


class LumpSum(Payload):
    """One sum, due on acceptance of the delivery; zero where the licence is free."""

    kind: Literal["lump_sum"]
    fee_fen: Fen


class CallCharge(Payload):
    """So much for each call; the cap is locked in escrow and what is not used comes back."""

    kind: Literal["per_call"]
    call_fen: PositiveFen
    cap_fen: PositiveFen


class ShareCharge(Payload):
    """A share of revenue; the minimum is locked in escrow and counts towards the share."""

    kind: Literal["revenue_share"]
    ratio: Ratio
    minimum_fen: Fen


Charge: TypeAlias = Annotated[LumpSum | CallCharge | ShareCharge, Field(discriminator="kind")]


def price_of(held: Mapping[str, Any]) -> Price:
    """Return the price that a state holds in plain form."""
    return _PRICE.validate_python(held, strict=False)


def escrow_fen(charge: Charge) -> int:
    """Return what the buyer locks at agreement, in 分."""
    match charge:
        case LumpSum():
            return charge.fee_fen
        case CallCharge():
            return charge.cap_fen
        case ShareCharge():
            return charge.minimum_fen


def highest_fen(price: Price) -> int | None:
    """Return the most that one licence at `price` can cost in 分; `None` where it has no bound."""
    match price:
        case Free():
            return 0
        case Fixed():
            return price.fee_fen
        case Tiered():
            return max(tier.fee_fen for tier in price.tiers)
        case Subscription():
            return price.fee_fen * price.periods_max
        case PerCall():
            return price.cap_fen
        case RevenueShare() | Negotiated() | Auction():
            return None


def calls_due_fen(charge: CallCharge, *, calls: int, locked_fen: int) -> int:
    """Return what `calls` cost, at most what was locked."""
    return min(charge.call_fen * calls, locked_fen)


def share_due(charge: ShareCharge, revenue_fen: int) -> Fraction:
    """Return the exact share of `revenue_fen` in 分, not yet rounded."""
    return Fraction(Decimal(charge.ratio)) * revenue_fen


def versions_of(price: Price) -> tuple[int, ...]:
    """Return the versions of the product that a menu sells."""
    return tuple(tier.version for tier in price.tiers) if isinstance(price, Tiered) else ()


def require_sound(price: Price, *, negotiable: bool) -> None:
    """Refuse a price that contradicts itself, or a menu that undersells itself."""
    if (isinstance(price, Negotiated) and not negotiable) or (
        isinstance(price, Auction) and negotiable
    ):
        raise NEGOTIABLE_UNFIT()
    if isinstance(price, Tiered):
        _require_no_arbitrage(price)
    if isinstance(price, Auction):
        _require_auction(price)


def _require_no_arbitrage(price: Tiered) -> None:
    codes = {tier.code for tier in price.tiers}
    by_accuracy = {tier.accuracy: tier for tier in price.tiers}
    if not len(codes) == len(by_accuracy) == len(price.tiers):
        raise TIERS_AMBIGUOUS()
    menu = [MenuLine(Fraction(tier.accuracy), tier.fee_fen) for tier in price.tiers]
    for found in find_arbitrage(menu):
        tier = by_accuracy[int(found.version.accuracy)]
        raise ARBITRAGE(tier=tier.code, fee_fen=tier.fee_fen, cover_fen=found.cover.price_fen)


def _require_auction(price: Auction) -> None:
    sealed = price.form == "second_price_sealed"
    if price.reserve_fen < price.start_fen or (
        price.opened_by <= price.closes_at if sealed else price.opened_by != price.closes_at
    ):
        raise AUCTION_UNFIT()
