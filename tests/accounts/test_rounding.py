"""Each rounding direction does what its name says."""

from decimal import Decimal
from fractions import Fraction

import pytest

from dataexchange.accounts.rounding import Exact, ceil_fen, exact, floor_fen, half_up_fen


@pytest.mark.parametrize(
    ("amount", "down", "up", "nearest"),
    [
        ("0.5", 0, 1, 1),
        ("1.49", 1, 2, 1),
        ("-0.5", -1, 0, -1),
        ("-1.49", -2, -1, -1),
        ("3", 3, 3, 3),
    ],
)
def test_rounding_goes_down_up_or_half_away_from_zero(
    amount: str, down: int, up: int, nearest: int
) -> None:
    value = Fraction(amount)
    assert (floor_fen(value), ceil_fen(value), half_up_fen(value)) == (down, up, nearest)


def test_decimals_become_fractions_without_loss() -> None:
    assert exact(Decimal("0.1")) == Fraction(1, 10)


@pytest.mark.parametrize("number", [0.1, True, "1"])
def test_only_exact_numbers_are_taken(number: Exact) -> None:
    with pytest.raises(TypeError):
        exact(number)


@pytest.mark.parametrize("text", ["NaN", "Infinity"])
def test_numbers_that_are_not_finite_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        exact(Decimal(text))
