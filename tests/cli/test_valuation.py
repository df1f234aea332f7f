"""`value` and `card` at the appraiser's desk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
COST = PROJECT / "valuation/examples/cost.yaml"
REPORT = PROJECT / "valuation/examples/report.yaml"
Run = Callable[..., Any]


@pytest.mark.parametrize("card", ["cost", "cost/1.0.0", PROJECT / "valuation/cost/1.0.0.yaml"])
def test_a_card_is_found_by_name_version_or_path(run: Run, card: object) -> None:
    ran = run("value", card, COST)
    assert ran.status == 0
    assert "1,020,000.00 元" in ran.out


def test_the_result_as_json_names_the_hash_of_the_cards_bytes(run: Run) -> None:
    import hashlib

    said = json.loads(run("value", "cost", COST, "--json").out)
    card = (PROJECT / "valuation/cost/1.0.0.yaml").read_bytes()
    assert said["valuation"]["card_sha256"] == hashlib.sha256(card).hexdigest()
    assert said["document_sha256"] == hashlib.sha256(COST.read_bytes()).hexdigest()


def test_a_document_with_sections_is_a_report(run: Run) -> None:
    ran = run("value", "reconciliation", REPORT, "--language", "en")
    assert ran.status == 0, ran.err
    assert ran.out.startswith("Appraisal report")
    said = json.loads(run("value", "reconciliation", REPORT, "--json").out)
    assert said["conclusion"]["method"] == "reconciliation"
    assert len(said["sections"]) > 1


def test_a_card_of_ones_own_stands_for_its_method(run: Run, tmp_path: Path) -> None:
    import hashlib

    text = (PROJECT / "valuation/reconciliation/1.0.0.yaml").read_text()
    own = tmp_path / "own.yaml"
    own.write_text(text + "# a city's own\n")
    said = json.loads(run("value", own, REPORT, "--json").out)
    assert said["conclusion"]["card_sha256"] == hashlib.sha256(own.read_bytes()).hexdigest()


def test_a_refusal_is_told_in_both_languages_with_its_clause(run: Run, tmp_path: Path) -> None:
    (tmp_path / "inputs.yaml").write_text('costs: []\nadjustment: "0.85"\n')
    ran = run("value", "cost", tmp_path / "inputs.yaml")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("✗ valuation.no_cost_evidence")


@pytest.mark.parametrize("card", ["nosuch", "cost/9.9.9", "./none.yaml", "/"])
def test_a_card_that_is_nowhere_is_told_of(run: Run, card: str) -> None:
    ran = run("value", card, COST)
    assert ran.status == 1
    assert "valuation.card_not_found" in ran.err


def test_a_document_that_is_missing_is_told_of(run: Run, tmp_path: Path) -> None:
    assert run("value", "cost", tmp_path / "none.yaml").status == 2
    assert run("value", "cost", tmp_path).status == 2


def test_every_published_card_passes_its_check(run: Run) -> None:
    ran = run("card", "check")
    assert ran.status == 0
    assert ran.out.count("✓") == len(list((PROJECT / "valuation").glob("*/*.*.*.yaml")))


def test_a_faulty_card_fails_its_check(run: Run, tmp_path: Path) -> None:
    text = (PROJECT / "valuation/cost/1.0.0.yaml").read_text()
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text.replace("1020000", "1020001"))
    assert wrong.read_text() != text
    ran = run("card", "check", wrong)
    assert ran.status == 1
    assert "case" in ran.out
    assert run("card", "check", COST).status == 1
    assert run("card", "check", "nosuch").status == 1


def test_the_cards_are_listed_with_their_names(run: Run) -> None:
    ran = run("card", "list")
    assert ran.status == 0
    assert "cost/1.0.0" in ran.out
    assert "成本法" in ran.out
