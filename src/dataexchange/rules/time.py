"""Time in rules: entries are stamped in UTC; statutory days run in China Standard Time (+08:00)."""

from datetime import UTC, date, datetime, time, timedelta, timezone

CHINA = timezone(timedelta(hours=8))


def day_of(moment: datetime) -> date:
    """Return the calendar day of `moment` in +08:00."""
    return moment.astimezone(CHINA).date()


def end_of_day_after(moment: datetime, days: int) -> datetime:
    """Return the end (UTC) of the last of `days` calendar days, the day of `moment` not counted.

    民法典 arts. 201-203: the day of the event is not counted; the last day ends at 24:00.
    """
    end = day_of(moment) + timedelta(days=days + 1)
    return datetime.combine(end, time.min, CHINA).astimezone(UTC)
