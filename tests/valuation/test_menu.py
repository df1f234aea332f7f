"""A repaired menu is monotone, subadditive, and changed no more than it must be."""

from fractions import Fraction
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation.library import value
from dataexchange.valuation.menu import Version, cheapest_covers, find_arbitrage, repair_menu
from dataexchange.valuation.refusal import ValuationRefusedError


def menu_of(prices: dict[int, int]) -> list[Version]:
    return [Version(Fraction(accuracy), price_fen) for accuracy, price_fen in prices.items()]


menus = st.dictionaries(st.integers(1, 40), st.integers(0, 2000), min_size=1, max_size=8).map(
    menu_of
)


@given(menus)
def test_a_repaired_menu_is_monotone_and_subadditive(menu: list[Version]) -> None:
    repaired = repair_menu(menu)
    for one, other in combinations_with_replacement(repaired, 2):
        for target in repaired:
            if target.accuracy <= max(one.accuracy, other.accuracy):
                assert target.price_fen <= max(one.price_fen, other.price_fen)
            if target.accuracy <= one.accuracy + other.accuracy:
                assert target.price_fen <= one.price_fen + other.price_fen


@given(menus)
def test_a_repaired_menu_needs_no_further_repair(menu: list[Version]) -> None:
    repaired = repair_menu(menu)
    assert find_arbitrage(repaired) == []
    assert repair_menu(repaired) == repaired


@given(menus)
def test_the_cheapest_cover_is_what_dynamic_programming_finds(menu: list[Version]) -> None:
    best = [0]
    for need in range(1, 41):
        best.append(min(v.price_fen + best[max(0, need - int(v.accuracy))] for v in menu))
    covers = cheapest_covers(menu)
    assert [cover.price_fen for cover in covers] == [best[int(v.accuracy)] for v in menu]


@given(menus)
def test_every_cover_costs_what_it_says_and_reaches_the_accuracy(menu: list[Version]) -> None:
    for version, cover in zip(menu, cheapest_covers(menu), strict=True):
        assert sum(bought.price_fen * count for bought, count in cover.purchases) == cover.price_fen
        reached = sum(bought.accuracy * count for bought, count in cover.purchases)
        assert reached >= version.accuracy


@given(menus, st.integers(1, 1000))
def test_a_menu_in_another_unit_of_money_is_repaired_alike(menu: list[Version], unit: int) -> None:
    scaled = [Version(v.accuracy, v.price_fen * unit) for v in menu]
    assert [v.price_fen for v in repair_menu(scaled)] == [
        v.price_fen * unit for v in repair_menu(menu)
    ]


def test_four_answers_must_not_cost_more_than_two_of_two() -> None:
    menu = menu_of({1: 10_000, 2: 18_000, 4: 40_000})
    assert [v.price_fen for v in repair_menu(menu)] == [10_000, 18_000, 36_000]
    (found,) = find_arbitrage(menu)
    assert found.version == menu[2]
    assert found.cover.purchases == ((menu[1], 2),)


def test_a_worse_version_must_not_cost_more_than_a_better_one() -> None:
    menu = menu_of({1: 500, 2: 300})
    assert [v.price_fen for v in repair_menu(menu)] == [300, 300]


def test_accuracies_need_not_be_whole() -> None:
    menu = [Version(Fraction(1, 3), 10), Version(Fraction(1, 2), 30), Version(Fraction(1), 29)]
    assert [v.price_fen for v in repair_menu(menu)] == [10, 20, 29]


def test_a_free_version_makes_every_version_free() -> None:
    assert [v.price_fen for v in repair_menu(menu_of({1: 0, 7: 900}))] == [0, 0]


def test_a_fair_menu_is_left_alone() -> None:
    menu = menu_of({1: 100, 2: 180, 4: 300})
    assert find_arbitrage(menu) == []
    assert list(repair_menu(menu)) == menu


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ([], "at least one"),
        ([(1, 5), (1, 6)], "twice"),
    ],
)
def test_menus_that_cannot_be_checked_are_an_error(
    lines: list[tuple[int, int]], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        repair_menu([Version(Fraction(x), price) for x, price in lines])


@pytest.mark.parametrize(("accuracy", "price_fen"), [(0, 1), (-1, 1), (1, -1)])
def test_a_version_without_accuracy_or_below_zero_price_is_an_error(
    accuracy: int, price_fen: int
) -> None:
    with pytest.raises(ValueError, match="version"):
        Version(Fraction(accuracy), price_fen)


def test_a_menu_too_fine_to_check_is_refused() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        repair_menu(menu_of({1: 10, 10**9: 10**12}))
    assert refused.value.code == "valuation.menu_too_fine"


def test_the_card_names_who_is_undersold_and_by_what() -> None:
    lines = [("basic", 1, 100), ("plus", 2, 180), ("full", 4, 400)]
    versions = [{"name": n, "accuracy": x, "price": p} for n, x, p in lines]
    result = value("menu", {"versions": versions})
    assert result.figure("price").fen == (10_000, 18_000, 36_000)
    (warning,) = [w for w in result.warnings if w.code == "valuation.arbitrage_found"]
    assert "2 × plus" in warning.en


@pytest.mark.parametrize("again", [{"name": "b", "accuracy": 1}, {"name": "a", "accuracy": 2}])
def test_a_card_menu_with_a_line_twice_is_refused(again: dict[str, object]) -> None:
    versions = [{"name": "a", "accuracy": 1, "price": 1}, {**again, "price": 2}]
    with pytest.raises(ValuationRefusedError) as refused:
        value("menu", {"versions": versions})
    assert refused.value.code == "valuation.input_inconsistent"
