"""Discounting: when each year's money comes, what it is worth today, and the tax shield.

Year ends, or mid-years; the first year may be a stub (a fraction of a year), and then its flow is
that fraction of the year's. No rounding inside.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, TypeAlias

from dataexchange.valuation import bounded
from dataexchange.valuation.arithmetic import ONE, ZERO, Number, exact, total
from dataexchange.valuation.bounded import figures, positive, share
from dataexchange.valuation.refusal import INPUT_OUT_OF_RANGE, ValuationRefusal

Timing: TypeAlias = Literal["end", "mid"]

TAB_UNBOUNDED = ValuationRefusal(
    "valuation.tab_unbounded",
    clause="TAB = 1/(1−T·a/n), T·a/n < 1; unverified",
    zh="摊销税盾不收敛：税率 × 年金系数 ≥ 摊销年限",
    en="The tax amortisation benefit has no finite value: T·a ≥ n",
)


@exact
def times(years: int, *, timing: Timing = "end", first_fraction: Number = 1) -> list[Decimal]:
    """Return when each of `years` flows comes, in years from the base date."""
    stub = _stub(first_fraction)
    ends = [stub + year for year in range(years)]
    if timing == "end":
        return ends
    return [stub / 2, *(end - Decimal("0.5") for end in ends[1:])]


def _stub(first_fraction: Number) -> Decimal:
    return positive(share(first_fraction, "first_fraction"), "first_fraction")


@exact
def discount_factors(
    rate: Number, years: int, *, timing: Timing = "end", first_fraction: Number = 1
) -> list[Decimal]:
    """Return 1/(1+i)^t of each year; refuses i ≤ −1."""
    growth = ONE + bounded.rate(rate, "rate")
    if years < 1:
        raise INPUT_OUT_OF_RANGE(input="years", given=years, range="≥ 1")
    when = times(years, timing=timing, first_fraction=first_fraction)
    return [growth**-t for t in when]


@exact
def present_value(
    flows: Sequence[Number],
    rate: Number,
    *,
    timing: Timing = "end",
    first_fraction: Number = 1,
) -> Decimal:
    """Return Σ F_t/(1+i)^t in the unit of the full-year `flows`; a stub scales the first."""
    factors = discount_factors(rate, len(flows), timing=timing, first_fraction=first_fraction)
    first, *later = figures(flows, "flows")
    scaled = [first * _stub(first_fraction), *later]
    return total(flow * factor for flow, factor in zip(scaled, factors, strict=True))


@exact
def annuity(
    rate: Number, years: int, *, timing: Timing = "end", first_fraction: Number = 1
) -> Decimal:
    """Return the present value of 1 a year for exactly `years` years.

    After a stub the last, incomplete year carries what the stub left out.
    """
    stub = _stub(first_fraction)
    whole = present_value([1] * years, rate, timing=timing, first_fraction=stub)
    rest = ONE - stub
    last = Decimal(years) - (rest / 2 if timing == "mid" else ZERO)
    return whole + rest * (ONE + bounded.rate(rate, "rate")) ** -last


@exact
def tax_amortisation_factor(
    tax_rate: Number,
    rate: Number,
    years: int,
    *,
    timing: Timing = "end",
    first_fraction: Number = 1,
) -> Decimal:
    """Return TAB = 1/(1−T·a/n), `n` the tax life in years; raises `valuation.tab_unbounded`."""
    factor = annuity(rate, years, timing=timing, first_fraction=first_fraction)
    shield = share(tax_rate, "tax_rate") * factor / years
    if shield >= ONE:
        raise TAB_UNBOUNDED()
    return ONE / (ONE - shield)
