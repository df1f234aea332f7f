"""Key files and tokens at the command line."""

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dataexchange.client import keyfile
from dataexchange.errors import RefusedError
from dataexchange.identity import access

Run = Callable[..., Any]
LOG = "example.test/log"


def test_keygen_makes_a_key_file_that_only_its_owner_may_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "me.key"
    ran = run("keygen", path, "--log", LOG)
    assert ran.status == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    said, actor = json.loads(ran.out), keyfile.load(path)
    assert (said["party"], said["key"], said["log"]) == (actor.party, actor.key.id, LOG)
    assert actor.key.seed.hex() not in ran.out + ran.err


@pytest.mark.parametrize("log", ["", "a b", "a+b", "a\nb", "\u3000"])
def test_keygen_refuses_what_no_log_is_named(run: Run, tmp_path: Path, log: str) -> None:
    ran = run("keygen", tmp_path / "me.key", "--log", log)
    assert (ran.status, "cannot be a log's name" in " ".join(ran.err.split())) == (2, True), ran.err
    assert not (tmp_path / "me.key").exists()


def test_keygen_never_overwrites_a_key(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "me.key"
    run("keygen", path)
    before = path.read_bytes()
    ran = run("keygen", path)
    assert ran.status == 2
    assert "已存在" in ran.err
    assert "exists" in ran.err
    assert path.read_bytes() == before


def test_two_keys_of_one_party_differ(run: Run, tmp_path: Path) -> None:
    run("keygen", tmp_path / "a.key")
    first = keyfile.load(tmp_path / "a.key")
    assert run("keygen", tmp_path / "b.key", "--party", first.party).status == 0
    second = keyfile.load(tmp_path / "b.key")
    assert first.party == second.party
    assert first.key.id != second.key.id


def test_a_token_is_the_partys_own_word_for_its_minutes(run: Run, tmp_path: Path) -> None:
    run("keygen", tmp_path / "me.key", "--log", LOG)
    token = run("token", "--key", tmp_path / "me.key", "--minutes", 5).out.strip()
    actor, now = keyfile.load(tmp_path / "me.key"), datetime.now(UTC)
    assert access.read(token, LOG, now).actor == actor.party
    with pytest.raises(RefusedError):
        access.read(token, LOG, now + timedelta(minutes=6))
    with pytest.raises(RefusedError):
        access.read(token, "another.test/log", now)


@pytest.mark.parametrize("minutes", [0, 61, "many"])
def test_a_token_lives_an_hour_at_most(run: Run, tmp_path: Path, minutes: object) -> None:
    run("keygen", tmp_path / "me.key")
    assert run("token", "--key", tmp_path / "me.key", "--minutes", minutes).status == 2


def test_a_key_file_that_others_may_read_is_refused(run: Run, tmp_path: Path) -> None:
    run("keygen", tmp_path / "me.key")
    (tmp_path / "me.key").chmod(0o644)
    ran = run("token", "--key", tmp_path / "me.key")
    assert ran.status == 2
    assert "chmod 600" in ran.err


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"seed":"zz"}', '{"seed":"00"}', "\x00"])
def test_a_file_that_is_no_key_file_is_refused(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "me.key").write_text(text)
    (tmp_path / "me.key").chmod(0o600)
    assert run("token", "--key", tmp_path / "me.key").status == 2


def test_a_missing_key_file_is_told_of(run: Run, tmp_path: Path) -> None:
    ran = run("token", "--key", tmp_path / "none.key")
    assert ran.status == 2
    assert "none.key" in ran.err


@pytest.mark.parametrize(
    ("suite", "beginning"), [("ed25519", "z6Mk"), ("secp256k1", "zQ3s"), ("sm2", "zEPJ")]
)
def test_keygen_makes_a_key_of_the_suite_that_is_asked_for(
    run: Run, tmp_path: Path, suite: str, beginning: str
) -> None:
    ran = run("keygen", tmp_path / "me.key", "--suite", suite)
    said = json.loads(ran.out)
    assert (said["suite"], said["key"][:4]) == (suite, beginning)
    assert keyfile.load(tmp_path / "me.key").key.public.suite == suite
    assert run("token", "--key", tmp_path / "me.key").status == 0


def test_keygen_knows_no_other_suite(run: Run, tmp_path: Path) -> None:
    assert run("keygen", tmp_path / "me.key", "--suite", "rsa").status == 2
    assert not (tmp_path / "me.key").exists()


def test_a_sealed_key_file_takes_its_passphrase_from_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAEXCHANGE_PASSPHRASE", "correct horse")
    assert run("keygen", tmp_path / "me.key", "--passphrase").status == 0
    assert "sealed" in (tmp_path / "me.key").read_text()
    assert run("token", "--key", tmp_path / "me.key").status == 0
    monkeypatch.setenv("DATAEXCHANGE_PASSPHRASE", "another")
    ran = run("token", "--key", tmp_path / "me.key")
    assert ran.status == 2
    assert "口令" in ran.err
