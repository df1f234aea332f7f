"""Every unit and choice of a published card has words in both languages, in signs that show."""

import pytest

from dataexchange.reports.font import chinese_font
from dataexchange.reports.words import CODES, UNITS
from dataexchange.valuation import Card, card_paths, find_card, shelf

CARDS = [pytest.param(find_card(path), id=path.parent.name) for path in card_paths(shelf())]
# Names of currencies, standards and tables are the same in both languages.
NAMES = {"CNY", "ISO 4217", "GB/T 36344-2018", "DB31/T 1523-2024", "RI for n = 1 to 10"}


@pytest.mark.parametrize("card", CARDS)
def test_every_unit_has_words(card: Card) -> None:
    units = {one.unit for one in (*card.sheet.inputs, *card.sheet.parameters.values())}
    assert units - set(UNITS) <= NAMES


@pytest.mark.parametrize("card", CARDS)
def test_every_choice_has_words(card: Card) -> None:
    choices = {choice for one in card.sheet.inputs for choice in one.range.choices or ()}
    assert choices - set(CODES) <= NAMES


@pytest.mark.parametrize("card", CARDS)
def test_every_sign_of_a_formula_is_in_the_font(card: Card) -> None:
    formula = card.sheet.formula
    shown = chinese_font().legible(formula.symbols + formula.words.zh + formula.words.en)
    assert "U+" not in shown
