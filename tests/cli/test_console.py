"""What others wrote is shown as text: it writes no verdict of its own and breaks no command."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bundles import POLICY, bundle_of
from dataexchange.cli.console import console
from world import World

Run = Callable[..., Any]

STEERING = "\x1b[2K\x1b[1G\x9b32m\u202e"


def test_a_member_name_cannot_steer_the_terminal_that_shows_the_verdict(
    tmp_path: Path, run: Run
) -> None:
    (tmp_path / "policy").write_bytes(POLICY)
    members = bundle_of([World().entries[0].body]).having({f"x{STEERING}[bold]✓[/] SOUND": b""})
    ran = run("verify", members.write(tmp_path / "bundle.zip"), "--policy", tmp_path / "policy")
    assert ran.status == 1
    assert r"x\u001b[2K\u001b[1G\u009b32m\u202e[bold]✓[/] SOUND" in ran.err
    assert not set(STEERING) & set(ran.err) - set("[1GK2m3")


def test_what_looks_like_markup_in_a_path_is_told_as_it_is(tmp_path: Path, run: Run) -> None:
    (tmp_path / "policy").write_bytes(POLICY)
    ran = run("verify", tmp_path / "[/red].zip", "--policy", tmp_path / "policy")
    assert ran.status == 2
    assert "[/red].zip" in ran.err


def test_json_stays_json_whatever_stands_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    console.print_json(data={"name": STEERING})
    assert json.loads(capsys.readouterr().out) == {"name": STEERING}
