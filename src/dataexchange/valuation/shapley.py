"""Share a joint result among the data sets that made it: Shapley values (M11), exact and sampled.

`φ_i = Σ_S |S|!(n−|S|−1)!/n! · [v(S∪i) − v(S)]`, the sum over coalitions S without i. Efficiency:
`Σφ = v(N) − v(∅)` (Shapley 1953; Ghorbani and Zou 2019 for data). Exact values are fractions and
may carry money; sampled ones are float64 with a standard error, a disclosure.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Annotated, TypeAlias

from annotated_types import Len

from dataexchange.accounts.rounding import Exact, exact
from dataexchange.accounts.split import split_fen
from dataexchange.valuation.arithmetic import number
from dataexchange.valuation.arrays import Floats, Indices, np
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.posting import whole_fen, yuan
from dataexchange.valuation.quantity import Currency, Inputs, Money, Quantity, Text
from dataexchange.valuation.refusal import INPUT_INCONSISTENT, ValuationRefusal
from dataexchange.valuation.stream import bits, permutations

COALITION_MISSING = ValuationRefusal(
    "valuation.coalition_missing",
    clause="Shapley 1953: every coalition has a worth",
    zh="没有写明联盟 {coalition} 的价值；缺口不能按零处理",
    en="The worth of the coalition {coalition} is not stated; a gap does not count as zero",
)
NO_CONTRIBUTION = ValuationRefusal(
    "valuation.no_contribution",
    clause="design: income is shared by contributions above zero",
    zh="没有任何一方的贡献大于零，无从分配",
    en="No contribution is above zero, so there is nothing to share by",
)

Coalition: TypeAlias = frozenset[str]
Worth: TypeAlias = Callable[[Coalition], Exact]
"""v(S): what a coalition achieves alone (accuracy, income in 元, …)."""
PrefixWorth: TypeAlias = Callable[[Indices], Floats]
"""From an order of all n players, shape (n,), to the worth of its n+1 prefixes, v(∅) first."""

PLAYERS_EXACT_MAX = 16
"""65,536 coalitions; beyond, sample."""
PAIRS_PER_BLOCK = 32


def exact_shapley(players: Sequence[str], worth: Worth) -> dict[str, Fraction]:
    """Return each player's value, evaluating `worth` once for every coalition.

    Raises `ValueError` if players repeat, there are none, or more than `PLAYERS_EXACT_MAX`.
    """
    _check_players(players)
    scale, worths = _integer_worths(players, worth)
    weights = _coalition_weights(len(players))
    whole = math.factorial(len(players)) * scale
    return {
        player: Fraction(_weighted_gains(1 << index, worths, weights), whole)
        for index, player in enumerate(players)
    }


def tabled_worth(table: Mapping[Coalition, Exact]) -> Worth:
    """Return the worth function that reads `table`; the empty coalition is worth 0 unless stated.

    A coalition that the table lacks raises `KeyError`: a gap must not count as zero.
    """
    return lambda coalition: table[coalition] if coalition or coalition in table else 0


def _check_players(players: Sequence[str]) -> None:
    if not 1 <= len(players) <= PLAYERS_EXACT_MAX:
        raise ValueError(f"exact values take 1 to {PLAYERS_EXACT_MAX} players, not {len(players)}")
    if len(set(players)) < len(players):
        raise ValueError("a player is named twice")


def _integer_worths(players: Sequence[str], worth: Worth) -> tuple[int, list[int]]:
    """Return every coalition's worth by bit mask, as integers over one common denominator."""
    worths = [
        exact(worth(frozenset(p for bit, p in enumerate(players) if mask >> bit & 1)))
        for mask in range(1 << len(players))
    ]
    scale = math.lcm(*{value.denominator for value in worths})
    return scale, [value.numerator * (scale // value.denominator) for value in worths]


def _coalition_weights(count: int) -> list[int]:
    """Return `|S|!(n−|S|−1)!` for |S| = 0 … n−1."""
    return [math.factorial(size) * math.factorial(count - size - 1) for size in range(count)]


def _weighted_gains(bit: int, worths: list[int], weights: list[int]) -> int:
    return sum(
        weights[mask.bit_count()] * (worths[mask | bit] - worths[mask])
        for mask in range(len(worths))
        if not mask & bit
    )


def revenue_weights(values: Iterable[Exact]) -> list[Fraction]:
    """Return weights for a revenue split: harmful data (a value below 0) earns nothing.

    Flooring at 0 is our choice, no norm's; with all values ≥ 0 the shares are Shapley's own.
    """
    return [max(exact(value), Fraction(0)) for value in values]


def split_revenue_fen(total_fen: int, values: Mapping[str, Exact]) -> dict[str, int]:
    """Split `total_fen` by Shapley value, largest remainder; `ValueError` if none is above 0."""
    parts = split_fen(total_fen, revenue_weights(values.values()))
    return dict(zip(values, parts, strict=True))


@dataclass(frozen=True, slots=True)
class SampledShapley:
    """Sampled values, one per player in order of index, and how sure they are."""

    values: Floats
    standard_errors: Floats
    pairs: int
    seed: int


def sampled_shapley(
    prefix_worth: PrefixWorth,
    *,
    players: int,
    pairs: int,
    seed: int,
    executor: Executor | None = None,
) -> SampledShapley:
    """Estimate the values of `players` players from `pairs` random orders and their reverses.

    Each order and its reverse are averaged before anything else (antithetic pairs: a player late in
    one is early in the other), so the standard error is over independent pairs. The same seed gives
    the same bytes with or without `executor`. Raises `ValueError` below 2 pairs or 1 player.
    """
    if pairs < 2 or players < 1:
        raise ValueError("sampling takes at least 2 pairs of orders and 1 player")
    run = map if executor is None else executor.map
    counts = [min(PAIRS_PER_BLOCK, left) for left in range(pairs, 0, -PAIRS_PER_BLOCK)]
    sample = partial(_sample_block, prefix_worth, players, seed)
    moments = _merge(run(sample, enumerate(counts)))
    errors = np.sqrt(moments.squares / (pairs - 1) / pairs)
    return SampledShapley(moments.mean, errors, pairs, seed)


def prefix_worth_of(players: Sequence[str], worth: Worth) -> PrefixWorth:
    """Adapt a worth of named coalitions to the orders that sampling walks."""

    def walk(order: Indices) -> Floats:
        prefixes = _prefixes([players[index] for index in order])
        return np.array([float(worth(prefix)) for prefix in prefixes])

    return walk


def _prefixes(order: Sequence[str]) -> Iterator[Coalition]:
    return (frozenset(order[:size]) for size in range(len(order) + 1))


@dataclass(frozen=True, slots=True)
class _Moments:
    count: int
    mean: Floats
    squares: Floats


def _sample_block(
    prefix_worth: PrefixWorth, players: int, seed: int, block: tuple[int, int]
) -> _Moments:
    index, count = block
    orders = permutations(bits(seed, index), count, players)
    gains = np.stack([_pair_gains(prefix_worth, order) for order in orders])
    mean = gains.mean(axis=0)
    return _Moments(count, mean, ((gains - mean) ** 2).sum(axis=0))


def _pair_gains(prefix_worth: PrefixWorth, order: Indices) -> Floats:
    gains = np.empty((2, len(order)))
    gains[0, order] = np.diff(prefix_worth(order))
    gains[1, order[::-1]] = np.diff(prefix_worth(order[::-1]))
    return np.asarray(gains.mean(axis=0), dtype=np.float64)


def _merge(blocks: Iterable[_Moments]) -> _Moments:
    """Add up the moments in block order (Chan, Golub and LeVeque 1979)."""
    ordered = iter(blocks)
    merged = next(ordered)
    for block in ordered:
        count = merged.count + block.count
        step = block.mean - merged.mean
        mean = merged.mean + step * (block.count / count)
        cross = step**2 * (merged.count * block.count / count)
        merged = _Moments(count, mean, merged.squares + block.squares + cross)
    return merged


class CoalitionWorth(Inputs):
    """What one coalition of data sets achieves alone."""

    members: Annotated[tuple[Text, ...], Len(0, PLAYERS_EXACT_MAX)]
    worth: Quantity


class ShapleyInputs(Inputs):
    """The data sets, the worth of every coalition, and an income in 元 to be shared."""

    players: Annotated[tuple[Text, ...], Len(1, PLAYERS_EXACT_MAX)]
    coalitions: Annotated[tuple[CoalitionWorth, ...], Len(1, 1 << PLAYERS_EXACT_MAX)]
    income: Money | None = None
    currency: Currency = "CNY"


def _compute(
    inputs: ShapleyInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # the Shapley value has no coefficients
    table = _table(inputs)
    try:
        values = exact_shapley(inputs.players, tabled_worth(table))
    except KeyError as error:
        (coalition,) = error.args
        raise COALITION_MISSING(coalition=" + ".join(sorted(coalition))) from error
    return attribution(values, inputs.income, working)


def _table(inputs: ShapleyInputs) -> dict[Coalition, Decimal]:
    players = set(inputs.players)
    table = {frozenset(one.members): one.worth for one in inputs.coalitions}
    if len(players) < len(inputs.players) or len(table) < len(inputs.coalitions):
        raise INPUT_INCONSISTENT(input="coalitions", why="a player or a coalition is given twice")
    if any(not coalition <= players for coalition in table):
        raise INPUT_INCONSISTENT(input="coalitions", why="a coalition names an unknown player")
    return table


def attribution(
    values: Mapping[str, Fraction], income: Decimal | None, working: Working
) -> dict[str, Computed]:
    """Return `contribution`, `share` and, of an `income` in 元, each part, for a method's outputs.

    Raises `valuation.no_contribution` where no value is above 0.
    """
    weights = revenue_weights(values.values())
    if not any(weights):
        raise NO_CONTRIBUTION()
    contributions = {name: number(value) for name, value in values.items()}
    for name, value in contributions.items():
        working.step("φ", value, zh=f"{name} 的贡献", en=f"contribution of {name}")
        if value < 0:
            _warn_of_harm(name, working)
    shares = [number(weight / sum(weights)) for weight in weights]
    computed: dict[str, Computed] = {
        "contribution": contributions,
        "share": dict(zip(values, shares, strict=True)),
    }
    if income is not None:
        parts = split_revenue_fen(whole_fen(income, "income"), values)
        computed["income"] = {name: yuan(part) for name, part in parts.items()}
    return computed


def _warn_of_harm(name: str, working: Working) -> None:
    working.warn(
        "valuation.harmful_data",
        zh=f"{name} 的贡献为负：分成按零计，并建议核查该数据",
        en=f"{name} contributes less than nothing: its share is 0, and the data should be examined",
    )


ATTRIBUTION_OUTPUTS = (
    Output("contribution", Kind.NUMBER, "贡献", "Contribution", many=True),
    Output("share", Kind.RATIO, "分成比例", "Share", many=True),
    Output("income", Kind.MONEY, "分成收入", "Share of the income", many=True),
)

SHAPLEY = Method(
    name="shapley",
    inputs=ShapleyInputs,
    compute=_compute,
    outputs=ATTRIBUTION_OUTPUTS,
    refusals=(COALITION_MISSING, NO_CONTRIBUTION),
)
