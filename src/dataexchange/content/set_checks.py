"""Checks that look at many rows together: duplicates, keys, sameness, expected records, time."""

# ruff: noqa: S608 - SQL is put together from parts of ours; values from outside are bound.

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from dataexchange.content.cells import Cells, Parameters
from dataexchange.content.indicator import Count
from dataexchange.content.rules import BAD_RULES, RecordGrid, SameData, TimeRule

_STEPS_MAX: Final = 10_000_000
_UNITS: Final = {"Y": "to_years", "M": "to_months", "W": "to_weeks", "D": "to_days"}
_CLOCK_UNITS: Final = {"H": "to_hours", "M": "to_minutes", "S": "to_seconds"}


def duplicates(cells: Cells) -> Count:
    """Count the rows that repeat an earlier row in every column."""
    columns = ", ".join(text for _, text in cells.texts())
    ((distinct,),) = cells.fetch(f"SELECT count(*) FROM (SELECT DISTINCT {columns} FROM cells)")
    repeated = cells.rows - distinct
    return Count("duplicate-rows", "duplicate_rate", (), repeated, cells.rows)


def unique_key(cells: Cells) -> Count:
    """Count the rows whose key is filled and no other row's."""
    key = cells.rules.key
    columns = [cells.declared[name].text for name in key]
    filled = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    sql = (
        "SELECT coalesce(sum(n) FILTER (n = 1), 0)::BIGINT, min(first) FILTER (n > 1) FROM"
        f" (SELECT count(*) AS n, min(rowid + 1) AS first FROM cells WHERE {filled}"
        f" GROUP BY {', '.join(columns)})"
    )
    ((unique, first),) = cells.fetch(sql)
    return Count("key", "uniqueness", key, unique, cells.rows, first)


def same_data(cells: Cells, rule: SameData) -> Count:
    """Count the rows in whose group the column has one value only."""
    by = [cells.declared[name].text for name in rule.by]
    column = cells.declared[rule.column].text
    filled = " AND ".join(f"{one} IS NOT NULL" for one in (*by, column))
    sql = (
        "SELECT coalesce(sum(n) FILTER (kinds = 1), 0)::BIGINT, coalesce(sum(n), 0)::BIGINT,"
        " min(first) FILTER (kinds > 1) FROM"
        f" (SELECT count(*) AS n, count(DISTINCT {column}) AS kinds, min(rowid + 1) AS first"
        f" FROM cells WHERE {filled} GROUP BY {', '.join(by)})"
    )
    ((same, looked_at, first),) = cells.fetch(sql)
    columns = (*rule.by, rule.column)
    return Count("same-data", "same_data_consistency", columns, same, looked_at, first)


def expected_rows(cells: Cells, rows: int) -> Count:
    """Count the records against the number that was declared."""
    return Count("rows", "record_completeness", (), min(cells.rows, rows), rows)


def expected_grid(cells: Cells, grid: RecordGrid) -> Count:
    """Count the records against one for each step of time, for each thing recorded."""
    parameters = Parameters()
    steps, bucket, within = _steps(cells, grid, parameters)
    things = [cells.declared[name].text for name in grid.per]
    distinct = ", ".join(("true", *things))
    filled = " AND ".join([within, *(f"{thing} IS NOT NULL" for thing in things)])
    sql = (
        f"SELECT (SELECT count(*) FROM (SELECT DISTINCT {distinct} FROM cells WHERE {filled})),"
        f" (SELECT count(*) FROM (SELECT DISTINCT {bucket}, {distinct} FROM cells WHERE {filled}))"
    )
    ((things_count, present),) = cells.fetch(sql, parameters)
    columns = (*grid.per, grid.column)
    return Count("grid", "record_completeness", columns, present, things_count * steps)


def time_checks(cells: Cells, rule: TimeRule, as_of: datetime) -> Iterator[Count]:
    """Return what is declared of time, counted; `as_of` is UTC."""
    yield from _periods(cells, rule)
    yield _not_later(cells, rule, as_of)
    if rule.cycle != "none":
        yield _current(cells, rule, as_of)
    if rule.ordered:
        yield _ordered(cells, rule)


def _periods(cells: Cells, rule: TimeRule) -> Iterator[Count]:
    if rule.start is None and rule.until is None:
        return
    parameters = Parameters()
    value = _moment(cells, rule.column)
    within = _within(value, rule, parameters)
    yield _rows(cells, rule, parameters, check="within-period", condition=within)
    if rule.every is None or rule.start is None or rule.until is None:
        return
    grid = RecordGrid(column=rule.column, every=rule.every, start=rule.start, until=rule.until)
    parameters = Parameters()
    steps, bucket, within = _steps(cells, grid, parameters)
    ((covered,),) = cells.fetch(
        f"SELECT count(DISTINCT {bucket}) FROM cells WHERE {within}",
        parameters,
    )
    yield Count("periods-covered", "period_correctness", (rule.column,), covered, steps)


def _not_later(cells: Cells, rule: TimeRule, as_of: datetime) -> Count:
    parameters = Parameters()
    condition = f"{_moment(cells, rule.column)} <= {_bound(parameters, as_of)}"
    return _rows(cells, rule, parameters, check="not-in-the-future", condition=condition)


def _rows(
    cells: Cells, rule: TimeRule, parameters: Parameters, *, check: str, condition: str
) -> Count:
    value = _moment(cells, rule.column)
    sql = (
        f"SELECT count(*) FILTER ({condition}), count({value}),"
        f" min(rowid + 1) FILTER (NOT ({condition})) FROM cells"
    )
    ((right, looked_at, first),) = cells.fetch(sql, parameters)
    return Count(check, "period_correctness", (rule.column,), right, looked_at, first)


def _current(cells: Cells, rule: TimeRule, as_of: datetime) -> Count:
    """Count the things whose newest record, as of then, is no older than the update cycle."""
    parameters = Parameters()
    moment, now = _moment(cells, rule.column), _bound(parameters, as_of)
    things = ", ".join(("true", *(cells.declared[name].text for name in rule.per)))
    sql = (
        f"SELECT count(*) FILTER (newest >= {now} - {_interval(rule.cycle)}), count(*) FROM"
        f" (SELECT max({moment}) AS newest FROM cells WHERE {moment} <= {now} GROUP BY {things})"
    )
    ((current, looked_at),) = cells.fetch(sql, parameters)
    columns = (*rule.per, rule.column)
    return Count("up-to-date", "timeliness", columns, current, looked_at)


def _ordered(cells: Cells, rule: TimeRule) -> Count:
    """Count the records that are not earlier than the record before, in the file's order."""
    moment = _moment(cells, rule.column)
    things = [cells.declared[name].text for name in rule.per]
    partition = f"PARTITION BY {', '.join(things)} " if things else ""
    sql = (
        "SELECT count(*) FILTER (moment >= earlier), count(earlier),"
        " min(number) FILTER (moment < earlier) FROM"
        f" (SELECT rowid + 1 AS number, {moment} AS moment,"
        f" lag({moment}) OVER ({partition}ORDER BY rowid) AS earlier"
        f" FROM cells WHERE {moment} IS NOT NULL)"
    )
    ((right, looked_at, first),) = cells.fetch(sql)
    columns = (*rule.per, rule.column)
    return Count("in-time-order", "time_order", columns, right, looked_at, first)


def _moment(cells: Cells, name: str) -> str:
    return f"CAST({cells.declared[name].value} AS TIMESTAMP)"


def _bound(parameters: Parameters, moment: datetime | str) -> str:
    text = moment if isinstance(moment, str) else moment.replace(tzinfo=None).isoformat(" ")
    return f"CAST({parameters.bind(text)} AS TIMESTAMP)"


def _within(value: str, rule: TimeRule | RecordGrid, parameters: Parameters) -> str:
    limits = ((rule.start, ">="), (rule.until, "<"))
    return " AND ".join(
        f"{value} {op} {_bound(parameters, limit)}" for limit, op in limits if limit is not None
    )


def _steps(cells: Cells, grid: RecordGrid, parameters: Parameters) -> tuple[int, str, str]:
    """Return how many steps there are, the SQL of a row's step, and that of being within them."""
    value = _moment(cells, grid.column)
    within = _within(value, grid, parameters)
    bucket = f"time_bucket({_interval(grid.every)}, {value}, {_bound(parameters, grid.start)})"
    return _step_count(cells, grid), bucket, within


def _step_count(cells: Cells, grid: RecordGrid) -> int:
    parameters = Parameters()
    start, until = _bound(parameters, grid.start), _bound(parameters, grid.until)
    ((seconds, step_seconds),) = cells.fetch(
        f"SELECT epoch({until} - {start})::BIGINT, epoch({_interval(grid.every)})::BIGINT",
        parameters,
    )
    if not 0 < seconds <= _STEPS_MAX * step_seconds:
        raise BAD_RULES(reason=f"{grid.start} … {grid.until} / {grid.every}: 0 < n ≤ {_STEPS_MAX}")
    ((steps,),) = cells.fetch(
        f"SELECT count(*) FROM range({start}, {until}, {_interval(grid.every)})",
        parameters,
    )
    return steps


def _interval(duration: str) -> str:
    """Return the SQL of an ISO 8601 duration whose form the rule set has checked."""
    clock = duration.startswith("PT")
    number, unit = duration[2 if clock else 1 : -1], duration[-1]
    return f"{(_CLOCK_UNITS if clock else _UNITS)[unit]}({int(number)})"
