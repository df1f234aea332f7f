"""The log as immutable files, in a folder and in a bucket: written once, checkpoint last."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bucket_server import serving_bucket
from bundles import SIGNER
from dataexchange.client.typeid import new_id
from dataexchange.exchange.static_export import (
    STEP_LEAVES,
    HistoryDiffersError,
    LogToExport,
    PlaceAheadError,
    export_log,
)
from dataexchange.exchange.static_files import (
    CHECKPOINT,
    BucketFiles,
    FileDiffersError,
    FilesUnavailableError,
    FolderFiles,
    StaticFiles,
    open_files,
)
from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.tile import (
    ENTRIES,
    TileName,
    bundles,
    encode_bundle,
    grow_tiles,
    tiles,
)
from exchanges import opened_door, small_world
from problems import assert_problem

if TYPE_CHECKING:
    from databases import Addresses


class Log:
    """A log of entries in memory."""

    def __init__(self, size: int = 0) -> None:
        self.entries = [b"entry %d" % index for index in range(size)]
        self.asked: list[TileName] = []

    @property
    def leaves(self) -> list[bytes]:
        return [merkle.leaf_hash(entry) for entry in self.entries]

    def tile(self, name: TileName) -> bytes:
        if name.level == ENTRIES:
            start = name.index * 256
            return encode_bundle(self.entries[start : start + name.width])
        made = grow_tiles(0, self.leaves, lambda level, index, width: b"")
        whole = {(one.level, one.index): data for one, data in made}
        return whole[name.level, name.index][: name.width * 32]

    def export(self) -> LogToExport:
        root = merkle.root(self.leaves)
        note = sign_checkpoint(Checkpoint(SIGNER.name, len(self.entries), root), SIGNER)

        async def read(name: TileName) -> bytes:
            self.asked.append(name)
            return self.tile(name)

        return LogToExport(note, read)


@pytest.fixture(params=["folder", "bucket"])
def files(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StaticFiles]:
    """A place of either kind."""
    if request.param == "folder":
        yield open_files(str(tmp_path / "log"))
        return
    with serving_bucket("published", monkeypatch):
        yield open_files("s3://published/some/log/")


async def holds(files: StaticFiles, log: Log, *, entries: bool) -> None:
    """Every file that the log's size asks for is there, byte for byte."""
    size = len(log.entries)
    for name in tiles(size):
        assert await files.read(name.path) == log.tile(name), name
    for name in bundles(size):
        assert await files.read(name.path) == (log.tile(name) if entries else None), name
    assert await files.read(CHECKPOINT) == log.export().note


@pytest.mark.parametrize("entries", [True, False])
async def test_a_log_is_exported_and_brought_up_to_date(files: StaticFiles, entries: bool) -> None:
    log = Log(300)
    assert await export_log(log.export(), files, entries=entries) == 300
    await holds(files, log, entries=entries)
    for more in (1, 211, 0, 256):
        log.entries += [b"more %d" % at for at in range(more)]
        log.asked.clear()
        start = len(log.entries) - more
        assert await export_log(log.export(), files, entries=entries) == more
        await holds(files, log, entries=entries)
        assert all(name.index >= start // 256 for name in log.asked)
    for path in ("tile/0/001.p/44", "tile/0/001.p/45", "tile/entries/001.p/44"):
        assert await files.read(path) is None, "its full tile is there"
    assert await files.read("tile/1/000.p/1") is not None


async def test_an_empty_log_has_a_checkpoint(files: StaticFiles) -> None:
    await export_log(Log().export(), files, entries=True)
    await holds(files, Log(), entries=True)


async def test_a_rewritten_history_is_not_written(files: StaticFiles) -> None:
    log = Log(300)
    await export_log(log.export(), files, entries=True)
    before = await files.read(CHECKPOINT)
    for changed, size in ((7, 301), (7, 300), (299, 300)):
        other = Log(size)
        other.entries[changed] = b"rewritten"
        with pytest.raises(HistoryDiffersError):
            await export_log(other.export(), files, entries=True)
    with pytest.raises(PlaceAheadError):
        await export_log(Log(299).export(), files, entries=True)
    assert await files.read(CHECKPOINT) == before
    assert await files.read("tile/entries/001.p/45") is None


async def test_tiles_that_are_not_the_checkpoints_are_not_written(files: StaticFiles) -> None:
    log = Log(300)
    honest = log.export()
    log.entries[5] = b"rewritten"
    with pytest.raises(HistoryDiffersError):
        await export_log(LogToExport(honest.note, honest.read), files, entries=True)
    assert await files.read("tile/0/000") is None


async def test_entries_that_are_not_the_tiles_are_not_written(files: StaticFiles) -> None:
    log, other = Log(300), Log(300)
    other.entries[299] = b"rewritten"

    async def read(name: TileName) -> bytes:
        return (other if name.level == ENTRIES else log).tile(name)

    with pytest.raises(HistoryDiffersError, match=r"tile/entries/001\.p/44"):
        await export_log(LogToExport(log.export().note, read), files, entries=True)
    assert await files.read(CHECKPOINT) is None


async def test_a_file_with_other_bytes_halts_the_export(files: StaticFiles) -> None:
    await files.add("tile/0/000", b"other")
    with pytest.raises(FileDiffersError, match="tile/0/000"):
        await export_log(Log(300).export(), files, entries=False)
    assert await files.read(CHECKPOINT) is None


async def test_an_export_that_was_cut_is_finished(files: StaticFiles) -> None:
    log = Log(600)
    for name in list(tiles(600))[:2]:
        await files.add(name.path, log.tile(name))
    await export_log(log.export(), files, entries=True)
    await holds(files, log, entries=True)


async def test_entries_may_follow_tiles_later(files: StaticFiles) -> None:
    log = Log(600)
    for entries in (False, True):
        await export_log(log.export(), files, entries=entries)
        await holds(files, log, entries=entries)
    log.entries += [b"more"]
    await export_log(log.export(), files, entries=True)
    await holds(files, log, entries=True)


async def test_a_checkpoint_is_replaced_only_by_who_has_seen_the_one_before(
    files: StaticFiles,
) -> None:
    assert not await files.replace_checkpoint(b"0", b"1")
    assert await files.replace_checkpoint(None, b"1")
    assert not await files.replace_checkpoint(None, b"2")
    took = await asyncio.gather(*(files.replace_checkpoint(b"1", b"%d" % n) for n in range(2, 8)))
    assert took.count(True) == 1
    assert await files.read(CHECKPOINT) == b"%d" % (took.index(True) + 2)


async def test_many_exporters_at_once_agree(files: StaticFiles) -> None:
    log = Log(600)
    await asyncio.gather(*(export_log(log.export(), files, entries=True) for _ in range(4)))
    await holds(files, log, entries=True)


async def test_leaves_beyond_a_step_give_the_same_tiles(tmp_path: Path) -> None:
    log = Log(STEP_LEAVES + 700)
    made = dict(grow_tiles(0, log.leaves, lambda level, index, width: b""))
    note = log.export().note

    async def read(name: TileName) -> bytes:
        return made[name]

    files = FolderFiles(tmp_path)
    await export_log(LogToExport(note, read), files, entries=False)
    found = {
        str(path.relative_to(tmp_path)) for path in (tmp_path / "tile").rglob("*") if path.is_file()
    }
    assert found == {name.path for name in made}
    for name, data in made.items():
        assert (tmp_path / name.path).read_bytes() == data


async def test_a_bucket_that_does_not_answer_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        serving_bucket("published", monkeypatch),
        pytest.raises(FilesUnavailableError, match="s3://absent"),
    ):
        await BucketFiles("s3://absent/log").add("tile/0/000", b"x")


async def test_objects_bear_the_headers_that_clients_and_caches_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import obstore
    from obstore.store import from_url

    with serving_bucket("published", monkeypatch):
        await export_log(Log(3).export(), open_files("s3://published/log"), entries=False)
        store = from_url("s3://published/log")
        tile: Any = (await obstore.get_async(store, "tile/0/000.p/3")).attributes
        checkpoint: Any = (await obstore.get_async(store, CHECKPOINT)).attributes
    assert tile["Cache-Control"] == "max-age=604800, immutable"
    assert tile["Content-Type"] == "application/octet-stream"
    assert checkpoint["Cache-Control"] == "no-cache"
    assert checkpoint["Content-Type"] == "text/plain; charset=utf-8"


async def test_a_running_service_publishes_and_halts_where_history_differs(
    migrated_database: "Addresses", tmp_path: Path
) -> None:
    world = small_world()
    public, restricted = tmp_path / "public", tmp_path / "restricted"
    settings = {
        "publish_to": str(public),
        "publish_entries_to": str(restricted),
        "publish_period_seconds": 0.05,
    }
    async with opened_door(migrated_database, tmp_path, world, **settings) as door:
        await door.tell()
        size = len(world.entries)
        note = (await door.get("/checkpoint")).content
        await until(FolderFiles(restricted), note)
        await until(FolderFiles(public), note)
        tile = f"tile/0/000.p/{size}"
        assert (public / tile).read_bytes() == (await door.get(f"/{tile}")).content
        assert not (public / "tile" / "entries").exists()
        bundle = f"tile/entries/000.p/{size}"
        served = await door.get(f"/{bundle}", world.operator)
        assert (restricted / bundle).read_bytes() == served.content
        # Somebody puts another history into the folder while the service runs.
        (public / tile).write_bytes(bytes(32 * size))
        payload = {"party": world.regulator.party, "group": new_id("group"), "evidence": "x"}
        answers = []
        for _ in range(100):
            answers.append(await door.submit(world.operator, "party.grouped@1", payload))
            if answers[-1].status_code == 503:
                break
            payload["group"] = new_id("group")
            await asyncio.sleep(0.05)
        assert_problem(answers[-1], 503, "exchange.log_forked")
        assert (public / CHECKPOINT).read_bytes() == note


async def until(files: StaticFiles, note: bytes) -> None:
    for _ in range(200):
        if await files.read(CHECKPOINT) == note:
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(files.name)
