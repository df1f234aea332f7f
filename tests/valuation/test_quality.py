"""Data quality: direction-aware indicators."""

from decimal import Decimal
from typing import Any

import pytest

from dataexchange.valuation import ValuationRefusedError, indicator_score, value, weighted_score

RATIOS = {
    "数据内容正确性": "0.97",
    "数据格式合规性": "0.99",
    "重复率": "0.02",
    "唯一性": "0.98",
    "脏数据出现率": "0.03",
}


def accuracy(ratios: dict[str, str], **more: str) -> dict[str, Any]:
    indicators = [{"name": name, "ratio": ratio} for name, ratio in ratios.items()]
    return {"dimensions": [{"name": "准确性", "indicators": indicators}], **more}


def refusal_of(inputs: dict[str, Any]) -> str:
    with pytest.raises(ValuationRefusedError) as refused:
        value("quality", inputs)
    return refused.value.code


def test_rates_of_faults_are_turned_before_they_are_averaged() -> None:
    assert value("quality", accuracy(RATIOS))["score"] == Decimal("0.978")


def test_the_shanghai_norm_stores_them_already_turned() -> None:
    stored = RATIOS | {"重复率": "0.98", "脏数据出现率": "0.97"}
    result = value("quality", accuracy(stored, standard="DB31/T 1523-2024"))
    assert result["score"] == Decimal("0.978")


def test_counts_are_turned_under_both_norms_alike() -> None:
    dimension = {"name": "准确性", "indicators": [{"name": "重复率", "a": 20, "b": 1000}]}
    scores = {
        standard: value("quality", {"standard": standard, "dimensions": [dimension]})["score"]
        for standard in ("GB/T 36344-2018", "DB31/T 1523-2024")
    }
    assert set(scores.values()) == {Decimal("0.98")}


def test_an_indicator_of_nothing_is_not_assessed_rather_than_zero() -> None:
    assert indicator_score(0, 0) is None
    assert weighted_score([Decimal("0.8"), None], [None, None]) == Decimal("0.8")


def test_weights_of_what_was_not_assessed_are_spread_over_the_rest() -> None:
    scores = [Decimal("0.9"), Decimal("0.6"), None]
    weights = [Decimal("0.4"), Decimal("0.2"), Decimal("0.4")]
    assert weighted_score(scores, weights) == Decimal("0.8")


@pytest.mark.parametrize(
    ("indicator", "code"),
    [
        ({"name": "唯一性", "a": 0, "b": 0}, "valuation.not_assessed"),
        ({"name": "唯一性", "a": 11, "b": 10}, "valuation.input_out_of_range"),
        ({"name": "唯一性", "ratio": "1.1"}, "valuation.input_out_of_range"),
        ({"name": "唯一性", "ratio": "0.9", "direction": "lower"}, "valuation.direction_wrong"),
        ({"name": "重复率", "ratio": "0.1", "direction": "higher"}, "valuation.direction_wrong"),
        ({"name": "自定义", "ratio": "0.1"}, "valuation.direction_missing"),
        ({"name": "唯一性"}, "valuation.input_inconsistent"),
        ({"name": "唯一性", "ratio": "0.9", "a": 9, "b": 10}, "valuation.input_inconsistent"),
    ],
)
def test_each_fault_of_an_indicator_has_its_own_refusal(
    indicator: dict[str, Any], code: str
) -> None:
    assert refusal_of({"dimensions": [{"name": "准确性", "indicators": [indicator]}]}) == code


def test_weights_for_some_dimensions_only_are_refused() -> None:
    dimensions = [{"name": "A", "score": 1, "weight": "0.5"}, {"name": "B", "score": 1}]
    assert refusal_of({"dimensions": dimensions}) == "valuation.input_inconsistent"
