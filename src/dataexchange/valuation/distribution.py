"""Distributions of an uncertain input: triangular, lognormal, empirical.

Each gives its exact mean, deviation and quantiles in `Decimal` and draws float64 numbers from a
stream by inversion, so one uniform number makes one draw. All scale with the unit of money.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from statistics import NormalDist
from typing import Protocol

from dataexchange.valuation.arithmetic import ONE, ZERO, exact, total
from dataexchange.valuation.arrays import Bits, Floats, np
from dataexchange.valuation.stream import normals, uniforms


class Distribution(Protocol):
    """What a simulation asks of an uncertain input."""

    def mean(self) -> Decimal:
        """Return the exact mean."""

    def deviation(self) -> Decimal:
        """Return the exact standard deviation."""

    def quantile(self, p: Decimal) -> Decimal:
        """Return the value that is not exceeded with probability `p`, 0 < p < 1."""

    def draw(self, source: Bits, count: int) -> Floats:
        """Return `count` draws from `source`."""


@dataclass(frozen=True, slots=True)
class Triangular:
    """Least, likeliest and greatest value (三角分布); least < greatest."""

    low: Decimal
    mode: Decimal
    high: Decimal

    def __post_init__(self) -> None:
        """Refuse corners out of order."""
        if not self.low <= self.mode <= self.high or self.low == self.high:
            raise ValueError("a triangular distribution has low ≤ mode ≤ high and low < high")

    @exact
    def mean(self) -> Decimal:
        """Return (a + c + b)/3."""
        return (self.low + self.mode + self.high) / 3

    @exact
    def deviation(self) -> Decimal:
        """Return √((a² + b² + c² − ab − ac − bc)/18)."""
        a, c, b = self.low, self.mode, self.high
        return ((a * a + b * b + c * c - a * b - a * c - b * c) / 18).sqrt()

    @exact
    def quantile(self, p: Decimal) -> Decimal:
        """Invert the distribution, piece by piece."""
        width = self.high - self.low
        if p * width < self.mode - self.low:
            return self.low + (p * width * (self.mode - self.low)).sqrt()
        return self.high - ((ONE - p) * width * (self.high - self.mode)).sqrt()

    def draw(self, source: Bits, count: int) -> Floats:
        """Invert uniform numbers."""
        low, mode, high = float(self.low), float(self.mode), float(self.high)
        p, width = uniforms(source, count), high - low
        rising = low + np.sqrt(p * width * (mode - low))
        falling = high - np.sqrt((1 - p) * width * (high - mode))
        return np.where(p * width < mode - low, rising, falling)


@dataclass(frozen=True, slots=True)
class Lognormal:
    """A median and the deviation σ of the logarithm (对数正态分布); both above 0."""

    median: Decimal
    sigma: Decimal

    def __post_init__(self) -> None:
        """Refuse what has no logarithm or no spread."""
        if self.median <= 0 or self.sigma <= 0:
            raise ValueError("a lognormal distribution has median and sigma above 0")

    @exact
    def mean(self) -> Decimal:
        """Return median·e^(σ²/2)."""
        return self.median * (self.sigma**2 / 2).exp()

    @exact
    def deviation(self) -> Decimal:
        """Return mean·√(e^(σ²) − 1)."""
        return self.mean() * ((self.sigma**2).exp() - ONE).sqrt()

    @exact
    def quantile(self, p: Decimal) -> Decimal:
        """Return median·e^(σz); z to the 16 digits of algorithm AS 241."""
        return self.median * (self.sigma * Decimal(repr(NormalDist().inv_cdf(float(p))))).exp()

    def draw(self, source: Bits, count: int) -> Floats:
        """Invert normal numbers."""
        drawn = float(self.median) * np.exp(float(self.sigma) * normals(source, count))
        return np.asarray(drawn, dtype=np.float64)


@dataclass(frozen=True)
class Empirical:
    """Observed values, each as likely (经验分布)."""

    values: Sequence[Decimal]

    def __post_init__(self) -> None:
        """Refuse an empty record."""
        if not self.values:
            raise ValueError("an empirical distribution needs at least one value")

    @exact
    def mean(self) -> Decimal:
        """Return the mean of the values."""
        return total(self.values) / len(self.values)

    @exact
    def deviation(self) -> Decimal:
        """Return the deviation of the values as a whole population."""
        mean = self.mean()
        return (total((value - mean) ** 2 for value in self.values) / len(self.values)).sqrt()

    def quantile(self, p: Decimal) -> Decimal:
        """Return the least value that at least p of them do not exceed."""
        return self._ordered[max(0, math.ceil(p * len(self.values)) - 1)]

    def draw(self, source: Bits, count: int) -> Floats:
        """Draw with replacement."""
        ordered = np.array([float(value) for value in self._ordered])
        return np.asarray(ordered[(uniforms(source, count) * len(ordered)).astype(np.intp)])

    @cached_property
    def _ordered(self) -> list[Decimal]:
        return sorted(self.values)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that is known; it draws itself, so a model need not tell the two apart."""

    value: Decimal

    def mean(self) -> Decimal:
        """Return the value."""
        return self.value

    def deviation(self) -> Decimal:
        """Return 0."""
        return ZERO

    def quantile(self, p: Decimal) -> Decimal:
        """Return the value, whatever `p`."""
        del p
        return self.value

    def draw(self, source: Bits, count: int) -> Floats:
        """Return the value `count` times, taking nothing from `source`."""
        del source
        return np.full(count, float(self.value))
