"""`export` and `verify`: 0 sound, 1 unsound, 2 unusable."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dataexchange.rules import Role

if TYPE_CHECKING:
    from served import Served

Run = Callable[..., Any]


@pytest.fixture
def exported(opened: "Served", run: Run) -> Path:
    """A bundle that the operator exported, of a log with one entry."""
    opened.until_checkpoint(1)
    key = opened.key_file(opened.world.operator, "operator")
    bundle = opened.folder / "bundle.zip"
    ran = run("export", "--key", key, "--out", bundle, "--url", opened.url)
    assert ran.status == 0, ran.err
    return bundle


@pytest.fixture
def policy(opened: "Served") -> Path:
    path = opened.folder / "policy"
    vkey = httpx.get(f"{opened.url}/v1/log").json()["vkeys"][0]
    path.write_text(f"log {vkey}\nquorum none\n")
    return path


def rewritten(bundle: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """Return a copy of a bundle with its members changed."""
    copy = bundle.with_name("changed.zip")
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return copy


def test_the_title_of_what_is_no_asset_is_refused(opened: "Served", run: Run) -> None:
    key = opened.key_file(opened.world.operator, "operator")
    ran = run("export", "--asset", "asset_x", "--key", key, "--url", opened.url)
    assert (ran.status, "aggregate.not_found" in ran.err) == (1, True)


def test_what_was_exported_is_sound(exported: Path, policy: Path, run: Run) -> None:
    ran = run("verify", exported, "--policy", policy)
    assert ran.status == 0
    assert "可信 SOUND" in ran.out
    assert "example.test/log" in ran.out


def test_an_earlier_checkpoint_is_found_in_a_longer_log(
    opened: "Served", exported: Path, policy: Path, run: Run
) -> None:
    earlier = opened.folder / "checkpoint"
    earlier.write_bytes(httpx.get(f"{opened.url}/checkpoint").content)
    actor = opened.world.actor()
    payload = opened.folder / "apply.json"
    payload.write_text(json.dumps(opened.world.profile(actor, Role.PROVIDER)))
    key = opened.key_file(actor, "me")
    assert run("submit", "party.applied@1", payload, "--key", key, "--url", opened.url).status == 0
    opened.until_checkpoint(2)
    operator = opened.key_file(opened.world.operator, "operator")
    run("export", "--key", operator, "--out", exported, "--url", opened.url)
    ran = run("verify", exported, "--policy", policy, "--known-checkpoint", earlier)
    assert ran.status == 0, ran.err


def test_one_changed_byte_makes_it_unsound(exported: Path, policy: Path, run: Run) -> None:
    def change(name: str, data: bytes) -> bytes:
        return data.replace(b"log.opened@1", b"log.opened@2") if "entries" in name else data

    ran = run("verify", rewritten(exported, change), "--policy", policy)
    assert ran.status == 1
    assert "UNSOUND" in ran.err


def test_another_logs_key_does_not_vouch(exported: Path, tmp_path: Path, run: Run) -> None:
    from dataexchange.ledger.note import Ed25519Signer

    other = tmp_path / "other"
    other.write_text(f"log {Ed25519Signer('example.test/log', bytes(32)).vkey}\nquorum none\n")
    assert run("verify", exported, "--policy", other).status == 1


@pytest.mark.parametrize("text", ["", "quorum none", "log nonsense\nquorum none\n"])
def test_a_policy_that_cannot_be_used_is_unusable(
    exported: Path, tmp_path: Path, run: Run, text: str
) -> None:
    (tmp_path / "bad").write_text(text)
    assert run("verify", exported, "--policy", tmp_path / "bad").status == 2


def test_what_is_no_bundle_is_unusable(tmp_path: Path, run: Run) -> None:
    (tmp_path / "policy").write_text("quorum none\n")
    (tmp_path / "text.zip").write_text("no zip")
    for name in ("text.zip", "missing.zip"):
        ran = run("verify", tmp_path / name, "--policy", tmp_path / "policy")
        assert ran.status == 2, name
        assert ran.err


def test_a_party_that_is_no_regulator_cannot_export(
    opened: "Served", run: Run, tmp_path: Path
) -> None:
    opened.until_checkpoint(1)
    run("keygen", tmp_path / "me.key", "--log", "example.test/log")
    out = tmp_path / "stolen.zip"
    ran = run("export", "--key", tmp_path / "me.key", "--out", out, "--url", opened.url)
    assert ran.status == 1
    assert "access.token_wrong" in ran.err
    assert not list(tmp_path.glob("stolen*"))


def test_an_export_that_cannot_be_written_is_told_of(
    opened: "Served", run: Run, tmp_path: Path
) -> None:
    key = opened.key_file(opened.world.operator, "operator")
    opened.until_checkpoint(1)
    out = tmp_path / "nowhere" / "bundle.zip"
    assert run("export", "--key", key, "--out", out, "--url", opened.url).status == 2


def test_an_export_from_an_exchange_that_does_not_answer_is_told_of(
    run: Run, tmp_path: Path
) -> None:
    run("keygen", tmp_path / "me.key")
    arguments = ("--key", tmp_path / "me.key", "--out", tmp_path / "bundle.zip")
    ran = run("export", *arguments, "--url", "http://127.0.0.1:9")
    assert ran.status == 2
    assert "没有应答" in ran.err
    assert not list(tmp_path.glob("bundle*"))


def test_a_first_look_is_no_verdict_of_soundness(exported: Path, policy: Path, run: Run) -> None:
    ran = run("verify", exported, "--policy", policy, "--no-rules")
    assert ran.status == 3
    assert "SOUND" not in ran.out
    assert "no rule was replayed" in " ".join(ran.out.split())
    ran = run(
        "verify", exported, "--policy", policy, "--no-rules", "--resume", exported.parent / "kept"
    )
    assert (ran.status, "--resume" in ran.err) == (2, True)
