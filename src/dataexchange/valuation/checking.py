"""Check a card: it matches its method, its ranges are no wider, its worked cases come out."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from dataexchange.valuation import engagement, refusal
from dataexchange.valuation.arithmetic import CENT, MILLIONTH, number
from dataexchange.valuation.card import Card, Case, Range
from dataexchange.valuation.evaluation import evaluate, method_of
from dataexchange.valuation.inputs import leaves, top_of, widest
from dataexchange.valuation.method import Kind, Method
from dataexchange.valuation.refusal import ValuationRefusal, ValuationRefusedError
from dataexchange.valuation.result import Figure, Valuation

SHARED_CODES = frozenset(
    declared.code
    for module in (refusal, engagement)
    for declared in vars(module).values()
    if isinstance(declared, ValuationRefusal)
)


def check_card(card: Card) -> list[str]:
    """Return every fault of `card`, in English; an empty list is a good card."""
    try:
        method = method_of(card)
    except ValuationRefusedError as error:
        return [error.en]
    return [*_form_faults(card, method), *case_faults(card)]


def _form_faults(card: Card, method: Method[Any]) -> Iterator[str]:
    sheet, paths = card.sheet, leaves(method.inputs)
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
        if one.name in paths and not within(one.range, widest(paths[one.name])):
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


def case_faults(card: Card) -> Iterator[str]:
    """Yield how each worked case fails; nothing when all come out."""
    for case in card.sheet.cases:
        for fault in _case_fault(card, case):
            yield f"case “{case.name}”: {fault}"


def _case_fault(card: Card, case: Case) -> Iterator[str]:
    if (case.expect is None) == (case.refused is None):
        yield "expects either figures or a refusal"
        return
    try:
        result = evaluate(
            card, case.inputs, engagement=case.engagement, sources=_stated(card, case)
        )
    except ValuationRefusedError as refused:
        if refused.code != case.refused:
            yield f"refused with {refused.code}: {refused.en}"
        return
    if case.refused:
        yield f"expected {case.refused}, got {result.yuan}"
        return
    yield from _figure_faults(result, case)


def _stated(card: Card, case: Case) -> dict[str, str]:
    """A worked case states one source for all its inputs."""
    return {top_of(one.name): case.source for one in card.sheet.inputs}


def _figure_faults(result: Valuation, case: Case) -> Iterator[str]:
    warned = {warning.code for warning in result.warnings}
    yield from (f"did not warn {code}" for code in case.warned if code not in warned)
    for name, wanted in (case.expect or {}).items():
        try:
            figure = result.figure(name)
        except KeyError:
            yield f"gives no {name}"
            continue
        if not matches(figure, wanted):
            yield f"{name} is {', '.join(figure.exact)}, not {wanted}"


def matches(figure: Figure, wanted: object) -> bool:
    """Say whether `figure` is `wanted`: money to 0.01, all else to 1e-6."""
    expected = _expected(wanted)
    if len(expected) != len(figure.exact):
        return False
    if figure.kind is Kind.MONEY:
        shown = [Decimal(text) for text in figure.shown]
        return all(a == b.quantize(CENT) for a, b in zip(shown, expected, strict=True))
    exact = [Decimal(text) for text in figure.exact]
    return all(abs(a - b) <= MILLIONTH for a, b in zip(exact, expected, strict=True))


def _expected(wanted: object) -> list[Decimal]:
    if isinstance(wanted, Mapping):
        return [number(one) for one in wanted.values()]
    return [number(one) for one in wanted] if isinstance(wanted, list) else [number(wanted)]  # type: ignore[arg-type]
