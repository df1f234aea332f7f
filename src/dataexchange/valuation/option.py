"""Value the right, not the duty, to develop or give up a data asset (real option 实物期权, M14).

Black–Scholes–Merton with leakage q (income that escapes while waiting) is the figure; the tree of
Cox, Ross and Rubinstein (1979) checks it and values early exercise. All in `Decimal`, so the
figure is the same on every machine. An option to expand or defer is a call, to abandon a put.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal

from annotated_types import Le

from dataexchange.valuation.arithmetic import ONE, ZERO, Number, exact, number, plain
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import Count, Currency, Inputs, Money, NonNegative, Quantity
from dataexchange.valuation.refusal import ValuationRefusal

STEPS_MAX = 2000
_TAIL = 12
"""Standard deviations beyond which the normal distribution is 0 or 1 to 30 digits."""

OPTION_WITHOUT_RISK = ValuationRefusal(
    "valuation.option_without_risk",
    clause="Black and Scholes 1973; design",
    zh="波动率、期限、标的价值与行权价必须大于零",
    en="Volatility, term, worth and strike must be above zero",
)
TREE_TOO_COARSE = ValuationRefusal(
    "valuation.tree_too_coarse",
    clause="Cox, Ross and Rubinstein 1979: probabilities lie in (0, 1)",
    zh="二叉树步数 {steps} 太少，风险中性概率 {p} 不在 0 与 1 之间",
    en="A tree of {steps} steps is too coarse: its risk-neutral probability {p} is not in (0, 1)",
    remedy_zh="增加步数",
    remedy_en="Take more steps",
)


class OptionKind(StrEnum):
    """The right to invest (call 看涨) or to give up for a sum (put 看跌)."""

    CALL = "call"
    PUT = "put"


@dataclass(frozen=True, slots=True)
class Option:
    """What an option's value rests on: money in 元, rates continuous per year, term in years."""

    worth: Decimal
    strike: Decimal
    rate: Decimal
    volatility: Decimal
    years: Decimal
    leakage: Decimal = ZERO
    kind: OptionKind = OptionKind.CALL

    def __post_init__(self) -> None:
        """Raise `valuation.option_without_risk` where there is nothing to wait for."""
        if min(self.worth, self.strike, self.volatility, self.years) <= 0:
            raise OPTION_WITHOUT_RISK()

    def payoff(self, worth: Decimal) -> Decimal:
        """Return what exercising now brings, never below zero."""
        gain = worth - self.strike if self.kind is OptionKind.CALL else self.strike - worth
        return max(gain, ZERO)


@exact
def normal_cdf(x: Number) -> Decimal:
    """Return Φ(x) to some 30 digits, by the series Φ = ½ + φ(x)·Σ x^(2k+1)/(1·3·…·(2k+1))."""
    point = number(x)
    if abs(point) > _TAIL:
        return ONE if point > 0 else ZERO
    term = total = point
    odd = 1
    while abs(term) > Decimal("1e-48"):
        odd += 2
        term *= point * point / odd
        total += term
    return Decimal("0.5") + total * (-point * point / 2).exp() / _SQRT_TAU


_SQRT_TAU = Decimal("2.5066282746310005024157652848110452530069867406099")
"""√(2π)."""


@exact
def black_scholes(option: Option) -> Decimal:
    """Return the European value in 元: call `S·e^(−qT)·Φ(d1) − K·e^(−rT)·Φ(d2)`."""
    spread = option.volatility * option.years.sqrt()
    drift = (option.rate - option.leakage + option.volatility**2 / 2) * option.years
    d1 = ((option.worth / option.strike).ln() + drift) / spread
    sign = 1 if option.kind is OptionKind.CALL else -1
    worth = option.worth * (-option.leakage * option.years).exp() * normal_cdf(sign * d1)
    strike = option.strike * (-option.rate * option.years).exp() * normal_cdf(sign * (d1 - spread))
    return max(sign * (worth - strike), ZERO)


@exact
def binomial_tree(option: Option, steps: int, *, early: bool = False) -> Decimal:
    """Return the value in 元 by a tree of `steps`; `early` allows exercise at every step.

    `u = e^(σ√Δt)`, `d = 1/u`, `p = (e^((r−q)Δt) − d)/(u − d)`. Raises `valuation.tree_too_coarse`,
    and `ValueError` outside 1 to `STEPS_MAX` steps.
    """
    if not 1 <= steps <= STEPS_MAX:
        raise ValueError(f"a tree has 1 to {STEPS_MAX} steps")
    step = option.years / steps
    up = (option.volatility * step.sqrt()).exp()
    rises = _rise(option, step, up, steps)
    discount = (-option.rate * step).exp()
    worths = [option.worth * up ** (steps - 2 * falls) for falls in range(steps + 1)]
    values = [option.payoff(worth) for worth in worths]
    for level in range(steps - 1, -1, -1):
        values = _step_back(values, discount * rises, discount * (ONE - rises))
        if early:
            worths = [worths[falls] / up for falls in range(level + 1)]
            values = _exercise(option, values, worths)
    return values[0]


@exact
def steps_needed(option: Option) -> int:
    """Return the fewest steps that leave the tree's probability in (0, 1): `n > T·((r−q)/σ)²`."""
    ratio = (option.rate - option.leakage) / option.volatility
    return int(option.years * ratio**2) + 2


def _rise(option: Option, step: Decimal, up: Decimal, steps: int) -> Decimal:
    grown = ((option.rate - option.leakage) * step).exp()
    rises = (grown - ONE / up) / (up - ONE / up)
    if not ZERO < rises < ONE:
        raise TREE_TOO_COARSE(steps=steps, p=plain(round(rises, 6)))
    return rises


def _step_back(values: list[Decimal], rise: Decimal, fall: Decimal) -> list[Decimal]:
    return [rise * upper + fall * lower for upper, lower in pairwise(values)]


def _exercise(option: Option, values: list[Decimal], worths: list[Decimal]) -> list[Decimal]:
    pairs = zip(values, worths, strict=True)
    return [max(held, option.payoff(worth)) for held, worth in pairs]


class OptionInputs(Inputs):
    """The right: worth and strike in 元, continuous rates per year, term in years."""

    worth: Money
    strike: Money
    rate: Quantity
    volatility: NonNegative
    years: NonNegative
    leakage: NonNegative = ZERO
    kind: Literal["call", "put"] = "call"
    style: Literal["european", "american"] = "european"
    steps: Annotated[Count, Le(STEPS_MAX)] = 500
    currency: Currency = "CNY"


def _compute(
    inputs: OptionInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # the option's terms are inputs
    option = Option(
        inputs.worth,
        inputs.strike,
        inputs.rate,
        inputs.volatility,
        inputs.years,
        inputs.leakage,
        OptionKind(inputs.kind),
    )
    european = black_scholes(option)
    working.step("BS", european, zh="布莱克—斯科尔斯值，元", en="Black–Scholes value, 元")
    found = {"value": european, "exercise_now": option.payoff(option.worth)}
    steps = _steps(inputs, option)
    if steps > STEPS_MAX and inputs.style == "european":
        _warn_of_no_tree(working)
        return found
    tree = binomial_tree(option, min(steps, STEPS_MAX), early=inputs.style == "american")
    working.step("CRR", tree, zh=f"{steps} 步二叉树值，元", en=f"tree of {steps}, 元")
    value = european if inputs.style == "european" else max(european, tree)
    return found | {"value": value, "tree": tree}


def _steps(inputs: OptionInputs, option: Option) -> int:
    """Return the steps that are stated, or enough of them for this rate and volatility."""
    if "steps" in inputs.model_fields_set:
        return inputs.steps
    return max(inputs.steps, steps_needed(option))


def _warn_of_no_tree(working: Working) -> None:
    working.warn(
        "valuation.tree_left_out",
        zh=f"波动率相对利率过低，{STEPS_MAX} 步以内的二叉树无法核对",
        en=f"The volatility is too low beside the rate for a tree of {STEPS_MAX} steps to check it",
    )


OPTION = Method(
    name="option",
    inputs=OptionInputs,
    compute=_compute,
    outputs=(
        Output("value", Kind.MONEY, "期权价值", "Value of the option"),
        Output("tree", Kind.MONEY, "二叉树核对值", "Value by the tree"),
        Output("exercise_now", Kind.MONEY, "立即执行所得", "Gain of exercising now"),
    ),
    refusals=(OPTION_WITHOUT_RISK, TREE_TOO_COARSE),
)
