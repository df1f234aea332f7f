"""Booking of data resources (数据资源入表): the accounting view, at cost and never at value.

Own use: an intangible asset (无形资产) at actual cost, research expensed, straight-line from the
month it is ready, impaired and never reversed. Held for sale: inventory (存货) at the lower of cost
and net realisable value. Source: 财会〔2023〕11号, as quoted; 企业会计准则 6, 1 and 8, unverified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from annotated_types import Le

from dataexchange.valuation.arithmetic import ZERO, Number, exact, total
from dataexchange.valuation.bounded import not_negative
from dataexchange.valuation.engagement import BOOKING_BASIS
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import Count, Currency, Day, Inputs, Money, Text
from dataexchange.valuation.refusal import (
    INPUT_INCONSISTENT,
    INPUT_MISSING,
    INPUT_OUT_OF_RANGE,
    INPUT_UNKNOWN,
    ValuationRefusal,
)

NO_COST = ValuationRefusal(
    "valuation.no_cost_to_book",
    clause="财会〔2023〕11号 (initial measurement at cost; as quoted)",
    zh="没有可资本化的成本，不能确认资产",
    en="There is no cost that may be capitalised: no asset is recognised",
)
REVERSAL = ValuationRefusal(
    "valuation.impairment_reversed",
    clause="企业会计准则第8号——资产减值 art. 17; unverified",
    zh="无形资产减值损失一经确认不得转回",
    en="An impairment loss of an intangible asset is never reversed",
)

CostKind: TypeAlias = Literal[
    "acquisition",
    "processing",
    "ownership_certification",
    "quality_evaluation",
    "registration",
    "security",
    "development",
    "research",
    "other_direct",
]
Months: TypeAlias = Annotated[Count, Le(1200)]


class BookedCost(Inputs):
    """One actual cost in 元; `research` is expensed and never capitalised."""

    item: CostKind
    amount: Money
    incurred_on: Day | None = None
    currency: Currency = "CNY"


class ImpairmentTest(Inputs):
    """The recoverable amount found at the end of the month of `tested_on`."""

    tested_on: Day
    recoverable: Money
    reverse: bool = False


class RecognitionInputs(Inputs):
    """What was spent, since when the data is in use, and until when the books are drawn up."""

    holding: Literal["own_use", "for_sale"]
    costs: tuple[BookedCost, ...]
    measured_at: Literal["cost", "appraised_value"] = "cost"
    as_of: Day
    ready_on: Day | None = None
    life_months: Months | None = None
    impairment_tests: tuple[ImpairmentTest, ...] = ()
    net_realisable_value: Money | None = None
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """An intangible asset in the books at the end of a month, 元."""

    cost: Decimal
    amortised: Decimal
    impaired: Decimal
    months_left: int
    charge_of_year: Decimal
    last_impairment: Decimal

    @property
    @exact
    def carrying(self) -> Decimal:
        """Cost less amortisation less impairment."""
        return self.cost - self.amortised - self.impaired

    @property
    @exact
    def monthly_charge(self) -> Decimal:
        """Straight-line charge of each month that is left; 0 when none is."""
        return self.carrying / self.months_left if self.months_left else ZERO


@exact
def amortise(
    cost: Number,
    *,
    life_months: int,
    ready_on: date,
    as_of: date,
    tests: Sequence[tuple[date, Number]] = (),
) -> Carried:
    """Return the asset at the end of the month of `as_of`.

    The first charge is in the month of `ready_on`. Each test is (day, recoverable amount) and acts
    at the end of its month; a recoverable amount above the carrying amount changes nothing.
    """
    found = {_month(day): not_negative(amount, "recoverable") for day, amount in tests}
    if life_months < 1:
        raise INPUT_OUT_OF_RANGE(input="life_months", given=life_months, range="≥ 1")
    state = Carried(not_negative(cost, "cost"), ZERO, ZERO, life_months, ZERO, ZERO)
    for month in range(_month(ready_on), _month(as_of) + 1):
        state = _impair(_charge(state, new_year=month % 12 == 0), found.get(month))
    return state


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _charge(state: Carried, *, new_year: bool) -> Carried:
    charge = state.monthly_charge
    return Carried(
        state.cost,
        state.amortised + charge,
        state.impaired,
        max(state.months_left - 1, 0),
        charge if new_year else state.charge_of_year + charge,
        state.last_impairment,
    )


def _impair(state: Carried, recoverable: Decimal | None) -> Carried:
    if recoverable is None or recoverable >= state.carrying:
        return state
    loss = state.carrying - recoverable
    return Carried(
        state.cost,
        state.amortised,
        state.impaired + loss,
        state.months_left,
        state.charge_of_year,
        loss,
    )


def _compute(
    inputs: RecognitionInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # the norms set no coefficients
    if inputs.measured_at == "appraised_value":
        raise BOOKING_BASIS()
    capitalised = total(one.amount for one in inputs.costs if one.item != "research")
    expensed = total(one.amount for one in inputs.costs if one.item == "research")
    if not capitalised:
        raise NO_COST()
    working.step("C", capitalised, zh="初始成本，元", en="initial cost, 元")
    working.step("E", expensed, zh="费用化的研究支出，元", en="research expensed, 元")
    booked = _own_use if inputs.holding == "own_use" else _for_sale
    return {"cost": capitalised, "expensed": expensed} | booked(inputs, capitalised, working)


def _own_use(inputs: RecognitionInputs, cost: Decimal, working: Working) -> dict[str, Decimal]:
    if inputs.net_realisable_value is not None:
        raise INPUT_UNKNOWN(input="net_realisable_value (own_use)")
    if inputs.ready_on is None or inputs.life_months is None:
        raise INPUT_MISSING(input="ready_on" if inputs.ready_on is None else "life_months")
    _check_tests(inputs)
    tests = [(test.tested_on, test.recoverable) for test in inputs.impairment_tests]
    asset = amortise(
        cost,
        life_months=inputs.life_months,
        ready_on=inputs.ready_on,
        as_of=inputs.as_of,
        tests=tests,
    )
    working.step("A", asset.amortised, zh="累计摊销，元", en="accumulated amortisation, 元")
    working.step("L", asset.impaired, zh="减值准备，元", en="accumulated impairment, 元")
    return {
        "carrying_amount": asset.carrying,
        "amortised": asset.amortised,
        "amortised_this_year": asset.charge_of_year,
        "impairment": asset.impaired,
        "monthly_charge": asset.monthly_charge,
    }


def _check_tests(inputs: RecognitionInputs) -> None:
    if any(test.reverse for test in inputs.impairment_tests):
        raise REVERSAL()
    months = [_month(test.tested_on) for test in inputs.impairment_tests]
    if months != sorted(set(months)):
        raise INPUT_INCONSISTENT(
            input="impairment_tests",
            why="expects one a month at most, in order",
            why_zh="每月至多一次，按时间排列",
        )
    first = _month(inputs.ready_on) if inputs.ready_on else 0
    if any(not first <= month <= _month(inputs.as_of) for month in months):
        raise INPUT_INCONSISTENT(
            input="impairment_tests",
            why="expects days from ready_on to as_of",
            why_zh="日期应在 ready_on 与 as_of 之间",
        )


def _for_sale(inputs: RecognitionInputs, cost: Decimal, working: Working) -> dict[str, Decimal]:
    for name in ("ready_on", "life_months", "impairment_tests"):
        if getattr(inputs, name):
            raise INPUT_UNKNOWN(input=f"{name} (for_sale)")
    if inputs.net_realisable_value is None:
        raise INPUT_MISSING(input="net_realisable_value")
    carrying = min(cost, inputs.net_realisable_value)
    working.step("V", carrying, zh="存货账面价值，元", en="inventory, 元")
    return {"carrying_amount": carrying, "write_down": cost - carrying}


RECOGNITION = Method(
    name="recognition",
    inputs=RecognitionInputs,
    compute=_compute,
    outputs=(
        Output("carrying_amount", Kind.MONEY, "账面价值", "Carrying amount"),
        Output("cost", Kind.MONEY, "初始成本", "Initial cost"),
        Output("expensed", Kind.MONEY, "费用化的研究支出", "Research expensed"),
        Output("amortised", Kind.MONEY, "累计摊销", "Accumulated amortisation"),
        Output("amortised_this_year", Kind.MONEY, "本年摊销", "Amortisation of the year"),
        Output("impairment", Kind.MONEY, "减值准备", "Accumulated impairment"),
        Output("monthly_charge", Kind.MONEY, "以后每月摊销", "Charge of each later month"),
        Output("write_down", Kind.MONEY, "存货跌价准备", "Write-down of inventory"),
    ),
    refusals=(NO_COST, REVERSAL),
)
