"""Results as text."""

from pathlib import Path

import pytest

from dataexchange.valuation import render_text, run_card, run_report

SHELF = Path(__file__).parents[2] / "valuation"
RESULT = run_card(
    (SHELF / "cost" / "1.0.0.yaml").read_bytes(), (SHELF / "examples" / "cost.yaml").read_bytes()
)
REPORT = run_report((SHELF / "examples" / "report.yaml").read_bytes())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ["成本法 · 测算（不是评估报告）", "评估值: 1,020,000.00 元", "敏感性表", "种子 7"]),
        ("en", ["Cost method · Calculation", "Value: 1,020,000.00 元", "tornado", "seed 7"]),
    ],
)
def test_a_calculation_says_what_it_is_in_both_languages(language: str, words: list[str]) -> None:
    text = render_text(RESULT, "zh" if language == "zh" else "en")
    assert all(word in text for word in words)


def test_a_calculation_shows_the_hashes_that_it_can_be_recomputed_from() -> None:
    text = render_text(RESULT)
    assert RESULT.valuation.card_sha256 in text
    assert RESULT.valuation.inputs_sha256 in text


def test_a_report_shows_who_signed_the_weights_and_the_rejected_approaches() -> None:
    text = render_text(REPORT, "en")
    expected = [
        "Appraisal report",
        "signers: appraiser A; appraiser B",
        "1,200,232.09 元",
        "income × 0.6: signed customers carry the forecast",
        "market: no deal of comparable data",
        "not a basis for booking",
    ]
    assert all(line in text for line in expected)
    assert "not an appraisal report" not in text
