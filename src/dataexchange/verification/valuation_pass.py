"""Run the cards of drafted valuations again, on the inputs that the bundle discloses.

The sequencer never computes a value; this pass does, for every figure whose card and input
document are in the bundle as `content/<sha256>`:

1. The figure that counts is exact, so it must come out to the 分.
2. P10 and P90 are drawn again where every method's document says how, weighted as in the draft.
   They are a disclosure, so they may be off by `TOLERANCE_FEN`.
3. A comparable of the ledger must be a deal that the log had closed by then, at that price.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from dataexchange.ledger.entry import Entry
from dataexchange.valuation import (
    Card,
    Drawing,
    Interval,
    ValuationRefusedError,
    draw_interval,
    evaluate,
    load_card,
)
from dataexchange.valuation.arithmetic import exact, fen, total
from dataexchange.valuation.document import read_document
from dataexchange.valuation.evaluation import headline
from dataexchange.valuation.inputs import read_inputs
from dataexchange.valuation.market import MARKET, MarketInputs
from dataexchange.valuation.record import MethodUsed, ValuationDrafted
from dataexchange.verification.bundle import Bundle
from dataexchange.verification.closed_deals import TELLING, ClosedDeals
from dataexchange.verification.verdict import Recomputation, UnsoundError

DRAFTED = "valuation.drafted@1"
TOLERANCE_FEN = 1
Content = Callable[[str], bytes | None]


class _UnreadableError(Exception):
    """The card or the document is not in a form that this verifier knows."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What one document says for one card: inputs, and how the interval is drawn, if it is."""

    inputs: Mapping[str, Any]
    sources: Mapping[str, Any] | None
    interval: Mapping[str, Any] | None


def recompute_valuations(bundle: Bundle, size: int) -> Recomputation:
    """Recompute the figures of every draft in a log of `size`.

    Raises `UnsoundError`, naming the entry, where a card gives another figure or refuses.
    """
    found, deals, disclosed = Recomputation(), ClosedDeals(), frozenset(bundle.contents)

    def content(sha256: str) -> bytes | None:
        return bundle.content(sha256) if sha256 in disclosed else None

    for entry in _entries(bundle, size):
        deals.take(entry)
        if entry.statement.fields.event == DRAFTED:
            draft = ValuationDrafted.model_validate_json(entry.statement.payload)
            _check_draft(draft, _Place(entry.index, content, deals, found))
    return found


def _entries(bundle: Bundle, size: int) -> Iterator[Entry]:
    """Yield the entries of the log that draft a valuation, or tell of a deal."""
    mark = f'"{DRAFTED}"'.encode()
    for bodies in bundle.entries(size):
        yield from (Entry.parse(body) for body in bodies if mark in body or TELLING.search(body))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a draft stands: its entry's index, what is disclosed, and the deals closed by then."""

    index: int
    content: Content
    deals: ClosedDeals
    found: Recomputation


def _check_draft(draft: ValuationDrafted, place: _Place) -> None:
    intervals = [_check(used, place) for used in draft.methods]
    drawn = [one for one in intervals if one is not None]
    if len(drawn) == len(draft.methods):
        _check_interval(draft, drawn, place)


def _check(used: MethodUsed, place: _Place) -> Interval | None:
    """Check one method's figure and comparables; return its interval where its document has one."""
    card, document = place.content(used.card_sha256), place.content(used.inputs_sha256)
    if card is None or document is None:
        place.found.not_disclosed += 1
        return None
    try:
        return _recompute(used, card, document, place)
    except _UnreadableError as error:
        place.found.warnings.append(_cannot(place.index, used, error))
    except ValuationRefusedError as refused:
        raise _refused(place.index, used, refused) from refused
    except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError) as error:
        raise _different(place.index, used, repr(error)) from error
    return None


def _recompute(used: MethodUsed, card: bytes, document: bytes, place: _Place) -> Interval | None:
    loaded, given = _read(card, document)
    figures = [(part, _fen(loaded, given, part)) for part in _parts(loaded, given)]
    part = next((part for part, value_fen in figures if value_fen == used.value_fen), None)
    if part is None:
        shown = ", ".join(str(value_fen) for _, value_fen in figures if value_fen is not None)
        raise _different(place.index, used, shown or "—")
    place.found.figures += 1
    if loaded.sheet.method == MARKET.name:
        _check_comparables(used, read_inputs(MarketInputs, part.inputs), place)
    if part.interval is None:
        return None
    drawing = read_inputs(Drawing, part.interval, under="interval")
    return draw_interval(partial(headline, loaded), part.inputs, drawing)


def _check_comparables(used: MethodUsed, inputs: MarketInputs, place: _Place) -> None:
    for comparable in (one for dataset in inputs.datasets for one in dataset.comparables):
        if comparable.origin == "ledger":
            fault = place.deals.fault(comparable)
            if fault is not None:
                raise _no_such_deal(place.index, comparable.entry_index, fault)
            place.found.comparables += 1


@exact
def _check_interval(draft: ValuationDrafted, drawn: list[Interval], place: _Place) -> None:
    weights = [Decimal(used.weight) for used in draft.methods]
    for name, said_fen in (("p10", draft.p10_fen), ("p90", draft.p90_fen)):
        weighted = total(w * getattr(one, name) for w, one in zip(weights, drawn, strict=True))
        found = max(0, fen(weighted))
        if abs(found - said_fen) > TOLERANCE_FEN:
            raise _other_interval(place.index, name.upper(), found, said_fen)
    place.found.intervals += 1


def recomputed_fen(card: bytes, document: bytes) -> list[int]:
    """Return what `card` makes of `document`, in 分: one figure, or one per section that names it.

    A card without a money headline gives none. Raises `ValuationRefusedError`.
    """
    loaded, given = _read(card, document)
    figures = (_fen(loaded, given, part) for part in _parts(loaded, given))
    return [value_fen for value_fen in figures if value_fen is not None]


def _fen(card: Card, document: Mapping[str, Any], part: _Part) -> int | None:
    engagement = document.get("engagement")
    valued = evaluate(card, part.inputs, engagement=engagement, sources=part.sources)
    return valued.fen if valued.headline.fen else None


def _read(card: bytes, document: bytes) -> tuple[Card, dict[str, Any]]:
    try:
        return load_card(card), read_document(document)
    except ValuationRefusedError as error:
        raise _UnreadableError(f"{error.zh} / {error.en}") from error


def _parts(card: Card, document: Mapping[str, Any]) -> list[_Part]:
    """Return the parts of `document` that are for `card`; without `inputs` it is inputs alone."""
    if "sections" in document:
        parts = _sections(card, document)
    elif "inputs" in document:
        parts = [document]
    else:
        parts = [{"inputs": document}]
    return [_Part(one["inputs"], one.get("sources"), one.get("interval")) for one in parts]


def _sections(card: Card, document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the sections of a report document that are for `card`."""
    sheet, sections = card.sheet, document["sections"]
    names = {sheet.method, f"{sheet.method}/{sheet.version}", card.sha256}
    if not isinstance(sections, list) or not all(isinstance(one, dict) for one in sections):
        raise _UnreadableError("sections: 应为列表 / expects a list of mappings")
    return [one for one in sections if one.get("card") in names and "inputs" in one]


def _cannot(index: int, used: MethodUsed, error: _UnreadableError) -> tuple[str, str]:
    return (
        f"第 {index} 条：评估方法 {used.card} 无法复算：{error}",
        f"entry {index}: the figure by {used.card} cannot be recomputed: {error}",
    )


def _refused(index: int, used: MethodUsed, refused: ValuationRefusedError) -> UnsoundError:
    return UnsoundError(
        "valuation.refused_by_card",
        f"规则卡 {used.card} 不接受所披露的输入：{refused.zh}",
        f"card {used.card} refuses the disclosed inputs: {refused.code}: {refused.en}",
        index,
    )


def _different(index: int, used: MethodUsed, recomputed: str) -> UnsoundError:
    return UnsoundError(
        "valuation.differs",
        f"规则卡 {used.card} 复算得 {recomputed} 分，条目写 {used.value_fen} 分",
        f"card {used.card} gives {recomputed} fen again; the entry says {used.value_fen}",
        index,
    )


def _other_interval(index: int, name: str, found_fen: int, said_fen: int) -> UnsoundError:
    return UnsoundError(
        "valuation.interval_differs",
        f"{name} 复算得 {found_fen} 分，条目写 {said_fen} 分",
        f"{name} comes out as {found_fen} fen again; the entry says {said_fen}",
        index,
    )


def _no_such_deal(index: int, entry_index: int | None, fault: tuple[str, str]) -> UnsoundError:
    zh, en = fault
    return UnsoundError(
        "valuation.comparable_differs",
        f"可比案例（第 {entry_index} 条）与账本不符：{zh}",
        f"the comparable of entry {entry_index} is not as the log says: {en}",
        index,
    )
