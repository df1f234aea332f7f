"""Check a card: it matches its method, its ranges are no wider, its worked cases come out."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from dataexchange.valuation.arithmetic import CENT, MILLIONTH, number
from dataexchange.valuation.card import Card, Case
from dataexchange.valuation.conformity import form_faults, method_of
from dataexchange.valuation.evaluation import evaluate
from dataexchange.valuation.inputs import top_of
from dataexchange.valuation.method import Kind
from dataexchange.valuation.refusal import ValuationRefusedError
from dataexchange.valuation.result import Figure, Valuation


def check_card(card: Card) -> list[str]:
    """Return every fault of `card`, in English; an empty list is a good card."""
    try:
        method = method_of(card)
    except ValuationRefusedError as error:
        return [error.en]
    return [*form_faults(card, method), *case_faults(card)]


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
