"""Rules inferred from a file are modest, and say that they are inferred."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dataexchange.content.profile import profile_table
from dataexchange.content.proposal import propose_rules
from dataexchange.content.quality import measure_file
from dataexchange.content.rules import RuleSet
from dataexchange.content.table import open_table

ROWS = [f"{n},{n % 7},2026-01-{n % 28 + 1:02d},{'' if n % 2 else 'x'}" for n in range(1, 100)]
TEXT = "id,n,day,note\n" + "\n".join([*ROWS, "100,oops,2026-01-05,"]) + "\n"


def _propose(path: Path) -> RuleSet:
    with open_table(path) as table:
        return propose_rules(profile_table(table))


def test_what_nearly_all_cells_do_is_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(TEXT)
    rules = _propose(path)
    assert rules.origin == "inferred"
    assert {column.name: column.type for column in rules.columns} == {
        "id": "integer",
        "n": "integer",
        "day": "date",
        "note": "string",
    }
    assert [column.name for column in rules.columns if column.required] == ["id", "n", "day"]
    assert rules.key == ("id",)
    assert rules.time is not None
    assert rules.time.column == "day"


def test_the_few_cells_that_differ_are_found_by_inferred_rules(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(TEXT)
    result = measure_file(path, as_of=datetime(2026, 2, 1, tzinfo=UTC))
    types = {
        count.columns: (count.a, count.b, count.first_defect_row)
        for count in result.report.indicators["format_compliance"].counts
    }
    assert types[("n",)] == (99, 100, 100)
    assert types[("id",)] == (100, 100, None)


@pytest.mark.parametrize(("wrong", "expected"), [(1, "integer"), (2, "string")])
def test_nineteen_of_twenty_make_a_rule(tmp_path: Path, wrong: int, expected: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text("n\n" + "1\n" * (20 - wrong) + "oops\n" * wrong)
    assert _propose(path).columns[0].type == expected


def test_a_file_is_no_standard_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(TEXT)
    result = measure_file(path, as_of=datetime(2026, 2, 1, tzinfo=UTC))
    assert result.report.rules_origin == "inferred"
    assert result.report.scores()["normativity"] is None


def test_placeholders_become_null_values(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b\n1,NA\n2,3\nn/a,4\n")
    rules = _propose(path)
    assert rules.null_values == ("NA", "n/a")
    assert [column.type for column in rules.columns] == ["integer", "integer"]


def test_nothing_is_inferred_from_a_table_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b\n")
    rules = _propose(path)
    assert rules.key == ()
    assert rules.time is None
    assert not any(column.required for column in rules.columns)
