"""The first sections: conclusion, engagement, the asset, assumptions, choice of methods."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from dataexchange.reports.block import (
    Block,
    Bullets,
    Facts,
    Grid,
    Heading,
    Language,
    Notice,
    Paragraph,
)
from dataexchange.reports.dossier import Dossier
from dataexchange.reports.numerals import AMOUNT_FEN_MAX, amount_in_words
from dataexchange.reports.part import Part
from dataexchange.reports.showing import (
    currency,
    shown,
    shown_fen,
    shown_figure,
    shown_time,
    trimmed,
)
from dataexchange.reports.words import (
    OWNERS,
    PURPOSES,
    RIGHTS,
    STATUSES,
    of_pair,
    translated,
    word,
)
from dataexchange.valuation.appraisal import Result
from dataexchange.valuation.method import Kind
from dataexchange.valuation.methods import METHODS

Row = tuple[str, str]


def subtitle(dossier: Dossier, language: Language) -> str:
    """Return the line below the title: the asset on the log, or the methods."""
    if dossier.record is not None:
        title, english = dossier.record.asset_title, dossier.record.asset_title_en
        return (english or title) if language == "en" else title
    scenario = dossier.engagement.get("scenario")
    return str(scenario) if scenario else ""


def mark(dossier: Dossier, language: Language) -> str:
    """Return what stands at the foot of every page: the number, or the document's hash."""
    if dossier.reference.valuation:
        return dossier.reference.valuation
    part = dossier.parts[0].result
    return f"{word('document_hash', language)} {part.document_sha256}"


def conclusion_fen(dossier: Dossier) -> int | None:
    """Return the concluding figure in 分; `None` where the card gives no money."""
    if dossier.record is not None:
        return dossier.record.draft.value_fen
    if dossier.report is not None:
        return dossier.report.conclusion.fen
    fen = dossier.parts[0].result.valuation.headline.fen
    return fen[0] if fen else None


def conclusion(dossier: Dossier, language: Language) -> Iterator[Block]:
    """The figure, in words too, and how wide it is."""
    if dossier.kind == "calculation":
        yield Notice(word("not_a_report", language))
    yield _headline(dossier, language)
    rows = [*_quantile_rows(dossier, language), *_record_rows(dossier, language)]
    if rows:
        yield Facts(tuple(rows))


def _headline(dossier: Dossier, language: Language) -> Notice:
    amount_fen = conclusion_fen(dossier)
    if amount_fen is None:
        figure = dossier.parts[0].result.valuation.headline
        label = of_pair((figure.zh, figure.en), language)
        return Notice(f"{label}: {shown_figure(figure, language)}")
    amount = f"{shown_fen(amount_fen)} {currency(language)}"
    title = f"{word('value', language)}{'：' if language == 'zh' else ': '}{amount}"
    if language == "zh" and amount_fen <= AMOUNT_FEN_MAX:
        return Notice(title, (f"{word('in_words', language)}：{amount_in_words(amount_fen)}",))
    return Notice(title)


def _quantile_rows(dossier: Dossier, language: Language) -> Iterator[Row]:
    if dossier.record is not None:
        draft = dossier.record.draft
        low, high = shown_fen(draft.p10_fen), shown_fen(draft.p90_fen)
        yield word("recorded_interval", language), f"{low} – {high}"
    if dossier.report is not None:
        if dossier.report.interval is not None:
            yield word("weighted_interval", language), _quantiles(dossier.report.interval)
        figures = dossier.report.conclusion
        low, high = (shown_figure(figures.figure(name), language) for name in ("low", "high"))
        yield word("method_range", language), f"{low} – {high}"
        yield word("method_spread", language), shown_figure(figures.figure("spread"), language)
    elif dossier.record is None and (found := dossier.parts[0].result.interval):
        kind = dossier.parts[0].result.valuation.headline.kind
        yield word("drawn_interval", language), _quantiles((found.p10, found.p50, found.p90), kind)


def _quantiles(values: tuple[Decimal, Decimal, Decimal], kind: Kind = Kind.MONEY) -> str:
    named = zip(("P10", "P50", "P90"), values, strict=True)
    return " · ".join(f"{name} {shown(value, kind)}" for name, value in named)


def _record_rows(dossier: Dossier, language: Language) -> Iterator[Row]:
    record = dossier.record
    if record is None:
        return
    held = record.valuation
    yield word("status", language), translated(STATUSES, held.status, language)
    if held.agreed_fen is not None:
        yield word("agreed", language), f"{shown_fen(held.agreed_fen)} {currency(language)}"
        yield word("agreed_by", language), "; ".join(map(record.name, held.agreed_by))


def engagement(dossier: Dossier, language: Language) -> Iterator[Block]:
    """Who asked for what, as of when, and who may use it until when."""
    said = dossier.engagement
    rows = [*_reference_rows(dossier, language)]
    document = word("in_document", language) if dossier.record is not None else ""
    purpose = translated(PURPOSES, said.get("purpose"), language)
    named = {**said, "purpose": purpose} if "purpose" in said else said
    for name in ("base_date", "purpose", "valid_until"):
        rows += [(label + document, stated) for label, stated in _stated(named, language, name)]
    for name in ("value_type", "permitted_users", "used_on"):
        rows += _stated(said, language, name)
    rows.append((word("currency", language), str(said.get("currency", "CNY"))))
    yield Facts(tuple(rows))
    if dossier.kind != "calculation":
        yield Paragraph(word("validity_rule", language))


def _reference_rows(dossier: Dossier, language: Language) -> Iterator[Row]:
    if dossier.reference.valuation:
        yield word("number", language), dossier.reference.valuation
    record = dossier.record
    if record is None:
        return
    held = record.valuation
    yield word("base_date", language), held.base_date
    yield word("purpose", language), held.purpose
    yield word("client", language), record.name(held.commissioned_by)
    yield word("appraiser", language), record.name(held.appraiser)
    if held.valid_until is not None:
        yield word("valid_until", language), f"{shown_time(held.valid_until)} UTC"


def _stated(said: Mapping[str, object], language: Language, name: str) -> list[Row]:
    return [(word(name, language), _joined(said[name]))] if name in said else []


def _joined(stated: object) -> str:
    return "; ".join(map(str, stated)) if isinstance(stated, list | tuple) else str(stated)


def subject(dossier: Dossier, language: Language) -> Iterator[Block]:
    """The data asset, the rights to it, where it is applied, and how its quality was evaluated."""
    said, record, rows = dossier.engagement, dossier.record, list[Row]()
    if record is not None:
        title = subtitle(dossier, language)
        rows.append((word("asset", language), f"{title} ({record.valuation.asset})"))
        rows.append((word("asset_version", language), str(record.valuation.version)))
    if "owner_type" in said:
        rows.append(
            (word("owner_type", language), translated(OWNERS, said["owner_type"], language))
        )
    if said.get("rights"):
        rights = (translated(RIGHTS, one, language) for one in said["rights"])
        rows.append((word("rights", language), "; ".join(rights)))
    rows += _stated(said, language, "scenario")
    quality = said.get("quality_evaluation")
    if isinstance(quality, Mapping):
        names = {"score": "quality_score", "evaluator": "quality_evaluator"}
        names["evaluated_on"] = "quality_date"
        rows += [(word(names[key], language), str(quality[key])) for key in names if key in quality]
    if rows:
        yield Facts(tuple(rows))


def limits(dossier: Dossier, language: Language) -> Iterator[Block]:
    """What was assumed, and what the report may not be used for."""
    for name in ("assumptions", "limits_of_use"):
        stated = dossier.engagement.get(name)
        if stated:
            yield Heading(word(name, language), 2)
            yield Bullets(tuple(map(str, stated)))


def choice(dossier: Dossier, language: Language) -> Iterator[Block]:
    """Which methods were used with what weight, which were not, and why."""
    rows = [_chosen(part, language) for part in dossier.parts]
    rows += _withheld(dossier, language)
    rows += [
        (translated_approach(approach, language), "—", word("not_used", language), "—", why)
        for approach, why in dossier.rejected
    ]
    names = ("approach", "method", "outcome", "weight", "reason")
    yield Grid(
        header=tuple(word(name, language) for name in names),
        rows=tuple(rows),
        shares=(12, 20, 12, 8, 48),
        figures=(3,),
    )
    for name in ("only_method_norm", "difference_explained"):
        stated = getattr(dossier, name)
        if stated:
            yield Facts(((word(name, language), stated),))


def _chosen(part: Part, language: Language) -> tuple[str, ...]:
    approach = METHODS[part.card.sheet.method].approach
    used = "used" if approach else "supporting"
    weight = trimmed(Decimal(part.weight)) if part.weight is not None else "—"
    return (
        translated_approach(approach, language) if approach else "—",
        part.method,
        word(used, language),
        weight,
        part.reason or "—",
    )


def _withheld(dossier: Dossier, language: Language) -> Iterator[tuple[str, ...]]:
    """Yield the methods on the log whose card or inputs are not disclosed."""
    if dossier.record is None:
        return
    for used in dossier.record.draft.methods:
        if not dossier.record.disclosed(used):
            method, version = dossier.record.cards[used.card]
            approach = METHODS[method].approach if method in METHODS else None
            name = translated_approach(approach, language) if approach else "—"
            yield name, f"{method}/{version}", word("used", language), str(used.weight), "—"


def translated_approach(approach: str, language: Language) -> str:
    """Return the name of an approach."""
    return word(approach, language) if approach in ("cost", "income", "market") else approach


def is_money(result: Result) -> bool:
    """Say whether the method's headline is an amount."""
    return result.valuation.headline.kind is Kind.MONEY
