"""Price versions of one data product so that nobody can buy a better one by combining cheap ones.

A version's accuracy is x = 1/variance. Averaging independent noisy answers adds accuracies, so a
menu is free of arbitrage exactly if its price is monotone and subadditive in x (Chen, Koutris and
Kumar 2019, arXiv 1805.11450; M13). The repair sells each version at the cheapest cover: the least
sum of listed prices, repeats allowed, whose accuracies add up to at least its own.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, NamedTuple

from annotated_types import Len

from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.posting import whole_fen, yuan
from dataexchange.valuation.quantity import Currency, Inputs, Money, Positive, Text
from dataexchange.valuation.refusal import INPUT_INCONSISTENT, ValuationRefusal

MENU_TOO_FINE = ValuationRefusal(
    "valuation.menu_too_fine",
    clause="design: a menu is checked completely or not at all",
    zh="价目表过细，组合超过 {most} 种，无法完整检查套利",
    en="The menu is too fine: more than {most} combinations would have to be checked",
    remedy_zh="减少版本，或缩小精度之间的倍数",
    remedy_en="Offer fewer versions, or accuracies that lie closer together",
)

COMBINATIONS_MAX = 100_000
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
    Raises `ValueError` on an empty menu or an accuracy twice, and `valuation.menu_too_fine`.
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
            raise MENU_TOO_FINE(most=COMBINATIONS_MAX)


def _grown(basket: _Basket, version: Version, index: int, order: int) -> _Basket:
    price_fen = basket.price_fen + version.price_fen
    return _Basket(price_fen, basket.negative_accuracy - version.accuracy, order, index, basket)


def _cover(menu: Sequence[Version], basket: _Basket) -> Cover:
    counts = sorted(Counter(basket.purchases()).items())
    return Cover(basket.price_fen, tuple((menu[index], count) for index, count in counts))


class MenuLine(Inputs):
    """One version as listed: accuracy is 1/variance, the price in 元."""

    name: Text
    accuracy: Positive
    price: Money


class MenuInputs(Inputs):
    """The menu to check."""

    versions: Annotated[tuple[MenuLine, ...], Len(1, 100)]
    currency: Currency = "CNY"


def _compute(
    inputs: MenuInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # arbitrage has no coefficients
    menu = _menu(inputs)
    names = [line.name for line in inputs.versions]
    covers = cheapest_covers(menu)
    undersold = 0
    for name, version, cover in zip(names, menu, covers, strict=True):
        price = yuan(cover.price_fen)
        working.step("p*", price, zh=f"{name} 的修正价，元", en=f"repaired price of {name}, 元")
        if cover.price_fen < version.price_fen:
            undersold += 1
            _warn_of_arbitrage(name, cover, dict(zip(menu, names, strict=True)), working)
    prices = {name: yuan(cover.price_fen) for name, cover in zip(names, covers, strict=True)}
    return {"price": prices, "undersold": Decimal(undersold)}


def _menu(inputs: MenuInputs) -> list[Version]:
    lines = inputs.versions
    for row in ([line.name for line in lines], [line.accuracy for line in lines]):
        if len(set(row)) < len(row):
            raise INPUT_INCONSISTENT(input="versions", why="a name or an accuracy is given twice")
    return [Version(Fraction(one.accuracy), whole_fen(one.price, "versions")) for one in lines]


def _warn_of_arbitrage(
    name: str, cover: Cover, names: Mapping[Version, str], working: Working
) -> None:
    bought = " + ".join(f"{count} × {names[version]}" for version, count in cover.purchases)
    price = yuan(cover.price_fen)
    working.warn(
        "valuation.arbitrage_found",
        zh=f"{name} 可由 {bought} 以 {price} 元替代",
        en=f"{name} can be had as {bought} for {price} 元",
    )


MENU = Method(
    name="menu",
    inputs=MenuInputs,
    compute=_compute,
    outputs=(
        Output("price", Kind.MONEY, "无套利价格", "Arbitrage-free price", many=True),
        Output("undersold", Kind.NUMBER, "存在套利的版本数", "Versions undersold"),
    ),
    refusals=(MENU_TOO_FINE,),
)
