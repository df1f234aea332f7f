"""Show a result as plain text, Chinese or English, for a terminal or a working paper."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from dataexchange.valuation.appraisal import Report, Result
from dataexchange.valuation.arithmetic import round_ratio, round_yuan
from dataexchange.valuation.interval import Interval
from dataexchange.valuation.method import Kind
from dataexchange.valuation.result import Figure, Valuation
from dataexchange.valuation.sensitivity import Bar, Table

Language: TypeAlias = Literal["zh", "en"]

_ENGAGEMENT = {
    "base_date": "评估基准日",
    "currency": "币种",
    "purpose": "评估目的",
    "value_type": "价值类型",
    "owner_type": "持有主体类型",
    "rights": "权利",
    "scenario": "应用场景",
    "assumptions": "评估假设",
    "limits_of_use": "使用限制",
    "quality_evaluation": "质量评价",
    "independence": "独立性声明",
    "permitted_users": "报告使用人",
    "signers": "签名评估专业人员",
    "sealed": "机构盖章",
    "valid_until": "有效期至",
    "used_on": "使用日期",
}
_WORDS = {
    "engagement": ("评估委托", "Engagement"),
    "calculation": ("测算（不是评估报告）", "Calculation (not an appraisal report)"),
    "report": ("评估报告", "Appraisal report"),
    "section": ("评估方法", "Method of the report"),
    "rejected": ("未采用的途径", "Approaches not used"),
    "weights": ("权重与理由", "Weights and reasons"),
    "together": ("加权区间（假定各方法同向偏离）", "Weighted interval, methods erring together"),
    "conclusion": ("评估结论", "Conclusion"),
    "working": ("计算过程", "Working"),
    "warnings": ("提示", "Warnings"),
    "disclosures": ("披露", "Disclosures"),
    "tornado": ("敏感性（龙卷风图数据）", "Sensitivity (tornado)"),
    "table": ("敏感性表", "Sensitivity table"),
    "interval": ("区间", "Interval"),
    "card": ("规则卡", "Card"),
    "inputs": ("输入哈希", "Inputs"),
    "code": ("程序版本", "Code version"),
    "seed": ("种子", "seed"),
    "draws": ("次数", "draws"),
}


def render_text(result: Result | Report, language: Language = "zh") -> str:
    """Return the whole result as lines of text."""
    lines = _report(result, language) if isinstance(result, Report) else _result(result, language)
    return "\n".join(lines) + "\n"


def _word(key: str, language: Language) -> str:
    return _WORDS[key][0 if language == "zh" else 1]


def _report(report: Report, language: Language) -> Iterator[str]:
    yield _word("report", language)
    yield from _engagement(report.engagement, language)
    for section in report.sections:
        yield ""
        yield from _result(section, language)
    yield ""
    yield _word("conclusion", language)
    yield from _valuation(report.conclusion, language)
    yield from _heading("weights", language)
    yield from (f"  {method} × {weight}: {reason}" for method, weight, reason in report.weights)
    if report.rejected:
        yield from _heading("rejected", language)
        yield from (f"  {approach}: {reason}" for approach, reason in report.rejected)
    if report.interval:
        low, middle, high = map(round_yuan, report.interval)
        yield from _heading("together", language)
        yield f"  P10 {low:,}  P50 {middle:,}  P90 {high:,}"


def _engagement(engagement: Mapping[str, Any], language: Language) -> Iterator[str]:
    yield from _heading("engagement", language)
    for name, stated in engagement.items():
        yield f"  {_ENGAGEMENT.get(name, name) if language == 'zh' else name}: {_stated(stated)}"


def _stated(stated: object) -> str:
    if isinstance(stated, Mapping):
        return "; ".join(f"{key} {value}" for key, value in stated.items())
    return "; ".join(map(str, stated)) if isinstance(stated, list) else str(stated)


def _result(result: Result, language: Language) -> Iterator[str]:
    name = result.name.zh if language == "zh" else result.name.en
    yield f"{name} · {_word(result.kind, language)}"
    if result.kind == "report" and result.engagement:
        yield from _engagement(result.engagement, language)
    yield from _valuation(result.valuation, language)
    kind = result.valuation.headline.kind
    if result.tornado:
        yield from _heading("tornado", language)
        yield from (_bar(bar, kind) for bar in result.tornado)
    if result.table:
        yield from _heading("table", language)
        yield from _table(result.table, kind)
    if result.interval:
        yield from _heading("interval", language)
        yield _interval(result.interval, kind, language)


def _valuation(valuation: Valuation, language: Language) -> Iterator[str]:
    for figure in valuation.figures:
        yield from _figure(figure, language)
    if valuation.steps:
        yield from _heading("working", language)
        for step in valuation.steps:
            label = step.zh if language == "zh" else step.en
            yield f"  {step.symbol} = {_shorten(step.exact)}  {label}"
    for key, told in (("warnings", valuation.warnings), ("disclosures", valuation.disclosures)):
        if told:
            yield from _heading(key, language)
            yield from (f"  - {one.zh if language == 'zh' else one.en}" for one in told)
    yield ""
    card = f"{valuation.method}/{valuation.version}"
    yield f"{_word('card', language)} {card} {valuation.card_sha256}"
    yield f"{_word('inputs', language)} {valuation.inputs_sha256}"
    yield f"{_word('code', language)} {valuation.code_version}"


def _heading(key: str, language: Language) -> Iterator[str]:
    yield ""
    yield _word(key, language)


def _figure(figure: Figure, language: Language) -> Iterator[str]:
    label = figure.zh if language == "zh" else figure.en
    shown = [_grouped(text, figure.kind) for text in figure.shown]
    if not figure.many:
        yield f"{label}: {shown[0]}"
        return
    names = figure.keys or tuple(str(place) for place in range(1, len(shown) + 1))
    yield f"{label}:"
    yield from (f"  {name}: {text}" for name, text in zip(names, shown, strict=True))


def _grouped(text: str, kind: Kind) -> str:
    return f"{Decimal(text):,} 元" if kind is Kind.MONEY else text


def _shown(value: Decimal, kind: Kind) -> str:
    return f"{round_yuan(value):,}" if kind is Kind.MONEY else str(round_ratio(value))


def _shorten(exact: str) -> str:
    return str(round(Decimal(exact), 12).normalize().__format__("f"))


def _bar(bar: Bar, kind: Kind) -> str:
    ends = f"{_shown(bar.value_low, kind)} … {_shown(bar.value_high, kind)}"
    return f"  {bar.input} [{bar.low}, {bar.high}]: {ends}  Δ {_shown(bar.swing, kind)}"


def _table(table: Table, kind: Kind) -> Iterator[str]:
    yield f"  {table.row_input} \\ {table.column_input}: {'  '.join(table.column_values)}"
    for value, row in zip(table.row_values, table.cells, strict=True):
        yield f"  {value}: {'  '.join(_shown(cell, kind) for cell in row)}"


def _interval(found: Interval, kind: Kind, language: Language) -> str:
    quantiles = zip(("P10", "P50", "P90"), (found.p10, found.p50, found.p90), strict=True)
    shown = "  ".join(f"{name} {_shown(value, kind)}" for name, value in quantiles)
    drawn = f"{_word('seed', language)} {found.seed}, {_word('draws', language)} {found.draws}"
    return f"  {shown}  ({drawn})"
