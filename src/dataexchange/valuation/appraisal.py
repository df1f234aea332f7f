"""From a card and an input document, as bytes, to a result: what `dataexchange value` prints.

A document is a calculation (测算) unless it says `kind: report`; a report (评估报告) must state all
that the law makes it state, and may not rest on one method where two apply.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any, Literal, TypeAlias

from dataexchange.valuation.arithmetic import ZERO, exact, plain, total
from dataexchange.valuation.card import Bilingual, Card, load_card
from dataexchange.valuation.document import read_document
from dataexchange.valuation.engagement import Engagement, require_report
from dataexchange.valuation.evaluation import evaluate, headline
from dataexchange.valuation.inputs import read_inputs
from dataexchange.valuation.interval import Drawing, Interval, draw_interval
from dataexchange.valuation.library import find_card
from dataexchange.valuation.quantity import Inputs, Ratio, Text
from dataexchange.valuation.reconciliation import (
    APPROACHES,
    ONE_METHOD,
    Rejected,
    approach_of,
)
from dataexchange.valuation.refusal import INPUT_INCONSISTENT, INPUT_MISSING
from dataexchange.valuation.result import Valuation
from dataexchange.valuation.sensitivity import Bar, Grid, Swing, Table, tornado, two_way

Kind: TypeAlias = Literal["calculation", "report", "section"]


class InputDocument(Inputs):
    """What `dataexchange value CARD INPUT.yaml` reads beside the card."""

    kind: Literal["calculation", "report"] = "calculation"
    card: Text | None = None
    inputs: dict[str, Any]
    sources: dict[str, Any] = {}
    engagement: dict[str, Any] | None = None
    sensitivity: tuple[Swing, ...] = ()
    table: Grid | None = None
    interval: Drawing | None = None
    rejected: tuple[Rejected, ...] = ()
    only_method_norm: Text | None = None


class Section(Inputs):
    """One method of a report; without a weight it supports the others (quality, discount rate)."""

    card: Text
    inputs: dict[str, Any]
    sources: dict[str, Any] = {}
    weight: Ratio | None = None
    reason: Text | None = None
    sensitivity: tuple[Swing, ...] = ()
    table: Grid | None = None
    interval: Drawing | None = None


class ReportDocument(Inputs):
    """A report of several methods."""

    kind: Literal["report"] = "report"
    engagement: dict[str, Any]
    sections: tuple[Section, ...]
    rejected: tuple[Rejected, ...] = ()
    only_method_norm: Text | None = None
    difference_explained: Text | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One card applied to one document."""

    kind: Kind
    name: Bilingual
    valuation: Valuation
    engagement: Mapping[str, Any] | None
    sources: Mapping[str, Any]
    tornado: tuple[Bar, ...]
    table: Table | None
    interval: Interval | None
    document_sha256: str


@dataclass(frozen=True, slots=True)
class Report:
    """Several methods and the conclusion drawn from them.

    `weights` are (method, weight, reason), `rejected` (approach, reason).
    `interval` holds the weighted P10, P50 and P90 of the methods where each has one: exact if the
    methods err together, too wide if they err apart.
    """

    conclusion: Valuation
    sections: tuple[Result, ...]
    weights: tuple[tuple[str, str, str], ...]
    rejected: tuple[tuple[str, str], ...]
    engagement: Mapping[str, Any]
    interval: tuple[Decimal, Decimal, Decimal] | None
    document_sha256: str


def run_card(card: bytes, document: bytes) -> Result:
    """Apply `card` to `document`, both YAML bytes; raises `ValuationRefusedError`.

    A document without a key `inputs` is taken as the inputs alone.
    """
    return run_loaded(load_card(card), document)


def run_loaded(card: Card, document: bytes) -> Result:
    """Apply a card that was read already, as `run_card` does."""
    found = read_document(document)
    whole = found if "inputs" in found else {"inputs": found}
    return _run(card, read_inputs(InputDocument, whole), hashlib.sha256(document).hexdigest())


def _run(card: Card, document: InputDocument, sha256: str) -> Result:
    _check_named(card, document)
    if document.kind == "report":
        _check_report(card, document)
    valuation = evaluate(
        card, document.inputs, engagement=document.engagement, sources=document.sources
    )
    ask = partial(headline, card)
    return Result(
        kind=document.kind,
        name=card.sheet.name,
        valuation=valuation,
        engagement=document.engagement,
        sources=document.sources,
        tornado=tuple(tornado(ask, document.inputs, document.sensitivity)),
        table=two_way(ask, document.inputs, document.table) if document.table else None,
        interval=draw_interval(ask, document.inputs, document.interval)
        if document.interval
        else None,
        document_sha256=sha256,
    )


def _check_named(card: Card, document: InputDocument) -> None:
    own = f"{card.sheet.method}/{card.sheet.version}"
    if document.card not in {None, card.sheet.method, own, card.sha256}:
        raise INPUT_INCONSISTENT(
            input="card",
            why=f"the document is for another card than {own}",
            why_zh=f"文件不是为规则卡 {own} 写的",
        )


def _check_report(card: Card, document: InputDocument) -> None:
    if document.engagement is None:
        raise INPUT_MISSING(input="engagement")
    require_report(read_inputs(Engagement, document.engagement, under="engagement"))
    approach = approach_of(card.sheet.method)
    others = set(APPROACHES) - {approach}
    explained = document.only_method_norm and others == {r.approach for r in document.rejected}
    if approach is not None and not explained:
        raise ONE_METHOD(approach=approach)


def run_report(document: bytes, *, find: Callable[[str], Card] = find_card) -> Report:
    """Apply every card that a report names and reconcile them; raises `ValuationRefusedError`."""
    report = read_inputs(ReportDocument, read_document(document))
    require_report(read_inputs(Engagement, report.engagement, under="engagement"))
    sha256 = hashlib.sha256(document).hexdigest()
    sections = tuple(_section(section, report, find, sha256) for section in report.sections)
    weighed = [
        (section, result)
        for section, result in zip(report.sections, sections, strict=True)
        if section.weight is not None
    ]
    return Report(
        conclusion=_conclude(report, weighed, find("reconciliation")),
        sections=sections,
        weights=tuple((s.card, plain(s.weight or ZERO), s.reason or "") for s, _ in weighed),
        rejected=tuple((one.approach, one.reason) for one in report.rejected),
        engagement=report.engagement,
        interval=_together(weighed),
        document_sha256=sha256,
    )


def _section(
    section: Section, report: ReportDocument, find: Callable[[str], Card], sha256: str
) -> Result:
    given = section.model_dump(include={"inputs", "sources"}, exclude_unset=True)
    document = InputDocument(
        engagement=report.engagement,
        sensitivity=section.sensitivity,
        table=section.table,
        interval=section.interval,
        **given,
    )
    return replace(_run(find(section.card), document, sha256), kind="section")


def _conclude(
    report: ReportDocument, weighed: list[tuple[Section, Result]], card: Card
) -> Valuation:
    results = [_weighed(section, result.valuation) for section, result in weighed]
    inputs: dict[str, Any] = {
        "results": results,
        "rejected": [one.model_dump() for one in report.rejected],
        "only_method_norm": report.only_method_norm,
        "difference_explained": report.difference_explained,
    }
    sources = {"results": "the sections of this report"}
    return evaluate(card, inputs, engagement=report.engagement, sources=sources)


def _weighed(section: Section, valuation: Valuation) -> dict[str, Any]:
    approach = approach_of(valuation.method)
    if approach is None:
        raise INPUT_INCONSISTENT(
            input="sections",
            why=f"{section.card} values nothing to weigh",
            why_zh=f"{section.card} 不产生可加权的评估值",
        )
    if section.reason is None:
        raise INPUT_MISSING(input=f"sections ({section.card}).reason")
    return {
        "approach": approach,
        "method": valuation.method,
        "value": valuation.headline.exact[0],
        "weight": section.weight,
        "reason": section.reason,
        "card_sha256": valuation.card_sha256,
        "inputs_sha256": valuation.inputs_sha256,
    }


@exact
def _together(
    weighed: list[tuple[Section, Result]],
) -> tuple[Decimal, Decimal, Decimal] | None:
    parts = [(s.weight or ZERO, r.interval) for s, r in weighed]
    if not parts or any(part is None for _, part in parts):
        return None
    found = [(weight, part) for weight, part in parts if part is not None]
    return (
        total(w * p.p10 for w, p in found),
        total(w * p.p50 for w, p in found),
        total(w * p.p90 for w, p in found),
    )


def as_json(result: Result | Report) -> dict[str, Any]:
    """Return a result as JSON-ready data: figures as exact text, days as ISO text."""
    return _plain(_fields(result))  # type: ignore[no-any-return]  # a mapping stays one


def _fields(result: Result | Report) -> dict[str, Any]:
    if isinstance(result, Report):
        sections = [_fields(section) for section in result.sections]
        return {**_shallow(result), "sections": sections}
    return {**_shallow(result), "name": result.name.model_dump()}


def _shallow(result: Result | Report) -> dict[str, Any]:
    names = result.__dataclass_fields__
    return {name: _unfolded(getattr(result, name)) for name in names}


def _unfolded(found: Any) -> Any:
    if isinstance(found, tuple):
        return [_unfolded(one) for one in found]
    return asdict(found) if hasattr(found, "__dataclass_fields__") else found


def _plain(found: Any) -> Any:
    if isinstance(found, Mapping):
        return {key: _plain(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [_plain(one) for one in found]
    return found if isinstance(found, bool | int | str) or found is None else str(found)
