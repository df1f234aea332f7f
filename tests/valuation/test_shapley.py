"""Shapley values are efficient, symmetric and reproducible; sampling agrees within its error."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation.arrays import Floats, Indices
from dataexchange.valuation.library import value
from dataexchange.valuation.refusal import ValuationRefusedError
from dataexchange.valuation.shapley import (
    PLAYERS_EXACT_MAX,
    Coalition,
    exact_shapley,
    prefix_worth_of,
    revenue_weights,
    sampled_shapley,
    split_revenue_fen,
    tabled_worth,
)

ACCURACY = {
    frozenset(name): Decimal(worth)
    for name, worth in {
        "A": ".60",
        "B": ".55",
        "C": ".20",
        "AB": ".80",
        "AC": ".70",
        "BC": ".62",
        "ABC": ".86",
    }.items()
}
# The airport game of the literature: ten costs, this many landings each (Castro et al. 2009).
AIRPORT = np.repeat(np.arange(1.0, 11.0), [8, 12, 6, 14, 8, 9, 13, 10, 10, 10])
COSTS = [int(cost) for cost in AIRPORT]


def airport_values(costs: Sequence[int] = COSTS) -> list[Fraction]:
    """Each step of runway is paid by those who need it, equally."""
    value, values = Fraction(0), []
    for index, cost in enumerate(costs):
        step = cost - (costs[index - 1] if index else 0)
        value += Fraction(step, len(costs) - index)
        values.append(value)
    return values


def airport_prefixes(order: Indices) -> Floats:
    return np.concatenate([[0.0], np.maximum.accumulate(AIRPORT[order])])


@st.composite
def games(draw: st.DrawFn) -> tuple[list[str], dict[Coalition, Fraction]]:
    players = [f"p{index}" for index in range(draw(st.integers(1, 5)))]
    worths = st.fractions(min_value=-100, max_value=100, max_denominator=1000)
    subsets = (frozenset(s) for size in range(6) for s in combinations(players, size))
    return players, {subset: draw(worths) for subset in subsets}


def test_three_data_sets_share_an_accuracy_as_worked_out() -> None:
    values = exact_shapley("ABC", tabled_worth(ACCURACY))
    assert values == {"A": Fraction(405, 1000), "B": Fraction(34, 100), "C": Fraction(115, 1000)}
    shares = [round(float(value / Fraction(86, 100)), 6) for value in values.values()]
    assert shares == [0.470930, 0.395349, 0.133721]


def test_money_follows_the_values_to_the_last_fen() -> None:
    values = exact_shapley("ABC", tabled_worth(ACCURACY))
    assert split_revenue_fen(1_000_000, values) == {"A": 470_930, "B": 395_349, "C": 133_721}


@given(games())
def test_the_values_add_up_to_what_the_grand_coalition_adds(
    game: tuple[list[str], dict[Coalition, Fraction]],
) -> None:
    players, table = game
    values = exact_shapley(players, tabled_worth(table))
    assert sum(values.values()) == table[frozenset(players)] - table[frozenset()]


@given(games(), st.fractions(min_value=0, max_value=1000, max_denominator=100))
def test_values_scale_with_the_unit_of_account(
    game: tuple[list[str], dict[Coalition, Fraction]], unit: Fraction
) -> None:
    players, table = game
    scaled = {coalition: worth * unit for coalition, worth in table.items()}
    values = exact_shapley(players, tabled_worth(table))
    assert exact_shapley(players, tabled_worth(scaled)) == {p: v * unit for p, v in values.items()}


@given(games())
def test_a_player_who_adds_nothing_gets_nothing(
    game: tuple[list[str], dict[Coalition, Fraction]],
) -> None:
    players, table = game
    values = exact_shapley([*players, "idle"], lambda coalition: table[coalition - {"idle"}])
    assert values["idle"] == 0


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=7))
def test_players_alike_get_alike(costs: list[int]) -> None:
    players = [f"p{index}" for index in range(len(costs))]
    cost = dict(zip(players, costs, strict=True))
    values = exact_shapley(players, lambda coalition: max((cost[p] for p in coalition), default=0))
    for one, other in combinations(players, 2):
        assert cost[one] != cost[other] or values[one] == values[other]


def test_the_airport_game_has_the_published_values() -> None:
    values = airport_values()
    assert float(values[0]) == pytest.approx(0.01, abs=1e-9)
    assert float(values[8]) == pytest.approx(0.020869565, abs=1e-9)
    assert float(values[-1]) == pytest.approx(0.289369662, abs=1e-9)
    assert sum(values) == 10


def test_twelve_players_of_an_airport_pay_each_step_of_runway_equally() -> None:
    costs = [1, 1, 2, 3, 3, 3, 4, 5, 7, 7, 8, 10]
    players = [f"{index:02}" for index in range(12)]
    cost = dict(zip(players, costs, strict=True))
    values = exact_shapley(players, lambda coalition: max((cost[p] for p in coalition), default=0))
    assert list(values.values()) == airport_values(costs)


def test_sampling_the_airport_game_agrees_within_its_standard_error() -> None:
    sampled = sampled_shapley(airport_prefixes, players=100, pairs=4000, seed=20231)
    misses = np.abs(sampled.values - np.array([float(v) for v in airport_values()]))
    assert np.all(misses <= 4.5 * sampled.standard_errors)
    assert sampled.values.sum() == pytest.approx(10, abs=1e-9)


def test_the_stated_error_is_the_error_seen_over_many_seeds() -> None:
    exact = np.array([0.405, 0.34, 0.115])
    walk = prefix_worth_of("ABC", tabled_worth(ACCURACY))
    runs = [sampled_shapley(walk, players=3, pairs=40, seed=seed) for seed in range(200)]
    z = np.array([(run.values - exact) / run.standard_errors for run in runs])
    assert np.all(np.abs(z.std(axis=0) - 1) < 0.2)


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_workers() -> None:
    alone = sampled_shapley(airport_prefixes, players=100, pairs=200, seed=5)
    with ThreadPoolExecutor(4) as pool:
        shared = sampled_shapley(airport_prefixes, players=100, pairs=200, seed=5, executor=pool)
    other = sampled_shapley(airport_prefixes, players=100, pairs=200, seed=6)
    assert alone.values.tobytes() == shared.values.tobytes()
    assert alone.standard_errors.tobytes() == shared.standard_errors.tobytes()
    assert alone.values.tobytes() != other.values.tobytes()


def test_a_named_game_can_be_sampled_too() -> None:
    walk = prefix_worth_of("ABC", tabled_worth(ACCURACY))
    sampled = sampled_shapley(walk, players=3, pairs=500, seed=1)
    assert np.all(np.abs(sampled.values - [0.405, 0.34, 0.115]) <= 4 * sampled.standard_errors)


def test_a_coalition_without_a_stated_worth_is_an_error_not_zero() -> None:
    table = {coalition: worth for coalition, worth in ACCURACY.items() if len(coalition) != 2}
    with pytest.raises(KeyError):
        exact_shapley("ABC", tabled_worth(table))


def test_more_players_than_exact_values_can_bear_are_an_error() -> None:
    crowd = [str(index) for index in range(PLAYERS_EXACT_MAX + 1)]
    with pytest.raises(ValueError, match="players"):
        exact_shapley(crowd, lambda _: 0)


def test_a_player_named_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="twice"):
        exact_shapley("AA", lambda _: 0)


def test_one_pair_of_orders_has_no_standard_error_and_is_an_error() -> None:
    with pytest.raises(ValueError, match="pairs"):
        sampled_shapley(airport_prefixes, players=100, pairs=1, seed=1)


def test_harmful_data_earns_nothing_and_costs_the_others_nothing() -> None:
    assert revenue_weights([Decimal("0.3"), Decimal("-0.1")]) == [Fraction(3, 10), 0]
    assert split_revenue_fen(100, {"good": Decimal("0.3"), "bad": Decimal("-0.1")}) == {
        "good": 100,
        "bad": 0,
    }


def coalitions(table: dict[str, str]) -> list[dict[str, object]]:
    return [{"members": list(members), "worth": worth} for members, worth in table.items()]


def test_the_card_shares_an_income_without_residual() -> None:
    worths = {"".join(sorted(coalition)): str(worth) for coalition, worth in ACCURACY.items()}
    inputs = {"players": ["A", "B", "C"], "coalitions": coalitions(worths), "income": "0.01"}
    assert sum(value("shapley", inputs).figure("income").fen) == 1


@pytest.mark.parametrize(
    ("players", "table", "code"),
    [
        ("AB", {"A": "1"}, "valuation.coalition_missing"),
        ("A", {"A": "-1"}, "valuation.no_contribution"),
        ("AA", {"A": "1"}, "valuation.input_inconsistent"),
        ("A", {"A": "1", "AA": "2"}, "valuation.input_inconsistent"),
        ("A", {"A": "1", "AZ": "2"}, "valuation.input_inconsistent"),
    ],
)
def test_a_game_not_stated_in_full_is_refused(
    players: str, table: dict[str, str], code: str
) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        value("shapley", {"players": list(players), "coalitions": coalitions(table)})
    assert refused.value.code == code


def test_a_fraction_of_a_fen_cannot_be_shared() -> None:
    inputs = {"players": ["A"], "coalitions": coalitions({"A": "1"}), "income": "0.001"}
    with pytest.raises(ValuationRefusedError) as refused:
        value("shapley", inputs)
    assert refused.value.code == "valuation.input_inconsistent"
