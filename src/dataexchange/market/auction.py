"""Auctions 拍卖: bids, sealed or open, and the close that names who may take the licence.

An auction's terms are the price of its listing. What a bid is worth is judged by the same functions
that value auctions (M13): ascending open bids, or sealed bids that pay the second price.
"""

import hashlib
from datetime import datetime

from dataexchange.accounts.book import Book, account_key
from dataexchange.ledger import canonical
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.market.listing import Listing, require_open
from dataexchange.market.price import Auction
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    State,
    View,
    event,
    require_status,
)
from dataexchange.rules.payload import Hash, PositiveFen
from dataexchange.rules.reference import ListingId
from dataexchange.valuation.auction import Bid as Amount
from dataexchange.valuation.auction import (
    EnglishTerms,
    Sale,
    english_sale,
    raise_bid,
    second_price_sale,
)

AUCTION_LAW = "拍卖法"

NO_AUCTION = RefusalCode(
    "auction.none",
    clause="domain: price models, auction",
    zh="挂牌 {listing} 不是所需形式的拍卖",
    en="Listing {listing} is not an auction of the form that this needs",
)
NOT_THE_TIME = RefusalCode(
    "auction.not_the_time",
    clause=AUCTION_LAW + " art. 45; domain: auction",
    zh="此步骤只能在 {since} 至 {until} 之间进行",
    en="This step is taken between {since} and {until}",
    kind="conflict",
)
OWN_AUCTION = RefusalCode(
    "auction.own",
    clause=AUCTION_LAW + " art. 30: the consignor may not bid",
    zh="提供方不得在自己的拍卖中出价",
    en="A provider may not bid in its own auction",
    kind="forbidden",
)
SEAL_BROKEN = RefusalCode(
    "auction.seal_broken",
    clause="domain: second-price sealed bids",
    zh="金额与盐值不符合密封承诺",
    en="The amount and the salt do not open the sealed bid",
    remedy_zh="使用封存时的金额和盐值。",
    remedy_en="Open with the amount and salt that were sealed.",
)
BELOW_START = RefusalCode(
    "auction.below_start",
    clause="domain: terms of the auction",
    zh="出价 {bid_fen} 分低于起拍价 {start_fen} 分",
    en="The bid of {bid_fen} fen is below the start of {start_fen} fen",
)
NOT_THE_WINNER = RefusalCode(
    "auction.not_the_winner",
    clause=AUCTION_LAW + " art. 51",
    zh="拍卖 {listing} 未结束、未成交，或买受人不是 {buyer}",
    en="Auction {listing} has not ended in a sale to {buyer}",
    kind="forbidden",
)


class Bidding(State, frozen=True, kw_only=True):
    """How an auction stands; its key is `auction/<listing>`. Money in 分."""

    KIND = "auction"

    listing: str
    status: str  # open | sold | unsold
    bids: int = 0
    best: str | None = None
    best_fen: int = 0
    best_index: int = 0
    second: str | None = None
    second_fen: int = 0
    closed_at: str | None = None
    hammer_fen: int | None = None


class Bid(State, frozen=True, kw_only=True):
    """One bidder's part in an auction; its key is `bid/<listing>/<party>`."""

    KIND = "bid"

    listing: str
    party: str
    placed_index: int
    commitment: str | None = None
    amount_fen: int | None = None
    deposit_fen: int = 0
    deposit: str = "held"  # held | returned | forfeited


class BidPlaced(Payload):
    """An open bid."""

    listing: ListingId
    amount_fen: PositiveFen


class BidSealed(Payload):
    """A sealed bid: SHA-256 of what `sealed_bid` seals."""

    listing: ListingId
    commitment: Hash


class BidOpened(Payload):
    """A sealed bid shown, with its salt (hex, 32 bytes)."""

    listing: ListingId
    amount_fen: PositiveFen
    salt: Hash


class AuctionClosed(Payload):
    """The end of an auction."""

    listing: ListingId


def auction_key(listing: str) -> str:
    """Return the key of the auction of `listing`."""
    return f"auction/{listing}"


def bid_key(listing: str, party: str) -> str:
    """Return the key of a party's bid in the auction of `listing`."""
    return f"bid/{listing}/{party}"


def sealed_bid(listing: str, bidder: str, *, amount_fen: int, salt: str) -> str:
    """Return the commitment (hex) to a bid: SHA-256 of its canonical JSON."""
    sealed = {"amount_fen": amount_fen, "bidder": bidder, "listing": listing, "salt": salt}
    return hashlib.sha256(canonical.encode(sealed)).hexdigest()


def _bid_keys(payload: BidPlaced | BidSealed | BidOpened, actor: str) -> tuple[str, ...]:
    return (
        auction_key(payload.listing),
        bid_key(payload.listing, actor),
        account_key(actor),
        account_key(payload.listing),
    )


@event(
    "bid.placed@1",
    by={Role.BUYER},
    zh="竞价",
    en="Place an open bid",
    clause=AUCTION_LAW + " art. 36",
    also=_bid_keys,
)
def place(view: View, event: Event[BidPlaced]) -> Changes:
    """A higher bid ends the one before."""
    given = event.payload
    terms, bidding = _bidding(view, event.payload.listing, "english", event)
    _require_between(event.recorded_at, None, terms.closes_at)
    standing = None if bidding.best is None else Amount(bidding.best, bidding.best_fen)
    english = EnglishTerms(terms.start_fen, terms.increment_fen, terms.reserve_fen)
    raised = raise_bid(english, standing, Amount(event.actor, given.amount_fen))
    old = view.find(Bid, bid_key(given.listing, event.actor))
    bid, moved = (old, ()) if old is not None else _entered(view, event, terms)
    return (
        bidding.but(
            bids=bidding.bids + 1,
            best=raised.bidder,
            best_fen=raised.amount_fen,
            best_index=event.index,
        ),
        bid.but(amount_fen=given.amount_fen),
        *moved,
    )


@event(
    "bid.sealed@1",
    by={Role.BUYER},
    zh="密封报价",
    en="Seal a bid",
    clause="domain: second-price sealed bids",
    also=_bid_keys,
)
def seal(view: View, event: Event[BidSealed]) -> Changes:
    """One sealed bid for each bidder, before the close."""
    given = event.payload
    terms, bidding = _bidding(view, given.listing, "second_price_sealed", event)
    _require_between(event.recorded_at, None, terms.closes_at)
    view.require_new(bid_key(given.listing, event.actor))
    bid, moved = _entered(view, event, terms)
    return (
        bidding.but(bids=bidding.bids + 1),
        bid.but(commitment=given.commitment),
        *moved,
    )


@event(
    "bid.opened@1",
    by={Role.BUYER},
    zh="开标",
    en="Open a sealed bid",
    clause="domain: second-price sealed bids",
    also=_bid_keys,
)
def open_bid(view: View, event: Event[BidOpened]) -> Changes:
    """After the close each bidder shows what it sealed; of equal bids the earlier seal wins."""
    given = event.payload
    terms, bidding = _bidding(view, given.listing, "second_price_sealed", event)
    _require_between(event.recorded_at, terms.closes_at, terms.opened_by)
    bid = view.get(Bid, bid_key(given.listing, event.actor))
    opened = sealed_bid(given.listing, event.actor, amount_fen=given.amount_fen, salt=given.salt)
    if bid.commitment != opened or bid.amount_fen is not None:
        raise SEAL_BROKEN()
    if given.amount_fen < terms.start_fen:
        raise BELOW_START(bid_fen=given.amount_fen, start_fen=terms.start_fen)
    shown = bid.but(amount_fen=given.amount_fen)
    return (_ranked(bidding, shown, given.amount_fen), shown)


@event(
    "auction.closed@1",
    by={Role.PROVIDER, Role.BUYER, Role.OPERATOR},
    zh="拍卖结束",
    en="Close an auction",
    clause=AUCTION_LAW + " arts. 50, 51",
    also=lambda payload, actor: (auction_key(payload.listing),),
)
def close(view: View, event: Event[AuctionClosed]) -> Changes:
    """The outcome follows from the bids, whoever announces it."""
    listing = view.get(Listing, event.payload.listing)
    terms = _terms(listing)
    _require_between(event.recorded_at, terms.opened_by, None)
    bidding = bidding_of(view, listing.id)
    require_status(bidding, "open")
    sale = _sale(terms, bidding)
    return bidding.but(
        status="unsold" if sale is None else "sold",
        hammer_fen=None if sale is None else sale.price_fen,
        closed_at=format_time(event.recorded_at),
    )


def hammer_fen(view: View, listing: Listing, buyer: str) -> int | None:
    """Return what `buyer` won the listing for; `None` where it is no auction; else refuse."""
    if not isinstance(listing.offered_price, Auction):
        return None
    bidding = view.find(Bidding, auction_key(listing.id))
    if bidding is None or bidding.status != "sold" or bidding.best != buyer:
        raise NOT_THE_WINNER(listing=listing.id, buyer=buyer)
    return bidding.hammer_fen


def _terms(listing: Listing) -> Auction:
    price = listing.offered_price
    if not isinstance(price, Auction):
        raise NO_AUCTION(listing=listing.id)
    return price


def bidding_of(view: View, listing: str) -> Bidding:
    """Return how the auction of `listing` stands."""
    key = auction_key(listing)
    return view.find(Bidding, key) or Bidding(id=key, listing=listing, status="open")


def _bidding(
    view: View,
    key: str,
    form: str,
    event: Event[BidPlaced] | Event[BidSealed] | Event[BidOpened],
) -> tuple[Auction, Bidding]:
    listing = view.get(Listing, key)
    terms = _terms(listing)
    if terms.form != form:
        raise NO_AUCTION(listing=key)
    require_open(listing, event.recorded_at)
    if event.actor == listing.provider:
        raise OWN_AUCTION()
    return terms, bidding_of(view, key)


def _entered(
    view: View, event: Event[BidPlaced] | Event[BidSealed], terms: Auction
) -> tuple[Bid, tuple[State, ...]]:
    listing = event.payload.listing
    book = Book(view)
    book.move(terms.deposit_fen, source=account_key(event.actor), target=account_key(listing))
    bid = Bid(
        id=bid_key(listing, event.actor),
        listing=listing,
        party=event.actor,
        placed_index=event.index,
        deposit_fen=terms.deposit_fen,
    )
    return bid, book.changes()


def _ranked(bidding: Bidding, bid: Bid, amount_fen: int) -> Bidding:
    """Return the two highest of the opened bids, the earlier seal first among equals."""
    leads = amount_fen > bidding.best_fen or (
        amount_fen == bidding.best_fen and bid.placed_index < bidding.best_index
    )
    if leads:
        return bidding.but(
            best=bid.party,
            best_fen=amount_fen,
            best_index=bid.placed_index,
            second=bidding.best,
            second_fen=bidding.best_fen,
        )
    if amount_fen > bidding.second_fen:
        return bidding.but(second=bid.party, second_fen=amount_fen)
    return bidding


def _sale(terms: Auction, bidding: Bidding) -> Sale | None:
    ranked = ((bidding.best, bidding.best_fen), (bidding.second, bidding.second_fen))
    bids = [Amount(party, amount_fen) for party, amount_fen in ranked if party is not None]
    if terms.form == "second_price_sealed":
        return second_price_sale(bids, reserve_fen=terms.reserve_fen)
    english = EnglishTerms(terms.start_fen, terms.increment_fen, terms.reserve_fen)
    return english_sale(english, bids)


def _require_between(now: datetime, since: str | None, until: str | None) -> None:
    early = since is not None and now < parse_time(since)
    late = until is not None and now >= parse_time(until)
    if early or late:
        raise NOT_THE_TIME(since=since or "—", until=until or "—")
