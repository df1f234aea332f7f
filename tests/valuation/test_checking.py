"""Checking a card finds what is wrong with it."""

from pathlib import Path

import pytest

from dataexchange.valuation import ValuationRefusedError, check_card, load_card
from dataexchange.valuation.card import Range
from dataexchange.valuation.conformity import within

CARD = (Path(__file__).parents[2] / "valuation" / "cost" / "1.0.0.yaml").read_text("utf-8")


def faults_after(before: str, after: str) -> str:
    assert before in CARD
    return "\n".join(check_card(load_card(CARD.replace(before, after, 1).encode())))


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('value: "1020000.00"', 'value: "1020000.01"', "value is 1020000, not 1020000.01"),
        ("- name: overhead\n", "- name: overheads\n", "overhead is missing"),
        ("- name: overhead\n", "- name: overheads\n", "knows no overheads"),
        ("  - name: depreciation\n", "  - name: wearing\n", "outputs: depreciation is missing"),
        ("code: valuation.no_life", "code: valuation.no_luck", "refusals: valuation.no_life"),
        ("refused: valuation.no_cost_evidence", "refused: valuation.no_life", "refused with"),
        ("warned: [valuation.unusual_input]", "warned: [valuation.other]", "did not warn"),
        ("refused: valuation.mixed_currency", 'expect: {value: "1"}', "refused with"),
        ("range: {text: on or before the base date}", "range: {}", "has no range"),
        ('depreciation: "0.3"', 'depreciation: "0.300002"', "depreciation is 0.3"),
        ('depreciation: "0.3"', 'worth: "0.3"', "gives no worth"),
    ],
)
def test_each_fault_of_a_card_is_named(before: str, after: str, fault: str) -> None:
    assert fault in faults_after(before, after)


def test_a_ratio_may_miss_by_a_millionth() -> None:
    assert faults_after('depreciation: "0.3"', 'depreciation: "0.300001"') == ""


def test_a_card_of_an_unknown_method_is_no_good() -> None:
    assert "no such method" in faults_after("method: cost", "method: guess")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("version: 1.0.0", "version: one"),
        ("status: unverified", "status: true-enough"),
        ("source: required", "source: maybe"),
        ("supersedes: null", "supersedes: abc"),
        ("rounding:\n  inside: none", "rounding:\n  inside: some"),
        ("format: dataexchange.card/1", "format: dataexchange.card/2"),
        ("name: {zh: 成本法, en: Cost method}", "name: {zh: 成本法}"),
    ],
)
def test_a_card_of_another_form_is_not_even_loaded(before: str, after: str) -> None:
    assert before in CARD
    with pytest.raises(ValuationRefusedError) as refused:
        load_card(CARD.replace(before, after, 1).encode())
    assert refused.value.code == "valuation.card_invalid"


def test_an_open_bound_is_narrower_than_the_closed_one_at_the_same_place() -> None:
    closed, opened = Range(min=0, max=1), Range(above=0, below=1)  # type: ignore[arg-type]
    assert within(opened, closed)
    assert not within(closed, opened)
    assert within(closed, Range())
    assert not within(Range(), closed)
