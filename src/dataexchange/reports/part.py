"""One method of a report: the card, what it was applied to, and what came out."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from dataexchange.valuation import Card, Drawing, Result, run_card
from dataexchange.valuation.card import CardInput
from dataexchange.valuation.document import canonical, read_document
from dataexchange.valuation.evaluation import headline
from dataexchange.valuation.inputs import read_inputs, top_of
from dataexchange.valuation.interval import draw_values
from dataexchange.valuation.refusal import INPUT_MISSING

_PLACE = re.compile(r"\[\d+\]")
_ALONE = ("inputs", "sources", "sensitivity", "table", "interval")


@dataclass(frozen=True, slots=True)
class Given:
    """One input as it was given: the card's line for it, where in the document, and what."""

    declared: CardInput | None
    path: str
    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Part:
    """A card applied; `drawn` are the simulated headlines, least first, `weight` is as written."""

    card: Card
    result: Result
    inputs: Mapping[str, Any]
    drawn: tuple[Decimal, ...] = ()
    weight: str | None = None
    reason: str = ""

    @property
    def method(self) -> str:
        """The method and its version, as the card is called."""
        return f"{self.card.sheet.method}/{self.card.sheet.version}"

    def given(self) -> Iterator[Given]:
        """Yield every input that was given, in the card's order."""
        declared = {one.name: one for one in self.card.sheet.inputs}
        found = [
            Given(declared.get(_general(path)), path, value, self._source(path))
            for path, value in _leaves(self.inputs, declared)
        ]
        order = {name: place for place, name in enumerate(declared)}
        # Rows of a table stay together: by first member of the path, then as written.
        yield from sorted(found, key=lambda one: _top_place(one.path, order))

    def label(self, path: str) -> CardInput | None:
        """Return the card's line for a path of the document, if it has one."""
        declared = {one.name: one for one in self.card.sheet.inputs}
        name = _general(path)
        while name not in declared and "." in name:
            name = name.rpartition(".")[0]
        return declared.get(name)

    def _source(self, path: str) -> str:
        stated = self.result.sources.get(top_of(_general(path)))
        if isinstance(stated, Mapping):
            return " · ".join(
                str(stated[key]) for key in ("text", "dated", "sha256") if key in stated
            )
        return "" if stated is None else str(stated)


def applied(card: bytes, loaded: Card, document: bytes, **said: str) -> Part:
    """Return `card` applied to `document` (both as bytes); raises `ValuationRefusedError`.

    Of a report document the section for the card is taken, as if it stood alone.
    """
    found = read_document(document)
    if "sections" in found:
        alone = _alone(loaded, found)
        whole = applied(card, loaded, canonical(alone), **said)
        sha256 = hashlib.sha256(document).hexdigest()
        return replace(whole, result=replace(whole.result, document_sha256=sha256, kind="section"))
    inputs = found.get("inputs", found)
    drawn = drawn_by(loaded, inputs, found.get("interval") if "inputs" in found else None)
    return Part(loaded, run_card(card, document), inputs, drawn, **said)


def _alone(card: Card, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report's section for `card` as a document of its own."""
    names = {card.sheet.method, f"{card.sheet.method}/{card.sheet.version}", card.sha256}
    for section in document["sections"]:
        if section.get("card") in names:
            kept = {name: section[name] for name in _ALONE if name in section}
            return {"engagement": document.get("engagement"), **kept}
    raise INPUT_MISSING(input=f"sections ({card.sheet.method})")


def drawn_by(card: Card, inputs: Mapping[str, Any], drawing: object) -> tuple[Decimal, ...]:
    """Return the headlines that an interval of a document draws again; none without one."""
    if not isinstance(drawing, Mapping):
        return ()
    read = read_inputs(Drawing, drawing)
    return tuple(draw_values(partial(headline, card), inputs, read))


def _general(path: str) -> str:
    return _PLACE.sub("[]", path)


def _leaves(
    found: Any, declared: Mapping[str, CardInput], path: str = ""
) -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of what the card names, and of single values that it does not."""
    if _general(path) in declared and not _is_deeper(path, declared):
        yield path, found
    elif isinstance(found, Mapping):
        for key, value in found.items():
            yield from _leaves(value, declared, f"{path}.{key}".lstrip("."))
    elif isinstance(found, Sequence) and not isinstance(found, str):
        for place, value in enumerate(found):
            yield from _leaves(value, declared, f"{path}[{place}]")
    else:
        yield path, found


def _is_deeper(path: str, declared: Mapping[str, CardInput]) -> bool:
    """Say whether the card also names something below `path`."""
    name = _general(path)
    return any(one.startswith((f"{name}.", f"{name}[")) for one in declared)


def _top_place(path: str, order: Mapping[str, int]) -> int:
    top = top_of(_general(path))
    return min((place for name, place in order.items() if top_of(name) == top), default=len(order))
