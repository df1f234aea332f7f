"""Checks that look at one row at a time, all counted in a few passes over the table.

A check has a population (which rows it looks at) and a condition. SQL is put together from parts
of ours only; names, bounds, patterns and lists from the rule set are parameters.
"""

# ruff: noqa: S608 - SQL is put together from parts of ours; values from outside are bound.

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from dataexchange.content.cells import Cell, Cells, Parameters
from dataexchange.content.datatype import PLACEHOLDERS, DataType, cast_sql
from dataexchange.content.encoding import REPLACEMENT
from dataexchange.content.indicator import Count
from dataexchange.content.operand import Column, Comparison, Condition, Operand, Presence, Sum
from dataexchange.content.rules import RowRule

_CHECKS_PER_QUERY: Final = 60
_FILLED: Final = "{0} IS NOT NULL"

# Cells of a row are looked at together, parted by a code point that no text may use.
_PART: Final = "\ufdd0"
# Control characters, the sign of broken decoding, space at either end of a cell, or a cell that
# says in words that there is nothing.
_DIRTY: Final = (
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{FFFD}]"
    rf"|(^|{_PART})\s|\s($|{_PART})"
    rf"|(?i:(^|{_PART})({'|'.join(re.escape(word) for word in PLACEHOLDERS)})($|{_PART}))"
)
# A resident identity number (GB 11643) or a mobile telephone number, not inside a longer number.
_PERSONAL: Final = (
    r"(^|[^0-9])([1-9][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]"
    r"|1[3-9][0-9]{9})($|[^0-9])"
)


@dataclass(frozen=True, slots=True)
class RowCheck:
    """A check: of the rows where `population` holds, A are those where `condition` holds."""

    check: str
    indicator: str
    columns: tuple[str, ...]
    population: str
    condition: str
    counts_defects: bool = False


def count_rows(cells: Cells, parameters: Parameters, checks: Iterable[RowCheck]) -> list[Count]:
    """Count the checks over the whole table; `parameters` are those that the checks use."""
    pending, counts = list(checks), []
    while pending:
        batch, pending = pending[:_CHECKS_PER_QUERY], pending[_CHECKS_PER_QUERY:]
        wanted = ", ".join(sql for check in batch for sql in _counted(check))
        (row,) = cells.fetch(f"SELECT {wanted} FROM cells", _used(parameters, wanted))
        counts += [
            Count(check.check, check.indicator, check.columns, a, b, first)
            for check, (b, a, first) in zip(batch, _threes(row), strict=True)
        ]
    return counts


def column_checks(cell: Cell, parameters: Parameters) -> Iterator[RowCheck]:
    """Return the checks that one column's declaration asks for."""
    rule, filled = cell.rule, _FILLED.format(cell.text)
    column = (rule.name,)
    if rule.required:
        yield RowCheck("filled", "element_completeness", column, "true", filled)
    if rule.type != "string":
        yield RowCheck("type", "format_compliance", column, filled, cell.conforms)
    if rule.pattern is not None:
        condition = f"regexp_full_match({cell.text}, {parameters.bind(rule.pattern)})"
        yield RowCheck("pattern", "format_compliance", column, filled, condition)
    if rule.length_max is not None:
        condition = f"length({cell.text}) <= {parameters.bind(rule.length_max)}"
        yield RowCheck("length", "format_compliance", column, filled, condition)
    if bounds := _bounds(cell, parameters):
        yield RowCheck("range", "format_compliance", column, cell.conforms, bounds)
    if rule.values is not None:
        indicator = "reference_data" if rule.authority else "content_correctness"
        yield RowCheck("values", indicator, column, filled, _listed(cell, parameters))


def rule_check(rule: RowRule, cells: Cells, parameters: Parameters) -> RowCheck:
    """Return the check that a row rule asks for."""
    conditions = [_condition(one, cells, parameters) for one in rule.then]
    population = [_condition(one, cells, parameters) for one in rule.when]
    compared = [one for one in rule.then if isinstance(one, Comparison)]
    names = sorted({name for one in compared for name in _operands(one)})
    population += [_FILLED.format(cells.declared[name].text) for name in names]
    read = {name for one in (*rule.when, *rule.then) for name in _operands(one)}
    return RowCheck(
        rule.id,
        rule.indicator,
        tuple(sorted(read)),
        " AND ".join(population) or "true",
        " AND ".join(conditions),
    )


def file_checks(cells: Cells) -> Iterator[RowCheck]:
    """Return the checks that every file gets, and that of undeclared personal data if asked."""
    row = f"concat_ws('{_PART}', {', '.join(text for _, text in cells.texts())})"
    dirty = f"regexp_matches({row}, '{_DIRTY}')"
    yield RowCheck("dirty", "dirty_data_rate", (), "true", dirty, counts_defects=True)
    broken = f"contains({row}, '{REPLACEMENT}')"
    yield RowCheck("decodable", "availability", (), "true", f"NOT {broken}")
    if cells.rules.no_personal_data:
        for name, text in cells.texts():
            if name in cells.declared and cells.declared[name].rule.personal:
                continue
            filled = _FILLED.format(text)
            condition = f"NOT regexp_matches({text}, '{_PERSONAL}')"
            yield RowCheck("no-personal-data", "security_rules", (name,), filled, condition)


def _counted(check: RowCheck) -> tuple[str, str, str]:
    """Return the SQL for B, A and the first row at fault. What is unknown does not hold."""
    holds = f"coalesce(({check.condition}), false)"
    fault = holds if check.counts_defects else f"NOT {holds}"
    return (
        f"count(*) FILTER ({check.population})",
        f"count(*) FILTER (({check.population}) AND {holds})",
        f"min(rowid + 1) FILTER (({check.population}) AND {fault})",
    )


def _threes(row: tuple[int, ...]) -> Iterator[tuple[int, int, int | None]]:
    values = iter(row)
    return zip(values, values, values, strict=True)


def _used(parameters: Parameters, sql: str) -> Parameters:
    """Return the parameters that the SQL names; the engine takes no others."""
    named = set(re.findall(r"\$(p\d+)\b", sql))
    return Parameters({name: value for name, value in parameters.values.items() if name in named})


def _bounds(cell: Cell, parameters: Parameters) -> str:
    limits = ((cell.rule.minimum, ">="), (cell.rule.maximum, "<="))
    return " AND ".join(
        f"{cell.value} {op} {cast_sql(parameters.bind(str(limit)), cell.rule.type)}"
        for limit, op in limits
        if limit is not None
    )


def _listed(cell: Cell, parameters: Parameters) -> str:
    return f"{cell.text} IN (SELECT unnest({parameters.bind(list(cell.rule.values or ()))}))"


def _operands(condition: Condition) -> list[str]:
    if isinstance(condition, Presence):
        return [condition.column]
    return [name for side in (condition.left, condition.right) for name in _columns(side)]


def _columns(side: Operand) -> list[str]:
    if isinstance(side, Column):
        return [side.column]
    return [term.column for term in side.sum] if isinstance(side, Sum) else []


def _condition(condition: Condition, cells: Cells, parameters: Parameters) -> str:
    if isinstance(condition, Presence):
        test = "IS NOT NULL" if condition.present else "IS NULL"
        return f"{cells.declared[condition.column].text} {test}"
    datatype = condition.type({name: cell.rule.type for name, cell in cells.declared.items()})
    left, right = (
        _side(side, cells, parameters, datatype=datatype)
        for side in (condition.left, condition.right)
    )
    # A sum may outgrow the engine's numbers; then the condition does not hold.
    return f"TRY({left} {condition.op} {right})"


def _side(side: Operand, cells: Cells, parameters: Parameters, *, datatype: DataType) -> str:
    if isinstance(side, Column):
        return cells.declared[side.column].value
    if isinstance(side, Sum):
        terms = (f"{term.times} * {cells.declared[term.column].value}" for term in side.sum)
        return f"({' + '.join(terms)})"
    text = str(side.value).lower() if isinstance(side.value, bool) else str(side.value)
    return cast_sql(parameters.bind(text), datatype)
