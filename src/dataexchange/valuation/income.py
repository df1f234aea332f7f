"""Income method (收益法): what the data will earn, discounted to the base date.

`P = Σ F_t/(1+i)^t`, where F is the revenue itself (直接 direct), a share of it (分成 share, relief
from royalty), what is left after contributory charges (超额 excess), or the difference that the
data makes (增量 incremental). Source: 中评协〔2023〕17号 annex; unverified.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from annotated_types import Le

from dataexchange.valuation import bounded
from dataexchange.valuation.arithmetic import ONE, ZERO, Number, exact, plain
from dataexchange.valuation.bounded import not_negative
from dataexchange.valuation.discounting import (
    TAB_UNBOUNDED,
    Timing,
    present_value,
    tax_amortisation_factor,
)
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import (
    Count,
    Currency,
    Inputs,
    NonNegative,
    Positive,
    Rate,
    Ratio,
    Row,
    Series,
    Text,
)
from dataexchange.valuation.refusal import (
    INPUT_INCONSISTENT,
    INPUT_MISSING,
    INPUT_OUT_OF_RANGE,
    INPUT_UNKNOWN,
    ValuationRefusal,
)

TAX_BASIS = ValuationRefusal(
    "valuation.tax_basis_mismatch",
    clause="中评协〔2023〕17号 (折现率与收益口径一致); unverified",
    zh="折现率口径（{rate}）与收益口径（{flow}）不一致",
    en="The rate is {rate} and the flows are {flow}: a pre-tax rate fits only pre-tax flows",
)
BEYOND_LIFE = ValuationRefusal(
    "valuation.period_beyond_life",
    clause="中评协〔2023〕17号 (收益期限); unverified",
    zh="收益期 {years} 年超过剩余寿命 {life} 年",
    en="A forecast of {years} years exceeds the remaining life of {life} years",
)

Approach: TypeAlias = Literal["direct", "share", "excess", "incremental"]
Basis: TypeAlias = Literal["pre_tax", "post_tax"]
Years: TypeAlias = Annotated[Count, Le(100)]
Fraction: TypeAlias = Annotated[Positive, Le(ONE)]

_WANTED: Mapping[str, set[str]] = {
    "direct": set(),
    "share": {"share"},
    "excess": {"charges", "charges_basis"},
    "incremental": {"without"},
}


class Charge(Inputs):
    """What another asset contributes to the revenue and must be paid for, 元 a year."""

    name: Text
    amounts: Row


class IncomeInputs(Inputs):
    """The inputs of the income method; amounts are of full years, in 元."""

    approach: Approach
    years: Years
    rate: Rate
    revenue: Row
    share: Row | None = None
    charges: tuple[Charge, ...] | None = None
    charges_basis: Basis | None = None
    without: Row | None = None
    survival: Row | None = None
    timing: Timing = "end"
    first_fraction: Fraction = ONE
    rate_basis: Basis = "post_tax"
    flow_basis: Basis | None = None
    tax_rate: Ratio | None = None
    amortisation_years: Years | None = None
    life_years: NonNegative | None = None
    currency: Currency = "CNY"


@exact
def direct_flows(revenue: Sequence[Number], *, tax_rate: Number = 0) -> list[Decimal]:
    """Return R·(1−T) of each year."""
    kept = ONE - bounded.share(tax_rate, "tax_rate")
    return [not_negative(one, "revenue") * kept for one in revenue]


@exact
def share_flows(
    revenue: Sequence[Number], share: Sequence[Number], *, tax_rate: Number = 0
) -> list[Decimal]:
    """Return R·K·(1−T) of each year: the share, or the royalty that the owner is spared."""
    _check_years(revenue, share, name="share")
    parts = [bounded.share(one, "share") for one in share]
    kept = direct_flows(revenue, tax_rate=tax_rate)
    return [one * part for one, part in zip(kept, parts, strict=True)]


@exact
def excess_flows(
    revenue: Sequence[Number],
    charges: Sequence[Number],
    *,
    tax_rate: Number = 0,
    charges_basis: Basis = "pre_tax",
) -> list[Decimal]:
    """Return what each year leaves after contributory charges and tax.

    Pre-tax charges lower the taxed profit; post-tax charges are taken after the tax.
    """
    _check_years(revenue, charges, name="charges")
    kept = direct_flows(revenue, tax_rate=tax_rate)
    spared = tax_rate if charges_basis == "pre_tax" else 0
    paid = direct_flows(charges, tax_rate=spared)
    return [one - charge for one, charge in zip(kept, paid, strict=True)]


@exact
def incremental_flows(
    with_data: Sequence[Number], without: Sequence[Number], *, tax_rate: Number = 0
) -> list[Decimal]:
    """Return (R_with − R_without)·(1−T) of each year."""
    return excess_flows(with_data, without, tax_rate=tax_rate)


def _check_years(revenue: Sequence[Number], other: Sequence[Number], *, name: str) -> None:
    if len(revenue) != len(other):
        raise INPUT_INCONSISTENT(
            input=name, why="expects one value for each year", why_zh="每年应有一个数"
        )


def _compute(
    inputs: IncomeInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # the income method has no coefficients of its own
    _check_fields(inputs)
    tax_rate = _tax_on_flows(inputs, working)
    flows = _flows(inputs, tax_rate)
    for year, flow in enumerate(flows, start=1):
        working.step(f"F{year}", flow, zh=f"第 {year} 年收益，元", en=f"flow of year {year}, 元")
    if min(flows) < 0:
        working.warn(
            "valuation.negative_flow",
            zh="有的年份收益为负，请说明理由",
            en="A year's flow is negative; state the reason",
        )
    value = present_value(
        flows, inputs.rate, timing=inputs.timing, first_fraction=inputs.first_fraction
    )
    working.step("PV", value, zh="收益现值，元", en="present value of the flows, 元")
    factor = _amortisation(inputs, working)
    working.step("P", value * factor, zh="评估值，元", en="value, 元")
    return {"value": value * factor, "present_value": value, "tab": factor, "flows": flows}


def _check_fields(inputs: IncomeInputs) -> None:
    named = {"share", "charges", "charges_basis", "without"} & inputs.model_fields_set
    wanted = _WANTED[inputs.approach]
    for name in sorted(wanted - named):
        raise INPUT_MISSING(input=name)
    for name in sorted(named - wanted):
        raise INPUT_UNKNOWN(input=f"{name} (approach {inputs.approach})")
    if inputs.life_years is not None and _horizon(inputs) > inputs.life_years:
        raise BEYOND_LIFE(years=plain(_horizon(inputs)), life=plain(inputs.life_years))


def _horizon(inputs: IncomeInputs) -> Decimal:
    return inputs.first_fraction + inputs.years - 1


def _tax_on_flows(inputs: IncomeInputs, working: Working) -> Decimal:
    stated = inputs.flow_basis
    flow = stated or ("pre_tax" if inputs.tax_rate is not None else inputs.rate_basis)
    if stated is None:
        working.warn(
            "valuation.flow_basis_assumed",
            zh=f"没有写明收益口径，按 {flow} 处理",
            en=f"The basis of the flows is not stated; taken as {flow}",
        )
    if flow == inputs.rate_basis:
        return ZERO
    if flow == "post_tax" or inputs.tax_rate is None:
        raise TAX_BASIS(rate=inputs.rate_basis, flow=flow)
    return inputs.tax_rate


def _flows(inputs: IncomeInputs, tax_rate: Decimal) -> list[Decimal]:
    years = inputs.years
    revenue = _surviving(inputs, _row(inputs.revenue, years, name="revenue"))
    if inputs.share is not None:
        share = _ratios(inputs.share, years, name="share")
        return share_flows(revenue, share, tax_rate=tax_rate)
    if inputs.charges is not None:
        charges = _charges(inputs.charges, years)
        basis = inputs.charges_basis or "pre_tax"
        return excess_flows(revenue, charges, tax_rate=tax_rate, charges_basis=basis)
    if inputs.without is not None:
        without = _row(inputs.without, years, name="without")
        return incremental_flows(revenue, without, tax_rate=tax_rate)
    return direct_flows(revenue, tax_rate=tax_rate)


def _surviving(inputs: IncomeInputs, revenue: list[Decimal]) -> list[Decimal]:
    if inputs.survival is None:
        return revenue
    alive = _ratios(inputs.survival, inputs.years, name="survival")
    return [one * part for one, part in zip(revenue, alive, strict=True)]


def _charges(charges: tuple[Charge, ...], years: int) -> list[Decimal]:
    rows = [_row(charge.amounts, years, name=f"charges ({charge.name})") for charge in charges]
    return [sum(year, ZERO) for year in zip(*rows, strict=True)] or [ZERO] * years


def _row(series: Series, years: int, *, name: str) -> list[Decimal]:
    row = series.years(years)
    if row is None:
        raise INPUT_INCONSISTENT(
            input=name,
            why=f"expects {years} values, one for each year",
            why_zh=f"应有 {years} 个数，每年一个",
        )
    if min(row) < 0:
        raise INPUT_OUT_OF_RANGE(input=name, given=plain(min(row)), range="≥ 0")
    return row


def _ratios(series: Series, years: int, *, name: str) -> list[Decimal]:
    row = _row(series, years, name=name)
    if max(row) > 1:
        raise INPUT_OUT_OF_RANGE(input=name, given=plain(max(row)), range="≤ 1")
    return row


def _amortisation(inputs: IncomeInputs, working: Working) -> Decimal:
    if inputs.amortisation_years is None:
        return ONE
    if inputs.tax_rate is None:
        raise INPUT_MISSING(input="tax_rate")
    if inputs.rate_basis == "pre_tax":
        raise TAX_BASIS(rate=inputs.rate_basis, flow="post_tax (tax amortisation benefit)")
    factor = tax_amortisation_factor(
        inputs.tax_rate,
        inputs.rate,
        inputs.amortisation_years,
        timing=inputs.timing,
        first_fraction=inputs.first_fraction,
    )
    return working.step("TAB", factor, zh="摊销税盾系数", en="tax amortisation benefit factor")


INCOME = Method(
    name="income",
    inputs=IncomeInputs,
    compute=_compute,
    outputs=(
        Output("value", Kind.MONEY, "评估值", "Value"),
        Output("present_value", Kind.MONEY, "收益现值", "Present value of the flows"),
        Output("tab", Kind.RATIO, "摊销税盾系数", "Tax amortisation benefit factor"),
        Output("flows", Kind.MONEY, "各年收益", "Flow of each year", many=True),
    ),
    refusals=(TAX_BASIS, BEYOND_LIFE, TAB_UNBOUNDED),
    approach="income",
)
