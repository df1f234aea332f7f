"""Keys of checkpoints at the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataexchange.ledger.note import SignatureType, VerifierKey

Run = Callable[..., Any]
ORIGIN = "exchange.example/log"


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ([], SignatureType.ED25519),
        (["--scheme", "ed25519"], SignatureType.ED25519),
        (["--scheme", "ml-dsa-44"], SignatureType.ML_DSA_44),
    ],
)
def test_a_key_is_made_and_its_vkey_shown(
    run: Run, tmp_path: Path, options: list[str], kind: SignatureType
) -> None:
    path = tmp_path / "log.key"
    made = run("log-key", "new", path, "--origin", ORIGIN, *options)
    assert made.status == 0
    key = VerifierKey.parse(made.out.strip())
    assert (key.name, key.type) == (ORIGIN, kind)
    assert run("log-key", "show", path, "--origin", ORIGIN).out == made.out
    assert path.read_text().strip() not in made.out


def test_a_key_is_not_overwritten_nor_shown_for_another_log(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    run("log-key", "new", path, "--origin", ORIGIN)
    again = run("log-key", "new", path, "--origin", ORIGIN)
    assert again.status == 2
    assert "已存在" in again.err
    other = run("log-key", "show", path, "--origin", "other.example")
    assert other.status == 2
    assert ORIGIN in other.err


def test_a_name_that_no_note_can_hold_is_refused(run: Run, tmp_path: Path) -> None:
    ran = run("log-key", "new", tmp_path / "log.key", "--origin", "two words")
    assert ran.status == 2
    assert "Traceback" not in ran.err
    assert not (tmp_path / "log.key").exists()
