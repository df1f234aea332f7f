"""Market method (市场法): what comparable data was sold for, adjusted five times.

`P = Σ_i Σ_c w_ic · Q_ic · X1·X2·X3·X4·X5`: quality 质量, supply and demand 供求, period 期日,
capacity 容量, other 其他. Of several comparables for one data set, the closer weighs more: weights
in proportion to 1/Σ|X−1| (our design). Source: 中评协〔2023〕17号 annex; unverified.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from annotated_types import Len

from dataexchange.valuation.arithmetic import ONE, ZERO, Number, exact, total
from dataexchange.valuation.bounded import not_negative, positive
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import (
    Currency,
    Day,
    Elapsed,
    Hash,
    Inputs,
    Money,
    NonNegative,
    Positive,
    Text,
)
from dataexchange.valuation.refusal import INPUT_INCONSISTENT, ValuationRefusal
from dataexchange.valuation.weights import all_or_none

NO_COMPARABLE = ValuationRefusal(
    "valuation.no_comparable",
    clause="中评协〔2023〕17号 (市场法, 可比案例); unverified",
    zh="数据集“{dataset}”没有可比案例，不能采用市场法",
    en="The data set {dataset} has no comparable deal: the market method does not apply",
)
NOT_ARMS_LENGTH = ValuationRefusal(
    "valuation.not_arms_length",
    clause="中评协〔2023〕17号 (公开交易); unverified",
    zh="数据集“{dataset}”的可比案例是关联方之间的交易",
    en="A comparable of the data set {dataset} was a deal between related parties",
)
COMPARABLES_FEW = 3


class Comparable(Inputs):
    """A closed deal: its price and how the valued data compares (1 is alike, above 1 is better)."""

    price: Money
    quality: Positive = ONE
    supply_demand: Positive = ONE
    period: Positive | None = None
    index_deal: Positive | None = None
    index_base: Positive | None = None
    capacity: Positive = ONE
    other: Positive = ONE
    weight: NonNegative | None = None
    dealt_on: Day | None = None
    origin: Literal["ledger", "outside"] = "outside"
    entry_index: Elapsed | None = None
    leaf_hash: Hash | None = None
    related_parties: bool = False
    currency: Currency = "CNY"


class Dataset(Inputs):
    """One data set that is valued, and the deals that it is compared with."""

    name: Text
    comparables: tuple[Comparable, ...] = ()


class MarketInputs(Inputs):
    """The inputs of the market method."""

    datasets: Annotated[tuple[Dataset, ...], Len(1, 500)]


@exact
def adjusted_price(price: Number, factors: Sequence[Number]) -> Decimal:
    """Return Q·ΠX in 元."""
    adjusted = not_negative(price, "price")
    for factor in factors:
        adjusted *= positive(factor, "factors")
    return adjusted


@exact
def closeness_weights(factors: Sequence[Sequence[Number]]) -> list[Decimal]:
    """Return weights ∝ 1/Σ|X−1|; deals that are wholly alike share all the weight equally."""
    distances = [total(abs(positive(x, "factors") - ONE) for x in row) for row in factors]
    alike = [distance == 0 for distance in distances]
    shares = [ONE if one else ZERO for one in alike] if any(alike) else [ONE / d for d in distances]
    return [share / total(shares) for share in shares]


def factors_of(comparable: Comparable) -> tuple[Decimal, ...]:
    """Return X1…X5; the period factor may be given as two index values."""
    return (
        comparable.quality,
        comparable.supply_demand,
        _period(comparable),
        comparable.capacity,
        comparable.other,
    )


def _period(comparable: Comparable) -> Decimal:
    deal, base = comparable.index_deal, comparable.index_base
    if (deal is None) != (base is None) or (deal is not None and comparable.period is not None):
        raise INPUT_INCONSISTENT(
            input="period",
            why="give either period, or both index_deal and index_base",
            why_zh="period 与（index_deal、index_base）两者只填其一",
        )
    if deal is not None and base is not None:
        return base / deal
    return ONE if comparable.period is None else comparable.period


def _compute(
    inputs: MarketInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # adjustment factors are inputs, each with its own source
    names = [dataset.name for dataset in inputs.datasets]
    if len(set(names)) != len(names):
        raise INPUT_INCONSISTENT(input="datasets", why="a name is given twice", why_zh="名称重复")
    worth = {dataset.name: _dataset(dataset, working) for dataset in inputs.datasets}
    value = working.step("P", total(worth.values()), zh="评估值，元", en="value, 元")
    return {"value": value, "datasets": worth}


def _dataset(dataset: Dataset, working: Working) -> Decimal:
    deals = dataset.comparables
    _check_deals(dataset, working)
    rows = [factors_of(deal) for deal in deals]
    weights = _weights(deals, rows)
    prices = [adjusted_price(deal.price, row) for deal, row in zip(deals, rows, strict=True)]
    for price, weight in zip(prices, weights, strict=True):
        working.step("Q·ΠX", price, zh=f"{dataset.name}：修正价，元", en="adjusted price, 元")
        working.step("w", weight, zh=f"{dataset.name}：权重", en="weight")
    return total(price * weight for price, weight in zip(prices, weights, strict=True))


def _weights(deals: Sequence[Comparable], rows: Sequence[Sequence[Decimal]]) -> list[Decimal]:
    stated = [deal.weight for deal in deals]
    if any(weight is not None for weight in stated):
        return all_or_none(stated, name="comparables[].weight")
    return closeness_weights(rows)


def _check_deals(dataset: Dataset, working: Working) -> None:
    if not dataset.comparables:
        raise NO_COMPARABLE(dataset=dataset.name)
    if any(deal.related_parties for deal in dataset.comparables):
        raise NOT_ARMS_LENGTH(dataset=dataset.name)
    for deal in dataset.comparables:
        if deal.origin == "ledger" and (deal.entry_index is None or deal.leaf_hash is None):
            raise INPUT_INCONSISTENT(
                input=f"datasets ({dataset.name})",
                why="a deal of the ledger names its entry_index and leaf_hash",
                why_zh="账本案例须填 entry_index 与 leaf_hash",
            )
    if len(dataset.comparables) < COMPARABLES_FEW:
        working.warn(
            "valuation.few_comparables",
            zh=f"“{dataset.name}”的可比案例少于 {COMPARABLES_FEW} 个",
            en=f"{dataset.name} has fewer than {COMPARABLES_FEW} comparable deals",
        )


MARKET = Method(
    name="market",
    inputs=MarketInputs,
    compute=_compute,
    outputs=(
        Output("value", Kind.MONEY, "评估值", "Value"),
        Output("datasets", Kind.MONEY, "各数据集评估值", "Value of each data set", many=True),
    ),
    refusals=(NO_COMPARABLE, NOT_ARMS_LENGTH),
    approach="market",
)
