"""Exact arithmetic: what counts as a number, and the one rounding."""

from decimal import ROUND_DOWN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation.arithmetic import fen, number, plain, round_ratio, round_yuan


@pytest.mark.parametrize(
    ("given_number", "meant"),
    [
        ("0.15", "0.15"),
        (7, "7"),
        (Decimal("1.50"), "1.5"),
        ("1/4", "0.25"),
        (Fraction(1, 8), "0.125"),
    ],
)
def test_text_integers_decimals_and_fractions_are_numbers(
    given_number: str | int | Decimal | Fraction, meant: str
) -> None:
    assert number(given_number) == Decimal(meant)


@pytest.mark.parametrize("given_number", [0.15, True])
def test_a_float_has_already_lost_the_figure_and_is_no_number(given_number: object) -> None:
    with pytest.raises(TypeError, match="float"):
        number(given_number)  # type: ignore[arg-type]


@pytest.mark.parametrize("given_number", ["NaN", "Infinity", "-inf", "ten", "", "1/3/4"])
def test_what_is_not_finite_is_no_number(given_number: str) -> None:
    with pytest.raises(ValueError, match=r"number|finite|Fraction"):
        number(given_number)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0.005", "0.01"), ("2.675", "2.68"), ("-0.004", "0.00"), ("-0.005", "-0.01")],
)
def test_money_is_rounded_half_up_once(amount: str, shown: str) -> None:
    assert str(round_yuan(Decimal(amount))) == shown


@given(st.integers(-(10**18), 10**18))
def test_whole_fen_survive_the_way_to_yuan_and_back(amount_fen: int) -> None:
    assert fen(Decimal(amount_fen) / 100) == amount_fen


def test_the_callers_context_does_not_reach_the_rounding() -> None:
    with localcontext() as context:
        context.prec, context.rounding = 5, ROUND_DOWN
        assert str(round_yuan(Decimal("123456789.125"))) == "123456789.13"


@pytest.mark.parametrize(
    ("written", "shown"), [("1E+3", "1000"), ("0.500", "0.5"), ("100", "100"), ("0E-7", "0")]
)
def test_plain_text_has_no_exponent_and_no_padding(written: str, shown: str) -> None:
    assert plain(Decimal(written)) == shown


def test_ratios_are_shown_to_six_decimals_half_up() -> None:
    assert str(round_ratio(Decimal("0.0000005"))) == "0.000001"
