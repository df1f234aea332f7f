"""How figures are shown to a reader: 元 with separators, ratios to six decimals."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from dataexchange.reports.block import Language
from dataexchange.valuation import round_ratio, round_yuan
from dataexchange.valuation.arithmetic import plain
from dataexchange.valuation.method import Kind
from dataexchange.valuation.result import Figure


def shown(value: Decimal, kind: Kind) -> str:
    """Return money with two decimals and separators, all else with at most six decimals."""
    if kind is Kind.MONEY:
        return f"{round_yuan(value):,f}"
    return trimmed(round_ratio(value))


def shown_fen(amount_fen: int) -> str:
    """Return 分 as 元 with two decimals and separators."""
    return f"{Decimal(amount_fen).scaleb(-2):,.2f}"


def currency(language: Language) -> str:
    """Return what stands after an amount."""
    return "元" if language == "zh" else "CNY"


def shown_figure(figure: Figure, language: Language) -> str:
    """Return all members of a figure, with its unit where it is money."""
    unit = f" {currency(language)}" if figure.kind is Kind.MONEY else ""
    values = [shown(Decimal(one), figure.kind) + unit for one in figure.exact]
    names = figure.keys or tuple(map(str, range(1, len(values) + 1)))
    if not figure.many:
        return values[0] if values else "—"
    return "; ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))


def trimmed(value: Decimal) -> str:
    """Return a number without trailing zeros, with separators."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown_input(value: Any, *, money: bool) -> str:
    """Return an input as given: a figure, text, a row, or a row that grows."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "—"}[value]
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {shown_input(one, money=money)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return "[" + ", ".join(shown_input(one, money=money) for one in value) + "]"
    return _scalar(value, money=money)


def _scalar(value: Any, *, money: bool) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | Decimal):
        return trimmed(Decimal(value)) if money else plain(Decimal(value))
    if money and _is_number(value):
        return trimmed(Decimal(value))
    return str(value)


def _is_number(text: object) -> bool:
    digits = str(text).lstrip("-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()


def shown_time(moment: str) -> str:
    """Return an RFC 3339 UTC time to the second, as people write it."""
    return moment.partition(".")[0].replace("T", " ")


def tick(value: Decimal, kind: Kind, language: Language) -> str:
    """Return a short label for an axis: 万元 or thousands and millions for money."""
    if kind is not Kind.MONEY:
        return trimmed(value)
    if language == "zh":
        return f"{trimmed(value / 10_000)}万" if abs(value) >= 10_000 else trimmed(value)
    if abs(value) >= 1_000_000:
        return f"{trimmed(value / 1_000_000)}M"
    return f"{trimmed(value / 1_000)}k" if abs(value) >= 1_000 else trimmed(value)
