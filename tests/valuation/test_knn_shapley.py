"""KNN values are the Shapley values of the KNN utility, for K below, at and above N."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation.knn_shapley import exact_knn_shapley, knn_shapley
from dataexchange.valuation.library import value
from dataexchange.valuation.shapley import Coalition, exact_shapley

match_lists = st.lists(st.integers(0, 1), min_size=1, max_size=8)


def brute_force(matches: list[int], k: int) -> tuple[Fraction, ...]:
    """The definition: Shapley values of the share of the K nearest in S that match."""
    players = [str(place) for place in range(len(matches))]

    def utility(coalition: Coalition) -> Fraction:
        nearest = sorted(int(player) for player in coalition)[:k]
        return Fraction(sum(matches[place] for place in nearest), k)

    return tuple(exact_shapley(players, utility).values())


@given(match_lists, st.integers(1, 12))
def test_the_recursion_is_the_shapley_value_by_definition(matches: list[int], k: int) -> None:
    assert exact_knn_shapley(matches, k) == brute_force(matches, k)


def test_five_neighbours_are_valued_as_worked_out() -> None:
    quarter = Fraction(1, 4)
    expected = (quarter, -quarter, quarter, quarter, Fraction(0))
    assert exact_knn_shapley([1, 0, 1, 1, 0], 2) == expected


def test_k_above_n_divides_by_k_and_not_by_n() -> None:
    assert exact_knn_shapley([1, 0, 1], 5) == (Fraction(1, 5), Fraction(0), Fraction(1, 5))


@given(match_lists, st.integers(1, 12))
def test_the_values_add_up_to_the_utility_of_all(matches: list[int], k: int) -> None:
    assert sum(exact_knn_shapley(matches, k)) == Fraction(sum(matches[:k]), k)


@given(st.data())
def test_many_test_points_give_the_mean_of_each(data: st.DataObject) -> None:
    rows, k = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 15))
    cells = st.integers(-3, 3)
    train = np.array(data.draw(st.lists(st.tuples(cells, cells), min_size=rows, max_size=rows)))
    test = np.array(data.draw(st.lists(st.tuples(cells, cells), min_size=1, max_size=5)))
    train_labels = np.array(data.draw(st.lists(cells, min_size=rows, max_size=rows)))
    test_labels = np.array(data.draw(st.lists(cells, min_size=len(test), max_size=len(test))))
    expected = np.zeros(rows)
    for point, label in zip(test, test_labels, strict=True):
        order = sorted(range(rows), key=lambda i: (int(((train[i] - point) ** 2).sum()), i))
        values = exact_knn_shapley([int(train_labels[i] == label) for i in order], k)
        expected[order] += [float(value) for value in values]
    means = knn_shapley((train, train_labels), (test, test_labels), k=k)
    np.testing.assert_allclose(means, expected / len(test), atol=1e-12)


def test_records_equally_near_keep_the_order_of_their_ids() -> None:
    train, point = np.zeros((3, 2)), (np.zeros((1, 2)), np.array([1]))
    first = knn_shapley((train, np.array([1, 0, 0])), point, k=1)
    last = knn_shapley((train, np.array([0, 0, 1])), point, k=1)
    np.testing.assert_allclose(first, [float(v) for v in exact_knn_shapley([1, 0, 0], 1)])
    np.testing.assert_allclose(last, [float(v) for v in exact_knn_shapley([0, 0, 1], 1)])
    assert first[0] != last[2]


def test_the_same_input_gives_the_same_bytes() -> None:
    source = np.random.default_rng(3)
    train = (source.normal(size=(500, 4)), source.integers(0, 3, 500))
    test = (source.normal(size=(20, 4)), source.integers(0, 3, 20))
    assert knn_shapley(train, test, k=5).tobytes() == knn_shapley(train, test, k=5).tobytes()


@pytest.mark.parametrize(("matches", "k"), [([], 1), ([1], 0), ([2], 1)])
def test_matches_and_k_out_of_range_are_an_error(matches: list[int], k: int) -> None:
    with pytest.raises(ValueError, match="KNN"):
        exact_knn_shapley(matches, k)


def test_sets_of_other_shapes_are_an_error() -> None:
    good = (np.zeros((2, 2)), np.zeros(2))
    for bad in [(np.zeros((2, 3)), np.zeros(2)), (np.zeros((2, 2)), np.zeros(3))]:
        with pytest.raises(ValueError, match=r"width|features"):
            knn_shapley(good, bad, k=1)


def test_features_that_are_no_numbers_are_an_error() -> None:
    with pytest.raises(ValueError, match="finite"):
        knn_shapley((np.array([[np.nan]]), np.array([1])), (np.zeros((1, 1)), np.array([1])), k=1)


def probe(label: str, *neighbours: tuple[str, int, str]) -> dict[str, object]:
    names = ("id", "distance", "label")
    return {"label": label, "neighbours": [dict(zip(names, n, strict=True)) for n in neighbours]}


def test_the_card_averages_over_test_points() -> None:
    probes = [
        probe("yes", ("a", 1, "yes"), ("b", 2, "no")),
        probe("no", ("a", 1, "yes"), ("b", 2, "no")),
    ]
    expected = [
        (one + other) / 2
        for one, other in zip(
            exact_knn_shapley([1, 0], 1), exact_knn_shapley([0, 1], 1), strict=True
        )
    ]
    found = value("knn_shapley", {"k": 1, "probes": probes})["contribution"]
    assert list(found.values()) == [Decimal(str(float(value))) for value in expected]
