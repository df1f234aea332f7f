"""Statutory days run in China Standard Time; the first is not counted, the last ends at 24:00."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.rules.time import day_of, end_of_day_after


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 1, 1, 15, 59, 59, tzinfo=UTC), date(2026, 1, 1)),
        (datetime(2026, 1, 1, 16, 0, tzinfo=UTC), date(2026, 1, 2)),
        (datetime(2025, 12, 31, 20, 0, tzinfo=UTC), date(2026, 1, 1)),
    ],
)
def test_a_day_begins_at_16_oclock_utc(moment: datetime, day: date) -> None:
    assert day_of(moment) == day


def test_five_days_after_monday_morning_end_on_saturday_at_24_oclock() -> None:
    monday = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
    assert end_of_day_after(monday, 5) == datetime(2026, 1, 10, 16, 0, tzinfo=UTC)


moments = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(moments, st.integers(1, 2_000))
def test_a_window_is_its_days_long_and_less_than_one_more(moment: datetime, days: int) -> None:
    length = end_of_day_after(moment, days) - moment
    assert timedelta(days=days) < length <= timedelta(days=days + 1)


@given(moments, st.integers(1, 2_000))
def test_a_window_ends_when_a_day_in_china_does(moment: datetime, days: int) -> None:
    end = end_of_day_after(moment, days)
    assert (end.hour, end.minute, end.second, end.microsecond) == (16, 0, 0, 0)
    assert day_of(end) - day_of(moment) == timedelta(days=days + 1)
