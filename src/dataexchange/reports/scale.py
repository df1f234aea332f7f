"""A linear axis: from values to px, with round ticks."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps `low` to px `left` and `high` to px `right`."""

    low: Decimal
    high: Decimal
    left: float
    right: float

    def at(self, value: Decimal) -> float:
        """Return where `value` stands, in px."""
        share = (value - self.low) / (self.high - self.low)
        return self.left + float(share) * (self.right - self.left)

    def ticks(self, count_max: int = 6) -> list[Decimal]:
        """Return round values between the ends, at most `count_max`."""
        step = round_step((self.high - self.low) / (count_max - 1))
        first = (self.low / step).to_integral_value(ROUND_CEILING) * step
        found = [first + step * place for place in range(count_max)]
        return [value for value in found if value <= self.high]


def axis_over(values: Iterable[Decimal], left: float, right: float) -> Axis:
    """Return an axis over all `values` with a little room, and some where they are all equal."""
    known = list(values)
    low, high = min(known), max(known)
    room = (high - low) / 20 or abs(high) / 10 or Decimal(1)
    return Axis(low - room, high + room, left, right)


def round_step(least: Decimal) -> Decimal:
    """Return the least of 1, 2, 2.5, 5 times a power of ten that is not below `least`."""
    power = Decimal(1).scaleb(least.adjusted())
    ratio = least / power
    return (
        next(step for step in _STEPS if step >= ratio.quantize(Decimal("1e-9"), ROUND_FLOOR))
        * power
    )
