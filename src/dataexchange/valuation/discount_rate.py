"""Discount-rate build-up (折现率): CAPM, WACC, and the return that the intangible must earn.

`Re = rf + β·ERP + rs`; `WACC = We·Re + Wd·Rd·(1−T)`; `WACCBT = WACC/(1−T)`;
`Ri = (WACCBT − Wc·Rc − Wf·Rf)/Wi`. Source: general appraisal practice; unverified.
"""

from collections.abc import Mapping
from decimal import Decimal

from dataexchange.valuation.arithmetic import ONE, Number, exact, total
from dataexchange.valuation.bounded import figure, not_negative, rate, share
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import Inputs, NonNegative, Rate, Ratio
from dataexchange.valuation.refusal import ValuationRefusal
from dataexchange.valuation.weights import check_weights

NO_INTANGIBLE_SHARE = ValuationRefusal(
    "valuation.no_intangible_share",
    clause="return on intangibles, Wi > 0; unverified",
    zh="无形资产占比为零，无法求出无形资产回报率",
    en="The intangible share is zero, so that no return on it can be derived",
)
NO_AFTER_TAX = ValuationRefusal(
    "valuation.tax_takes_all",
    clause="WACCBT = WACC/(1−T), T < 1; unverified",
    zh="税率为 1，没有税前折现率",
    en="At a tax rate of 1 there is no pre-tax rate",
)


class Asset(Inputs):
    """A class of the owner's assets: its share of the whole and the return it earns."""

    weight: Ratio
    earns: Rate


class Assets(Inputs):
    """Current, fixed and intangible assets; the shares sum to one."""

    current: Asset
    fixed: Asset
    intangible_weight: Ratio


class DiscountRateInputs(Inputs):
    """The inputs of the build-up."""

    risk_free: Rate
    beta: NonNegative
    equity_risk_premium: Rate
    specific_premium: Rate
    equity_weight: Ratio
    debt_weight: Ratio
    cost_of_debt: Rate
    tax_rate: Ratio
    assets: Assets | None = None


@exact
def cost_of_equity(
    risk_free: Number, beta: Number, *, equity_risk_premium: Number, specific_premium: Number = 0
) -> Decimal:
    """Return Re = rf + β·ERP + rs."""
    market = not_negative(beta, "beta") * rate(equity_risk_premium, "equity_risk_premium")
    return rate(risk_free, "risk_free") + market + rate(specific_premium, "specific_premium")


@exact
def wacc(
    equity: Number,
    debt: Number,
    *,
    equity_weight: Number,
    debt_weight: Number,
    tax_rate: Number,
) -> Decimal:
    """Return the after-tax WACC of a cost of equity and a cost of debt."""
    owned, owed = share(equity_weight, "equity_weight"), share(debt_weight, "debt_weight")
    check_weights([owned, owed], name="equity_weight, debt_weight")
    shielded = rate(debt, "cost_of_debt") * (ONE - share(tax_rate, "tax_rate"))
    return owned * figure(equity, "cost_of_equity") + owed * shielded


@exact
def before_tax(after_tax: Number, tax_rate: Number) -> Decimal:
    """Return WACCBT = WACC/(1−T); raises `valuation.tax_takes_all` at T = 1."""
    kept = ONE - share(tax_rate, "tax_rate")
    if not kept:
        raise NO_AFTER_TAX()
    return figure(after_tax, "wacc") / kept


@exact
def intangible_return(
    pretax: Number, others: list[tuple[Number, Number]], *, intangible_weight: Number
) -> Decimal:
    """Return Ri; `others` are (weight, return) of the other assets.

    Raises `valuation.weights_not_one` and, at Wi = 0, `valuation.no_intangible_share`.
    """
    own = share(intangible_weight, "intangible_weight")
    if not own:
        raise NO_INTANGIBLE_SHARE()
    held = [(share(weight, "weight"), rate(earns, "earns")) for weight, earns in others]
    check_weights([own, *(weight for weight, _ in held)], name="assets")
    return (figure(pretax, "pretax") - total(weight * earns for weight, earns in held)) / own


def _compute(
    inputs: DiscountRateInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # market figures are inputs, each with its own source
    equity = cost_of_equity(
        inputs.risk_free,
        inputs.beta,
        equity_risk_premium=inputs.equity_risk_premium,
        specific_premium=inputs.specific_premium,
    )
    working.step("Re", equity, zh="权益资本成本", en="cost of equity")
    after_tax = wacc(
        equity,
        inputs.cost_of_debt,
        equity_weight=inputs.equity_weight,
        debt_weight=inputs.debt_weight,
        tax_rate=inputs.tax_rate,
    )
    working.step("WACC", after_tax, zh="税后加权平均资本成本", en="after-tax WACC")
    pretax = before_tax(after_tax, inputs.tax_rate)
    working.step("WACCBT", pretax, zh="税前加权平均资本成本", en="pre-tax WACC")
    found = {"wacc": after_tax, "cost_of_equity": equity, "pretax_wacc": pretax}
    return found | _intangible(inputs.assets, pretax, working)


def _intangible(assets: Assets | None, pretax: Decimal, working: Working) -> dict[str, Decimal]:
    if assets is None:
        return {}
    earns = intangible_return(
        pretax,
        [(one.weight, one.earns) for one in (assets.current, assets.fixed)],
        intangible_weight=assets.intangible_weight,
    )
    working.step("Ri", earns, zh="无形资产回报率（税前）", en="return on intangibles, pre-tax")
    return {"intangible_return": earns}


DISCOUNT_RATE = Method(
    name="discount_rate",
    inputs=DiscountRateInputs,
    compute=_compute,
    outputs=(
        Output("wacc", Kind.RATIO, "税后加权平均资本成本", "After-tax WACC"),
        Output("cost_of_equity", Kind.RATIO, "权益资本成本", "Cost of equity"),
        Output("pretax_wacc", Kind.RATIO, "税前加权平均资本成本", "Pre-tax WACC"),
        Output(
            "intangible_return",
            Kind.RATIO,
            "无形资产回报率（税前）",
            "Return on intangibles, pre-tax",
        ),
    ),
    refusals=(NO_INTANGIBLE_SHARE, NO_AFTER_TAX),
)
