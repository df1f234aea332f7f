"""Show how uncertain a value is: Monte Carlo simulation of its inputs (M15).

A simulation is float64 and a disclosure: mean, P10, P50, P90, seed, number of draws and standard
error. The figure that counts is the exact mean in `Decimal`, and the two must agree within four
standard errors. Input j of block b draws from stream `(seed, j, b)` of `stream`.
"""

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from typing import Annotated, Literal, TypeAlias

from annotated_types import Ge, Le, Len

from dataexchange.valuation.arithmetic import ONE, ZERO, total
from dataexchange.valuation.arrays import Floats, np
from dataexchange.valuation.discounting import Timing, discount_factors
from dataexchange.valuation.distribution import Distribution, Empirical, Lognormal, Triangular
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import Count, Currency, Elapsed, Inputs, Quantity, Rate
from dataexchange.valuation.refusal import INPUT_INCONSISTENT, INPUT_MISSING
from dataexchange.valuation.stream import bits

Model: TypeAlias = Callable[[Mapping[str, Floats]], Floats]
"""From one array of draws per input to the array of values, one per draw."""

DRAWS_PER_BLOCK = 1 << 16
PERCENTS = (10, 50, 90)
ERRORS_MAX = 4
"""Standard errors by which a simulated mean may miss the exact one: 1 seed in 16,000 does."""


@dataclass(frozen=True)
class Simulation:
    """The values that were simulated, in the order drawn, and their seed."""

    values: Floats
    seed: int

    @property
    def draws(self) -> int:
        """How many values there are."""
        return len(self.values)

    @cached_property
    def mean(self) -> float:
        """The mean, by an exactly rounded sum."""
        return math.fsum(self.values.tolist()) / self.draws

    @cached_property
    def deviation(self) -> float:
        """The sample standard deviation."""
        squares = ((self.values - self.mean) ** 2).tolist()
        return math.sqrt(math.fsum(squares) / (self.draws - 1))

    @property
    def standard_error(self) -> float:
        """How far the mean is likely off."""
        return self.deviation / math.sqrt(self.draws)

    def quantile(self, p: float) -> float:
        """Return the least value that at least p of all do not exceed."""
        place = max(0, math.ceil(p * self.draws) - 1)
        return float(np.partition(self.values, place)[place])

    def agrees_with(self, mean: float) -> bool:
        """Say whether the mean is within `ERRORS_MAX` standard errors of an exact one."""
        close = math.isclose(self.mean, mean, rel_tol=1e-12)
        return close or abs(self.mean - mean) <= ERRORS_MAX * self.standard_error


def simulate(
    inputs: Mapping[str, Distribution],
    model: Model,
    *,
    draws: int,
    seed: int,
    executor: Executor | None = None,
) -> Simulation:
    """Return `draws` values of `model`, each from independent draws of all `inputs`.

    The same seed gives the same bytes with or without `executor`. Streams follow the order of
    `inputs`. Raises `ValueError` below 2 draws or where the model returns another shape.
    """
    if draws < 2:
        raise ValueError("a simulation takes at least 2 draws")
    run = map if executor is None else executor.map
    counts = [min(DRAWS_PER_BLOCK, left) for left in range(draws, 0, -DRAWS_PER_BLOCK)]
    blocks = run(partial(_simulate_block, dict(inputs), model, seed), enumerate(counts))
    return Simulation(np.concatenate(list(blocks)), seed)


def _simulate_block(
    inputs: Mapping[str, Distribution], model: Model, seed: int, block: tuple[int, int]
) -> Floats:
    index, count = block
    drawn = {
        name: distribution.draw(bits(seed, place, index), count)
        for place, (name, distribution) in enumerate(inputs.items())
    }
    values = np.asarray(model(drawn), dtype=np.float64)
    if values.shape != (count,):
        raise ValueError("the model must give one value per draw")
    return values


class UncertainFlow(Inputs):
    """The first year's income in 元: a distribution and the figures that it takes."""

    kind: Literal["triangular", "lognormal", "empirical"]
    low: Quantity | None = None
    mode: Quantity | None = None
    high: Quantity | None = None
    median: Quantity | None = None
    sigma: Quantity | None = None
    values: Annotated[tuple[Quantity, ...], Len(1, 10_000)] | None = None


class MonteCarloInputs(Inputs):
    """An uncertain income over some years, how it is discounted, and how it is drawn."""

    flow: UncertainFlow
    years: Annotated[Count, Le(100)]
    rate: Rate
    growth: Rate = ZERO
    timing: Timing = "end"
    yearly: bool = False
    draws: Annotated[Count, Ge(1_000), Le(10_000_000)] = 100_000
    seed: Elapsed
    currency: Currency = "CNY"


def _compute(
    inputs: MonteCarloInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # the distribution is an input
    flow, weights = _distribution(inputs.flow), _weights(inputs)
    simulation = _simulated(inputs, flow, weights)
    spread = _norm(weights) if inputs.yearly else total(weights)
    value = working.step("E", flow.mean() * total(weights), zh="期望值，元", en="exact mean, 元")
    if not simulation.agrees_with(float(value)):
        _warn_of_disagreement(working)
    simulated = {f"P{p}": _decimal(simulation.quantile(p / 100)) for p in PERCENTS}
    exact_quantiles = {f"P{p}": flow.quantile(Decimal(p) / 100) * spread for p in PERCENTS}
    return {
        "value": value,
        "deviation": flow.deviation() * spread,
        "interval": simulated if inputs.yearly else exact_quantiles,
        "simulated_interval": simulated,
        "simulated_mean": _decimal(simulation.mean),
        "standard_error": _decimal(simulation.standard_error),
        "draws": Decimal(simulation.draws),
        "seed": Decimal(simulation.seed),
    }


def _distribution(flow: UncertainFlow) -> Distribution:
    try:
        if flow.kind == "triangular":
            return Triangular(*(_figure(flow, name) for name in ("low", "mode", "high")))
        if flow.kind == "lognormal":
            return Lognormal(_figure(flow, "median"), _figure(flow, "sigma"))
        return Empirical(flow.values or ())
    except ValueError as error:
        raise INPUT_INCONSISTENT(input="flow", why=str(error)) from error


def _figure(flow: UncertainFlow, name: str) -> Decimal:
    found: Decimal | None = getattr(flow, name)
    if found is None:
        raise INPUT_MISSING(input=f"flow.{name}")
    return found


def _weights(inputs: MonteCarloInputs) -> list[Decimal]:
    """Return what 1 元 of the first year's income is worth in each year, growth and all."""
    factors = discount_factors(inputs.rate, inputs.years, timing=inputs.timing)
    return [factor * (ONE + inputs.growth) ** year for year, factor in enumerate(factors)]


def _norm(weights: list[Decimal]) -> Decimal:
    return total(weight**2 for weight in weights).sqrt()


def _simulated(inputs: MonteCarloInputs, flow: Distribution, weights: list[Decimal]) -> Simulation:
    """Draw one income for all years, or one for each if `yearly`."""
    each = weights if inputs.yearly else [total(weights)]
    drawn = {str(year): flow for year in range(len(each))}
    factors = {str(year): float(weight) for year, weight in enumerate(each)}

    def model(flows: Mapping[str, Floats]) -> Floats:
        values = np.zeros_like(flows["0"])
        for year, factor in factors.items():
            values += factor * flows[year]
        return values

    return simulate(drawn, model, draws=inputs.draws, seed=inputs.seed)


def _decimal(simulated: float) -> Decimal:
    """Return the shortest decimal that names the float."""
    return Decimal(repr(simulated))


def _warn_of_disagreement(working: Working) -> None:
    working.warn(
        "valuation.simulation_off",
        zh=f"模拟均值与精确期望相差超过 {ERRORS_MAX} 倍标准误",
        en=f"The simulated mean misses the exact one by more than {ERRORS_MAX} standard errors",
    )


MONTECARLO = Method(
    name="montecarlo",
    inputs=MonteCarloInputs,
    compute=_compute,
    outputs=(
        Output("value", Kind.MONEY, "期望值", "Mean"),
        Output("deviation", Kind.MONEY, "标准差", "Standard deviation"),
        Output(
            "interval", Kind.MONEY, "区间（P10、P50、P90）", "Interval (P10, P50, P90)", many=True
        ),
        Output("simulated_interval", Kind.MONEY, "模拟区间", "Simulated interval", many=True),
        Output("simulated_mean", Kind.MONEY, "模拟均值", "Simulated mean"),
        Output("standard_error", Kind.MONEY, "均值的标准误", "Standard error of the mean"),
        Output("draws", Kind.NUMBER, "模拟次数", "Draws"),
        Output("seed", Kind.NUMBER, "随机种子", "Seed"),
    ),
)
