"""Working days: the year's notice, and what it does to a deadline."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.rules.calendar import (
    Calendar,
    FindCalendar,
    calendar_key,
    is_working_day,
    period_end,
)
from steps_supervision import HOLIDAYS_2026, NOTICE_2026, WORKED_2026, calendar
from world import World


@pytest.fixture
def world() -> World:
    return World()


def among(*calendars: Calendar) -> FindCalendar:
    """Return how to find these calendars; other years have none."""
    return {one.id: one for one in calendars}.get


SET_2026 = Calendar(
    id=calendar_key(2026), holidays=HOLIDAYS_2026, working_days=WORKED_2026, notice=NOTICE_2026
)


def test_a_holiday_is_no_working_day_and_a_weekend_worked_for_it_is_one() -> None:
    find = among(SET_2026)
    assert not is_working_day(find, date(2026, 10, 1))
    assert is_working_day(find, date(2026, 10, 10))
    assert not is_working_day(find, date(2026, 10, 11))
    assert is_working_day(among(), date(2026, 10, 1))


def test_a_period_that_ends_on_a_day_off_ends_with_the_next_working_day() -> None:
    find = among(SET_2026)
    assert period_end(find, date(2026, 10, 1)).isoformat() == "2026-10-08T16:00:00+00:00"
    assert period_end(find, date(2026, 9, 30)).isoformat() == "2026-09-30T16:00:00+00:00"


def test_a_period_may_run_over_into_the_next_year() -> None:
    new_year = Calendar(
        id=calendar_key(2027), holidays=("2027-01-01",), working_days=(), notice="2027"
    )
    year_end = Calendar(
        id=calendar_key(2026), holidays=("2026-12-31",), working_days=(), notice="2026"
    )
    end = period_end(among(year_end, new_year), date(2026, 12, 31))
    assert end.isoformat() == "2027-01-04T16:00:00+00:00"


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_a_period_never_ends_before_its_last_day_nor_on_a_day_off(last: date) -> None:
    find = among(SET_2026)
    end = (period_end(find, last) + timedelta(hours=8)).date() - timedelta(days=1)
    assert end >= last
    assert is_working_day(find, end)


def test_the_operator_sets_a_year_and_corrects_it(world: World) -> None:
    world.do(world.operator, "calendar.set@1", **calendar())
    world.do(world.operator, "calendar.set@1", **calendar(working_days=[]))
    held = world.state(Calendar, calendar_key(2026))
    assert (held.revision, held.working_days) == (2, ())


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("calendar.days_unfit", {"holidays": ["2025-12-31"]}),
        ("calendar.days_unfit", {"holidays": ["2026-02-30"]}),
        ("calendar.days_unfit", {"holidays": ["2026-05-01", "2026-05-01"]}),
        ("calendar.days_unfit", {"holidays": ["2026-05-02", "2026-05-01"]}),
        ("calendar.days_unfit", {"holidays": ["2026-01-04"]}),
        ("calendar.not_a_weekend", {"working_days": ["2026-05-11"]}),
    ],
)
def test_a_calendar_lists_days_of_its_year_once(
    world: World, code: str, changes: dict[str, Any]
) -> None:
    world.refuses(code, world.operator, "calendar.set@1", **calendar(**changes))


def test_nobody_but_the_operator_sets_it(world: World) -> None:
    world.refuses("role.missing", world.regulator, "calendar.set@1", **calendar())
