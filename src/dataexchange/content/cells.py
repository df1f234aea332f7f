"""The cells of a file as its rule set sees them: declared columns with typed values.

Table `cells` has the text of every column of the file (c0, c1, …; declared null values are NULL)
and, for each declared column, its typed value (v0, v1, … by place in the rule set).
"""

# ruff: noqa: S608 - SQL is put together from parts of ours; values from outside are bound.

from dataclasses import dataclass, field

import duckdb

from dataexchange.content.datatype import cast_sql, conforms_sql, formatted_sql
from dataexchange.content.rules import BAD_RULES, ColumnRule, RuleSet
from dataexchange.content.table import Table


@dataclass(slots=True)
class Parameters:
    """Values from outside, handed to the engine apart from the SQL."""

    values: dict[str, object] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        """Return the SQL that stands for `value`."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"


@dataclass(frozen=True, slots=True)
class Cell:
    """The SQL for a declared column: its text, its value, and whether the text is of its type."""

    rule: ColumnRule
    text: str
    value: str
    conforms: str
    present: bool


@dataclass(frozen=True, slots=True)
class Cells:
    """The loaded file under a rule set."""

    table: Table
    rules: RuleSet
    declared: dict[str, Cell]

    @property
    def rows(self) -> int:
        """How many records were loaded."""
        return self.table.rows

    @property
    def undeclared(self) -> tuple[str, ...]:
        """The names of columns that the file has and the rule set does not."""
        return tuple(name for name in self.table.names if name not in self.declared)

    def texts(self) -> list[tuple[str, str]]:
        """Return (name, SQL of the text) of every column in the file."""
        return [(name, f"c{position}") for position, name in enumerate(self.table.names)]

    def fetch(self, sql: str, parameters: Parameters | None = None) -> list[tuple[int, ...]]:
        """Return the rows, all whole numbers, of a query written by us over `cells`."""
        return self.table.fetch(sql, parameters.values if parameters else None)


def prepare(table: Table, rules: RuleSet) -> Cells:
    """Make table `cells` and return its description; `quality.bad_rules` for a bad pattern."""
    _require_patterns(table, rules)
    parameters = Parameters()
    nulls = parameters.bind(list(rules.null_values)) if rules.null_values else None
    wanted = [
        f"CASE WHEN list_contains({nulls}, c{position}) THEN NULL ELSE c{position} END"
        f" AS c{position}"
        if nulls
        else f"c{position}"
        for position in range(len(table.names))
    ]
    table.fetch(f"CREATE TABLE texts AS SELECT {', '.join(wanted)} FROM raw", parameters.values)
    table.fetch("DROP TABLE raw")
    _add_values(table, rules)
    return Cells(table, rules, _declared(table, rules))


def _add_values(table: Table, rules: RuleSet) -> None:
    parameters = Parameters()
    values = [
        f"{_value_sql(column, _text_sql(table, column), parameters)} AS v{number}"
        for number, column in enumerate(rules.columns)
    ]
    table.fetch(
        f"CREATE TABLE cells AS SELECT *, {', '.join(values)} FROM texts",
        parameters.values,
    )
    table.fetch("DROP TABLE texts")


def _declared(table: Table, rules: RuleSet) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for number, column in enumerate(rules.columns):
        text, value = _text_sql(table, column), f"v{number}"
        conforms = (
            f"({value} IS NOT NULL)" if column.format else f"({conforms_sql(text, column.type)})"
        )
        cells[column.name] = Cell(column, text, value, conforms, column.name in table.names)
    return cells


def _text_sql(table: Table, column: ColumnRule) -> str:
    if column.name not in table.names:
        return "CAST(NULL AS VARCHAR)"
    return f"c{table.names.index(column.name)}"


def _value_sql(column: ColumnRule, text: str, parameters: Parameters) -> str:
    if column.format is not None:
        return formatted_sql(text, column.type, parameters.bind(column.format))
    return cast_sql(text, column.type)


def _require_patterns(table: Table, rules: RuleSet) -> None:
    """Try every pattern and format on nothing, so that a bad one is refused by name."""
    for column in rules.columns:
        try:
            if column.pattern is not None:
                table.fetch("SELECT regexp_full_match('', $p)", {"p": column.pattern})
            if column.format is not None:
                table.fetch("SELECT try_strptime('', $f)", {"f": column.format})
        except duckdb.Error as error:
            raise BAD_RULES(reason=f"{column.name}: {str(error).splitlines()[0]}") from error
