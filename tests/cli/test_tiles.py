"""`export-tiles`: a log's files, taken over HTTP, serve its proofs without it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bucket_server import serving_bucket
from dataexchange.exchange.static_files import CHECKPOINT

if TYPE_CHECKING:
    from served import Served

Run = Callable[..., Any]


@pytest.fixture
def policy(opened: "Served") -> Path:
    opened.until_checkpoint(1)
    path = opened.folder / "policy"
    vkey = httpx.get(f"{opened.url}/v1/log").json()["vkeys"][0]
    path.write_text(f"log {vkey}\nquorum none\n")
    return path


def test_a_folder_gets_what_the_service_serves(opened: "Served", policy: Path, run: Run) -> None:
    folder = opened.folder / "files"
    asked = ("export-tiles", folder, "--policy", policy, "--url", opened.url)
    ran = run(*asked)
    assert ran.status == 0, ran.err
    assert "1 条 entries，新增 new 1" in ran.out
    for path in (CHECKPOINT, "tile/0/000.p/1"):
        assert (folder / path).read_bytes() == httpx.get(f"{opened.url}/{path}").content
    assert "新增 new 0" in run(*asked).out
    assert not (folder / "tile" / "entries").exists()


def test_entries_need_a_key_and_go_along(opened: "Served", policy: Path, run: Run) -> None:
    folder = opened.folder / "files"
    asked = ("export-tiles", folder, "--entries", "--policy", policy, "--url", opened.url)
    ran = run(*asked)
    assert (ran.status, "--key" in ran.err) == (2, True)
    ran = run(*asked, "--key", opened.key_file(opened.world.operator, "operator"))
    assert ran.status == 0, ran.err
    assert (folder / "tile/entries/000.p/1").stat().st_size > 100


def test_a_bucket_gets_them_too(
    opened: "Served", policy: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving_bucket("published", monkeypatch):
        asked = ("export-tiles", "s3://published/log", "--policy", policy, "--url", opened.url)
        assert run(*asked).status == 0
        assert "新增 new 0" in run(*asked).out
        assert run("export-tiles", "s3://absent/log", *asked[2:]).status == 2


def test_files_of_another_log_are_left_alone(opened: "Served", policy: Path, run: Run) -> None:
    folder = opened.folder / "files"
    (folder / "tile" / "0" / "000.p").mkdir(parents=True)
    (folder / "tile/0/000.p/1").write_bytes(bytes(32))
    ran = run("export-tiles", folder, "--policy", policy, "--url", opened.url)
    assert ran.status == 2
    assert "字节不同" in ran.err
    assert not (folder / CHECKPOINT).exists()


def test_files_that_cannot_be_read_or_written_are_told_of(
    opened: "Served", policy: Path, run: Run
) -> None:
    occupied = opened.folder / "occupied"
    occupied.write_text("not a folder")
    absent = opened.folder / "absent"
    for folder, given, named in (
        (occupied, policy, "occupied"),
        (opened.folder / "files", absent, "absent"),
    ):
        ran = run("export-tiles", folder, "--policy", given, "--url", opened.url)
        assert (ran.status, named in ran.err) == (2, True), ran.err
