"""What is shown raw is what was signed, and can be verified as it stands."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dataexchange.ledger.policy import Policy
from dataexchange.ledger.proof import verify_entry

if TYPE_CHECKING:
    from served import Served

Run = Callable[..., Any]


def test_an_entry_and_its_proof_verify_as_they_are_shown(opened: "Served", run: Run) -> None:
    opened.until_checkpoint(1)
    operator = opened.key_file(opened.world.operator, "operator")
    entry = run("show", "entry", 0, "--raw", "--key", operator, "--url", opened.url).out
    proof = run("show", "proof", 0, "--url", opened.url).out
    log = json.loads(run("show", "log", "--url", opened.url).out)
    policy = Policy.parse(f"log {log['vkeys'][0]}\nquorum none\n".encode())
    proven = verify_entry(entry.encode(), proof.encode(), policy, origin=log["origin"])
    assert proven.index == 0
    assert run("show", "checkpoint", "--url", opened.url).out == log["checkpoint"]


@pytest.mark.parametrize("what", ["entry", "proof"])
def test_an_entry_is_asked_for_by_its_index(run: Run, what: str) -> None:
    ran = run("show", what)
    assert ran.status == 2
    assert "哪一条" in ran.err


def test_a_key_file_that_cannot_be_written_is_told_of(run: Run, tmp_path: Path) -> None:
    ran = run("keygen", tmp_path / "no" / "such" / "me.key")
    assert ran.status == 2
    assert ran.err.startswith("✗ ")


@pytest.mark.parametrize("party", ["alice", "party_", "asset_01k9m3e3xkf2v8n5q7r1s4t6w8", ""])
def test_a_party_id_has_its_form(run: Run, tmp_path: Path, party: str) -> None:
    ran = run("keygen", tmp_path / "me.key", "--party", party)
    assert ran.status == 2
    assert not (tmp_path / "me.key").exists()


def test_the_doctor_finds_a_log_key_that_is_none(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log.key").write_text("no key")
    (tmp_path / "log.key").chmod(0o600)
    monkeypatch.setenv("DATAEXCHANGE_DATABASE_URL", "no address at all")
    ran = run("doctor", "--data-folder", tmp_path)
    assert ran.status == 1
    assert ran.out.count("✗") == 2
    assert "Traceback" not in ran.err


def test_ratios_may_be_written_as_numbers_in_yaml(
    opened: "Served", run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = opened.key_file(opened.world.operator, "operator")
    parameters = json.loads((opened.folder / "opening.json").read_text())["parameters"]
    lines = "\n".join(
        f"  {name}: {value if '.' in str(value) else json.dumps(value)}"
        for name, value in parameters.items()
    )
    text = f"version: 2\nbasis: decision 1\nparameters:\n{lines}\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    ran = run("submit", "policy.set@1", "-", "--key", operator, "--url", opened.url)
    assert ran.status == 0, ran.err
