"""Working days 工作日: weekdays that are no holiday, and weekend days that are worked instead.

The State Council's yearly notice moves holidays and working days about; the exchange records it as
an event, one calendar a year. A year without one has its weekends only.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from dataexchange.rules.state import State
from dataexchange.rules.time import CHINA

_SATURDAY = 5


class Calendar(State, frozen=True, kw_only=True):
    """The days (`YYYY-MM-DD`) of one year that differ from its week; key `calendar/<year>`."""

    KIND = "calendar"

    holidays: tuple[str, ...]
    working_days: tuple[str, ...]
    notice: str
    revision: int = 1


FindCalendar = Callable[[str], Calendar | None]


def calendar_key(year: int) -> str:
    """Return the key of the calendar of `year`."""
    return f"calendar/{year}"


def calendar_keys(day: str) -> tuple[str, str]:
    """Return the keys of the calendars that a period ending about `day` may need."""
    year = int(day[:4])
    return calendar_key(year), calendar_key(year + 1)


def is_working_day(find: FindCalendar, day: date) -> bool:
    """Tell whether `day` is a working day; `find` gives the calendar of a key, where one is set."""
    calendar = find(calendar_key(day.year))
    said = day.isoformat()
    if calendar is not None and said in calendar.holidays:
        return False
    if calendar is not None and said in calendar.working_days:
        return True
    return day.weekday() < _SATURDAY


def period_end(find: FindCalendar, last: date) -> datetime:
    """Return the end (UTC) of a period whose last day is `last`.

    民法典 art. 203: where that is a statutory day off, the period ends with the next working day.
    `find` is asked for the calendars of the year of `last` and of the next one (`calendar_keys`).
    """
    day = next(one for one in _from(last) if is_working_day(find, one))
    return datetime.combine(day + timedelta(days=1), time.min, CHINA).astimezone(UTC)


def _from(day: date) -> Iterator[date]:
    while True:
        yield day
        day += timedelta(days=1)
