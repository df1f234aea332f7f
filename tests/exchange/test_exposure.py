"""The exposure window, from its definition."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dataexchange.exchange.exposure import windows_seconds

START = datetime(2026, 11, 24, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_the_oldest_entry_of_each_step_is_measured() -> None:
    recorded = {0: at(0), 10: at(20), 15: at(31)}
    assert windows_seconds([(0, at(2)), (10, at(3)), (15, at(30))], recorded) == [3, 10]


def test_a_greater_size_cosigned_earlier_covers_what_is_below_it() -> None:
    recorded = {0: at(0), 10: at(1)}
    assert windows_seconds([(0, at(9)), (10, at(9)), (15, at(4))], recorded) == [4, 3]


def test_nothing_cosigned_has_no_window() -> None:
    assert windows_seconds([], {}) == []
    assert windows_seconds([(0, at(0))], {0: at(0)}) == []


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 100)), min_size=1, max_size=9))
def test_every_window_is_that_of_its_step_by_brute_force(steps: list[tuple[int, int]]) -> None:
    covered, size = [(0, at(0))], 0
    for grown, seconds in steps:
        size += grown
        covered.append((size, at(seconds)))
    recorded = {index: at(0) for index in range(size)}
    expected = [
        min((when - START).total_seconds() for upto, when in covered[1:] if upto > index)
        for index, _ in covered[:-1]
    ]
    assert windows_seconds(covered, recorded) == expected
