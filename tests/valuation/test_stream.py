"""Random streams are fixed by their seed and key, inside (0, 1), and independent of each other."""

import numpy as np

from dataexchange.valuation.stream import bits, normals, permutations, uniforms


def test_a_stream_is_fixed_for_ever_by_its_seed_and_key() -> None:
    # Written down once: a change of NumPy that moved the stream would change issued figures.
    assert [int(raw) for raw in bits(20260101, 0).random_raw(3)] == [
        9432637935875211328,
        18135018249918895532,
        4496007555893303557,
    ]


def test_streams_of_other_keys_differ() -> None:
    streams = {uniforms(bits(7, *key), 4).tobytes() for key in [(), (0,), (1,), (0, 0), (0, 1)]}
    assert len(streams) == 5


def test_uniform_numbers_are_never_zero_or_one_and_spread_evenly() -> None:
    drawn = uniforms(bits(1), 100_000)
    assert 0 < drawn.min() < drawn.max() < 1
    assert abs(drawn.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 100_000)
    assert (2.0**52 - 1 + 0.5) * 2.0**-52 < 1


def test_normal_numbers_have_mean_zero_and_unit_variance() -> None:
    drawn = normals(bits(2), 100_000)
    assert abs(drawn.mean()) < 4 / np.sqrt(100_000)
    assert abs(drawn.var() - 1) < 4 * np.sqrt(2 / 100_000)


def test_every_permutation_is_one_and_all_orders_are_as_likely() -> None:
    orders = permutations(bits(3), 60_000, 3)
    assert np.all(np.sort(orders, axis=1) == [0, 1, 2])
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 6
    assert np.all(np.abs(counts - 10_000) < 4.5 * np.sqrt(60_000 * 5 / 36))
