"""What a row rule may say: a cell is filled or empty, or two operands compare.

An operand is a column, a sum of columns each times a whole number, or a value. There is nothing
to execute in it: the rule is data, and so can be signed, hashed and read by anyone.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from dataexchange.content.datatype import DataType, fits
from dataexchange.rules.payload import Payload

_Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
_NUMERIC = frozenset({"integer", "number"})


class Column(Payload):
    """The cell of a column."""

    column: _Name


class Term(Payload):
    """A column times a whole number."""

    column: _Name
    times: Annotated[int, Field(ge=-(10**9), le=10**9)] = 1


class Sum(Payload):
    """A sum of numeric columns, e.g. 100 × hour + minute."""

    sum: Annotated[tuple[Term, ...], Field(min_length=1, max_length=20)]


class Value(Payload):
    """A fixed value; a decimal, a date or a moment is written as a string."""

    value: int | Annotated[str, Field(max_length=200)] | bool


Operand: TypeAlias = Column | Sum | Value


class Presence(Payload):
    """The cell of a column is filled (`present: true`) or empty."""

    column: _Name
    present: bool


class Comparison(Payload):
    """`left` and `right` are both filled and compare as `op` says."""

    left: Operand
    op: Literal["=", "!=", "<", "<=", ">", ">="]
    right: Operand

    def type(self, types: Mapping[str, DataType]) -> DataType:
        """Return the type that both sides are compared as."""
        sides = [_type(side, types) for side in (self.left, self.right)]
        known = [side for side in sides if side is not None]
        if not known:
            return "string"
        return "number" if set(known) == _NUMERIC else known[0]

    def mismatch(self, types: Mapping[str, DataType]) -> str | None:
        """Return why the sides cannot be compared, or None."""
        sides = {_type(side, types) for side in (self.left, self.right)} - {None}
        if len(sides) > 1 and not sides <= _NUMERIC:
            return f"a {' and a '.join(sorted(str(side) for side in sides))} do not compare"
        terms = [term for side in (self.left, self.right) for term in _terms(side)]
        if any(types[term.column] not in _NUMERIC for term in terms):
            return "only numbers can be summed"
        for side in (self.left, self.right):
            if isinstance(side, Value) and value_mismatch(side.value, self.type(types)):
                return f"{side.value!r} is not of type {self.type(types)}"
        return None


Condition: TypeAlias = Comparison | Presence


def columns_of(condition: Condition) -> Iterator[str]:
    """Return the names of the columns that the condition reads."""
    if isinstance(condition, Presence):
        yield condition.column
        return
    for side in (condition.left, condition.right):
        if isinstance(side, Column):
            yield side.column
        yield from (term.column for term in _terms(side))


def value_mismatch(value: int | str | bool, datatype: DataType) -> bool:
    """Tell whether a value that a rule gives is not of the type it is compared with."""
    if isinstance(value, bool) or datatype == "boolean":
        return not (isinstance(value, bool) and datatype == "boolean")
    if isinstance(value, int):
        return datatype not in _NUMERIC
    return not fits(value, datatype)


def _terms(side: Operand) -> tuple[Term, ...]:
    return side.sum if isinstance(side, Sum) else ()


def _type(side: Operand, types: Mapping[str, DataType]) -> DataType | None:
    if isinstance(side, Column):
        return types[side.column]
    if isinstance(side, Sum):
        return "number" if any(types[term.column] != "integer" for term in side.sum) else "integer"
    return None
