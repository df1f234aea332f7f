"""Sources of the inputs."""

from typing import Any

import pytest

from dataexchange.valuation import ValuationRefusedError, value

INPUTS: dict[str, Any] = {"costs": [{"item": "direct", "amount": 100}], "adjustment": 1}
BASE = {"base_date": "2026-06-30"}


def test_a_calculation_without_sources_is_warned_of() -> None:
    (warning,) = value("cost", INPUTS).warnings
    assert warning.code == "valuation.source_missing"
    assert "adjustment, costs" in warning.en


def test_with_an_engagement_every_input_needs_its_source() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        value("cost", INPUTS, engagement=BASE, sources={"costs": "audit"})
    assert (refused.value.code, refused.value.facts["inputs"]) == (
        "valuation.source_missing",
        "adjustment",
    )


def test_an_input_left_at_its_default_needs_no_source() -> None:
    sources = {"costs": "audit", "adjustment": {"text": "sheet", "sha256": "ab" * 32}}
    assert value("cost", INPUTS, engagement=BASE, sources=sources).warnings == ()


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({"costs": "audit", "adjustment": {"text": "x", "dated": "2026-07-01"}},
         "valuation.after_base_date"),
        ({"costs": "audit", "adjustment": " "}, "valuation.input_out_of_range"),
        ({"costs": "audit", "adjustment": "x", "luck": "x"}, "valuation.input_unknown"),
        ({"costs": "audit", "adjustment": {"text": "x", "sha256": "ab"}},
         "valuation.input_malformed"),
    ],
)  # fmt: skip
def test_each_fault_of_a_source_has_its_own_refusal(stated: dict[str, Any], code: str) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        value("cost", INPUTS, engagement=BASE, sources=stated)
    assert refused.value.code == code
