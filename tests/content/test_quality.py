"""Quality is counted from the file: every defect planted here is found, nothing else is."""

import gzip
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataexchange.content.commitment import version_content
from dataexchange.content.indicator import Count
from dataexchange.content.quality import Measurement, measure_file
from dataexchange.content.rules import BAD_RULES, RuleSet, rules_from
from dataexchange.errors import RefusedError
from dataexchange.ledger.canonical import decode
from dataexchange.pipeline.quality import NOTHING_ASSESSED
from dataexchange.valuation.quality import indicator_score

AS_OF = datetime(2026, 1, 10, tzinfo=UTC)
ASSET = "asset_01jd0000000000000000000000"


def _rules(*columns: dict[str, Any], **more: Any) -> RuleSet:
    return rules_from({"title": {"zh": "标准"}, "columns": list(columns), **more})


@pytest.fixture
def measure(tmp_path: Path) -> Any:
    def measured(
        text: str | bytes, rules: RuleSet | None = None, as_of: datetime = AS_OF
    ) -> Measurement:
        path = tmp_path / "data.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return measure_file(path, as_of=as_of, rules=rules)

    return measured


def _count(measurement: Measurement, check: str, column: str | None = None) -> Count:
    found = [
        count
        for one in measurement.report.indicators.values()
        for count in one.counts
        if count.check == check and (column is None or column in count.columns)
    ]
    assert len(found) == 1, [count.check for count in found]
    return found[0]


def _a_b(measurement: Measurement, check: str, column: str | None = None) -> tuple[int, int]:
    count = _count(measurement, check, column)
    return count.a, count.b


# 规范性 normativity


def test_a_column_with_a_cell_of_another_form_is_not_as_declared(measure: Any) -> None:
    rules = _rules({"name": "n", "type": "integer"}, {"name": "s"}, {"name": "absent"})
    result = measure("n,s\n1,a\nx,b\n", rules)
    count = _count(result, "columns-as-declared")
    assert (count.a, count.b) == (1, 3)
    assert count.columns == ("n", "absent")


def test_columns_of_the_file_and_of_the_model_are_compared(measure: Any) -> None:
    result = measure("a,b,c\n1,2,3\n", _rules({"name": "a"}, {"name": "d"}))
    count = _count(result, "same-columns")
    assert (count.a, count.b) == (1, 4)
    assert set(count.columns) == {"b", "c", "d"}


def test_names_that_had_to_be_mended_are_counted(measure: Any) -> None:
    assert _a_b(measure("a,,a\n1,2,3\n", _rules({"name": "a"})), "plain-names") == (1, 3)


def test_columns_without_a_description_are_counted(measure: Any) -> None:
    rules = _rules({"name": "a", "title": {"zh": "甲"}}, {"name": "b"})
    assert _a_b(measure("a,b\n1,2\n", rules), "described-columns") == (1, 2)


def test_a_file_in_another_encoding_than_declared_is_read_and_marked(measure: Any) -> None:
    rules = _rules({"name": "区县", "values": ["鼓楼"]}, encoding="utf-8")
    result = measure("区县\n鼓楼\n".encode("gbk"), rules)
    assert _a_b(result, "encoding-as-declared") == (0, 1)
    assert _a_b(result, "values") == (1, 1)


def test_business_rules_have_their_own_indicator(measure: Any) -> None:
    rules = _rules(
        {"name": "from"},
        {"name": "to"},
        row_rules=[
            {
                "id": "goes-elsewhere",
                "indicator": "business_rules",
                "then": [{"left": {"column": "from"}, "op": "!=", "right": {"column": "to"}}],
            }
        ],
    )
    result = measure("from,to\nA,B\nA,A\nA,\n", rules)
    assert _a_b(result, "goes-elsewhere") == (1, 2)
    assert result.report.indicators["business_rules"].b == 2


def test_a_list_of_an_authority_is_reference_data_and_another_list_is_content(
    measure: Any,
) -> None:
    rules = _rules(
        {"name": "a", "values": ["x"], "authority": "GB/T 2260"}, {"name": "b", "values": ["x"]}
    )
    result = measure("a,b\nx,x\ny,x\n,y\n", rules)
    assert result.report.indicators["reference_data"].counts[0].a == 1
    assert result.report.indicators["reference_data"].b == 2
    assert result.report.indicators["content_correctness"].a == 2
    assert result.report.indicators["content_correctness"].b == 3


@pytest.mark.parametrize(
    ("cell", "clean"),
    [
        ("110105194912310021", 0),
        ("tel 13812345678.", 0),
        ("11010519491231002X", 0),
        ("1381234567", 1),
        ("99138123456789", 1),
        ("110105199913310021", 1),
    ],
)
def test_personal_data_in_a_file_declared_free_of_it_is_found(
    measure: Any, cell: str, clean: int
) -> None:
    rules = _rules({"name": "note"}, no_personal_data=True)
    assert _a_b(measure(f"note\n{cell}\n", rules), "no-personal-data") == (clean, 1)


def test_columns_declared_personal_may_hold_personal_data(measure: Any) -> None:
    rules = _rules({"name": "tel", "personal": True}, {"name": "note"}, no_personal_data=True)
    result = measure("tel,note\n13812345678,ok\n", rules)
    assert _count(result, "no-personal-data").columns == ("note",)


# 完整性 completeness


def test_required_cells_are_counted_and_null_values_are_empty(measure: Any) -> None:
    rules = _rules({"name": "a", "required": True}, {"name": "b"}, null_values=["NA"])
    result = measure("a,b\n1,\nNA,1\n,1\n2,1\n", rules)
    count = _count(result, "filled")
    assert (count.a, count.b, count.first_defect_row) == (2, 4, 2)


def test_a_required_column_that_is_absent_is_empty_throughout(measure: Any) -> None:
    result = measure("b\n1\n2\n", _rules({"name": "a", "required": True}, {"name": "b"}))
    assert _a_b(result, "filled") == (0, 2)


def test_records_are_held_against_the_expected_number(measure: Any) -> None:
    rules = _rules({"name": "a"}, records={"rows": 5})
    assert _a_b(measure("a\n1\n2\n", rules), "rows") == (2, 5)
    assert _a_b(measure("a\n" + "1\n" * 9, rules), "rows") == (5, 5)


def test_one_record_is_expected_for_each_thing_and_step(measure: Any) -> None:
    rules = _rules(
        {"name": "station"},
        {"name": "t", "type": "datetime"},
        records={
            "grid": {
                "per": ["station"],
                "column": "t",
                "every": "PT1H",
                "start": "2026-01-01T00:00:00",
                "until": "2026-01-01T03:00:00",
            }
        },
    )
    rows = [
        "A,2026-01-01T00:10:00Z",
        "A,2026-01-01T00:50:00Z",
        "A,2026-01-01T02:00:00Z",
        "B,2026-01-01T01:00:00Z",
        "B,2026-01-01T03:00:00Z",
        ",2026-01-01T01:00:00Z",
    ]
    assert _a_b(measure("station,t\n" + "\n".join(rows) + "\n", rules), "grid") == (3, 6)


def test_months_are_steps_too(measure: Any) -> None:
    grid = {"column": "d", "every": "P1M", "start": "2026-01-01", "until": "2027-01-01"}
    rules = _rules({"name": "d", "type": "date"}, records={"grid": grid})
    assert _a_b(measure("d\n2026-01-31\n2026-02-01\n2026-12-31\n", rules), "grid") == (3, 12)


# 准确性 accuracy


def test_type_pattern_length_and_range_are_format(measure: Any) -> None:
    rules = _rules(
        {"name": "n", "type": "number", "minimum": "-0.5", "maximum": 10},
        {"name": "s", "pattern": "[A-Z]{2}", "length_max": 2},
    )
    result = measure("n,s\n-0.5,AB\n10.01,abc\nx,A\n,\n", rules)
    assert _a_b(result, "type") == (2, 3)
    assert _a_b(result, "range") == (1, 2)
    assert _a_b(result, "pattern") == (1, 3)
    assert _a_b(result, "length") == (2, 3)
    assert _count(result, "range").first_defect_row == 2
    assert result.report.indicators["format_compliance"].b == 11


def test_dates_have_bounds_and_formats(measure: Any) -> None:
    rules = _rules(
        {"name": "d", "type": "date", "format": "%Y%m%d", "minimum": "2026-01-02"},
        {"name": "e", "type": "date", "maximum": "2026-01-02"},
    )
    result = measure("d,e\n20260101,2026-01-02\n20260102,2026-01-03\n2026-01-03,soon\n", rules)
    assert _a_b(result, "type", "d") == (2, 3)
    assert _a_b(result, "range", "d") == (1, 2)
    assert _a_b(result, "range", "e") == (1, 2)


def test_repeated_rows_are_counted_and_lower_is_better(measure: Any) -> None:
    result = measure("a,b\n1,2\n1,2\n1,2\n1,\n1,\n", _rules({"name": "a"}))
    one = result.report.indicators["duplicate_rate"]
    assert (one.a, one.b) == (3, 5)
    assert one.score is not None
    assert one.ratio == 1 - one.score


def test_a_key_is_unique_only_where_it_is_filled_and_no_other_rows(measure: Any) -> None:
    rules = _rules({"name": "a"}, {"name": "b"}, key=["a", "b"])
    count = _count(measure("a,b\n1,1\n1,2\n2,1\n2,1\n3,\n", rules), "key")
    assert (count.a, count.b, count.first_defect_row) == (2, 5, 3)


@pytest.mark.parametrize(
    ("cell", "dirty"),
    [("ok", 0), ("N/A", 1), (" ok", 1), ("o\x07k", 1), ("o\ufffdk", 1), ("无", 1), ("a b", 0)],
)
def test_dirty_rows_are_counted(measure: Any, cell: str, dirty: int) -> None:
    assert _a_b(measure(f"a,b\n{cell},1\n", _rules({"name": "a"})), "dirty") == (dirty, 1)


def test_records_that_cannot_be_read_are_dirty_and_inaccessible(measure: Any) -> None:
    result = measure('a,b\n1,2\n3\n4,5,6\n"x"y,7\n8,9\n', _rules({"name": "a"}))
    assert _a_b(result, "dirty") == (3, 5)
    assert _a_b(result, "records-read") == (2, 5)


def test_a_row_is_dirty_however_wide_the_file(measure: Any) -> None:
    names = ",".join(f"c{n}" for n in range(300))
    cells = ",".join(["1"] * 299)
    result = measure(f"{names}\n{cells},?\n{cells},1\n", _rules({"name": "c0"}))
    assert _a_b(result, "dirty") == (1, 2)


# 一致性 consistency


def test_the_same_thing_said_differently_is_found(measure: Any) -> None:
    rules = _rules(
        {"name": "code"}, {"name": "name"}, same_data=[{"by": ["code"], "column": "name"}]
    )
    result = measure("code,name\n1,A\n1,A\n2,B\n2,C\n2,B\n3,\n,D\n", rules)
    count = _count(result, "same-data")
    assert (count.a, count.b, count.first_defect_row) == (2, 5, 3)


def _row_rule(*then: dict[str, Any], when: tuple[dict[str, Any], ...] = ()) -> RuleSet:
    return _rules(
        {"name": "a", "type": "integer"},
        {"name": "b", "type": "number"},
        {"name": "s"},
        {"name": "ok", "type": "boolean"},
        row_rules=[{"id": "rule", "when": list(when), "then": list(then)}],
    )


def test_sums_of_columns_compare_exactly(measure: Any) -> None:
    total = {"sum": [{"column": "a", "times": 2}, {"column": "b"}]}
    rules = _row_rule({"left": total, "op": "=", "right": {"value": "2.3"}})
    assert _a_b(measure("a,b,s,ok\n1,0.3,,\n0,2.3,,\n1,.30001,,\n1,,,\n", rules), "rule") == (2, 3)


def test_a_sum_too_large_for_the_engine_does_not_hold(measure: Any) -> None:
    total = {"sum": [{"column": "a", "times": 1_000_000_000}, {"column": "b"}]}
    rules = _row_rule({"left": total, "op": ">", "right": {"value": 0}})
    assert _a_b(measure(f"a,b,s,ok\n{'9' * 38},1,,\n1,1,,\n", rules), "rule") == (1, 2)


def test_a_cell_that_is_not_of_its_type_fails_what_compares_it(measure: Any) -> None:
    rules = _row_rule({"left": {"column": "a"}, "op": "<=", "right": {"column": "b"}})
    assert _a_b(measure("a,b,s,ok\nx,1,,\n1,1,,\n", rules), "rule") == (1, 2)


def test_a_condition_limits_the_rows_that_count(measure: Any) -> None:
    rules = _row_rule(
        {"column": "b", "present": True},
        when=(
            {"left": {"column": "ok"}, "op": "=", "right": {"value": True}},
            {"column": "s", "present": False},
        ),
    )
    text = "a,b,s,ok\n1,1,,true\n1,,,TRUE\n1,,x,true\n1,,,false\n"
    assert _a_b(measure(text, rules), "rule") == (1, 2)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=20))
def test_a_comparison_counts_what_plain_python_counts(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int]]
) -> None:
    rules = _rules(
        {"name": "a", "type": "integer"},
        {"name": "b", "type": "integer"},
        key=["a"],
        row_rules=[
            {
                "id": "rule",
                "then": [{"left": {"column": "a"}, "op": "<", "right": {"column": "b"}}],
            }
        ],
    )
    path = tmp_path_factory.mktemp("rows") / "data.csv"
    path.write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in rows))
    result = measure_file(path, as_of=AS_OF, rules=rules)
    keys = [a for a, _ in rows]
    assert _a_b(result, "rule") == (sum(a < b for a, b in rows), len(rows))
    assert _a_b(result, "key") == (sum(keys.count(key) == 1 for key in keys), len(rows))
    assert _a_b(result, "duplicate-rows") == (len(rows) - len(set(rows)), len(rows))


# 时效性 timeliness


def _timed(**time: Any) -> RuleSet:
    return _rules({"name": "s"}, {"name": "t", "type": "datetime"}, time={"column": "t", **time})


TIMES = "s,t\nA,2026-01-01T00:00:00Z\nA,2026-01-03T00:00:00Z\nB,2026-01-02T00:00:00Z\n"


def test_records_outside_the_period_and_empty_periods_are_found(measure: Any) -> None:
    rules = _timed(start="2026-01-02", until="2026-01-05", every="P1D")
    result = measure(TIMES, rules)
    assert _a_b(result, "within-period") == (2, 3)
    assert _a_b(result, "periods-covered") == (2, 3)


def test_records_dated_after_the_moment_of_measuring_are_wrong(measure: Any) -> None:
    result = measure(TIMES, _timed(), datetime(2026, 1, 2, 12, tzinfo=UTC))
    count = _count(result, "not-in-the-future")
    assert (count.a, count.b, count.first_defect_row) == (2, 3, 2)


def test_what_was_not_updated_within_its_cycle_is_late(measure: Any) -> None:
    as_of = datetime(2026, 1, 3, 12, tzinfo=UTC)
    assert _a_b(measure(TIMES, _timed(cycle="P1D", per=["s"]), as_of), "up-to-date") == (1, 2)
    assert _a_b(measure(TIMES, _timed(cycle="P2D", per=["s"]), as_of), "up-to-date") == (2, 2)
    assert _a_b(measure(TIMES, _timed(cycle="P1D"), as_of), "up-to-date") == (1, 1)
    on_the_dot = datetime(2026, 1, 4, tzinfo=UTC)
    assert _a_b(measure(TIMES, _timed(cycle="P1D"), on_the_dot), "up-to-date") == (1, 1)


def test_a_closed_collection_is_not_late(measure: Any) -> None:
    assert measure(TIMES, _timed(cycle="none")).report.indicators["timeliness"].score is None


def test_records_out_of_order_are_found(measure: Any) -> None:
    assert _a_b(measure(TIMES, _timed(ordered=True)), "in-time-order") == (1, 2)
    assert _a_b(measure(TIMES, _timed(ordered=True, per=["s"])), "in-time-order") == (1, 1)
    twice = "s,t\nA,2026-01-01T00:00:00Z\nA,2026-01-01T00:00:00Z\n"
    assert _a_b(measure(twice, _timed(ordered=True)), "in-time-order") == (1, 1)


def test_the_moment_of_measuring_is_given_and_in_any_zone(measure: Any) -> None:
    here = AS_OF.astimezone(timezone(timedelta(hours=8)))
    assert measure(TIMES, _timed(), here).report.to_bytes() == (
        measure(TIMES, _timed(), AS_OF).report.to_bytes()
    )
    with pytest.raises(ValueError, match="time zone"):
        measure(TIMES, _timed(), datetime(2026, 1, 1))  # noqa: DTZ001  # the mistake


def test_a_time_grid_of_endless_steps_is_refused(measure: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        measure(TIMES, _timed(start="0001-01-01", until="9999-01-01", every="PT1S"))
    assert caught.value.refusal is BAD_RULES


# 可访问性 accessibility


def test_rows_with_signs_of_broken_decoding_are_not_usable(measure: Any) -> None:
    text = b"a,b\n" + "鼓楼,1\n".encode() * 20 + b"\xff\xfe,2\n"
    assert _a_b(measure(text, _rules({"name": "a"})), "decodable") == (20, 21)


def test_data_past_its_term_is_not_usable(measure: Any) -> None:
    rules = _rules({"name": "a"}, valid_until="2026-01-10")
    assert _a_b(measure("a\n1\n", rules), "in-term") == (1, 1)
    late = measure("a\n1\n", rules, AS_OF + timedelta(days=1))
    assert _a_b(late, "in-term") == (0, 1)


# the report


def test_an_empty_table_is_not_assessed_where_there_is_nothing_to_assess(measure: Any) -> None:
    rules = _rules({"name": "a", "required": True, "title": {"zh": "甲"}}, key=["a"])
    result = measure("a\n", rules)
    assert result.report.scores() == {
        "normativity": "1.000000",
        "completeness": None,
        "accuracy": None,
        "consistency": None,
        "timeliness": None,
        "accessibility": None,
    }


def test_the_report_is_canonical_and_the_same_every_time(measure: Any) -> None:
    rules = _rules({"name": "s"}, {"name": "t", "type": "datetime"}, key=["s"])
    first, again = measure(TIMES, rules), measure(TIMES, rules)
    assert first.report.to_bytes() == again.report.to_bytes()
    read = decode(first.report.to_bytes())
    assert read["content"]["sha256"] == first.commitment.digest.sha256
    assert read["rules"] == {"origin": "declared", "sha256": rules.sha256()}
    assert [one["dimension"] for one in read["dimensions"]] == list(first.report.scores())


def test_a_score_that_rounds_to_one_still_shows_its_defects(measure: Any) -> None:
    rules = _rules({"name": "a", "required": True}, {"name": "b", "required": True})
    result = measure("a,b\n" + "1,1\n" * 3 + "1,\n", rules)
    read = decode(result.report.to_bytes())
    element = read["dimensions"][1]["indicators"][0]
    assert (element["a"], element["b"], element["defects"]) == (7, 8, 1)


def test_the_report_feeds_the_valuation_method(measure: Any) -> None:
    rules = _rules({"name": "s"}, {"name": "t", "type": "datetime"}, key=["s"])
    report = measure(TIMES, rules).report
    for dimension in report.valuation_inputs()["dimensions"]:
        for one in dimension["indicators"]:
            direction = report.indicators[one["name"]].indicator.direction
            ours = report.indicators[one["name"]].score
            theirs = indicator_score(one["a"], one["b"], direction=direction)
            assert (theirs is None) == (ours is None)
            if ours is not None and theirs is not None:
                assert abs(float(theirs) - float(ours)) < 1e-12


def test_the_report_says_what_the_event_carries(measure: Any) -> None:
    result = measure(TIMES, _rules({"name": "s", "title": {"zh": "站"}}, {"name": "t"}))
    root = version_content([result.commitment]).root
    said = result.report.assessment(asset=ASSET, version=1, content_root=root)
    assert said.report == result.report.sha256()
    assert said.dimensions.model_dump() == result.report.scores()
    # The event's rule wants the mean of the rounded figures, within a millionth.
    assessed = said.dimensions.assessed()
    assert abs(Fraction(said.score) - sum(assessed) / len(assessed)) <= Fraction(1, 1_000_000)


def test_nothing_to_assess_is_no_assessment(measure: Any) -> None:
    report = measure("a\n").report
    assert report.score_text is None
    with pytest.raises(RefusedError) as caught:
        report.assessment(asset=ASSET, version=1, content_root="0" * 64)
    assert caught.value.refusal is NOTHING_ASSESSED


def test_gzip_and_plain_files_have_the_same_counts(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.csv", tmp_path / "a.csv.gz"
    plain.write_text(TIMES)
    packed.write_bytes(gzip.compress(TIMES.encode()))
    reports = [measure_file(path, as_of=AS_OF).report for path in (plain, packed)]
    assert reports[0].scores() == reports[1].scores()
    assert reports[0].digest != reports[1].digest


@pytest.mark.parametrize("pattern", ["((", "[", "(?<!x)y", "\\"])
def test_a_pattern_that_is_none_is_refused_by_its_column(measure: Any, pattern: str) -> None:
    with pytest.raises(RefusedError) as caught:
        measure("a\n1\n", _rules({"name": "a", "pattern": pattern}))
    assert caught.value.refusal is BAD_RULES
    assert "a:" in caught.value.en


def test_names_and_values_are_never_sql(measure: Any) -> None:
    hostile = "x'); DROP TABLE cells; --"
    rules = _rules(
        {"name": hostile, "values": [hostile], "pattern": "x'.*", "required": True},
        {"name": '"', "pattern": ".*"},
        delimiter=",",
        null_values=["'); DROP TABLE raw; --"],
        key=[hostile],
        same_data=[{"by": [hostile], "column": '"'}],
    )
    result = measure(f'{hostile},""""\n{hostile},"\'"\n', rules)
    assert _a_b(result, "values") == (1, 1)
    assert _a_b(result, "filled") == (1, 1)
    assert _a_b(result, "same-data") == (1, 1)
