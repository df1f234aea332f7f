"""Show a rulebook card to a reader: what it rests on, what it asks for, when it refuses."""

from collections.abc import Iterator

from dataexchange.valuation.card import Bilingual, Card, CardInput, Range
from dataexchange.valuation.rendering import Language

_STATUS = {
    "read": ("已读原文", "read in the original"),
    "quoted": ("据引用", "as quoted"),
    "unverified": ("未核实", "unverified"),
    "design": ("本项目选择", "our choice"),
}
_BOUNDS = {"min": "≥", "above": ">", "max": "≤", "below": "<"}
_HEADINGS = {
    "basis": ("依据", "Basis"),
    "formula": ("公式", "Formula"),
    "inputs": ("输入", "Inputs"),
    "parameters": ("参数", "Parameters"),
    "outputs": ("输出", "Outputs"),
    "refusals": ("拒绝", "Refusals"),
    "disclosures": ("披露", "Disclosures"),
    "cases": ("算例", "Worked cases"),
}


def describe_card(card: Card, language: Language = "zh") -> str:
    """Return the card as lines of text."""
    return "\n".join(_lines(card, language)) + "\n"


def _lines(card: Card, language: Language) -> Iterator[str]:
    sheet, place = card.sheet, 0 if language == "zh" else 1
    yield f"{_say(sheet.name, language)} · {sheet.method}/{sheet.version} · {card.sha256}"
    sections = {
        "basis": [f"{b.norm}, {b.clause} [{_STATUS[b.status][place]}]" for b in sheet.basis],
        "formula": [_say(sheet.formula.words, language), sheet.formula.symbols],
        "inputs": [_input(one, language) for one in sheet.inputs],
        "parameters": [
            f"{name} = {_value(one.value)} ({one.unit}; {one.source})"
            for name, one in sheet.parameters.items()
        ],
        "outputs": [f"{o.name}: {_say(o.label, language)}, {o.unit}" for o in sheet.outputs],
        "refusals": [
            f"{r.code}: {r.zh if place == 0 else r.en} ({r.clause})" for r in sheet.refusals
        ],
        "disclosures": [_say(one, language) for one in sheet.disclosures],
        "cases": [f"{one.name} ({one.source})" for one in sheet.cases],
    }
    for key, lines in sections.items():
        if lines:
            yield ""
            yield _HEADINGS[key][place]
            yield from (f"  {line}" for line in lines)


def _say(text: Bilingual, language: Language) -> str:
    return text.zh if language == "zh" else text.en


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _input(one: CardInput, language: Language) -> str:
    symbol = f" {one.symbol}" if one.symbol else ""
    needed = "" if one.required else " ?"
    label = _say(one.label, language)
    return f"{one.name}{needed}{symbol}: {label}, {one.unit}, {describe_range(one.range)}"


def describe_range(limits: Range) -> str:
    """Return a range in signs: `≥ 0, ≤ 1`, `∈ {a, b}`, or its text."""
    found = [
        f"{sign} {limit}"
        for name, sign in _BOUNDS.items()
        if (limit := getattr(limits, name)) is not None
    ]
    if limits.choices:
        found.append("∈ {" + ", ".join(limits.choices) + "}")
    if limits.text:
        found.append(limits.text)
    return ", ".join(found)
