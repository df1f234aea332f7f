"""Whatever stands in a document, a card answers with a figure or a refusal, never with a crash."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dataexchange.valuation import ValuationRefusedError, card_paths, evaluate, load_card

SHELF = Path(__file__).parents[2] / "valuation"
ODD: list[Any] = [
    None, "", "x", "NaN", "-1", "0", "1", "2", "1e18", "1e-18", "1/3", "1/0", "9" * 20,
    -1, 0, 1, 10**17, True, 0.5, float("nan"), [], ["1"], [["1"]], [[]], {}, {"a": 1},
    {"first": 1, "growth": 9}, {"values": []}, {"constant": None}, {"amount": 1, "currency": "EUR"},
    date(2026, 1, 1), "2026-01-01", b"x", Decimal("Infinity"), Decimal("1e-30"), "\x00",
]  # fmt: skip


def mutants(found: Any) -> Iterator[Any]:
    """Yield `found` with each of its parts replaced by each odd value, or left out."""
    yield from ODD
    if isinstance(found, dict):
        for key, one in found.items():
            yield {name: kept for name, kept in found.items() if name != key}
            yield from ({**found, key: odd} for odd in mutants(one))
    elif isinstance(found, list) and found:
        yield found[:-1]
        yield [*found, found[0]]
        yield from ([odd, *found[1:]] for odd in mutants(found[0]))


@pytest.mark.parametrize(
    "path", card_paths(SHELF), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_an_odd_input_is_refused_or_computed_and_never_crashes(path: Path) -> None:
    card = load_card(path.read_bytes())
    for case in card.sheet.cases:
        if case.refused is None:
            for odd in mutants(case.inputs):
                if isinstance(odd, dict):
                    answer(card, odd)


def answer(card: Any, inputs: dict[str, Any]) -> None:
    try:
        found: Any = evaluate(card, inputs).figures
    except ValuationRefusedError as refused:
        found = refused.zh and refused.en and refused.clause
    assert found
