"""Sources: where each input was taken from, when it is dated, and the hash of the evidence.

A source is a sentence, or a map `{text, dated, sha256}`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from dataexchange.valuation.card import Card
from dataexchange.valuation.engagement import AFTER_BASE_DATE
from dataexchange.valuation.inputs import read_inputs, top_of
from dataexchange.valuation.method import Working
from dataexchange.valuation.quantity import Day, Hash, Inputs, Text
from dataexchange.valuation.refusal import INPUT_UNKNOWN, SOURCE_MISSING


class Source(Inputs):
    """Where one input was taken from."""

    text: Text
    dated: Day | None = None
    sha256: Hash | None = None


def read_sources(given: Mapping[str, Any], card: Card) -> dict[str, Source]:
    """Return the sources by top-level input; refuses one for an input that the card lacks."""
    tops = {top_of(one.name) for one in card.sheet.inputs}
    for name in given:
        if name not in tops:
            raise INPUT_UNKNOWN(input=f"sources.{name}")
    return {name: _source(name, stated) for name, stated in given.items()}


def _source(name: str, stated: object) -> Source:
    whole = stated if isinstance(stated, Mapping) else {"text": stated}
    return read_inputs(Source, whole, under=f"sources.{name}")


def check_sources(
    card: Card, inputs: Inputs, sources: Mapping[str, Source], working: Working, *, strict: bool
) -> None:
    """Refuse (or, unless `strict`, warn of) an input that the card wants a source for."""
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


def _unsourced(card: Card, inputs: Inputs, sources: Mapping[str, Source]) -> set[str]:
    wanted = {top_of(one.name) for one in card.sheet.inputs if one.source == "required"}
    return (wanted & inputs.model_fields_set) - set(sources)


def check_source_dates(sources: Mapping[str, Source], base_date: date) -> None:
    """Refuse a source that is dated after the base date."""
    for name, source in sources.items():
        if source.dated is not None and source.dated > base_date:
            raise AFTER_BASE_DATE(input=f"sources.{name}", given=source.dated, base_date=base_date)
