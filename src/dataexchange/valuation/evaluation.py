"""Apply a card to inputs: one pure function from bytes to figures, or a refusal with its clause."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from dataexchange import __version__
from dataexchange.valuation.arithmetic import exact, plain
from dataexchange.valuation.card import Card
from dataexchange.valuation.document import canonical
from dataexchange.valuation.engagement import Engagement, check_dates, check_engagement
from dataexchange.valuation.inputs import hold_to_range, read_inputs, top_of
from dataexchange.valuation.method import Method, Working
from dataexchange.valuation.quantity import Inputs
from dataexchange.valuation.refusal import (
    METHOD_UNKNOWN,
    RESULT_UNBOUNDED,
    SOURCE_MISSING,
    ValuationRefusedError,
)
from dataexchange.valuation.result import Disclosure, Figure, StepShown, Valuation, shown_figure

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
    method, working = method_of(card), Working()
    inputs = read_inputs(method.inputs, given)
    for declared in card.sheet.inputs:
        hold_to_range(inputs, declared, working)
    agreed = None if engagement is None else read_inputs(Engagement, engagement)
    if agreed is not None:
        check_engagement(agreed)
        check_dates(inputs, agreed.base_date)
    _check_sources(card, inputs, sources, working, strict=agreed is not None)
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
    method, working = method_of(card), Working()
    read = read_inputs(method.inputs, inputs)
    for declared in card.sheet.inputs:
        hold_to_range(read, declared, working)
    return Decimal(_compute(method, read, card, working)[0].exact[0])


def method_of(card: Card) -> Method[Any]:
    """Return the method that `card` parametrises."""
    from dataexchange.valuation.methods import METHODS

    if card.sheet.method not in METHODS:
        raise METHOD_UNKNOWN(method=card.sheet.method)
    return METHODS[card.sheet.method]


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


def _check_sources(
    card: Card, inputs: Inputs, sources: Mapping[str, Any], working: Working, *, strict: bool
) -> None:
    missing = sorted(_unsourced(card, inputs, sources))
    if missing and strict:
        raise SOURCE_MISSING(inputs=", ".join(missing))
    if missing:
        names = ", ".join(missing)
        working.warn(
            "valuation.source_missing",
            zh=f"下列输入项没有写明来源，结果只是测算：{names}",
            en=f"No source is stated for {names}: this is a calculation, not a report",
        )


def _unsourced(card: Card, inputs: Inputs, sources: Mapping[str, Any]) -> set[str]:
    wanted = {one.name for one in card.sheet.inputs if one.source == "required"}
    tops = {top_of(name) for name in wanted}
    stated = {top for top in tops if top in inputs.model_fields_set}
    return {top for top in stated if not str(sources.get(top) or "").strip()}


def _hash(*parts: object) -> str:
    names = ("inputs", "engagement", "sources")
    return hashlib.sha256(canonical(dict(zip(names, parts, strict=True)))).hexdigest()
