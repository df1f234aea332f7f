"""The command line as its users run it: arguments in, text and exit status out."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from databases import Addresses
    from served import Served


class Ran(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `dataexchange` with arguments, in this process."""
    from dataexchange.cli import main

    for name in ("DATAEXCHANGE_KEY", "DATAEXCHANGE_URL"):
        monkeypatch.delenv(name, raising=False)

    def ran(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["dataexchange", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        return Ran(status, *capsys.readouterr())

    return ran


@pytest.fixture
def served(migrated_database: "Addresses", tmp_path: Path) -> "Iterator[Served]":
    """A running service with an empty log."""
    from served import serving

    with serving(migrated_database, tmp_path) as service:
        yield service


@pytest.fixture
def opened(served: "Served", run: Run) -> "Served":
    """The service with its log opened by its operator, at the command line."""
    import json

    opening = served.folder / "opening.json"
    opening.write_text(json.dumps(served.opening, ensure_ascii=False))
    key = served.key_file(served.world.operator, "operator")
    ran = run("submit", "log.opened@1", opening, "--key", key, "--url", served.url)
    assert ran.status == 0, ran.err
    return served
