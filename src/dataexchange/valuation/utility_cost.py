"""Utility cost method (专家指引第9号 成本法): total cost times the utility of the data.

`P = TC·U`; `U = α·β·(1+l)·(1−r)`: α quality, β circulation, l monopoly, r risk that the value is
not realised. Source: 资产评估专家指引第9号——数据资产评估; unverified.
"""

from collections.abc import Mapping
from decimal import Decimal

from dataexchange.valuation.arithmetic import ONE, Number, exact
from dataexchange.valuation.bounded import not_negative, share
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import Currency, Inputs, Money, NonNegative, Ratio


class UtilityCostInputs(Inputs):
    """The inputs of the utility cost method."""

    total_cost: Money
    quality: Ratio
    circulation: NonNegative
    monopoly: Ratio
    risk: Ratio
    currency: Currency = "CNY"


@exact
def utility(*, quality: Number, circulation: Number, monopoly: Number, risk: Number) -> Decimal:
    """Return U = α·β·(1+l)·(1−r), a fraction that may exceed 1; refuses what is out of range."""
    spread = share(quality, "quality") * not_negative(circulation, "circulation")
    return spread * (ONE + share(monopoly, "monopoly")) * (ONE - share(risk, "risk"))


def _compute(
    inputs: UtilityCostInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # the coefficients are inputs, each with its own source
    coefficient = utility(
        quality=inputs.quality,
        circulation=inputs.circulation,
        monopoly=inputs.monopoly,
        risk=inputs.risk,
    )
    working.step("U", coefficient, zh="数据效用", en="utility of the data")
    if coefficient > ONE:
        working.warn(
            "valuation.utility_above_one",
            zh="效用大于 1：评估值高于总成本，请说明理由",
            en="The utility exceeds 1: the value is above the total cost; state the reason",
        )
    value = working.step("P", inputs.total_cost * coefficient, zh="评估值，元", en="value, 元")
    return {"value": value, "utility": coefficient}


UTILITY_COST = Method(
    name="utility_cost",
    inputs=UtilityCostInputs,
    compute=_compute,
    outputs=(
        Output("value", Kind.MONEY, "评估值", "Value"),
        Output("utility", Kind.RATIO, "数据效用", "Utility"),
    ),
    approach="cost",
)
