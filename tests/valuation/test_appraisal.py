"""From bytes to a result: calculations and reports."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataexchange.valuation import (
    ValuationRefusedError,
    as_json,
    find_card,
    run_card,
    run_report,
)

SHELF = Path(__file__).parents[2] / "valuation"
COST = (SHELF / "cost" / "1.0.0.yaml").read_bytes()
DOCUMENT = (SHELF / "examples" / "cost.yaml").read_bytes()
REPORT = (SHELF / "examples" / "report.yaml").read_text("utf-8")


def changed(text: str, *path: str | int, to: Any) -> bytes:
    """Return the YAML `text` with one place set, or removed where `to` is None."""
    whole = yaml.load(text, Loader=yaml.BaseLoader)
    place = whole
    for part in path[:-1]:
        place = place[part]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return json.dumps(_typed(whole), ensure_ascii=False).encode()


def _typed(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _typed(one) for key, one in found.items()}
    if isinstance(found, list):
        return [_typed(one) for one in found]
    return {"true": True, "false": False}.get(found, found) if isinstance(found, str) else found


def refusal_of(document: bytes) -> ValuationRefusedError:
    with pytest.raises(ValuationRefusedError) as refused:
        run_report(document)
    return refused.value


def test_a_document_is_run_to_its_figure_tornado_table_and_interval() -> None:
    result = run_card(COST, DOCUMENT)
    assert (result.kind, result.valuation.yuan) == ("calculation", "1020000.00")
    assert [bar.input for bar in result.tornado] == ["adjustment", "costs[1].amount"]
    assert result.table is not None
    assert result.table.cells[1][0] == 1020000
    assert result.interval is not None
    assert result.interval.p10 < result.interval.p50 < result.interval.p90


def test_a_document_without_the_key_inputs_is_the_inputs() -> None:
    bare = b"costs: [{item: direct, amount: 100}]\nadjustment: 0.85\n"
    assert run_card(COST, bare).valuation.yuan == "85.00"


def test_a_document_for_another_card_is_refused() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        run_card(COST, b"card: income\ninputs: {}\n")
    assert refused.value.code == "valuation.input_inconsistent"


def test_the_same_bytes_give_the_same_result() -> None:
    assert as_json(run_card(COST, DOCUMENT)) == as_json(run_card(COST, DOCUMENT))


def test_a_single_card_is_no_report_where_two_methods_apply() -> None:
    engagement = yaml.load(REPORT, Loader=yaml.BaseLoader)["engagement"]
    with_kind = changed(DOCUMENT.decode(), "kind", to="report")
    whole = changed(with_kind.decode(), "engagement", to=engagement)
    with pytest.raises(ValuationRefusedError) as refused:
        run_card(COST, whole)
    assert refused.value.code == "valuation.one_method"


def test_a_single_card_is_a_report_with_its_norm_and_reasons() -> None:
    engagement = yaml.load(REPORT, Loader=yaml.BaseLoader)["engagement"]
    rejected = [{"approach": one, "reason": "x"} for one in ("income", "market")]
    text = DOCUMENT.decode()
    for name, stated in (
        ("kind", "report"),
        ("engagement", engagement),
        ("only_method_norm", "norm and clause"),
        ("rejected", rejected),
    ):
        text = changed(text, name, to=stated).decode()
    assert run_card(COST, text.encode()).kind == "report"


def test_a_report_reconciles_its_sections() -> None:
    report = run_report(REPORT.encode())
    assert report.conclusion.yuan == "1200232.09"
    assert [section.valuation.method for section in report.sections] == [
        "discount_rate",
        "cost",
        "income",
    ]
    assert report.interval is not None
    assert report.interval[0] < report.interval[1] < report.interval[2]
    assert "float" not in str({type(one) for one in _all(as_json(report))})


def _all(found: Any) -> list[Any]:
    if isinstance(found, dict):
        return [leaf for one in found.values() for leaf in _all(one)]
    return [leaf for one in found for leaf in _all(one)] if isinstance(found, list) else [found]


@pytest.mark.parametrize(
    "name",
    ["purpose", "value_type", "owner_type", "rights", "scenario", "assumptions", "limits_of_use",
     "quality_evaluation", "independence", "permitted_users", "signers", "sealed", "base_date"],
)  # fmt: skip
def test_a_report_that_leaves_out_a_required_statement_is_refused(name: str) -> None:
    refused = refusal_of(changed(REPORT, "engagement", name, to=None))
    assert (refused.code, refused.facts["input"]) == (
        "valuation.input_missing",
        f"engagement.{name}",
    )


@pytest.mark.parametrize(
    ("path", "to", "code"),
    [
        (("engagement", "signers"), ["A"], "valuation.one_signer"),
        (("engagement", "used_on"), "2027-07-01", "valuation.appraisal_expired"),
        (("engagement", "purpose"), "booking", "valuation.booking_basis"),
        (("engagement", "owner_type"), "public_body", "valuation.public_body_security"),
        (("sections", 1, "weight"), "0.5", "valuation.weights_not_one"),
        (("sections", 1, "reason"), None, "valuation.input_missing"),
        (("sections", 1, "sources"), {}, "valuation.source_missing"),
        (("sections", 2, "card"), "luck", "valuation.card_not_found"),
        (("sections", 0, "weight"), "0", "valuation.input_inconsistent"),
    ],
)
def test_each_fault_of_a_report_has_its_own_refusal(
    path: tuple[str | int, ...], to: Any, code: str
) -> None:
    assert refusal_of(changed(REPORT, *path, to=to)).code == code


def test_a_report_of_one_method_is_refused_with_article_26() -> None:
    alone = changed(REPORT, "sections", 2, to=None)
    refused = refusal_of(changed(alone.decode(), "sections", 1, "weight", to="1"))
    assert (refused.code, refused.clause) == ("valuation.one_method", "资产评估法 art. 26")


def test_cards_may_come_from_elsewhere_than_the_shelf() -> None:
    asked: list[str] = []

    def find(name: str) -> Any:
        asked.append(name)
        return find_card(name)

    run_report(REPORT.encode(), find=find)
    assert asked == ["discount_rate", "cost", "income", "reconciliation"]
