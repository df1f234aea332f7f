"""What a report is written from: the documents of the appraiser, or the log's record of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from dataexchange.reports.part import Part, applied, drawn_by
from dataexchange.reports.record import Record
from dataexchange.valuation import Card, Report, load_card, run_report
from dataexchange.valuation.document import read_document
from dataexchange.valuation.library import find_card


@dataclass(frozen=True, slots=True)
class Reference:
    """Where the report is to be proved: the valuation's id in the log, and an address."""

    valuation: str | None = None
    proof_url: str | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that a report says, whatever its language.

    `kind` is `calculation` 测算, `report` 评估报告, or `record` (made from a log that holds it).
    """

    kind: Literal["calculation", "report", "record"]
    parts: tuple[Part, ...]
    engagement: Mapping[str, Any]
    rejected: tuple[tuple[str, str], ...] = ()
    only_method_norm: str | None = None
    difference_explained: str | None = None
    report: Report | None = None
    conclusion_card: Card | None = None
    record: Record | None = None
    reference: Reference = Reference()

    @property
    def dated(self) -> date:
        """The base date; 1970-01-01 where none is stated, so that the bytes do not drift."""
        stated = self.record.base_date if self.record else self.engagement.get("base_date")
        return stated if isinstance(stated, date) else date.fromisoformat(str(stated or _NO_DATE))


_NO_DATE = "1970-01-01"


def dossier_of(
    card: bytes,
    document: bytes,
    *,
    reference: Reference = Reference(),
    find: Callable[[str], Card] = find_card,
) -> Dossier:
    """Return what `card` and `document`, as bytes, make; raises `ValuationRefusedError`.

    A document with `sections` is a report of several methods, whose cards `find` finds; `card`
    stands for its own method among them.
    """
    loaded, found = load_card(card), read_document(document)
    if "sections" in found:

        def with_own(name: str) -> Card:
            return loaded if name == loaded.sheet.method else find(name)

        return _of_report(run_report(document, find=with_own), found, with_own, reference)
    part = applied(card, loaded, document)
    return Dossier(
        kind="report" if part.result.kind == "report" else "calculation",
        parts=(part,),
        engagement=part.result.engagement or {},
        rejected=tuple((one["approach"], one["reason"]) for one in found.get("rejected", ())),
        only_method_norm=found.get("only_method_norm"),
        reference=reference,
    )


def _of_report(
    report: Report,
    document: Mapping[str, Any],
    find: Callable[[str], Card],
    reference: Reference,
) -> Dossier:
    weights = {method: weight for method, weight, _ in report.weights}
    parts = [
        Part(
            card=(card := find(section["card"])),
            result=result,
            inputs=section["inputs"],
            drawn=drawn_by(card, section["inputs"], section.get("interval")),
            weight=weights.get(section["card"]),
            reason=section.get("reason", ""),
        )
        for section, result in zip(document["sections"], report.sections, strict=True)
    ]
    return Dossier(
        kind="report",
        parts=tuple(parts),
        engagement=report.engagement,
        rejected=report.rejected,
        only_method_norm=document.get("only_method_norm"),
        difference_explained=document.get("difference_explained"),
        report=report,
        conclusion_card=find("reconciliation"),
        reference=reference,
    )


def dossier_of_record(record: Record, *, proof_url: str | None = None) -> Dossier:
    """Return what the log's record of a valuation makes, as far as cards and inputs are disclosed.

    Raises `ValuationRefusedError` where a card refuses what the log says that it was given.
    """
    reference = Reference(record.valuation.id, proof_url)
    whole = whole_report(record, reference)
    if whole is not None:
        return replace(whole, kind="record", record=record)
    parts = [
        applied(
            record.contents[used.card_sha256],
            load_card(record.contents[used.card_sha256]),
            record.contents[used.inputs_sha256],
            weight=str(used.weight),
        )
        for used in record.draft.methods
        if record.disclosed(used)
    ]
    return Dossier(
        kind="record",
        parts=tuple(parts),
        engagement=next((p.result.engagement for p in parts if p.result.engagement), {}),
        only_method_norm=record.draft.single_method_reason,
        record=record,
        reference=reference,
    )


def whole_report(record: Record, reference: Reference) -> Dossier | None:
    """Return the report that all figures of `record` were taken from, if one document gave them."""
    documents = {used.inputs_sha256 for used in record.draft.methods}
    if len(documents) > 1 or not all(map(record.disclosed, record.draft.methods)):
        return None
    content = record.contents[min(documents)]
    found = read_document(content)
    if "sections" not in found:
        return None
    cards = [load_card(record.contents[used.card_sha256]) for used in record.draft.methods]
    own = {card.sheet.method: card for card in cards}

    def find(name: str) -> Card:
        return own.get(name.partition("/")[0]) or find_card(name)

    return _of_report(run_report(content, find=find), found, find, reference)
