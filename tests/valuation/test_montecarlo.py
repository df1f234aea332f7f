"""Simulations are reproducible to the byte and agree with the exact mean."""

import math
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataexchange.valuation.arrays import Floats
from dataexchange.valuation.distribution import Distribution, Empirical, Lognormal, Triangular
from dataexchange.valuation.library import value
from dataexchange.valuation.montecarlo import DRAWS_PER_BLOCK, Simulation, simulate
from dataexchange.valuation.refusal import ValuationRefusedError

FLOW = Triangular(Decimal(800_000), Decimal(1_000_000), Decimal(1_500_000))
ANNUITY = (1 - Decimal("1.12") ** -5) / Decimal("0.12")


def annuity_value(drawn: Mapping[str, Floats]) -> Floats:
    return drawn["flow"] * float(ANNUITY)


def run(seed: int = 7, draws: int = 200_000) -> Simulation:
    return simulate({"flow": FLOW}, annuity_value, draws=draws, seed=seed)


def test_the_mean_of_an_uncertain_annuity_agrees_with_the_exact_one() -> None:
    simulation = run()
    assert round(FLOW.mean() * ANNUITY, 2) == Decimal("3965253.82")
    assert abs(simulation.mean - 3965253.82) <= 4 * simulation.standard_error
    assert simulation.agrees_with(3965253.82)
    assert not simulation.agrees_with(simulation.mean + 4.01 * simulation.standard_error)


def test_the_deviation_and_its_error_are_those_of_the_exact_distribution() -> None:
    simulation = run()
    assert round(FLOW.deviation() * ANNUITY, 2) == Decimal("530608.69")
    assert simulation.deviation == pytest.approx(530608.69, rel=0.01)
    assert simulation.standard_error == pytest.approx(530608.69 / math.sqrt(200_000), rel=0.01)


@pytest.mark.parametrize(
    ("p", "exact"), [("0.1", "3310343.83"), ("0.5", "3899178.23"), ("0.9", "4732772.43")]
)
def test_simulated_percentiles_come_near_the_exact_ones(p: str, exact: str) -> None:
    assert round(FLOW.quantile(Decimal(p)) * ANNUITY, 2) == Decimal(exact)
    assert run().quantile(float(p)) == pytest.approx(float(exact), rel=0.005)


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_workers() -> None:
    draws = 3 * DRAWS_PER_BLOCK + 17
    alone = simulate({"flow": FLOW}, annuity_value, draws=draws, seed=7)
    with ThreadPoolExecutor(4) as threads, ProcessPoolExecutor(2) as processes:
        for pool in (threads, processes):
            shared = simulate({"flow": FLOW}, annuity_value, draws=draws, seed=7, executor=pool)
            assert shared.values.tobytes() == alone.values.tobytes()
    assert run(seed=8).values.tobytes() != run(seed=7).values.tobytes()


def test_more_draws_begin_with_the_same_blocks() -> None:
    few, many = run(draws=DRAWS_PER_BLOCK), run(draws=2 * DRAWS_PER_BLOCK)
    assert many.values[:DRAWS_PER_BLOCK].tobytes() == few.values.tobytes()


def test_inputs_are_drawn_independently() -> None:
    same: dict[str, Distribution] = {"a": FLOW, "b": FLOW}
    drawn: list[Mapping[str, Floats]] = []

    def keep(arrays: Mapping[str, Floats]) -> Floats:
        drawn.append(arrays)
        return arrays["a"]

    simulate(same, keep, draws=50_000, seed=3)
    correlation = np.corrcoef(drawn[0]["a"], drawn[0]["b"])[0, 1]
    assert abs(correlation) < 4 / math.sqrt(50_000)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**63), st.integers(1, 10**6))
def test_a_simulated_value_scales_with_the_unit_of_money(seed: int, unit: int) -> None:
    in_yuan, in_units = (
        FLOW,
        Triangular(*(corner / unit for corner in (FLOW.low, FLOW.mode, FLOW.high))),
    )
    yuan = simulate({"flow": in_yuan}, annuity_value, draws=1000, seed=seed)
    units = simulate({"flow": in_units}, annuity_value, draws=1000, seed=seed)
    np.testing.assert_allclose(units.values * unit, yuan.values, rtol=1e-12)


@pytest.mark.parametrize(
    "distribution",
    [
        FLOW,
        Lognormal(Decimal(1_000_000), Decimal("0.4")),
        Empirical([Decimal(3), Decimal(1), Decimal(7), Decimal(7)]),
    ],
)
def test_every_distribution_agrees_with_its_exact_mean(distribution: Distribution) -> None:
    simulation = simulate({"x": distribution}, lambda drawn: drawn["x"], draws=100_000, seed=11)
    assert simulation.agrees_with(float(distribution.mean()))


def test_a_single_draw_has_no_error_and_is_an_error_itself() -> None:
    with pytest.raises(ValueError, match="draws"):
        run(draws=1)


def test_a_model_of_another_shape_is_an_error() -> None:
    with pytest.raises(ValueError, match="per draw"):
        simulate({"flow": FLOW}, lambda drawn: drawn["flow"][:1], draws=10, seed=1)


CARD_INPUTS = {
    "flow": {"kind": "triangular", "low": 800_000, "mode": 1_000_000, "high": 1_500_000},
    "years": 5,
    "rate": "0.12",
    "draws": 20_000,
    "seed": 11,
}


def test_the_card_gives_the_exact_mean_and_discloses_the_simulation() -> None:
    result = value("montecarlo", CARD_INPUTS)
    assert result.yuan == "3965253.82"
    assert result.figure("interval").shown == ("3310343.83", "3899178.23", "4732772.43")
    gap = abs(result["simulated_mean"] - result["value"])
    assert gap <= 4 * result["standard_error"]
    assert (result["draws"], result["seed"]) == (20_000, 11)
    assert "valuation.simulation_off" not in {warning.code for warning in result.warnings}
    assert value("montecarlo", CARD_INPUTS) == result


def test_years_drawn_apart_spread_less_around_the_same_mean() -> None:
    together, apart = (value("montecarlo", {**CARD_INPUTS, "yearly": y}) for y in (False, True))
    assert apart["value"] == together["value"]
    assert apart["deviation"] < together["deviation"]
    assert apart["interval"]["P10"] > together["interval"]["P10"]
    assert float(apart["standard_error"]) * math.sqrt(20_000) == pytest.approx(
        float(apart["deviation"]), rel=0.03
    )


def test_growth_raises_the_mean_as_discounting_says() -> None:
    grown = value("montecarlo", {**CARD_INPUTS, "growth": "0.12"})
    assert grown["value"] == pytest.approx(FLOW.mean() * 5 / Decimal("1.12"))


@pytest.mark.parametrize(
    ("flow", "code"),
    [
        ({"kind": "triangular", "low": 1, "mode": 2}, "valuation.input_missing"),
        ({"kind": "triangular", "low": 3, "mode": 2, "high": 1}, "valuation.input_inconsistent"),
        ({"kind": "lognormal", "median": 0, "sigma": 1}, "valuation.input_out_of_range"),
        ({"kind": "empirical"}, "valuation.input_inconsistent"),
    ],
)
def test_a_distribution_without_its_figures_is_refused(flow: dict[str, object], code: str) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        value("montecarlo", {**CARD_INPUTS, "flow": flow})
    assert refused.value.code == code
