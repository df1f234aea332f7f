"""The last sections: reconciliation, disclosures, signatures, recomputation and proof."""

from collections.abc import Iterable, Iterator

from dataexchange.reports.block import (
    Block,
    Bullets,
    Facts,
    Grid,
    Heading,
    Language,
    Mark,
    Paragraph,
    Picture,
)
from dataexchange.reports.charts import Span, methods_chart
from dataexchange.reports.dossier import Dossier
from dataexchange.reports.opening import is_money
from dataexchange.reports.part import Part
from dataexchange.reports.qr import qr_svg
from dataexchange.reports.record import Record
from dataexchange.reports.showing import shown_fen, shown_figure, shown_time
from dataexchange.reports.words import ACTS, of_pair, translated, word
from dataexchange.valuation.engagement import STATED_IN_A_REPORT
from dataexchange.valuation.methods import METHODS
from dataexchange.valuation.posting import yuan
from dataexchange.valuation.result import Valuation

_STATED_AS = {"quality_evaluation": "quality_score", "sealed": "seal"}


def reconciliation(dossier: Dossier, language: Language) -> Iterator[Block]:
    """From the figures of the methods to the conclusion, where there are several."""
    spans = list(_spans(dossier, language))
    if len(spans) < 2:
        return
    names = ("method", "value", "weight", "reason")
    yield Grid(
        tuple(word(name, language) for name in names),
        tuple(_reconciled(dossier, language)),
        shares=(22, 24, 10, 44),
        figures=(1, 2),
    )
    words = "; ".join(f"{one.name} {one.value}" for one in spans)
    yield Heading(word("methods_chart", language), 2)
    caption = word("methods_caption", language)
    yield Picture(methods_chart(spans, language), words=words, caption=caption)


def _reconciled(dossier: Dossier, language: Language) -> Iterator[tuple[str, ...]]:
    if dossier.record is not None:
        for used in dossier.record.draft.methods:
            method = "/".join(dossier.record.cards[used.card])
            yield method, shown_fen(used.value_fen), str(used.weight), _reason(dossier, method)
        return
    for part in _valuing(dossier):
        value = shown_figure(part.result.valuation.headline, language)
        yield part.method, value, part.weight or "—", part.reason or "—"


def _reason(dossier: Dossier, method: str) -> str:
    return next((p.reason for p in dossier.parts if p.method == method and p.reason), "—")


def _valuing(dossier: Dossier) -> list[Part]:
    return [part for part in dossier.parts if METHODS[part.card.sheet.method].approach]


def _spans(dossier: Dossier, language: Language) -> Iterator[Span]:
    parts = [part for part in _valuing(dossier) if is_money(part.result)]
    for part in parts:
        found, sheet = part.result.interval, part.card.sheet
        yield Span(
            of_pair((sheet.name.zh, sheet.name.en), language),
            yuan(part.result.valuation.fen),
            (found.p10, found.p50, found.p90) if found else None,
        )
    if dossier.record is not None:
        value = yuan(dossier.record.draft.value_fen)
        yield Span(word("conclusion", language), value, concluding=True)
    elif dossier.report is not None:
        value, interval = yuan(dossier.report.conclusion.fen), dossier.report.interval
        yield Span(word("conclusion", language), value, interval, concluding=True)


def disclosures(dossier: Dossier, language: Language) -> Iterator[Block]:
    """What the cards make a reader know, warnings, and what is not stated."""
    valuations = _valuations(dossier)
    told = [of_pair((d.zh, d.en), language) for v in valuations for d in v.disclosures]
    warned = [of_pair((w.zh, w.en), language) for v in valuations for w in v.warnings]
    if told:
        yield Bullets(_once(told))
    if warned:
        yield Heading(word("warnings", language), 2)
        yield Bullets(_once(warned))
    if dossier.record is not None:
        yield from _withheld(dossier.record, language)
    missing = _missing(dossier, language)
    if missing:
        yield Heading(word("not_stated", language), 2)
        yield Paragraph(word("not_stated_why", language))
        yield Bullets(missing)


def _valuations(dossier: Dossier) -> list[Valuation]:
    found = [part.result.valuation for part in dossier.parts]
    return [*found, dossier.report.conclusion] if dossier.report is not None else found


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _withheld(record: Record, language: Language) -> Iterator[Block]:
    withheld = [
        word("withheld", language, card="/".join(record.cards[used.card]))
        for used in record.draft.methods
        if not record.disclosed(used)
    ]
    if withheld:
        yield Bullets(tuple(withheld))


def _missing(dossier: Dossier, language: Language) -> tuple[str, ...]:
    said = dossier.engagement
    names = [name for name in STATED_IN_A_REPORT if said.get(name) in (None, (), [])]
    if dossier.record is not None:
        # The log itself states these.
        names = [name for name in names if name not in ("purpose", "signers", "sealed")]
    return tuple(word(_STATED_AS.get(name, name), language) for name in names)


def signatures(dossier: Dossier, language: Language) -> Iterator[Block]:
    """Who is independent, who signs, the seal; on the log, which key signed what."""
    said = dossier.engagement
    if "independence" in said:
        yield Facts(((word("independence", language), str(said["independence"])),))
    if said.get("signers"):
        names = ("signer", "signature", "date")
        rows = tuple((str(one), " ", " ") for one in said["signers"])
        yield Grid(
            tuple(word(name, language) for name in names), rows, shares=(40, 35, 25), tall=True
        )
        sealed = "sealed" if said.get("sealed") else "not_sealed"
        yield Facts(((word("seal", language), word(sealed, language)),))
    if dossier.record is not None:
        yield from _acts(dossier.record, language)


def _acts(record: Record, language: Language) -> Iterator[Block]:
    names = ("entry", "act", "party", "recorded_at")
    rows = [
        (
            str(act.index),
            translated(ACTS, act.event, language),
            record.name(act.actor),
            shown_time(act.recorded_at),
        )
        for act in record.acts
    ]
    yield Heading(word("log_signatures", language), 2)
    header = tuple(word(name, language) for name in names)
    yield Grid(header, tuple(rows), shares=(9, 17, 50, 24), figures=(0,))


def recomputation(dossier: Dossier, language: Language) -> Iterator[Block]:
    """The hashes of all that went in, and where the proof is."""
    yield Paragraph(word("how_to", language))
    for part in dossier.parts:
        yield Heading(part.method, 2)
        yield Facts(tuple(_hashes(part, language)))
    if dossier.report is not None:
        conclusion = dossier.report.conclusion
        yield Heading(f"{conclusion.method}/{conclusion.version}", 2)
        yield Facts(
            (
                (word("card_hash", language), conclusion.card_sha256),
                (word("inputs_hash", language), conclusion.inputs_sha256),
            )
        )
    if dossier.record is not None:
        yield Heading(word("log", language), 2)
        yield Facts(tuple(_log_rows(dossier.record, language)))
    yield from _proof(dossier, language)


def _hashes(part: Part, language: Language) -> Iterator[tuple[str, str]]:
    valuation, interval = part.result.valuation, part.result.interval
    yield word("card_hash", language), valuation.card_sha256
    yield word("document_hash", language), part.result.document_sha256
    yield word("inputs_hash", language), valuation.inputs_sha256
    yield word("code_version", language), valuation.code_version
    if interval is not None:
        said = word("seed_draws", language, seed=interval.seed, draws=interval.draws)
        yield word("draws", language), said


def _log_rows(record: Record, language: Language) -> Iterator[tuple[str, str]]:
    yield word("log", language), record.origin
    root = word("checkpoint_of", language, size=record.size, root=record.root)
    yield word("checkpoint", language), root
    yield word("report_hash", language), record.draft.report_sha256
    for act in record.acts:
        name = f"{word('entry', language)} {act.index} {translated(ACTS, act.event, language)}"
        yield name, act.leaf


def _proof(dossier: Dossier, language: Language) -> Iterator[Block]:
    reference = dossier.reference
    if reference.proof_url is None:
        return
    lines = (reference.proof_url, *filter(None, (reference.valuation,)))
    yield Heading(word("proof", language), 2)
    yield Mark(qr_svg(reference.proof_url), words=word("proof_words", language), lines=lines)
