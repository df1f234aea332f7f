"""Apply a card to inputs: one pure function from bytes to figures, or a refusal with its clause."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from dataexchange import __version__
from dataexchange.valuation.arithmetic import exact, plain
from dataexchange.valuation.card import Card
from dataexchange.valuation.conformity import conforming_method
from dataexchange.valuation.document import canonical
from dataexchange.valuation.engagement import Engagement, check_dates, check_engagement
from dataexchange.valuation.inputs import hold_to_range, read_inputs
from dataexchange.valuation.method import Method, Working
from dataexchange.valuation.quantity import Inputs
from dataexchange.valuation.refusal import (
    RESULT_UNBOUNDED,
    ValuationRefusedError,
)
from dataexchange.valuation.result import Disclosure, Figure, StepShown, Valuation, shown_figure
from dataexchange.valuation.sourcing import check_source_dates, check_sources, read_sources

NOT_A_BOOKING_BASIS = Disclosure(
    "本结果不得作为会计入账依据（财会〔2025〕33号，据引用）。",
    "This result is not a basis for booking (财会〔2025〕33号, as quoted).",
)


@exact
def evaluate(
    card: Card,
    inputs: Mapping[str, Any],
    *,
    engagement: Mapping[str, Any] | None = None,
    sources: Mapping[str, Any] | None = None,
) -> Valuation:
    """Return what `card` makes of `inputs`.

    With an `engagement`, its rules are checked and every input that the card wants a source for
    must have one in `sources`; without, the missing sources are a warning. Raises
    `ValuationRefusedError`; its clause is the card's own where the card names one.
    """
    try:
        return _evaluate(card, inputs, engagement, dict(sources or {}))
    except ValuationRefusedError as refused:
        clause = card.clause(refused.code)
        raise (refused.under(clause) if clause else refused) from None


def _evaluate(
    card: Card,
    given: Mapping[str, Any],
    engagement: Mapping[str, Any] | None,
    sources: dict[str, Any],
) -> Valuation:
    method, working = conforming_method(card), Working()
    inputs = read_inputs(method.inputs, given)
    for declared in card.sheet.inputs:
        hold_to_range(inputs, declared, working)
    stated = read_sources(sources, card)
    agreed = None if engagement is None else read_inputs(Engagement, engagement, under="engagement")
    if agreed is not None:
        check_engagement(agreed)
        check_dates(inputs, agreed.base_date)
        check_source_dates(stated, agreed.base_date)
    check_sources(card, inputs, stated, working, strict=agreed is not None)
    figures = _compute(method, inputs, card, working)
    return Valuation(
        method=card.sheet.method,
        version=card.sheet.version,
        card_sha256=card.sha256,
        inputs_sha256=_hash(given, engagement, sources),
        code_version=__version__,
        figures=figures,
        steps=tuple(StepShown(s.symbol, s.zh, s.en, plain(s.value)) for s in working.steps),
        warnings=tuple(working.warnings),
        disclosures=_disclosures(card, method),
    )


@exact
def headline(card: Card, inputs: Mapping[str, Any]) -> Decimal:
    """Return only the exact headline of `card`: what sensitivity and intervals ask again."""
    method, working = conforming_method(card), Working()
    read = read_inputs(method.inputs, inputs)
    for declared in card.sheet.inputs:
        hold_to_range(read, declared, working)
    return Decimal(_compute(method, read, card, working)[0].exact[0])


def _compute(
    method: Method[Any], inputs: Inputs, card: Card, working: Working
) -> tuple[Figure, ...]:
    try:
        computed = method.compute(inputs, card.parameters, working)
        return tuple(
            shown_figure(output, computed[output.name])
            for output in method.outputs
            if output.name in computed
        )
    except (DivisionByZero, InvalidOperation, Overflow) as error:
        raise RESULT_UNBOUNDED() from error


def _disclosures(card: Card, method: Method[Any]) -> tuple[Disclosure, ...]:
    own = tuple(Disclosure(one.zh, one.en) for one in card.sheet.disclosures)
    values = method.approach is not None or method.name == "reconciliation"
    return (*own, NOT_A_BOOKING_BASIS) if values else own


def _hash(*parts: object) -> str:
    names = ("inputs", "engagement", "sources")
    return hashlib.sha256(canonical(dict(zip(names, parts, strict=True)))).hexdigest()
