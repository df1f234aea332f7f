"""Weights."""

from decimal import Decimal

import pytest

from dataexchange.valuation import ValuationRefusedError
from dataexchange.valuation.weights import all_or_none, check_weights


def test_unstated_weights_are_equal() -> None:
    assert all_or_none([None, None, None, None], name="w") == [Decimal("0.25")] * 4


@pytest.mark.parametrize(
    ("weights", "code"),
    [
        (["0.5", "0.5000000011"], "valuation.weights_not_one"),
        (["1.5", "-0.5"], "valuation.input_out_of_range"),
        ([], "valuation.weights_not_one"),
    ],
)
def test_weights_that_are_no_shares_are_refused(weights: list[str], code: str) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        check_weights([Decimal(one) for one in weights], name="w")
    assert refused.value.code == code


def test_a_sum_within_a_billionth_of_one_is_one() -> None:
    check_weights([Decimal("0.5"), Decimal("0.500000001")], name="w")
