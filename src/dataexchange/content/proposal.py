"""Propose a modest rule set from a profile, for a file that came without one.

What nearly every cell does is taken for the rule, so that the few that do not are found. It
proves less than a declared standard, and says so: `origin` is `inferred`.
"""

from typing import Final

from dataexchange.content.datatype import INFERRED_TYPES, DataType
from dataexchange.content.profile import ColumnProfile, Profile
from dataexchange.content.rules import ColumnRule, RuleSet, TimeRule
from dataexchange.rules.payload import Text

# “Nearly every cell”: 19 of 20.
_MOST: Final = (19, 20)


def propose_rules(profile: Profile) -> RuleSet:
    """Return rules with types, filled columns, a key, null values and a time column."""
    columns = tuple(_column(column, profile.rows) for column in profile.columns)
    moments = [column.name for column in columns if column.type in {"date", "datetime"}]
    return RuleSet(
        origin="inferred",
        title=Text(zh="由数据概况推断的规则", en="Rules inferred from the profile"),
        null_values=_null_values(profile),
        columns=columns,
        key=_key(profile),
        time=TimeRule(column=moments[0]) if moments else None,
    )


def _column(column: ColumnProfile, rows: int) -> ColumnRule:
    filled = rows - column.nulls - column.placeholder_count
    return ColumnRule(
        name=column.name,
        type=_type(column, filled),
        required=rows > 0 and _is_most(filled, rows),
    )


def _type(column: ColumnProfile, filled: int) -> DataType:
    if column.type != "string" or not filled:
        return column.type
    fitting = (kind for kind in INFERRED_TYPES if _is_most(column.conforming[kind], filled))
    return next(fitting, "string")


def _null_values(profile: Profile) -> tuple[str, ...]:
    """Return the placeholders in columns whose other cells are of one type, or mostly filled."""
    found = {text for column in profile.columns for text, _ in column.placeholders}
    return tuple(sorted(found))[:50]


def _key(profile: Profile) -> tuple[str, ...]:
    """Return the first column in which nearly every row has a value of its own."""
    for column in profile.columns:
        if profile.rows > 1 and _is_most(column.distinct, profile.rows) and not column.nulls:
            return (column.name,)
    return ()


def _is_most(part: int, whole: int) -> bool:
    return part * _MOST[1] >= whole * _MOST[0]
