"""A rule set is data: complete, typed, hashed, and refused where it says nonsense."""

import json
from typing import Any

import pytest

from dataexchange.content.rules import BAD_RULES, parse_rules, rules_from
from dataexchange.errors import RefusedError
from dataexchange.ledger.canonical import decode

RULES = """
title: {zh: 标准}
columns:
  - {name: 编号, type: integer, required: true, minimum: 1}
  - {name: price, type: number, maximum: "9.99"}
  - {name: day, type: date}
  - {name: until, type: date}
key: [编号]
row_rules:
  - id: day-before-until
    indicator: time_order
    then: [{left: {column: day}, op: "<=", right: {column: until}}]
same_data: [{by: [编号], column: price}]
time: {column: day, start: 2026-01-01, until: 2026-02-01, every: P1D, cycle: P1D}
"""


def _value() -> dict[str, Any]:
    return decode(parse_rules(RULES).to_bytes())  # type: ignore[no-any-return]


def test_yaml_and_json_say_the_same() -> None:
    rules = parse_rules(RULES)
    assert rules_from(_value()) == rules
    assert parse_rules(json.dumps(_value())).sha256() == rules.sha256()
    assert rules.time is not None
    assert rules.time.start == "2026-01-01"


def test_columns_are_found_by_name() -> None:
    assert parse_rules(RULES).column("price").type == "number"
    with pytest.raises(KeyError):
        parse_rules(RULES).column("absent")


def _with(**changes: Any) -> dict[str, Any]:
    return {**_value(), **changes}


def _rule(*then: dict[str, Any]) -> dict[str, Any]:
    return _with(row_rules=[{"id": "r", "then": list(then)}])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (_with(columns=[]), "columns"),
        (_with(columns=[{"name": "a"}, {"name": "a"}], key=[]), "declared twice"),
        (_with(key=["absent"]), "not declared: absent"),
        (_with(same_data=[{"by": ["absent"], "column": "price"}]), "not declared: absent"),
        (_with(extra=1), "Extra inputs"),
        (_with(time={"column": "price"}), "not a date"),
        (_with(time={"column": "day", "every": "P1D"}), "needs `start` and `until`"),
        (_with(time={"column": "day", "cycle": "P1D1D"}), "time"),
        (_with(columns=[*_value()["columns"], {"name": "s", "minimum": 1}]), "no minimum"),
        (_with(columns=[*_value()["columns"], {"name": "s", "maximum": 1.5}]), "maximum"),
        (
            _with(columns=[*_value()["columns"], {"name": "s", "type": "date", "minimum": "1"}]),
            "not of type date",
        ),
        (_with(columns=[*_value()["columns"], {"name": "s", "format": "%Y"}]), "have a format"),
        (_with(columns=[*_value()["columns"], {"name": "s", "authority": "x"}]), "authority"),
        (_with(row_rules=_value()["row_rules"] * 2), "given twice"),
        (_rule(), "row_rules"),
        (_rule({"column": "absent", "present": True}), "not declared"),
        (_rule({"left": {"column": "day"}, "op": "<", "right": {"column": "price"}}), "compare"),
        (_rule({"left": {"column": "day"}, "op": "<", "right": {"value": "soon"}}), "soon"),
        (_rule({"left": {"column": "price"}, "op": "<", "right": {"value": True}}), "True"),
        (
            _rule({"left": {"sum": [{"column": "day"}]}, "op": "<", "right": {"value": 1}}),
            "summed",
        ),
        (_rule({"left": {"sql": "1; DROP TABLE cells"}, "op": "=", "right": {"value": 1}}), "sql"),
        (_rule({"left": {"column": "day"}, "op": "; --", "right": {"value": 1}}), "op"),
    ],
)
def test_nonsense_is_refused_with_its_reason(value: dict[str, Any], reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        rules_from(value)
    assert caught.value.refusal is BAD_RULES
    assert reason in caught.value.en


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1, 2]",
        "{",
        "a: &a [x]\nb: *a",
        "!!python/object/apply:os.system [true]",
        "title: {zh: x}\ncolumns: [{name: a}]\n#" + "x" * (1 << 20),
        "[" * 3_000,
    ],
)
def test_text_that_is_no_rule_set_is_refused(text: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse_rules(text)
    assert caught.value.refusal is BAD_RULES


def test_integers_and_numbers_compare() -> None:
    rules = rules_from(_rule({"left": {"column": "编号"}, "op": "<", "right": {"column": "price"}}))
    assert len(rules.row_rules) == 1
