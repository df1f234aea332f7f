"""The exchange as it stands, folded from entries alone: what is held, running, secured, overdue.

The verifier keeps of every entry only the members that `MEMBERS` names, so that the evaluation of
any past size can be folded again from little.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from dataexchange.rules import Payload
from dataexchange.rules.calendar import Calendar, calendar_key, period_end
from dataexchange.rules.time import end_of_day_after
from dataexchange.supervision.record import Record

MEMBERS: Mapping[str, frozenset[str]] = {
    event: frozenset(members.split())
    for event, members in {
        "alert.closed@1": "alert",
        "alert.raised@1": "alert",
        "asset.frozen@1": "asset order_number",
        "asset.unfrozen@1": "asset order_number",
        "calendar.set@1": "year holidays working_days notice",
        "claim.closed@1": "claim",
        "claim.notified@1": "claim",
        "claim.reopened@1": "claim",
        "cover.cancelled@1": "cover",
        "cover.closed@1": "cover",
        "cover.incepted@1": "cover",
        "cover.quoted@1": "cover period_days",
        "cover.rescinded@1": "cover",
        "dispute.decided@1": "dispute licence terminates",
        "dispute.opened@1": "dispute",
        "dispute.withdrawn@1": "dispute",
        "duty.accepted@1": "duty",
        "duty.assigned@1": "duty owner deadline",
        "duty.overdue@1": "duty",
        "duty.remedied@1": "duty",
        "duty.reported@1": "duty",
        "duty.returned@1": "duty",
        "duty.withdrawn@1": "duty",
        "escrow.locked@1": "licence amount_fen",
        "escrow.refunded@1": "licence",
        "funds.deposited@1": "amount_fen",
        "guarantee.accepted@1": "guarantee",
        "guarantee.applied@1": "guarantee amount_fen",
        "guarantee.closed@1": "guarantee",
        "guarantee.lapsed@1": "guarantee",
        "guarantee.paid@1": "guarantee",
        "guarantee.released@1": "guarantee",
        "licence.dissolved@1": "licence",
        "licence.expired@1": "licence",
        "licence.finalised@1": "licence asset",
        "licence.offered@1": "licence listing",
        "licence.requested@1": "licence listing",
        "licence.rescinded@1": "licence",
        "licence.terminated@1": "licence",
        "listing.paused@1": "listing",
        "listing.published@1": "listing asset valid_until",
        "listing.resumed@1": "listing",
        "listing.withdrawn@1": "listing",
        "opening.plan_withdrawn@1": "plan",
        "opening.planned@1": "plan by",
        "opening.published@1": "asset opening plan",
        "opening.withdrawn@1": "asset",
        "party.admitted@1": "party",
        "party.left@1": "party",
        "party.reinstated@1": "party",
        "party.suspended@1": "party",
        "pledge.drafted@1": "pledge principal_fen secured_fen",
        "pledge.drawn@1": "pledge",
        "pledge.realised@1": "asset liens",
        "pledge.registered@1": "pledge",
        "pledge.released@1": "pledge",
        "product.developed@1": "asset",
        "product.version_added@1": "asset number",
        "quality.assessed@1": "asset version score",
        "resource.registered@1": "asset",
        "resource.retired@1": "asset",
        "resource.version_added@1": "asset number",
        "title.transfer_proposed@1": "transfer price_fen",
        "title.transferred@1": "transfer asset",
        "valuation.drafted@1": "valuation value_fen",
        "valuation.issued@1": "valuation",
    }.items()
}
_JSON = frozenset({str, int, bool, type(None)})


def record_of(
    index: int, event: str, payload: Payload, *, recorded_at: datetime, actor: str
) -> Record:
    """Return what the evaluation reads of an entry, and no more."""
    members = MEMBERS.get(event, ())
    kept = {name: getattr(payload, name) for name in members}
    if not _JSON.issuperset(map(type, kept.values())):
        kept = payload.model_dump(mode="json", include=set(members))
    return Record(index, event, kept, recorded_at, actor)


@dataclass(slots=True)
class Holding:
    """An asset: who holds it, its latest and its assessed version, its score, how it is open."""

    holder: str
    is_product: bool
    latest: int = 0
    assessed: int = 0
    score: Decimal | None = None
    opening: str | None = None
    frozen: set[str] = field(default_factory=set)

    @property
    def is_assessed(self) -> bool:
        """Whether the latest version was assessed."""
        return 0 < self.latest == self.assessed


@dataclass(slots=True)
class Task:
    """A duty: its owner, when it is due, and whether its report is awaited."""

    owner: str
    due: datetime
    awaited: bool = True
    announced: bool = False

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether it is due and not reported at `now`."""
        return self.awaited and (self.announced or now >= self.due)


@dataclass(slots=True)
class Offer:
    """A listing: of which asset, since when, until when, and whether it is paused."""

    asset: str
    since: datetime
    until: str
    paused: bool = False


@dataclass(slots=True)
class Stock:
    """What stands after the entries that `take` was given, by id; money in 分."""

    members: set[str] = field(default_factory=set)
    assets: dict[str, Holding] = field(default_factory=dict)
    listings: dict[str, Offer] = field(default_factory=dict)
    listing_of: dict[str, str] = field(default_factory=dict)
    locked_fen: dict[str, int] = field(default_factory=dict)
    licences: set[str] = field(default_factory=set)
    prices_fen: dict[str, int] = field(default_factory=dict)
    values_fen: dict[str, int] = field(default_factory=dict)
    loans_fen: dict[str, int] = field(default_factory=dict)
    secured_fen: dict[str, int] = field(default_factory=dict)
    pledges: set[str] = field(default_factory=set)
    loans: set[str] = field(default_factory=set)
    guaranteed_fen: dict[str, int] = field(default_factory=dict)
    guarantees: set[str] = field(default_factory=set)
    period_days: dict[str, int] = field(default_factory=dict)
    covers: dict[str, datetime] = field(default_factory=dict)
    claims: set[str] = field(default_factory=set)
    disputes: set[str] = field(default_factory=set)
    plans: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    alerts: set[str] = field(default_factory=set)
    calendars: dict[str, Calendar] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Take the next entry."""
        change = _CHANGES.get(record.event)
        if change is not None:
            change(self, record)


Change = Callable[[Stock, Record], None]


def _added(members: str, name: str) -> Change:
    """Return the change that puts the id in `name` into a set."""
    return lambda stock, record: getattr(stock, members).add(record.payload[name])


def _gone(members: str, name: str) -> Change:
    """Return the change that takes the id in `name` out of a set."""
    return lambda stock, record: getattr(stock, members).discard(record.payload[name])


def _noted(table: str, name: str, member: str) -> Change:
    """Return the change that notes a member of the payload under the id in `name`."""

    def note(stock: Stock, record: Record) -> None:
        getattr(stock, table)[record.payload[name]] = record.payload[member]

    return note


def _registered(stock: Stock, record: Record) -> None:
    is_product = record.event == "product.developed@1"
    first = 1 if is_product else 0
    stock.assets[record.payload["asset"]] = Holding(record.actor, is_product, latest=first)


def _versioned(stock: Stock, record: Record) -> None:
    stock.assets[record.payload["asset"]].latest = record.payload["number"]


def _assessed(stock: Stock, record: Record) -> None:
    asset, version = stock.assets[record.payload["asset"]], record.payload["version"]
    if version >= asset.assessed:
        asset.assessed, asset.score = version, Decimal(record.payload["score"])


def _retired(stock: Stock, record: Record) -> None:
    del stock.assets[record.payload["asset"]]


def _frozen(stock: Stock, record: Record) -> None:
    asset = stock.assets.get(record.payload["asset"])
    if asset is not None:
        asset.frozen ^= {record.payload["order_number"]}


def _opened(stock: Stock, record: Record) -> None:
    stock.assets[record.payload["asset"]].opening = record.payload["opening"]
    stock.plans.pop(record.payload.get("plan") or "", None)


def _closed(stock: Stock, record: Record) -> None:
    asset = stock.assets.get(record.payload["asset"])
    if asset is not None:
        asset.opening = None


def _listed(stock: Stock, record: Record) -> None:
    said = record.payload
    stock.listings[said["listing"]] = Offer(
        said["asset"], record.recorded_at, str(said["valid_until"])
    )


def _paused(stock: Stock, record: Record) -> None:
    stock.listings[record.payload["listing"]].paused = record.event == "listing.paused@1"


def _unlisted(stock: Stock, record: Record) -> None:
    # The time of the listing is still asked for when a licence of it is finalised.
    stock.listings[record.payload["listing"]].until = ""


def _locked(stock: Stock, record: Record) -> None:
    said = record.payload
    stock.locked_fen[said["licence"]] = (
        stock.locked_fen.get(said["licence"], 0) + said["amount_fen"]
    )


def _titled(stock: Stock, record: Record) -> None:
    stock.assets[record.payload["asset"]].holder = record.actor


def _pledged(stock: Stock, record: Record) -> None:
    said = record.payload
    stock.loans_fen[said["pledge"]] = said["principal_fen"]
    stock.secured_fen[said["pledge"]] = max(said["secured_fen"], said["principal_fen"])


def _released(stock: Stock, record: Record) -> None:
    stock.pledges.discard(record.payload["pledge"])
    stock.loans.discard(record.payload["pledge"])


def _realised(stock: Stock, record: Record) -> None:
    ended = {lien["pledge"] for lien in record.payload["liens"]}
    stock.pledges -= ended
    stock.loans -= ended
    _titled(stock, record)


def _incepted(stock: Stock, record: Record) -> None:
    cover = record.payload["cover"]
    stock.covers[cover] = end_of_day_after(record.recorded_at, stock.period_days[cover])


def _uncovered(stock: Stock, record: Record) -> None:
    stock.covers.pop(record.payload["cover"], None)


def _decided(stock: Stock, record: Record) -> None:
    stock.disputes.discard(record.payload["dispute"])
    if record.payload["terminates"]:
        stock.licences.discard(record.payload["licence"])


def _plan_withdrawn(stock: Stock, record: Record) -> None:
    stock.plans.pop(record.payload["plan"], None)


def _assigned(stock: Stock, record: Record) -> None:
    said = record.payload
    due = period_end(stock.calendars.get, date.fromisoformat(said["deadline"]))
    stock.tasks[said["duty"]] = Task(said["owner"], due)


def _awaited(stock: Stock, record: Record) -> None:
    task = stock.tasks[record.payload["duty"]]
    task.awaited = record.event in ("duty.overdue@1", "duty.returned@1")
    task.announced = record.event == "duty.overdue@1"


def _ended(stock: Stock, record: Record) -> None:
    del stock.tasks[record.payload["duty"]]


def _calendar_set(stock: Stock, record: Record) -> None:
    said = record.payload
    key = calendar_key(said["year"])
    days, worked = tuple(said["holidays"]), tuple(said["working_days"])
    stock.calendars[key] = Calendar(
        id=key, holidays=days, working_days=worked, notice=said["notice"]
    )


_CHANGES: dict[str, Change] = {
    "alert.closed@1": _gone("alerts", "alert"),
    "alert.raised@1": _added("alerts", "alert"),
    "asset.frozen@1": _frozen,
    "asset.unfrozen@1": _frozen,
    "calendar.set@1": _calendar_set,
    "claim.closed@1": _gone("claims", "claim"),
    "claim.notified@1": _added("claims", "claim"),
    "claim.reopened@1": _added("claims", "claim"),
    "cover.cancelled@1": _uncovered,
    "cover.closed@1": _uncovered,
    "cover.incepted@1": _incepted,
    "cover.quoted@1": _noted("period_days", "cover", "period_days"),
    "cover.rescinded@1": _uncovered,
    "dispute.decided@1": _decided,
    "dispute.opened@1": _added("disputes", "dispute"),
    "dispute.withdrawn@1": _gone("disputes", "dispute"),
    "duty.accepted@1": _ended,
    "duty.assigned@1": _assigned,
    "duty.overdue@1": _awaited,
    "duty.remedied@1": _ended,
    "duty.reported@1": _awaited,
    "duty.returned@1": _awaited,
    "duty.withdrawn@1": _ended,
    "escrow.locked@1": _locked,
    "escrow.refunded@1": _gone("licences", "licence"),
    "guarantee.accepted@1": _added("guarantees", "guarantee"),
    "guarantee.applied@1": _noted("guaranteed_fen", "guarantee", "amount_fen"),
    "guarantee.closed@1": _gone("guarantees", "guarantee"),
    "guarantee.lapsed@1": _gone("guarantees", "guarantee"),
    "guarantee.paid@1": _gone("guarantees", "guarantee"),
    "guarantee.released@1": _gone("guarantees", "guarantee"),
    "licence.dissolved@1": _gone("licences", "licence"),
    "licence.expired@1": _gone("licences", "licence"),
    "licence.finalised@1": _added("licences", "licence"),
    "licence.offered@1": _noted("listing_of", "licence", "listing"),
    "licence.requested@1": _noted("listing_of", "licence", "listing"),
    "licence.rescinded@1": _gone("licences", "licence"),
    "licence.terminated@1": _gone("licences", "licence"),
    "listing.paused@1": _paused,
    "listing.published@1": _listed,
    "listing.resumed@1": _paused,
    "listing.withdrawn@1": _unlisted,
    "opening.plan_withdrawn@1": _plan_withdrawn,
    "opening.planned@1": _noted("plans", "plan", "by"),
    "opening.published@1": _opened,
    "opening.withdrawn@1": _closed,
    "party.admitted@1": _added("members", "party"),
    "party.left@1": _gone("members", "party"),
    "party.reinstated@1": _added("members", "party"),
    "party.suspended@1": _gone("members", "party"),
    "pledge.drafted@1": _pledged,
    "pledge.drawn@1": _added("loans", "pledge"),
    "pledge.realised@1": _realised,
    "pledge.registered@1": _added("pledges", "pledge"),
    "pledge.released@1": _released,
    "product.developed@1": _registered,
    "product.version_added@1": _versioned,
    "quality.assessed@1": _assessed,
    "resource.registered@1": _registered,
    "resource.retired@1": _retired,
    "resource.version_added@1": _versioned,
    "title.transfer_proposed@1": _noted("prices_fen", "transfer", "price_fen"),
    "title.transferred@1": _titled,
    "valuation.drafted@1": _noted("values_fen", "valuation", "value_fen"),
}
