"""`map commit` and `map confirm`: the operator's key and the regulator's, at the command line."""

import json
import subprocess
import sys
import time
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
def keys(opened: "Served", monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The key files, in the environment of a process on the same machine as the service."""
    monkeypatch.setenv("DATAEXCHANGE_DATABASE_URL", opened.addresses.app)
    monkeypatch.setenv("DATAEXCHANGE_ORIGIN", "example.test/log")
    monkeypatch.setenv("DATAEXCHANGE_URL", opened.url)
    world = opened.world
    return {
        "operator": opened.key_file(world.operator, "operator"),
        "regulator": opened.key_file(world.regulator, "regulator"),
    }


def test_the_operator_commits_and_the_regulator_confirms(
    opened: "Served", keys: dict[str, Path], run: Run, tmp_path: Path
) -> None:
    ran = run("map", "commit", "--key", keys["operator"])
    assert ran.status == 0, ran.err
    assert "covers 1" in ran.out
    assert "every entry" in run("map", "commit", "--key", keys["operator"]).out
    opened.until_checkpoint(2)
    bundle, policy = tmp_path / "log.zip", tmp_path / "policy"
    vkey = httpx.get(f"{opened.url}/v1/log").json()["vkeys"][0]
    policy.write_text(f"log {vkey}\nquorum none\n")
    assert run("export", "--key", keys["regulator"], "--out", bundle).status == 0
    assert "状态映射 maps" in run("verify", bundle, "--policy", policy).out
    confirm = ("map", "confirm", bundle, "--policy", policy, "--key")
    ran = run(*confirm, keys["operator"])
    assert (ran.status, "role.missing" in ran.err) == (1, True)
    ran = run(*confirm, keys["regulator"])
    assert ran.status == 0, ran.err
    assert "covers 1" in ran.out
    assert "aggregate.exists" in run(*confirm, keys["regulator"]).err
    assert run("map", "confirm", bundle, "--key", keys["regulator"]).status == 2


def test_a_mapper_keeps_committing_what_is_new_and_nothing_else(
    opened: "Served", keys: dict[str, Path], run: Run
) -> None:
    program = "from dataexchange.cli import main; main()"
    words = ("map", "run", "--every", "1", "--key", str(keys["operator"]))
    mapper = subprocess.Popen([sys.executable, "-c", program, *words], stdout=subprocess.PIPE)
    try:
        until_size(opened, 2)  # the opening, and a map of it
        profile = opened.world.profile(opened.world.actor(), Role.PROVIDER)
        applied = opened.folder / "apply.json"
        newcomer = opened.world.actor()
        applied.write_text(json.dumps({**profile, "party": newcomer.party, "key": newcomer.key.id}))
        key = opened.key_file(newcomer, "newcomer")
        assert run("submit", "party.applied@1", applied, "--key", key).status == 0
        until_size(opened, 4)
        time.sleep(2.5)  # two more rounds, with nothing new
        assert httpx.get(f"{opened.url}/v1/log").json()["size"] == 4
    finally:
        mapper.terminate()
        mapper.communicate()


def until_size(served: "Served", size: int) -> None:
    until = time.monotonic() + 120
    while httpx.get(f"{served.url}/v1/log").json()["size"] < size:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_nothing_is_confirmed_where_no_map_was_committed(
    opened: "Served", keys: dict[str, Path], run: Run, tmp_path: Path
) -> None:
    opened.until_checkpoint(1)
    bundle, policy = tmp_path / "log.zip", tmp_path / "policy"
    vkey = httpx.get(f"{opened.url}/v1/log").json()["vkeys"][0]
    policy.write_text(f"log {vkey}\nquorum none\n")
    assert run("export", "--key", keys["regulator"], "--out", bundle).status == 0
    ran = run("map", "confirm", bundle, "--policy", policy, "--key", keys["regulator"])
    assert (ran.status, "no committed map" in ran.err) == (2, True)


def test_a_database_that_is_away_is_told_of(
    opened: "Served", keys: dict[str, Path], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAEXCHANGE_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    ran = run("map", "commit", "--key", keys["operator"])
    assert (ran.status, "does not answer" in ran.err) == (2, True)
