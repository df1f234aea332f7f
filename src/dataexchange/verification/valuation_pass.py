"""Run the cards of drafted valuations again, on the inputs that the bundle discloses.

The sequencer never computes a value; this pass does, for every figure whose card and input
document are in the bundle as `content/<sha256>`. The figure that counts is exact, so it must come
out to the 分. Simulated quantiles are disclosures and are not judged here.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dataexchange.ledger.entry import Entry
from dataexchange.valuation import Card, ValuationRefusedError, evaluate, load_card
from dataexchange.valuation.document import read_document
from dataexchange.valuation.record import MethodUsed, ValuationDrafted
from dataexchange.verification.bundle import Bundle
from dataexchange.verification.verdict import Recomputation, UnsoundError

DRAFTED = "valuation.drafted@1"
Content = Callable[[str], bytes | None]


class _UnreadableError(Exception):
    """The card or the document is not in a form that this verifier knows."""


def recompute_valuations(bundle: Bundle, size: int) -> Recomputation:
    """Recompute the figures of every draft in a log of `size`.

    Raises `UnsoundError`, naming the entry, where a card gives another figure or refuses.
    """
    found, disclosed = Recomputation(), frozenset(bundle.contents)

    def content(sha256: str) -> bytes | None:
        return bundle.content(sha256) if sha256 in disclosed else None

    for entry in drafts(bundle, size):
        draft = ValuationDrafted.model_validate_json(entry.statement.payload)
        for used in draft.methods:
            _check(used, entry.index, content, found)
    return found


def drafts(bundle: Bundle, size: int) -> Iterator[Entry]:
    """Yield the entries of the log that draft a valuation."""
    mark = f'"{DRAFTED}"'.encode()
    for bodies in bundle.entries(size):
        for body in bodies:
            if mark in body:
                entry = Entry.parse(body)
                if entry.statement.fields.event == DRAFTED:
                    yield entry


def _check(used: MethodUsed, index: int, content: Content, found: Recomputation) -> None:
    card, document = content(used.card_sha256), content(used.inputs_sha256)
    if card is None or document is None:
        found.not_disclosed += 1
        return
    try:
        values_fen = recomputed_fen(card, document)
    except _UnreadableError as error:
        found.warnings.append(_cannot(index, used, error))
        return
    except ValuationRefusedError as refused:
        raise _refused(index, used, refused) from refused
    except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError) as error:
        raise _different(index, used, repr(error)) from error
    if used.value_fen not in values_fen:
        raise _different(index, used, ", ".join(map(str, values_fen)) or "—")
    found.figures += 1


def recomputed_fen(card: bytes, document: bytes) -> list[int]:
    """Return what `card` makes of `document`, in 分: one figure, or one per section that names it.

    A card without a money headline gives none. Raises `ValuationRefusedError`.
    """
    loaded, given = _read(card, document)
    parts = _sections(loaded, given) if "sections" in given else [given]
    valued = [
        evaluate(
            loaded,
            part.get("inputs", part),
            engagement=given.get("engagement"),
            sources=part.get("sources"),
        )
        for part in parts
    ]
    return [one.fen for one in valued if one.headline.fen]


def _read(card: bytes, document: bytes) -> tuple[Card, dict[str, Any]]:
    try:
        return load_card(card), read_document(document)
    except ValuationRefusedError as error:
        raise _UnreadableError(f"{error.zh} / {error.en}") from error


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
