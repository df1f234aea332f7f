"""Whether a card conforms to its method: the same inputs, outputs and codes, no wider ranges.

Asked each time a card is applied, so that a city's own card can narrow a rule and never stretch
it.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from dataexchange.valuation import engagement, refusal
from dataexchange.valuation.card import Card, Range
from dataexchange.valuation.inputs import leaves, widest
from dataexchange.valuation.method import Method
from dataexchange.valuation.quantity import Inputs
from dataexchange.valuation.refusal import CARD_INVALID, METHOD_UNKNOWN, ValuationRefusal

SHARED_CODES = frozenset(
    declared.code
    for module in (refusal, engagement)
    for declared in vars(module).values()
    if isinstance(declared, ValuationRefusal)
)


def method_of(card: Card) -> Method[Any]:
    """Return the method that `card` parametrises; raises `valuation.method_unknown`."""
    from dataexchange.valuation.methods import METHODS  # reconciliation asks it in turn

    if card.sheet.method not in METHODS:
        raise METHOD_UNKNOWN(method=card.sheet.method)
    return METHODS[card.sheet.method]


def conforming_method(card: Card) -> Method[Any]:
    """Return the method of a card that conforms to it; raises `valuation.card_invalid`."""
    method = method_of(card)
    for fault in form_faults(card, method):
        raise CARD_INVALID(why=fault)
    return method


@lru_cache(maxsize=256)
def _limits(model: type[Inputs]) -> Mapping[str, Range]:
    return {path: widest(metadata) for path, metadata in leaves(model).items()}


def form_faults(card: Card, method: Method[Any]) -> Iterator[str]:
    """Yield every way in which `card` does not fit `method`."""
    model: type[Inputs] = method.inputs
    sheet, paths = card.sheet, _limits(model)
    named = [one.name for one in sheet.inputs]
    yield from _differ("inputs", set(named), set(paths))
    yield from _differ("outputs", {o.name for o in sheet.outputs}, {o.name for o in method.outputs})
    yield from _differ("parameters", set(sheet.parameters), set(method.parameters))
    yield from _parameter_faults(card, method)
    own, stated = {one.code for one in method.refusals}, {one.code for one in sheet.refusals}
    yield from _differ("refusals", stated - SHARED_CODES, own)
    if len(set(named)) != len(named):
        yield "inputs: a name is given twice"
    for one in sheet.inputs:
        if one.name in paths and not within(one.range, paths[one.name]):
            yield f"inputs: the range of {one.name} is wider than the method's"
        if one.range == Range():
            yield f"inputs: {one.name} has no range"


def _parameter_faults(card: Card, method: Method[Any]) -> Iterator[str]:
    for name, default in method.parameters.items():
        if isinstance(card.parameters.get(name, default), tuple) != isinstance(default, tuple):
            yield f"parameters: {name} is a row where one figure is meant, or the reverse"


def _differ(what: str, card: set[str], method: set[str]) -> Iterator[str]:
    for name in sorted(method - card):
        yield f"{what}: {name} is missing"
    for name in sorted(card - method):
        yield f"{what}: the method knows no {name}"


def within(narrow: Range, wide: Range) -> bool:
    """Say whether everything that `narrow` allows is allowed by `wide`."""
    return _low(narrow) >= _low(wide) and _high(narrow) <= _high(wide)


def _low(limits: Range) -> tuple[Decimal, bool]:
    if limits.above is not None:
        return (limits.above, True)
    return (limits.min if limits.min is not None else Decimal("-Infinity"), False)


def _high(limits: Range) -> tuple[Decimal, bool]:
    if limits.below is not None:
        return (limits.below, False)
    return (limits.max if limits.max is not None else Decimal("Infinity"), True)
