"""Sell to the highest bidder: English auction (英式拍卖) and second-price sealed bids (M13).

Bids are integers of 分, in the order in which they were received; of equal bids the earlier wins.
The seller's reserve binds in both: below it nothing is sold (拍卖法 art. 50).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from annotated_types import Len

from dataexchange.valuation.arithmetic import ZERO
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.posting import whole_fen, yuan
from dataexchange.valuation.quantity import Currency, Inputs, Money, Text
from dataexchange.valuation.refusal import INPUT_INCONSISTENT, INPUT_MISSING, ValuationRefusal

BID_BELOW_START = ValuationRefusal(
    "valuation.bid_below_start",
    clause="design: terms of the auction",
    zh="出价 {bid_fen} 分低于起拍价 {start_fen} 分",
    en="The bid of {bid_fen} fen is below the starting price of {start_fen} fen",
    remedy_zh="出价不低于 {start_fen} 分",
    remedy_en="Bid at least {start_fen} fen",
)
BID_TOO_LOW = ValuationRefusal(
    "valuation.bid_too_low",
    clause="拍卖法 art. 36 (a higher bid ends the lower); design: least increment",
    zh="出价 {bid_fen} 分未达到当前最高价加最低加价幅度，即 {least_fen} 分",
    en="The bid of {bid_fen} fen is below {least_fen} fen: the standing bid plus the increment",
    remedy_zh="出价不低于 {least_fen} 分",
    remedy_en="Bid at least {least_fen} fen",
)
BID_TWICE = ValuationRefusal(
    "valuation.bid_twice",
    clause="design: one sealed bid for each bidder",
    zh="竞买人 {bidder} 提交了不止一份密封报价",
    en="The bidder {bidder} handed in more than one sealed bid",
)
NO_SALE = ValuationRefusal(
    "valuation.auction_no_sale",
    clause="拍卖法 art. 50 (below the reserve nothing is sold)",
    zh="没有出价达到保留价，未成交，不形成价格",
    en="No bid reached the reserve: nothing was sold, and there is no price",
)


@dataclass(frozen=True, slots=True)
class Bid:
    """One bidder's offer in 分."""

    bidder: str
    amount_fen: int

    def __post_init__(self) -> None:
        """Refuse an offer of nothing."""
        if self.amount_fen <= 0:
            raise ValueError("a bid is above zero")


@dataclass(frozen=True, slots=True)
class Sale:
    """Who buys, and at what price in 分."""

    buyer: str
    price_fen: int


@dataclass(frozen=True, slots=True)
class EnglishTerms:
    """The starting price, the least increment and the reserve, in 分."""

    start_fen: int
    increment_fen: int
    reserve_fen: int = 0

    def __post_init__(self) -> None:
        """Refuse terms under which bidding could stand still."""
        if self.start_fen < 0 or self.increment_fen < 1 or self.reserve_fen < 0:
            raise ValueError("start and reserve are 0 or more, the increment at least 1 fen")

    def least_fen(self, standing: Bid | None) -> int:
        """Return the least that the next bid must offer."""
        return self.start_fen if standing is None else standing.amount_fen + self.increment_fen


def raise_bid(terms: EnglishTerms, standing: Bid | None, bid: Bid) -> Bid:
    """Return `bid` as the new standing bid; raises `valuation.bid_below_start` or `bid_too_low`."""
    least_fen = terms.least_fen(standing)
    if bid.amount_fen >= least_fen:
        return bid
    if standing is None:
        raise BID_BELOW_START(bid_fen=bid.amount_fen, start_fen=least_fen)
    raise BID_TOO_LOW(bid_fen=bid.amount_fen, least_fen=least_fen)


def english_sale(terms: EnglishTerms, bids: Iterable[Bid]) -> Sale | None:
    """Return the sale at the last of `bids`, each of which must stand; None below the reserve."""
    standing = None
    for bid in bids:
        standing = raise_bid(terms, standing, bid)
    if standing is None or standing.amount_fen < terms.reserve_fen:
        return None
    return Sale(standing.bidder, standing.amount_fen)


def second_price_sale(bids: Sequence[Bid], *, reserve_fen: int = 0) -> Sale | None:
    """Return the sale to the highest bid at the second (Vickrey 1961), at least the reserve.

    None if no bid reaches the reserve; raises `valuation.bid_twice`.
    """
    _check_once(bids)
    ranked = sorted(bids, key=lambda bid: -bid.amount_fen)
    if not ranked or ranked[0].amount_fen < reserve_fen:
        return None
    second_fen = ranked[1].amount_fen if len(ranked) > 1 else 0
    return Sale(ranked[0].bidder, max(reserve_fen, second_fen))


def _check_once(bids: Sequence[Bid]) -> None:
    seen: set[str] = set()
    for bid in bids:
        if bid.bidder in seen:
            raise BID_TWICE(bidder=bid.bidder)
        seen.add(bid.bidder)


class BidMade(Inputs):
    """One bid in 元, in the order received."""

    bidder: Text
    amount: Money


class AuctionInputs(Inputs):
    """The kind of auction, its terms in 元, and its bids."""

    kind: Literal["english", "second_price"]
    bids: Annotated[tuple[BidMade, ...], Len(0, 10_000)] = ()
    reserve: Money = ZERO
    start: Money | None = None
    increment: Money | None = None
    currency: Currency = "CNY"


def _compute(
    inputs: AuctionInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # an auction has terms, not coefficients
    bids = [_bid(one) for one in inputs.bids]
    sale = _sale(inputs, bids)
    if sale is None:
        raise NO_SALE()
    price = yuan(sale.price_fen)
    working.step("p", price, zh=f"成交价，元；买受人 {sale.buyer}", en=f"price; buyer {sale.buyer}")
    place = max(index for index, bid in enumerate(bids, start=1) if bid.bidder == sale.buyer)
    return {"price": price, "winning_bid": Decimal(place)}


def _bid(made: BidMade) -> Bid:
    amount_fen = whole_fen(made.amount, "bids")
    if amount_fen <= 0:
        raise INPUT_INCONSISTENT(input="bids", why="expects bids above 0")
    return Bid(made.bidder, amount_fen)


def _sale(inputs: AuctionInputs, bids: Sequence[Bid]) -> Sale | None:
    reserve_fen = whole_fen(inputs.reserve, "reserve")
    if inputs.kind == "second_price":
        return second_price_sale(bids, reserve_fen=reserve_fen)
    start_fen = whole_fen(_given(inputs.start, "start"), "start")
    increment_fen = whole_fen(_given(inputs.increment, "increment"), "increment")
    if increment_fen < 1:
        raise INPUT_INCONSISTENT(input="increment", why="expects at least 1 分")
    return english_sale(EnglishTerms(start_fen, increment_fen, reserve_fen), bids)


def _given(amount: Decimal | None, name: str) -> Decimal:
    if amount is None:
        raise INPUT_MISSING(input=name)
    return amount


AUCTION = Method(
    name="auction",
    inputs=AuctionInputs,
    compute=_compute,
    outputs=(
        Output("price", Kind.MONEY, "成交价", "Price"),
        Output("winning_bid", Kind.NUMBER, "成交的出价序号", "Place of the winning bid"),
    ),
    refusals=(BID_BELOW_START, BID_TOO_LOW, BID_TWICE, NO_SALE),
)
