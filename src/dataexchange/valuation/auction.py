"""Sell to the highest bidder: English auction (英式拍卖) and second-price sealed bids (M13).

Bids are integers of 分, in the order in which they were received; of equal bids the earlier wins.
The seller's reserve binds in both: below it nothing is sold (拍卖法 art. 50).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dataexchange.valuation.refusal import ValuationRefusal

AUCTION_LAW = "拍卖法"

BID_BELOW_START = ValuationRefusal(
    "auction.bid_below_start",
    clause="design: terms of the auction",
    zh="出价 {bid_fen} 分低于起拍价 {start_fen} 分",
    en="The bid of {bid_fen} fen is below the starting price of {start_fen} fen",
    remedy_zh="出价不低于 {start_fen} 分",
    remedy_en="Bid at least {start_fen} fen",
)
BID_TOO_LOW = ValuationRefusal(
    "auction.bid_too_low",
    clause="拍卖法 art. 36 (a higher bid ends the lower); design: least increment",
    zh="出价 {bid_fen} 分未达到当前最高价加最低加价幅度，即 {least_fen} 分",
    en="The bid of {bid_fen} fen is below {least_fen} fen: the standing bid plus the increment",
    remedy_zh="出价不低于 {least_fen} 分",
    remedy_en="Bid at least {least_fen} fen",
)
BID_TWICE = ValuationRefusal(
    "auction.bid_twice",
    clause="design: one sealed bid for each bidder",
    zh="竞买人 {bidder} 提交了不止一份密封报价",
    en="The bidder {bidder} handed in more than one sealed bid",
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
    """Return `bid` as the new standing bid; raises `auction.bid_below_start` or `bid_too_low`."""
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

    None if no bid reaches the reserve; raises `auction.bid_twice`.
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
