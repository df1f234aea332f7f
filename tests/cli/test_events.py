"""`submit` and `show` against a running exchange."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dataexchange.client.typeid import new_id
from dataexchange.rules import Role

if TYPE_CHECKING:
    from served import Served

Run = Callable[..., Any]


def written(folder: Path, payload: dict[str, Any]) -> Path:
    path = folder / f"{new_id('file')}.json"
    path.write_text(json.dumps(payload, ensure_ascii=False))
    return path


def test_an_event_goes_in_and_can_be_shown(opened: "Served", run: Run) -> None:
    actor = opened.world.actor()
    key = opened.key_file(actor, "me")
    payload = written(opened.folder, opened.world.profile(actor, Role.PROVIDER))
    ran = run("submit", "party.applied@1", payload, "--key", key, "--url", opened.url)
    assert ran.status == 0
    said = json.loads(ran.out)
    assert (said["index"], said["repeated"]) == (1, False)
    shown = json.loads(run("show", actor.party, "--url", opened.url).out)
    assert (shown["key"], shown["index"]) == (actor.party, 1)
    assert json.loads(run("show", actor.party, "--history", "--url", opened.url).out)[
        "indexes"
    ] == [1]
    parties = json.loads(run("show", "parties", "--url", opened.url).out)
    assert actor.party in {item["key"] for item in parties["items"]}
    operator = opened.key_file(opened.world.operator, "operator")
    entry = run("show", "entry", 1, "--key", operator, "--url", opened.url)
    assert json.loads(entry.out)["statement"]["actor"] == actor.party


def test_a_retry_with_its_id_is_the_same_event(opened: "Served", run: Run) -> None:
    actor = opened.world.actor()
    key, statement_id = opened.key_file(actor, "me"), new_id("evt")
    payload = written(opened.folder, opened.world.profile(actor, Role.PROVIDER))
    arguments = ("submit", "party.applied@1", payload, "--key", key, "--url", opened.url)
    assert run(*arguments, "--id", statement_id).status == 0
    # Signed anew at another time: the same id, other bytes.
    again = run(*arguments, "--id", statement_id)
    assert again.status == 1
    assert "statement.id_reused" in again.err


def test_a_refusal_is_told_in_both_languages_with_its_norm(opened: "Served", run: Run) -> None:
    stranger = opened.world.actor()
    key = opened.key_file(stranger, "stranger")
    payload = written(opened.folder, {"party": stranger.party})
    ran = run("submit", "party.left@1", payload, "--key", key, "--url", opened.url)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("✗ ")
    assert len(ran.err.strip().splitlines()) >= 4


def test_a_dry_run_writes_nothing(opened: "Served", run: Run) -> None:
    actor = opened.world.actor()
    key = opened.key_file(actor, "me")
    payload = written(opened.folder, opened.world.profile(actor, Role.PROVIDER))
    arguments = ("submit", "party.applied@1", payload, "--key", key, "--url", opened.url)
    ran = run(*arguments, "--dry-run")
    assert ran.status == 0
    assert json.loads(ran.out)[actor.party]["id"] == actor.party
    assert json.loads(run("show", "log", "--url", opened.url).out)["size"] == 1
    assert run("show", actor.party, "--url", opened.url).status == 1


def test_a_payload_may_be_yaml_from_standard_input(
    opened: "Served", run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    actor = opened.world.actor()
    key = opened.key_file(actor, "me")
    profile = opened.world.profile(actor, Role.PROVIDER)
    text = "\n".join(f"{name}: {json.dumps(value)}" for name, value in profile.items())
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    ran = run("submit", "party.applied@1", "-", "--key", key, "--url", opened.url)
    assert ran.status == 0, ran.err


@pytest.mark.parametrize("text", ["- a list", "text", "", "{broken", "a: 1.5"])
def test_a_payload_that_cannot_be_signed_is_told_of(run: Run, tmp_path: Path, text: str) -> None:
    run("keygen", tmp_path / "me.key")
    (tmp_path / "payload.yaml").write_text(text)
    arguments = ("party.left@1", tmp_path / "payload.yaml", "--key", tmp_path / "me.key")
    ran = run("submit", *arguments, "--url", "http://127.0.0.1:9")
    assert ran.status == 2
    assert ran.err.startswith("✗ ")


def test_days_and_times_in_yaml_stay_text(
    opened: "Served", run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    key = opened.key_file(opened.world.operator, "operator")
    monkeypatch.setattr("sys.stdin", io.StringIO("party: 2026-11-24\nroles: [provider]\n"))
    ran = run("submit", "party.admitted@1", "-", "--key", key, "--url", opened.url)
    # The exchange read it as text, and found that it is no party.
    assert ran.status == 1
    assert "event.payload_invalid" in ran.err


def test_a_payload_file_that_is_missing_is_told_of(run: Run, tmp_path: Path) -> None:
    run("keygen", tmp_path / "me.key")
    arguments = ("party.left@1", tmp_path / "none.json", "--key", tmp_path / "me.key")
    ran = run("submit", *arguments)
    assert ran.status == 2
    assert "none.json" in ran.err


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (("log",), "origin"),
        (("events",), "party.applied@1"),
        (("events", "party.left@1"), "json-schema.org"),
        (("refusals",), "party.not_active"),
        (("refusals", "statement.id_reused"), "statement.id_reused"),
        (("entries",), "leaf"),
    ],
)
def test_what_is_public_needs_no_key(
    opened: "Served", run: Run, what: tuple[str, ...], expected: str
) -> None:
    ran = run("show", *what, "--url", opened.url)
    assert ran.status == 0
    assert expected in ran.out


def test_a_checkpoint_and_a_proof_are_shown_as_they_are(opened: "Served", run: Run) -> None:
    opened.until_checkpoint(1)
    assert run("show", "checkpoint", "--url", opened.url).out.startswith("example.test/log\n1\n")
    assert "index 0" in run("show", "proof", 0, "--url", opened.url).out


def test_an_entry_of_others_is_not_shown(opened: "Served", run: Run) -> None:
    ran = run("show", "entry", 0, "--url", opened.url)
    assert ran.status == 1
    assert "entry.not_yours" in ran.err


def test_an_exchange_that_does_not_answer_is_told_of(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ran = run("show", "log", "--url", f"http://127.0.0.1:{port}")
    assert ran.status == 2
    assert "没有应答" in ran.err
    assert "no answer" in ran.err
