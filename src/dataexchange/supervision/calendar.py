"""The holiday calendar 节假日安排 of a year, by the State Council's notice."""

from datetime import date
from typing import Annotated

from pydantic import Field

from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, View, event
from dataexchange.rules.calendar import Calendar, calendar_key
from dataexchange.rules.payload import Day, Line

HOLIDAY_RULES = "全国年节及纪念日放假办法 (国务院令第795号); 民法典 art. 203"
_SATURDAY = 5

DAYS_UNFIT = RefusalCode(
    "calendar.days_unfit",
    clause=HOLIDAY_RULES,
    zh="{day} 不是 {year} 年的日期，或重复列出，或次序有误",
    en="{day} is no day of {year}, is listed twice, or is out of order",
    kind="malformed",
)
NOT_A_WEEKEND = RefusalCode(
    "calendar.not_a_weekend",
    clause=HOLIDAY_RULES,
    zh="调休上班日 {day} 不是星期六或星期日",
    en="{day} is worked instead of a holiday, yet it is no Saturday or Sunday",
    kind="malformed",
)


class CalendarSet(Payload):
    """A year's days off, the weekend days worked for them, and the notice's number."""

    year: Annotated[int, Field(ge=2000, le=2200)]
    holidays: Annotated[tuple[Day, ...], Field(max_length=64)]
    working_days: Annotated[tuple[Day, ...], Field(max_length=32)] = ()
    notice: Line


@event(
    "calendar.set@1",
    by={Role.OPERATOR},
    zh="设定节假日安排",
    en="Set the holiday calendar",
    clause=HOLIDAY_RULES,
    also=lambda payload, actor: (calendar_key(payload.year),),
)
def set_calendar(view: View, event: Event[CalendarSet]) -> Changes:
    """Set a year's calendar, or correct it; deadlines that were fixed before keep their day."""
    said = event.payload
    key = calendar_key(said.year)
    for days in (said.holidays, said.working_days, sorted(said.holidays + said.working_days)):
        _require_days(days, said.year)
    for day in said.working_days:
        if date.fromisoformat(day).weekday() < _SATURDAY:
            raise NOT_A_WEEKEND(day=day)
    held = view.find(Calendar, key)
    return Calendar(
        id=key,
        holidays=said.holidays,
        working_days=said.working_days,
        notice=said.notice,
        revision=held.revision + 1 if held is not None else 1,
    )


def _require_days(days: tuple[str, ...] | list[str], year: int) -> None:
    """Refuse days that are not of `year`, or not each later than the one before."""
    before = ""
    for day in days:
        if not _is_day(day) or day[:4] != str(year) or day <= before:
            raise DAYS_UNFIT(day=day, year=year)
        before = day


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
