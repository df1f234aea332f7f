"""The rule set that a file is measured against: a data standard, declared, without any SQL.

It comes as YAML or JSON. Every column that a rule names is declared; figures are whole numbers
or decimal strings, never floats. Its canonical JSON and hash travel with the result.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, TypeAlias

import yaml
from pydantic import Field, ValidationError, model_validator

from dataexchange.content.datatype import DataType
from dataexchange.content.encoding import EncodingName
from dataexchange.content.operand import (
    Comparison,
    Condition,
    columns_of,
    value_mismatch,
)
from dataexchange.errors import RefusalCode
from dataexchange.ledger.canonical import encode
from dataexchange.rules.payload import Day, Line, Payload, PositiveCount, Text

_BYTES_MAX: Final = 1 << 20
_ERRORS_SHOWN: Final = 3

BAD_RULES = RefusalCode(
    "quality.bad_rules",
    clause="GB/T 36344-2018 0101",
    zh="质量规则集有误：{reason}",
    en="The quality rule set is wrong: {reason}",
    remedy_zh="按 docs/quality.md 的字段修改规则集。",
    remedy_en="Mend the rule set by the fields in docs/quality.md.",
    kind="malformed",
)

ColumnName: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
ColumnNames: TypeAlias = Annotated[tuple[ColumnName, ...], Field(max_length=50)]
Duration: TypeAlias = Annotated[
    str, Field(pattern=r"^P([1-9]\d{0,4}[YMWD]|T[1-9]\d{0,4}[HMS])$", description="ISO 8601")
]
Instant: TypeAlias = Annotated[
    str, Field(pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2})?$", description="UTC")
]
Bound: TypeAlias = int | Annotated[str, Field(min_length=1, max_length=60)]


class ColumnRule(Payload):
    """What is declared of one column. Bounds are inclusive.

    `values` lists all that may stand in a cell; with `authority` named they are reference data
    (0105), without it they are the domain of the content (0301). `format` is a strptime format.
    `personal` columns may hold personal data where the file is declared free of it otherwise.
    """

    name: ColumnName
    title: Text | None = None
    unit: Line | None = None
    type: DataType = "string"
    format: Annotated[str, Field(min_length=2, max_length=60)] | None = None
    required: bool = False
    minimum: Bound | None = None
    maximum: Bound | None = None
    length_max: PositiveCount | None = None
    pattern: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    values: Annotated[tuple[str, ...], Field(min_length=1, max_length=100_000)] | None = None
    authority: Line | None = None
    personal: bool = False

    @model_validator(mode="after")
    def _fit(self) -> "ColumnRule":
        for bound in (self.minimum, self.maximum):
            if bound is not None and self.type in {"string", "boolean"}:
                raise ValueError(f"{self.name}: a {self.type} has no minimum or maximum")
            if bound is not None and value_mismatch(bound, self.type):
                raise ValueError(f"{self.name}: {bound!r} is not of type {self.type}")
        if self.format is not None and self.type not in {"date", "datetime"}:
            raise ValueError(f"{self.name}: only dates and moments have a format")
        if self.authority is not None and self.values is None:
            raise ValueError(f"{self.name}: an authority without its values")
        return self


class RowRule(Payload):
    """A rule over the cells of one row: where all of `when` hold, all of `then` must.

    A row counts (B) where `when` holds and the cells that `then` compares are filled.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    title: Text | None = None
    indicator: Literal[
        "business_rules", "content_correctness", "related_data_consistency", "time_order"
    ] = "related_data_consistency"
    when: Annotated[tuple[Condition, ...], Field(max_length=20)] = ()
    then: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=20)]


class SameData(Payload):
    """The same thing is said in many rows: `column` has one value for each value of `by`."""

    by: Annotated[ColumnNames, Field(min_length=1)]
    column: ColumnName


class RecordGrid(Payload):
    """One record is expected for each of `per` and each step of `every` from `start` to `until`.

    `until` is exclusive.
    """

    per: ColumnNames = ()
    column: ColumnName
    every: Duration
    start: Instant
    until: Instant


class RecordRule(Payload):
    """How many records are expected: a number, a grid, or both."""

    rows: PositiveCount | None = None
    grid: RecordGrid | None = None


class TimeRule(Payload):
    """What is declared of the column that says when a record's fact happened.

    `cycle` is the update cycle, `none` for a closed collection that is not updated any more;
    `per` names what is updated on its own (a station, a shop). `ordered`: the file is in time
    order. `until` is exclusive.
    """

    column: ColumnName
    start: Instant | None = None
    until: Instant | None = None
    every: Duration | None = None
    cycle: Duration | Literal["none"] = "none"
    per: ColumnNames = ()
    ordered: bool = False

    @model_validator(mode="after")
    def _bounded(self) -> "TimeRule":
        if self.every is not None and (self.start is None or self.until is None):
            raise ValueError("time: `every` needs `start` and `until`")
        return self


class RuleSet(Payload):
    """A declared data standard for one kind of file, or one that was inferred from a profile."""

    v: Literal[1] = 1
    origin: Literal["declared", "inferred"] = "declared"
    title: Text
    standard: Line | None = None
    encoding: EncodingName | None = None
    delimiter: Literal[",", "\t", ";", "|"] | None = None
    null_values: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    columns: Annotated[tuple[ColumnRule, ...], Field(min_length=1, max_length=2_000)]
    key: ColumnNames = ()
    row_rules: Annotated[tuple[RowRule, ...], Field(max_length=200)] = ()
    same_data: Annotated[tuple[SameData, ...], Field(max_length=50)] = ()
    records: RecordRule | None = None
    time: TimeRule | None = None
    valid_until: Day | None = None
    no_personal_data: bool = False

    @model_validator(mode="after")
    def _whole(self) -> "RuleSet":
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError("a column is declared twice")
        ids = [rule.id for rule in self.row_rules]
        if len(set(ids)) != len(ids):
            raise ValueError("a row rule's id is given twice")
        if missing := sorted(set(self._named()) - set(names)):
            raise ValueError(f"not declared: {', '.join(missing)}")
        self._require_types()
        return self

    def column(self, name: str) -> ColumnRule:
        """Return the declaration of a column; `KeyError` where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def to_bytes(self) -> bytes:
        """Return the canonical JSON."""
        return encode(self.model_dump(mode="json", exclude_none=True))

    def sha256(self) -> str:
        """Return the hash, hex, that names this rule set."""
        return sha256(self.to_bytes()).hexdigest()

    def _named(self) -> Iterator[str]:
        yield from self.key
        for rule in self.row_rules:
            for condition in (*rule.when, *rule.then):
                yield from columns_of(condition)
        for same in self.same_data:
            yield from (*same.by, same.column)
        if self.records is not None and self.records.grid is not None:
            yield from (*self.records.grid.per, self.records.grid.column)
        if self.time is not None:
            yield from (*self.time.per, self.time.column)

    def _require_types(self) -> None:
        types = {column.name: column.type for column in self.columns}
        for rule in self.row_rules:
            for condition in (*rule.when, *rule.then):
                if isinstance(condition, Comparison) and (why := condition.mismatch(types)):
                    raise ValueError(f"{rule.id}: {why}")
        grid = self.records.grid if self.records else None
        for timed in (grid, self.time):
            if timed is not None and types[timed.column] not in {"date", "datetime"}:
                raise ValueError(f"{timed.column}: not a date or a moment")


def parse_rules(text: str | bytes) -> RuleSet:
    """Return the rule set that YAML or JSON says; refuse with `quality.bad_rules`."""
    if len(text) > _BYTES_MAX:
        raise BAD_RULES(reason=f"more than {_BYTES_MAX} bytes")
    try:
        # Strict types are checked as JSON, where a list is a tuple and a date is a string.
        return RuleSet.model_validate_json(json.dumps(yaml.load(text, _PlainLoader), default=str))  # noqa: S506  # a SafeLoader
    except ValidationError as error:
        raise BAD_RULES(reason=_first_errors(error)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BAD_RULES(reason=str(error).splitlines()[0]) from error


def rules_from(value: dict[str, Any]) -> RuleSet:
    """Return the rule set in a value that was read already."""
    return parse_rules(json.dumps(value, default=str))


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases, which a few lines can blow up into gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


def _first_errors(error: ValidationError) -> str:
    shown = [
        ".".join(str(part) for part in one["loc"]) + ": " + one["msg"]
        for one in error.errors(include_url=False)[:_ERRORS_SHOWN]
    ]
    return "; ".join(shown)
