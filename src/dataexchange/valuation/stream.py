"""Reproducible random numbers: the same seed gives the same numbers, on any number of workers.

Stream `(seed, *key)` is NumPy's PCG64 seeded by `SeedSequence(seed, spawn_key=key)`. Numbers come
from the raw 64-bit output, whose stability NumPy promises for a named bit generator (NEP 19); the
methods of `Generator` carry no such promise, so none is used. Work is cut into blocks of a fixed
size and block `k` has a stream of its own, so the split among workers changes nothing.
"""

from statistics import NormalDist

from dataexchange.valuation.arrays import Bits, Floats, Indices, np

_HALF_STEP = 0.5


def bits(seed: int, *key: int) -> Bits:
    """Return the bit generator of stream `(seed, *key)`; `ValueError` if the seed is negative."""
    return np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))


def uniforms(source: Bits, count: int) -> Floats:
    """Return `count` numbers inside (0, 1): the middles of 2^52 equal steps, so never 0 or 1."""
    steps = source.random_raw(count) >> np.uint64(12)
    return np.asarray((steps.astype(np.float64) + _HALF_STEP) * 2.0**-52, dtype=np.float64)


def normals(source: Bits, count: int) -> Floats:
    """Return `count` standard normal numbers, by inversion (algorithm AS 241)."""
    inverse = NormalDist().inv_cdf
    return np.fromiter(map(inverse, uniforms(source, count).tolist()), np.float64, count)


def permutations(source: Bits, count: int, size: int) -> Indices:
    """Return `count` orders of `size` players, shape (count, size): the ranks of raw numbers."""
    keys = source.random_raw(count * size).reshape(count, size)
    return np.asarray(np.argsort(keys, axis=1, kind="stable"), dtype=np.intp)
