"""How fast proofs are had of a log of some size: over HTTP, and from its static files alone.

Reads go over one connection to a real service, one after another, each for a random place in the
log. Proofs are verified afterwards, and both ways must give the same bytes.
"""

import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench_load import Row, drive, getter, row
from bench_log import fill, size_of
from bench_service import serving

from dataexchange.client.signing import Actor
from dataexchange.database.embedded import EmbeddedPostgres
from dataexchange.database.engine import reading_engine
from dataexchange.exchange.publisher import Publisher
from dataexchange.exchange.static_files import CHECKPOINT, FolderFiles
from dataexchange.exchange.static_publisher import Place, StaticPublisher
from dataexchange.exchange.write_guard import WriteGuard
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.note import Note
from dataexchange.ledger.proof import TlogProof, verify_leaf
from dataexchange.ledger.tile import TileName, TileTree, tiles
from dataexchange.signer.signer import LocalSigner
from exchanges import POLICY
from world import LOG_SIGNER

APPENDED = 1_000  # entries before each checkpoint that is timed
CHECKPOINTS = 10
READS_PER_SECOND = 2_000  # more are never answered
WARM_UP = 50
CHECKED = 100
HEADS = ("what", "entries_before", "per_second", "p50_ms", "p99_ms", "peak_mib")


async def proofs(server: EmbeddedPostgres, folder: Path, actor: Actor, seconds: float) -> list[Row]:
    """Measure checkpoints and proofs of the log as it is; it grows a little at the end."""
    dsn, files = server.dsn(), folder / "static"
    engine, size = reading_engine(dsn), await size_of(dsn)
    publisher = Publisher(engine, LocalSigner((LOG_SIGNER,)))
    place = Place(FolderFiles(files), entries=False)
    static = StaticPublisher(engine, None, [place], guard=WriteGuard(), period_seconds=10)

    async def grow() -> None:
        await fill(dsn, actor, await size_of(dsn) + APPENDED)

    try:
        rows = [
            await _timed("checkpoint of all since the last size", publisher.publish),
            await _timed("static files of the same", static.export),
            *await _over_http(server, folder, size, seconds),
            _from_files(files, size, seconds),
            await _timed(f"checkpoint of {APPENDED:,} more", publisher.publish, before=grow),
        ]
    finally:
        await engine.dispose()
    return [{**one, "per_second": one["events_per_second"], "entries_before": size} for one in rows]


async def _timed(
    what: str,
    act: Callable[[], Awaitable[None]],
    *,
    before: Callable[[], Awaitable[None]] | None = None,
) -> Row:
    """Time an act: once, or several times, each after what comes `before` it."""
    latencies = []
    for _ in range(CHECKPOINTS if before else 1):
        if before:
            await before()
        begun = time.perf_counter()
        await act()
        latencies.append(time.perf_counter() - begun)
    return row(what, 1, len(latencies) / sum(latencies), latencies)


async def _over_http(
    server: EmbeddedPostgres, folder: Path, size: int, seconds: float
) -> list[Row]:
    hash_tiles = list(tiles(size))
    reads: dict[str, Callable[[], str]] = {
        "GET an entry's tlog-proof": lambda: f"/v1/entries/{random.randrange(size)}/proof",
        "GET a consistency proof": lambda: (
            f"/v1/proofs/consistency?old={random.randint(1, size)}&new={size}"
        ),
        "GET /checkpoint": lambda: "/checkpoint",
        "GET a hash tile": lambda: f"/{random.choice(hash_tiles).path}",
    }
    rows = []
    with serving(folder, server) as service:
        await service.until_open()
        get = getter(service.port)
        for _ in range(WARM_UP):
            await get(b"/v1/entries/0/proof")
        for what, path in reads.items():
            paths = [path().encode() for _ in range(int(READS_PER_SECOND * seconds))]
            rows.append(await drive(what, paths, [get], each=1, seconds=seconds))
        served = await get(f"/v1/entries/{size // 2}/proof".encode())
        peak = service.peak_mib()
    assert served == _proof(folder / "static", size // 2), "the files give another proof"
    return [{**one, "peak_mib": peak} for one in rows]


def _from_files(files: Path, size: int, seconds: float) -> Row:
    """Assemble proofs from the files, as whoever has them can: no service and no database."""
    latencies: list[float] = []
    found: list[bytes] = []
    started = time.perf_counter()
    while (begun := time.perf_counter()) < started + seconds:
        found.append(_proof(files, random.randrange(size)))
        latencies.append(time.perf_counter() - begun)
    for proof in random.sample(found, min(CHECKED, len(found))):
        leaf = _tree(files, size).leaf(TlogProof.parse(proof).index)
        verify_leaf(leaf, proof, POLICY)
    rate = len(latencies) / (begun - started)
    return row("a tlog-proof from static files, no query", 1, rate, latencies)


def _proof(files: Path, index: int) -> bytes:
    note = (files / CHECKPOINT).read_bytes()
    size = Checkpoint.parse(Note.parse(note).text).size
    return TlogProof(index, tuple(_tree(files, size).inclusion_proof(index)), note).encode()


def _tree(files: Path, size: int) -> TileTree:
    return TileTree(size, lambda *name: (files / TileName(*name).path).read_bytes())
