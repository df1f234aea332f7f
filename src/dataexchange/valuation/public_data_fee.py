"""Fee ceiling of authorised public data (公共数据授权运营服务费上限).

`cap = (operating cost − subsidy) + allowed profit + tax − prior excess`; free for public-welfare
use. The notice sets no profit rate that we found: it is an input with its legal basis.
Source: 发改价格〔2025〕65号, as quoted.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from dataexchange.valuation.arithmetic import ZERO, Number, exact
from dataexchange.valuation.bounded import not_negative
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import Currency, Inputs, Money, Text
from dataexchange.valuation.refusal import ValuationRefusal

SUBSIDY_ABOVE_COST = ValuationRefusal(
    "valuation.subsidy_above_cost",
    clause="发改价格〔2025〕65号 (as quoted)",
    zh="财政补贴大于运营成本，没有可收费的成本",
    en="The subsidy exceeds the operating cost: there is no cost to charge for",
)


class PublicDataFeeInputs(Inputs):
    """The yearly accounts of the authorised operator, in 元."""

    use: Literal["public_welfare", "commercial"]
    operating_cost: Money
    subsidy: Money = ZERO
    allowed_profit: Money
    profit_basis: Text
    tax: Money
    prior_excess: Money = ZERO
    currency: Currency = "CNY"


@exact
def public_data_fee_cap(
    operating_cost: Number,
    *,
    allowed_profit: Number,
    tax: Number,
    subsidy: Number = 0,
    prior_excess: Number = 0,
) -> Decimal:
    """Return the ceiling in 元, at least 0; raises `valuation.subsidy_above_cost`."""
    cost, paid = not_negative(operating_cost, "operating_cost"), not_negative(subsidy, "subsidy")
    if paid > cost:
        raise SUBSIDY_ABOVE_COST()
    added = not_negative(allowed_profit, "allowed_profit") + not_negative(tax, "tax")
    return max(cost - paid + added - not_negative(prior_excess, "prior_excess"), ZERO)


def _compute(
    inputs: PublicDataFeeInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # no coefficient of the notice was found
    cap = public_data_fee_cap(
        inputs.operating_cost,
        allowed_profit=inputs.allowed_profit,
        tax=inputs.tax,
        subsidy=inputs.subsidy,
        prior_excess=inputs.prior_excess,
    )
    working.step("cap", cap, zh="最高准许收入，元", en="highest allowed revenue, 元")
    if inputs.use == "public_welfare":
        working.warn(
            "valuation.free_of_charge",
            zh="用于公共治理、公益事业的，免费提供",
            en="Use for public governance and welfare is free of charge",
        )
    ceiling = ZERO if inputs.use == "public_welfare" else cap
    return {"ceiling": ceiling, "allowed_revenue": cap}


PUBLIC_DATA_FEE = Method(
    name="public_data_fee",
    inputs=PublicDataFeeInputs,
    compute=_compute,
    outputs=(
        Output("ceiling", Kind.MONEY, "收费上限", "Fee ceiling"),
        Output("allowed_revenue", Kind.MONEY, "最高准许收入", "Highest allowed revenue"),
    ),
    refusals=(SUBSIDY_ABOVE_COST,),
)
