"""`value --report` and `report`: reports at the command line, with no server at all."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appraisal_bundle import PROOF_URL, Issued, issued
from appraisal_documents import chinese_report

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    return issued(tmp_path_factory.mktemp("issued"))


BEGINS = {".pdf": b"%PDF-", ".html": b"<!doctype html>"}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("suffix", BEGINS)
def test_value_writes_a_report_and_tells_its_hash(
    run: Run, tmp_path: Path, language: str, suffix: str
) -> None:
    document, out = tmp_path / "report.json", tmp_path / f"report{suffix}"
    document.write_bytes(chinese_report())
    ran = run("value", "reconciliation", document, "--report", out, "--language", language)
    assert ran.status == 0, ran.err
    content = out.read_bytes()
    assert content.startswith(BEGINS[suffix])
    assert hashlib.sha256(content).hexdigest() in ran.err
    assert "1,189,102.19" in ran.out


def test_the_appraiser_and_the_ledgers_reader_write_the_same_file(
    run: Run, story: Issued, tmp_path: Path
) -> None:
    document, own, again = (tmp_path / name for name in ("report.json", "own.pdf", "again.pdf"))
    document.write_bytes(story.document)
    reference = ("--valuation", story.valuation, "--proof-url", PROOF_URL)
    assert run("value", "reconciliation", document, "--report", own, *reference).status == 0
    ran = run("report", story.path, story.valuation, "--out", again, *reference[2:], "--as-filed")
    assert ran.status == 0, ran.err
    assert own.read_bytes() == again.read_bytes() == story.filed


def test_a_report_of_the_record_is_written_after_verifying(
    run: Run, story: Issued, tmp_path: Path
) -> None:
    policy, out = tmp_path / "policy", tmp_path / "record.html"
    policy.write_bytes(story.policy)
    ran = run("report", story.path, story.valuation, "--out", out, "--policy", policy)
    assert ran.status == 0, ran.err
    assert "数据资产评估报告（据账本记录）" in out.read_text()


def test_a_policy_that_the_bundle_does_not_meet_writes_nothing(
    run: Run, story: Issued, tmp_path: Path
) -> None:
    from dataexchange.ledger.note import Ed25519Signer

    policy, out = tmp_path / "policy", tmp_path / "record.html"
    stranger = Ed25519Signer("example.test/log", b"\x08" * 32)
    policy.write_text(f"log {stranger.vkey}\nquorum none\n")
    ran = run("report", story.path, story.valuation, "--out", out, "--policy", policy)
    assert ran.status != 0
    assert not out.exists()


def test_a_report_that_cannot_be_made_again_is_told_of(
    run: Run, story: Issued, tmp_path: Path
) -> None:
    out = tmp_path / "again.pdf"
    ran = run("report", story.path, story.valuation, "--out", out, "--as-filed")
    assert ran.status == 1
    assert "cannot be made again" in ran.err
    assert not out.exists()


@pytest.mark.parametrize("name", ["report.doc", "report"])
def test_another_kind_of_file_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "report.json").write_bytes(chinese_report())
    ran = run("value", "reconciliation", tmp_path / "report.json", "--report", tmp_path / name)
    assert ran.status == 2
    assert not (tmp_path / name).exists()
