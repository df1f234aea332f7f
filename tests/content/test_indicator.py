"""The tree has six dimensions and twenty indicators; two of them are better when lower."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.content.indicator import (
    DIMENSIONS,
    INDICATORS,
    Count,
    mean,
    measured,
    ratio_text,
)
from dataexchange.valuation.quality import known_direction


def _count(indicator: str, a: int, b: int) -> Count:
    return Count("check", indicator, (), a, b)


def test_the_tree_is_that_of_the_standard() -> None:
    assert [dimension.zh for dimension in DIMENSIONS] == [
        "规范性", "完整性", "准确性", "一致性", "时效性", "可访问性",
    ]  # fmt: skip
    assert len(INDICATORS) == sum(len(one.indicators) for one in DIMENSIONS) == 20
    assert {i.zh for i in INDICATORS.values() if i.direction == "lower"} == {
        "数据重复率",
        "脏数据出现率",
    }


def test_codes_follow_their_dimension() -> None:
    for number, dimension in enumerate(DIMENSIONS, start=1):
        codes = [indicator.code for indicator in dimension.indicators]
        assert codes == [f"{number:02d}{place:02d}" for place in range(1, len(codes) + 1)]


def test_valuation_knows_every_indicator_and_its_direction() -> None:
    for name, indicator in INDICATORS.items():
        assert known_direction(name) == indicator.direction


def test_checks_are_summed_into_their_indicator() -> None:
    tree = measured([_count("uniqueness", 1, 2), _count("uniqueness", 2, 4)])
    assert (tree["uniqueness"].a, tree["uniqueness"].b) == (3, 6)
    assert tree["uniqueness"].score == Fraction(1, 2)
    assert tree["uniqueness"].defects == 3


def test_lower_is_better_where_the_standard_says_so() -> None:
    tree = measured([_count("duplicate_rate", 1, 4)])
    assert tree["duplicate_rate"].ratio == Fraction(1, 4)
    assert tree["duplicate_rate"].score == Fraction(3, 4)
    assert tree["duplicate_rate"].defects == 1


def test_nothing_looked_at_is_not_assessed_rather_than_perfect() -> None:
    tree = measured([_count("uniqueness", 0, 0)])
    assert tree["uniqueness"].ratio is None
    assert tree["uniqueness"].score is None
    assert mean([None, Fraction(1, 2), None]) == Fraction(1, 2)
    assert mean([None]) is None


@pytest.mark.parametrize(("a", "b"), [(2, 1), (-1, 1), (1, 0)])
def test_impossible_counts_are_refused(a: int, b: int) -> None:
    with pytest.raises(ValueError, match="of"):
        _count("uniqueness", a, b)


def test_an_unknown_indicator_is_refused() -> None:
    with pytest.raises(ValueError, match="no indicator"):
        _count("beauty", 1, 1)


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (Fraction(1), "1.000000"),
        (Fraction(0), "0.000000"),
        (Fraction(2, 3), "0.666667"),
        (Fraction(1, 3), "0.333333"),
        (Fraction(1, 2_000_000), "0.000001"),
        (Fraction(49, 100_000_000), "0.000000"),
    ],
)
def test_ratios_are_rounded_half_up_to_six_places(ratio: Fraction, text: str) -> None:
    assert ratio_text(ratio) == text


@given(st.fractions(min_value=0, max_value=1))
def test_rounding_moves_a_ratio_by_at_most_half_a_millionth(ratio: Fraction) -> None:
    text = ratio_text(ratio)
    assert text is not None
    assert abs(Fraction(text) - ratio) <= Fraction(1, 2_000_000)


def test_no_ratio_has_no_text() -> None:
    assert ratio_text(None) is None
