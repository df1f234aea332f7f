"""Price versions of one data product so that nobody can buy a better one by combining cheap ones.

A version's accuracy is x = 1/variance. Averaging independent noisy answers adds accuracies, so a
menu is free of arbitrage exactly if its price is monotone and subadditive in x (Chen, Koutris and
Kumar 2019, arXiv 1805.11450; M13). The repair sells each version at the cheapest cover: the least
sum of listed prices, repeats allowed, whose accuracies add up to at least its own.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

COMBINATIONS_MAX = 200_000
"""Combinations looked at before a menu is given up as too fine to check."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """One line of a menu: accuracy (1/variance, above 0) and price in 分 (0 or more)."""

    accuracy: Fraction
    price_fen: int

    def __post_init__(self) -> None:
        """Refuse a line that no menu can hold."""
        if self.accuracy <= 0 or self.price_fen < 0:
            raise ValueError("a version has an accuracy above 0 and a price of 0 or more")


@dataclass(frozen=True, slots=True)
class Cover:
    """The cheapest way to reach an accuracy: what to buy, how often, and the sum in 分."""

    price_fen: int
    purchases: tuple[tuple[Version, int], ...]


@dataclass(frozen=True, slots=True)
class Arbitrage:
    """A version that the menu itself undersells."""

    version: Version
    cover: Cover


class _Basket(NamedTuple):
    """What was bought so far, by its last purchase; compares by price, then by accuracy."""

    price_fen: int
    negative_accuracy: Fraction
    order: int
    last: int
    before: "_Basket | None"

    @property
    def accuracy(self) -> Fraction:
        return -self.negative_accuracy

    def purchases(self) -> Iterator[int]:
        """Yield the index of every version bought, last first."""
        basket = self
        while basket.before is not None:
            yield basket.last
            basket = basket.before


def cheapest_covers(menu: Sequence[Version]) -> list[Cover]:
    """Return each version's cheapest cover, in the menu's order.

    Baskets are grown cheapest first, so the first to reach an accuracy is its cheapest cover.
    Raises `ValueError` on an empty menu, an accuracy offered twice, or a menu too fine to check.
    """
    _check(menu)
    covers: dict[Version, Cover] = {}
    waiting = sorted(menu, reverse=True)
    for basket in _baskets(menu):
        while waiting and waiting[-1].accuracy <= basket.accuracy:
            covers[waiting.pop()] = _cover(menu, basket)
        if not waiting:
            break
    return [covers[version] for version in menu]


def find_arbitrage(menu: Sequence[Version]) -> list[Arbitrage]:
    """Return every version that costs more than its cheapest cover, with the cover as proof."""
    pairs = zip(menu, cheapest_covers(menu), strict=True)
    return [
        Arbitrage(version, cover) for version, cover in pairs if cover.price_fen < version.price_fen
    ]


def repair_menu(menu: Sequence[Version]) -> tuple[Version, ...]:
    """Return the menu at the prices of the cheapest covers: the least change that helps."""
    pairs = zip(menu, cheapest_covers(menu), strict=True)
    return tuple(Version(version.accuracy, cover.price_fen) for version, cover in pairs)


def _check(menu: Sequence[Version]) -> None:
    if not menu:
        raise ValueError("a menu has at least one version")
    if len({version.accuracy for version in menu}) < len(menu):
        raise ValueError("an accuracy is offered twice")


def _baskets(menu: Sequence[Version]) -> Iterator[_Basket]:
    """Yield baskets by rising price, each more accurate than all before it.

    A basket no more accurate than a cheaper one can be left out: whatever is added to it could be
    added to the cheaper one.
    """
    heap, best = [_Basket(0, Fraction(0), 0, -1, None)], Fraction(-1)
    order = 0
    while heap:
        basket = heapq.heappop(heap)
        if basket.accuracy <= best:
            continue
        best = basket.accuracy
        yield basket
        for index, version in enumerate(menu):
            order += 1
            heapq.heappush(heap, _grown(basket, version, index, order))
        if order > COMBINATIONS_MAX:
            raise ValueError("the menu is too fine to check for arbitrage")


def _grown(basket: _Basket, version: Version, index: int, order: int) -> _Basket:
    price_fen = basket.price_fen + version.price_fen
    return _Basket(price_fen, basket.negative_accuracy - version.accuracy, order, index, basket)


def _cover(menu: Sequence[Version], basket: _Basket) -> Cover:
    counts = sorted(Counter(basket.purchases()).items())
    return Cover(basket.price_fen, tuple((menu[index], count) for index, count in counts))
