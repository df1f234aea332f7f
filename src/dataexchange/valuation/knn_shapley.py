"""Value every record of a training set for a K-nearest-neighbour model, in closed form (M12).

With a test point's matches m sorted near to far (1 where the label is the test point's):
`s_N = m_N/max(K,N)` and `s_i = s_{i+1} + (m_i − m_{i+1})/max(K,i)` (Jia et al. 2019, theorem 1).
Open implementations start at m_N/N, which is wrong where K > N: the utility divides by K there
too. Records equally near keep the order of their ids.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Annotated

from annotated_types import Len

from dataexchange.valuation.arrays import AnyArray, ArrayLike, Floats, Indices, Truths, np
from dataexchange.valuation.method import Computed, Method, Parameters, Working
from dataexchange.valuation.quantity import Count, Currency, Inputs, Money, NonNegative, Text
from dataexchange.valuation.refusal import INPUT_INCONSISTENT
from dataexchange.valuation.shapley import ATTRIBUTION_OUTPUTS, NO_CONTRIBUTION, attribution


def exact_knn_shapley(matches: Sequence[int], k: int) -> tuple[Fraction, ...]:
    """Return the value of each neighbour, near to far, for one test point.

    `matches` holds 0 or 1. Raises `ValueError` on anything else, on none, and on `k` below 1.
    """
    if k < 1 or not matches or not set(matches) <= {0, 1}:
        raise ValueError("KNN values need matches of 0 or 1 and k of at least 1")
    value = Fraction(matches[-1], max(k, len(matches)))
    values = [value]
    for place in range(len(matches) - 1, 0, -1):
        value += Fraction(matches[place - 1] - matches[place], max(k, place))
        values.append(value)
    return tuple(reversed(values))


def knn_shapley(
    train: tuple[ArrayLike, ArrayLike], test: tuple[ArrayLike, ArrayLike], *, k: int
) -> Floats:
    """Return the mean value of every training record over the test points, shape (N,).

    `train` and `test` are (features, labels), shapes (N, d) and (N,). Distance is Euclidean, taken
    from differences and not from a product of matrices, so equal records are equally near.
    Memory is that of the training set and a few rows, whatever the number of test points.
    """
    features, labels = _check(*train)
    test_features, test_labels = _check(*test)
    if k < 1 or features.shape[1] != test_features.shape[1]:
        raise ValueError("k must be at least 1 and both sets of the same width")
    divisors = np.maximum(k, np.arange(1, len(features) + 1))
    total = np.zeros(len(features))
    for point, label in zip(test_features, test_labels, strict=True):
        near_to_far = np.argsort(_squared_distances(features, point), kind="stable")
        total[near_to_far] += _values(labels[near_to_far] == label, divisors)
    return total / len(test_features)


def _check(features: ArrayLike, labels: ArrayLike) -> tuple[Floats, AnyArray]:
    rows, names = np.asarray(features, dtype=np.float64), np.asarray(labels)
    if rows.ndim != 2 or names.shape != (len(rows),) or not len(rows):
        raise ValueError("features are (N, d) and labels (N,), N at least 1")
    if not np.isfinite(rows).all():
        raise ValueError("features must be finite")
    return rows, names


def _squared_distances(features: Floats, point: Floats) -> Floats:
    differences = features - point
    return np.asarray(np.einsum("ij,ij->i", differences, differences), dtype=np.float64)


def _values(matches: Truths, divisors: Indices) -> Floats:
    """Return the recursion's values near to far: its steps, summed from the far end."""
    steps = matches.astype(np.float64)
    steps[:-1] -= steps[1:].copy()
    return np.asarray(np.cumsum((steps / divisors)[::-1])[::-1], dtype=np.float64)


class Neighbour(Inputs):
    """One training record as seen from a test point."""

    id: Text
    distance: NonNegative
    label: Text


class Probe(Inputs):
    """One test point: its label and its distance to every training record."""

    label: Text
    neighbours: Annotated[tuple[Neighbour, ...], Len(1, 10_000)]


class KnnShapleyInputs(Inputs):
    """K, the test points, and an income in 元 to be shared."""

    k: Count
    probes: Annotated[tuple[Probe, ...], Len(1, 1_000)]
    income: Money | None = None
    currency: Currency = "CNY"


def _compute(
    inputs: KnnShapleyInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # K is an input: it belongs to the model that is explained
    ids = _ids(inputs)
    totals = dict.fromkeys(ids, Fraction(0))
    for probe in inputs.probes:
        near_to_far = sorted(probe.neighbours, key=lambda one: (one.distance, one.id))
        matches = [int(one.label == probe.label) for one in near_to_far]
        for one, value in zip(near_to_far, exact_knn_shapley(matches, inputs.k), strict=True):
            totals[one.id] += value
    means = {name: total / len(inputs.probes) for name, total in totals.items()}
    return attribution(means, inputs.income, working)


def _ids(inputs: KnnShapleyInputs) -> list[str]:
    """Return the records' ids, in order; every probe must see the same records once."""
    rows = [sorted(one.id for one in probe.neighbours) for probe in inputs.probes]
    if any(row != rows[0] for row in rows) or len(set(rows[0])) < len(rows[0]):
        raise INPUT_INCONSISTENT(input="probes", why="expects the same records, each once")
    return rows[0]


KNN_SHAPLEY = Method(
    name="knn_shapley",
    inputs=KnnShapleyInputs,
    compute=_compute,
    outputs=ATTRIBUTION_OUTPUTS,
    refusals=(NO_CONTRIBUTION,),
)
