"""Deposits 保证金 of an auction: the losers have them back, and a winner that concludes."""

from datetime import datetime, timedelta

from dataexchange.accounts.book import Book, account_key
from dataexchange.ledger.statement import parse_time
from dataexchange.market.auction import (
    AUCTION_LAW,
    Bid,
    Bidding,
    auction_key,
    bid_key,
    bidding_of,
)
from dataexchange.market.licence import Licence
from dataexchange.market.listing import Listing
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    View,
    event,
    require_actor,
)
from dataexchange.rules.reference import LicenceId, ListingId, PartyId

DEPOSIT_KEPT = RefusalCode(
    "auction.deposit_kept",
    clause=AUCTION_LAW + " arts. 39, 58",
    zh="{party} 的保证金现在不能退还：拍卖未结束、未开标，或成交后尚未订约",
    en="The deposit of {party} is not due back: not closed, not opened, or won and not concluded",
    remedy_zh="买受人在许可生效后凭许可取回。",
    remedy_en="A winner takes it back by naming its licence once that is in force.",
    kind="conflict",
)
DEPOSIT_SAFE = RefusalCode(
    "auction.deposit_safe",
    clause=AUCTION_LAW + " art. 39",
    zh="{party} 的保证金不在没收之列",
    en="The deposit of {party} is not forfeit",
    kind="conflict",
)


class DepositNamed(Payload):
    """One bidder's deposit; a winner names the licence that it took."""

    listing: ListingId
    party: PartyId
    licence: LicenceId | None = None


@event(
    "deposit.returned@1",
    by={Role.PROVIDER, Role.BUYER, Role.OPERATOR},
    zh="退还保证金",
    en="Return a deposit",
    clause=AUCTION_LAW + " art. 39",
    also=lambda payload, actor: _deposit_keys(payload),
)
def return_deposit(view: View, event: Event[DepositNamed]) -> Changes:
    """Losers have theirs back after the close, the winner once its licence is in force."""
    given = event.payload
    listing = view.get(Listing, given.listing)
    bid = view.get(Bid, bid_key(listing.id, given.party))
    bidding = bidding_of(view, listing.id)
    if bid.deposit != "held" or not _is_due_back(
        view, listing, bidding, bid, licence=given.licence
    ):
        raise DEPOSIT_KEPT(party=given.party)
    book = Book(view)
    book.move(bid.deposit_fen, source=account_key(listing.id), target=account_key(given.party))
    return (bid.but(deposit="returned"), *book.changes())


@event(
    "deposit.forfeited@1",
    by={Role.PROVIDER},
    zh="没收保证金",
    en="Forfeit a deposit",
    clause=AUCTION_LAW + " art. 39; 民法典 art. 587",
    also=lambda payload, actor: (*_deposit_keys(payload), account_key(actor)),
)
def forfeit_deposit(view: View, event: Event[DepositNamed]) -> Changes:
    """A bid never opened, or won and not concluded in time, costs its deposit."""
    given = event.payload
    listing = view.get(Listing, given.listing)
    require_actor(event.actor, listing.provider, listing.id)
    bid = view.get(Bid, bid_key(listing.id, given.party))
    bidding = bidding_of(view, listing.id)
    days = view.policy.negotiation_lapse_days
    if bid.deposit != "held" or not _is_forfeit(bidding, bid, event.recorded_at, days):
        raise DEPOSIT_SAFE(party=given.party)
    book = Book(view)
    book.move(bid.deposit_fen, source=account_key(listing.id), target=account_key(event.actor))
    return (bid.but(deposit="forfeited"), *book.changes())


def _deposit_keys(payload: DepositNamed) -> tuple[str, ...]:
    return (
        auction_key(payload.listing),
        bid_key(payload.listing, payload.party),
        account_key(payload.listing),
        account_key(payload.party),
    )


def _never_opened(bid: Bid) -> bool:
    return bid.commitment is not None and bid.amount_fen is None


def _is_due_back(
    view: View, listing: Listing, bidding: Bidding, bid: Bid, *, licence: str | None
) -> bool:
    if bidding.status == "open":
        return listing.status == "withdrawn"
    if _never_opened(bid):
        return False
    if not _has_won(bidding, bid):
        return True
    if licence is None:
        return False
    taken = view.get(Licence, licence)
    return taken.listing == listing.id and taken.buyer == bid.party and taken.is_concluded


def _has_won(bidding: Bidding, bid: Bid) -> bool:
    return bidding.status == "sold" and bidding.best == bid.party


def _is_forfeit(bidding: Bidding, bid: Bid, now: datetime, days: int) -> bool:
    if bidding.closed_at is None:
        return False
    if _never_opened(bid):
        return True
    return _has_won(bidding, bid) and now >= parse_time(bidding.closed_at) + timedelta(days=days)
