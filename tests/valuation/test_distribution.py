"""Distributions: exact moments and quantiles, and draws that follow them."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation.distribution import (
    Distribution,
    Empirical,
    Fixed,
    Lognormal,
    Triangular,
)
from dataexchange.valuation.stream import bits

WHOLE = st.integers(-10_000, 10_000).map(Decimal)
ALL: list[Distribution] = [
    Triangular(Decimal(1), Decimal(2), Decimal(6)),
    Triangular(Decimal(1), Decimal(1), Decimal(6)),
    Triangular(Decimal(1), Decimal(6), Decimal(6)),
    Lognormal(Decimal(5), Decimal("0.6")),
    Empirical([Decimal(n) for n in (5, 1, 3, 3, 9)]),
]


@pytest.mark.parametrize("distribution", ALL, ids=str)
def test_draws_follow_the_exact_mean_deviation_and_quantiles(distribution: Distribution) -> None:
    drawn = distribution.draw(bits(42), 100_000)
    deviation = float(distribution.deviation())
    assert abs(drawn.mean() - float(distribution.mean())) < 4 * deviation / np.sqrt(100_000)
    assert drawn.std() == pytest.approx(deviation, rel=0.02)
    for p in ("0.05", "0.5", "0.95"):
        limit = float(distribution.quantile(Decimal(p)))
        assert (drawn <= limit + 1e-9).mean() >= float(p) - 0.006
        assert (drawn < limit - 1e-9).mean() <= float(p) + 0.006


@given(st.lists(WHOLE, min_size=3, max_size=3, unique=True).map(sorted))
def test_triangular_quantiles_rise_from_the_least_to_the_greatest(corners: list[Decimal]) -> None:
    found = Triangular(*corners)
    values = [found.quantile(Decimal(p) / 100) for p in range(1, 100)]
    assert values == sorted(values)
    assert found.low <= values[0] <= values[-1] <= found.high


@given(st.lists(WHOLE, min_size=1, max_size=30))
def test_an_observed_quantile_is_an_observed_value(values: list[Decimal]) -> None:
    found = Empirical(values)
    assert {found.quantile(Decimal(p) / 10) for p in range(1, 10)} <= set(values)
    assert set(found.draw(bits(1), 50).tolist()) <= set(map(float, values))


def test_a_known_value_has_no_spread() -> None:
    known = Fixed(Decimal("2.5"))
    assert known.mean() == known.quantile(Decimal("0.9")) == Decimal("2.5")
    assert known.deviation() == 0
    assert known.draw(bits(1), 3).tolist() == [2.5, 2.5, 2.5]


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        (Triangular, (3, 2, 1)),
        (Triangular, (1, 1, 1)),
        (Triangular, (1, 9, 3)),
        (Lognormal, (0, 1)),
        (Lognormal, (1, 0)),
    ],
)
def test_distributions_without_shape_are_an_error(kind: Any, terms: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="distribution"):
        kind(*map(Decimal, terms))


def test_no_observation_is_no_distribution() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Empirical([])
