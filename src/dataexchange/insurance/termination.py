"""How a policy ends: cancelled by the policyholder, rescinded by the insurer, closed."""

from datetime import datetime, timedelta

from dataexchange.accounts.book import Book, account_key
from dataexchange.accounts.rounding import exact, half_up_fen
from dataexchange.insurance.cover import Cover, CoverEnded
from dataexchange.insurance.double_cover import ended, interest_key, interest_of, struck
from dataexchange.insurance.indemnity import daily_refund_fen
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    View,
    event,
    require_actor,
    require_same,
    require_status,
)
from dataexchange.rules.payload import Line, Moment
from dataexchange.rules.reference import AssetId, CoverId, PartyId
from dataexchange.rules.time import day_of

RESCISSION_WITHIN = timedelta(days=30)
CONTRACT_WITHIN = timedelta(days=730)

PERIOD_RUNS = RefusalCode(
    "cover.period_runs",
    clause="保险法 art. 14",
    zh="保险期间至 {until} 尚未届满",
    en="The period runs until {until}",
    kind="conflict",
)
PERIOD_OVER = RefusalCode(
    "cover.period_over",
    clause="保险法 art. 14",
    zh="保险期间已于 {until} 届满",
    en="The period ended at {until}",
    kind="conflict",
)
CLAIMS_OPEN = RefusalCode(
    "cover.claims_open",
    clause="保险法 art. 23",
    zh="尚有 {count} 件未结案",
    en="{count} claim(s) are open",
    kind="conflict",
)
RESCISSION_LATE = RefusalCode(
    "cover.rescission_late",
    clause="保险法 art. 16",
    zh="自知道解除事由之日起超过三十日，或合同成立超过二年",
    en="More than thirty days since the insurer knew, or two years since the contract",
)
KNOWN_WHEN = RefusalCode(
    "cover.known_when",
    clause="保险法 art. 16",
    zh="知道解除事由的时间 {known} 须在合同成立之后、现在之前",
    en="The insurer learned of the ground at {known}; that must lie between the contract and now",
    remedy_zh="订立时已知情的，不得解除。",
    remedy_en="An insurer that knew when it contracted may not rescind.",
)


class CoverCancelled(Payload):
    """The policyholder cancels; the premium of the days not run comes back."""

    cover: CoverId
    insurer: PartyId
    asset: AssetId
    reason: Line


class CoverRescinded(Payload):
    """The insurer rescinds for what was not disclosed, since it knew; on purpose or not."""

    cover: CoverId
    policyholder: PartyId
    asset: AssetId
    known_since: Moment
    intentional: bool
    reason: Line


def _touched_by_cancelling(payload: CoverCancelled, actor: str) -> tuple[str, ...]:
    interest = interest_key(payload.asset, actor)
    return account_key(actor), account_key(payload.insurer), interest


def _touched_by_rescinding(payload: CoverRescinded, actor: str) -> tuple[str, ...]:
    interest = interest_key(payload.asset, payload.policyholder)
    return account_key(actor), account_key(payload.policyholder), interest


@event(
    "cover.cancelled@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="退保",
    en="Cancel a policy",
    clause="保险法 arts. 15, 53-54, 58",
    also=_touched_by_cancelling,
)
def cancel(view: View, event: Event[CoverCancelled]) -> Changes:
    """The policyholder may cancel while the policy runs; the premium not earned comes back."""
    said = event.payload
    cover = view.get(Cover, said.cover)
    require_status(cover, "IN_FORCE")
    require_actor(event.actor, cover.policyholder, cover.id)
    require_same("insurer", said.insurer, cover.insurer)
    require_same("asset", said.asset, cover.asset)
    now = event.recorded_at
    # Past its end a policy is over: to end it "now" would stretch it over the days since.
    if now > parse_time(cover.ends or ""):
        raise PERIOD_OVER(until=cover.ends)
    _require_no_open_claims(cover)
    book = Book(view)
    book.move(
        refund_fen(cover, now), source=account_key(cover.insurer), target=account_key(event.actor)
    )
    interest = ended(interest_of(view, cover.asset, event.actor), cover.id, now)
    cancelled = cover.but(status="CANCELLED", ends=format_time(now), offer=None)
    return cancelled, interest, *book.changes()


@event(
    "cover.rescinded@1",
    by={Role.INSURER},
    zh="解除保险合同",
    en="Rescind a policy",
    clause="保险法 art. 16",
    also=_touched_by_rescinding,
)
def rescind(view: View, event: Event[CoverRescinded]) -> Changes:
    """Within thirty days of knowing and two years of the contract; no loss is paid any more.

    What was kept back on purpose forfeits the premium; what was not comes back whole.
    """
    said = event.payload
    cover = view.get(Cover, said.cover)
    require_status(cover, "IN_FORCE")
    require_actor(event.actor, cover.insurer, cover.id)
    require_same("policyholder", said.policyholder, cover.policyholder)
    require_same("asset", said.asset, cover.asset)
    _require_in_time(cover, parse_time(said.known_since), event.recorded_at)
    book = Book(view)
    refunded_fen = 0 if said.intentional else cover.premium_fen
    book.move(refunded_fen, source=account_key(event.actor), target=account_key(said.policyholder))
    interest = struck(interest_of(view, cover.asset, cover.policyholder), cover.id)
    return cover.but(status="RESCINDED", offer=None), interest, *book.changes()


@event(
    "cover.closed@1",
    by={Role.INSURER},
    zh="保单终结",
    en="Close a policy",
    clause="domain: policy EXPIRED → CLOSED",
)
def close(view: View, event: Event[CoverEnded]) -> Changes:
    """After its period, or exhausted, with no claim open."""
    cover = view.get(Cover, event.payload.cover)
    require_status(cover, "IN_FORCE", "EXHAUSTED")
    require_actor(event.actor, cover.insurer, cover.id)
    _require_no_open_claims(cover)
    if cover.status == "IN_FORCE" and event.recorded_at <= parse_time(cover.ends or ""):
        raise PERIOD_RUNS(until=cover.ends)
    return cover.but(status="CLOSED", offer=None)


def refund_fen(cover: Cover, now: datetime) -> int:
    """Return the premium not earned at `now`, in 分: of the sum not paid out, by calendar days."""
    left_fen = cover.sum_insured_fen - cover.paid_fen
    premium_fen = half_up_fen(exact(cover.premium_fen) * left_fen / cover.sum_insured_fen)
    elapsed = (day_of(now) - day_of(parse_time(cover.starts or ""))).days
    days = min(max(elapsed, 0), cover.period_days)
    return daily_refund_fen(premium_fen, days_elapsed=days, days_total=cover.period_days)


def _require_no_open_claims(cover: Cover) -> None:
    if cover.claims_open:
        raise CLAIMS_OPEN(count=cover.claims_open)


def _require_in_time(cover: Cover, known: datetime, now: datetime) -> None:
    begun = parse_time(cover.starts or "")
    if not begun <= known <= now:
        raise KNOWN_WHEN(known=format_time(known))
    if now > known + RESCISSION_WITHIN or now > begun + CONTRACT_WITHIN:
        raise RESCISSION_LATE()
