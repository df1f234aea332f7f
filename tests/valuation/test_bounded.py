"""Ranges that the formulas hold their own arguments to."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from dataexchange.valuation import ValuationRefusedError, bounded


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (bounded.not_negative, "0", "-0.01"),
        (bounded.positive, "0.01", "0"),
        (bounded.rate, "-0.99", "-1"),
        (bounded.share, "1", "1.01"),
        (bounded.share, "0", "-0.01"),
    ],
)
def test_each_range_takes_its_edge_and_refuses_what_lies_beyond(
    check: Callable[[str, str], Decimal], good: str, bad: str
) -> None:
    assert check(good, "x") == Decimal(good)
    with pytest.raises(ValuationRefusedError) as refused:
        check(bad, "x")
    assert (refused.value.code, refused.value.facts["input"]) == (
        "valuation.input_out_of_range",
        "x",
    )


@pytest.mark.parametrize("given", [0.5, "NaN", "1/0", None])
def test_what_is_no_number_is_malformed(given: object) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        bounded.figure(given, "x")  # type: ignore[arg-type]
    assert refused.value.code == "valuation.input_malformed"
