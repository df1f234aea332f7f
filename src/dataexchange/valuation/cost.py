"""Cost method (成本法): what it would cost to make the data again, adjusted for what it is worth.

`C = Σ hist_k · idx_now/idx_k · (1+o) · (1+π)`; `P = C·δ`, or `C·(1−d)·δ` with
`d = used/(used+remaining)`. Source: 数据资产评估指导意见 (中评协〔2023〕17号), annex; unverified.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from dataexchange.valuation.arithmetic import ONE, ZERO, Number, exact, total
from dataexchange.valuation.bounded import not_negative, positive, share
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import (
    Currency,
    Day,
    Elapsed,
    Inputs,
    Money,
    NonNegative,
    Positive,
    Text,
)
from dataexchange.valuation.refusal import ValuationRefusal

NO_COST_EVIDENCE = ValuationRefusal(
    "valuation.no_cost_evidence",
    clause="中评协〔2023〕17号 annex, cost method; unverified",
    zh="没有任何成本依据，不能采用成本法",
    en="Without any evidence of cost the cost method does not apply",
)
NO_LIFE = ValuationRefusal(
    "valuation.no_life",
    clause="中评协〔2023〕17号 annex, cost method; unverified",
    zh="已使用与尚可使用的月数都是零",
    en="The used and the remaining months are both zero",
)

CostClass = Literal["preliminary", "direct", "indirect", "opportunity", "tax"]


class Cost(Inputs):
    """One historic cost in 元 and the index that carries it to the base date."""

    item: CostClass
    amount: Money
    index_then: Positive = ONE
    index_now: Positive = ONE
    incurred_on: Day | None = None
    currency: Currency = "CNY"
    note: Text | None = None


class Wear(Inputs):
    """How far the asset's life is spent, in months."""

    used_months: Elapsed
    remaining_months: Elapsed


class CostInputs(Inputs):
    """The inputs of the cost method."""

    costs: tuple[Cost, ...] = ()
    overhead: NonNegative = ZERO
    profit: NonNegative = ZERO
    wear: Wear | None = None
    adjustment: NonNegative


@exact
def replacement_cost(
    costs: list[tuple[Number, Number, Number]], *, overhead: Number = 0, profit: Number = 0
) -> Decimal:
    """Return C in 元: each cost is (amount, index then, index now).

    Raises `valuation.no_cost_evidence` where there is no cost at all.
    """
    indexed = total(_indexed(*cost) for cost in costs)
    if not indexed:
        raise NO_COST_EVIDENCE()
    raised = indexed * (ONE + not_negative(overhead, "overhead"))
    return raised * (ONE + not_negative(profit, "profit"))


def _indexed(amount: Number, index_then: Number, index_now: Number) -> Decimal:
    then, now = positive(index_then, "index_then"), positive(index_now, "index_now")
    return not_negative(amount, "amount") * now / then


@exact
def depreciation(used_months: int, remaining_months: int) -> Decimal:
    """Return d, the share of life that is spent; raises `valuation.no_life`."""
    used_months = int(not_negative(used_months, "used_months"))
    remaining_months = int(not_negative(remaining_months, "remaining_months"))
    if used_months + remaining_months == 0:
        raise NO_LIFE()
    return Decimal(used_months) / (used_months + remaining_months)


@exact
def cost_value(replacement: Number, *, adjustment: Number, depreciated: Number = 0) -> Decimal:
    """Return P = C·(1−d)·δ in 元."""
    left = ONE - share(depreciated, "depreciated")
    return not_negative(replacement, "replacement") * left * not_negative(adjustment, "adjustment")


def _compute(
    inputs: CostInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # the cost method has no coefficients of its own
    rows: list[tuple[Number, Number, Number]] = [
        (cost.amount, cost.index_then, cost.index_now) for cost in inputs.costs
    ]
    replacement = replacement_cost(rows, overhead=inputs.overhead, profit=inputs.profit)
    working.step("C", replacement, zh="重置成本，元", en="replacement cost, 元")
    spent = _spent(inputs.wear, working)
    value = cost_value(replacement, adjustment=inputs.adjustment, depreciated=spent)
    working.step("P", value, zh="评估值，元", en="value, 元")
    return {"value": value, "replacement_cost": replacement, "depreciation": spent}


def _spent(wear: Wear | None, working: Working) -> Decimal:
    if wear is None:
        return ZERO
    spent = depreciation(wear.used_months, wear.remaining_months)
    return working.step("d", spent, zh="贬值率", en="share of life spent")


COST = Method(
    name="cost",
    inputs=CostInputs,
    compute=_compute,
    outputs=(
        Output("value", Kind.MONEY, "评估值", "Value"),
        Output("replacement_cost", Kind.MONEY, "重置成本", "Replacement cost"),
        Output("depreciation", Kind.RATIO, "贬值率", "Depreciation"),
    ),
    refusals=(NO_COST_EVIDENCE, NO_LIFE),
    approach="cost",
)
