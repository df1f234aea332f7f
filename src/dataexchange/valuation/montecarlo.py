"""Show how uncertain a value is: Monte Carlo simulation of its inputs (M15).

A simulation is float64 and a disclosure: mean, P10, P50, P90, seed, number of draws and standard
error. The figure that counts is the exact mean in `Decimal`, and the two must agree within four
standard errors. Input j of block b draws from stream `(seed, j, b)` of `stream`.
"""

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np

from dataexchange.valuation.distribution import Distribution
from dataexchange.valuation.stream import Floats, bits

Model: TypeAlias = Callable[[Mapping[str, Floats]], Floats]
"""From one array of draws per input to the array of values, one per draw."""

DRAWS_PER_BLOCK = 1 << 16
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
        return abs(self.mean - mean) <= ERRORS_MAX * self.standard_error


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
