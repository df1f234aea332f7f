"""Metering 计量: calls that the provider counted, and revenue that the buyer made, per licence.

The reports of one licence follow each other without overlap; what they add up to is due.
"""

from datetime import datetime

from dataexchange.accounts.book import Book, account_key
from dataexchange.accounts.rounding import half_up_fen
from dataexchange.ledger.statement import parse_time
from dataexchange.market.licence import CONTRACT_LAW, Licence
from dataexchange.market.price import ShareCharge, share_due
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
    require_status,
)
from dataexchange.rules.payload import Fen, Hash, Moment, PositiveCount
from dataexchange.rules.reference import LicenceId

PERIOD_UNFIT = RefusalCode(
    "usage.period_unfit",
    clause="domain: usage.reported",
    zh="报告截至 {through}，须晚于上次的 {last} 且在许可期内、不晚于当前时间",
    en="A report through {through} must follow the last ({last}), in the term and not ahead",
)
COUNT_EXCEEDED = RefusalCode(
    "usage.count_exceeded",
    clause="domain: licence terms, count; ODRL count",
    zh="累计 {calls} 次，超过许可的 {count_max} 次",
    en="{calls} calls in all are more than the {count_max} licensed",
    remedy_zh="停止服务，或协商变更许可（licence.amendment_proposed）。",
    remedy_en="Stop serving, or agree an amendment (licence.amendment_proposed).",
)
NO_REVENUE_SHARE = RefusalCode(
    "usage.no_revenue_share",
    clause="domain: price models, revenue share",
    zh="许可 {licence} 不按收入分成",
    en="Licence {licence} has no share of revenue",
)


class Meter(State, frozen=True, kw_only=True):
    """What was used under a licence; its key is `meter/<licence>`. Times RFC 3339."""

    KIND = "meter"

    licence: str
    provider: str
    buyer: str
    calls: int = 0
    calls_through: str | None = None
    revenue_fen: int = 0
    revenue_through: str | None = None
    reports: int = 0


class UsageReported(Payload):
    """Calls since the last report, counted through a time; the provider's log by hash."""

    licence: LicenceId
    calls: PositiveCount
    through: Moment
    evidence: Hash


class RevenueReported(Payload):
    """The buyer's revenue since the last report, through a time; its books by hash."""

    licence: LicenceId
    revenue_fen: Fen
    through: Moment
    evidence: Hash


def meter_key(licence: str) -> str:
    """Return the key of the meter of `licence`."""
    return f"meter/{licence}"


def meter_of(view: View, licence: Licence) -> Meter:
    """Return the meter of `licence`, at zero before the first report."""
    key = meter_key(licence.id)
    return view.find(Meter, key) or Meter(
        id=key, licence=licence.id, provider=licence.provider, buyer=licence.buyer
    )


@event(
    "usage.reported@1",
    by={Role.PROVIDER},
    zh="报告用量",
    en="Report usage",
    clause="domain: usage.reported",
    also=lambda payload, actor: (meter_key(payload.licence),),
)
def report_usage(view: View, event: Event[UsageReported]) -> Changes:
    """Add calls to the meter; more than were licensed are refused."""
    given = event.payload
    licence = view.get(Licence, given.licence)
    require_actor(event.actor, licence.provider, licence.id)
    meter = meter_of(view, licence)
    _require_period(licence, given.through, meter.calls_through, event.recorded_at)
    calls = meter.calls + given.calls
    count_max = licence.agreed_offer.terms.count_max
    if count_max is not None and calls > count_max:
        raise COUNT_EXCEEDED(calls=calls, count_max=count_max)
    return meter.but(calls=calls, calls_through=given.through, reports=meter.reports + 1)


@event(
    "revenue.reported@1",
    by={Role.BUYER},
    zh="报告收入",
    en="Report revenue",
    clause=CONTRACT_LAW + " art. 509; domain: price models, revenue share",
    also=lambda payload, actor: (
        meter_key(payload.licence),
        account_key(actor),
        account_key(payload.licence),
    ),
)
def report_revenue(view: View, event: Event[RevenueReported]) -> Changes:
    """The share of all revenue so far, rounded half up, beyond what was locked goes to escrow."""
    given = event.payload
    licence = view.get(Licence, given.licence)
    require_actor(event.actor, licence.buyer, licence.id)
    charge = licence.agreed_offer.charge
    if not isinstance(charge, ShareCharge):
        raise NO_REVENUE_SHARE(licence=licence.id)
    meter = meter_of(view, licence)
    _require_period(licence, given.through, meter.revenue_through, event.recorded_at)
    revenue_fen = meter.revenue_fen + given.revenue_fen
    owed_fen = max(0, half_up_fen(share_due(charge, revenue_fen)) - licence.locked_fen)
    book = Book(view)
    book.move(owed_fen, source=account_key(licence.buyer), target=account_key(licence.id))
    return (
        meter.but(
            revenue_fen=revenue_fen, revenue_through=given.through, reports=meter.reports + 1
        ),
        licence.but(locked_fen=licence.locked_fen + owed_fen),
        *book.changes(),
    )


def _require_period(licence: Licence, through: str, last: str | None, now: datetime) -> None:
    """Reports cover the licence's term, also when they come after its end."""
    require_status(licence, "finalised", "breached", "suspended", "expired", "terminated")
    first = last or licence.starts_at
    end = licence.ended_at or licence.ends_at
    if first is None or end is None or not first < through <= end or parse_time(through) > now:
        raise PERIOD_UNFIT(through=through, last=first or "—")
