"""Cards shown to a reader."""

from pathlib import Path
from typing import Literal

import pytest

from dataexchange.valuation import card_paths, describe_card, find_card, load_card

SHELF = Path(__file__).parents[2] / "valuation"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ["成本法", "未核实", "costs[].amount hist_k: 历史成本, 元, ≥ 0", "已读原文"]),
        ("en", ["Cost method", "unverified", "∈ {preliminary, direct", "no_cost_evidence"]),
    ],
)
def test_a_card_is_shown_with_its_status_units_and_ranges(
    language: Literal["zh", "en"], words: list[str]
) -> None:
    text = describe_card(find_card("cost"), language)
    assert all(word in text for word in words)


@pytest.mark.parametrize("path", card_paths(SHELF), ids=lambda path: path.parent.name)
def test_every_card_can_be_shown_and_every_input_has_a_unit_and_a_range(path: Path) -> None:
    card = load_card(path.read_bytes())
    asked = describe_card(card, "en").partition("\nInputs\n")[2].partition("\n\n")[0].splitlines()
    for one, line in zip(card.sheet.inputs, asked, strict=True):
        assert line.startswith(f"  {one.name}")
        assert f", {one.unit}, " in line
        assert line[-1] not in ", "
