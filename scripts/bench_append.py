"""Durable signed events a second, beside `pgbench` and rivals on the same server in the same run.

Every event is a real one of about 1 KB: canonical form, signature, key, rules, states, chain and
Merkle frontier included. The load generator and the database share the machine. With `--entries`,
the log is filled to each of the sizes given, where proofs are measured and then appends.
"""

import argparse
import gc
import json
import tempfile
from pathlib import Path

import bench_proofs
import bench_rivals
import bench_starts
import uvloop
from bench_floor import floors, with_ratios
from bench_load import BATCH, Row, batches, bodies, drive, poster
from bench_log import fill, opened, sequencer_of, size_of
from bench_service import serving
from bench_table import machine, medians, table

from dataexchange.client.signing import Actor
from dataexchange.database.embedded import OWNER_ROLE, EmbeddedPostgres
from dataexchange.database.migrate import migrate
from dataexchange.exchange import intake
from dataexchange.exchange.batch import Receipt

# More is never sent in a second on two cores, so work does not run out before the time does.
SINGLES_PER_SECOND = 12_000
BATCHES_PER_SECOND = 300
BATCH_CALLERS_MAX = 64  # the queue holds 20,000 statements
# Worker processes that are busy already leave a new connection to the others: all have a share.
STAGGER_SECONDS = 0.005
HEADS = {
    "appends": (
        "what",
        "callers",
        "entries_before",
        "events_per_second",
        "p50_ms",
        "p99_ms",
        "of_pgbench_same",
        "of_pgbench_32",
        "peak_mib",
    ),
    "rivals": bench_rivals.HEADS,
    "proofs": bench_proofs.HEADS,
    "starts": bench_starts.HEADS,
}
Parts = dict[str, list[Row]]


async def in_process(dsn: str, actor: Actor, seconds: float, callers: tuple[int, ...]) -> list[Row]:
    """Measure the sequencer itself, statements read and signatures checked."""
    sequencer = sequencer_of(dsn)
    await sequencer.start()

    async def one(body: bytes) -> None:
        (outcome,) = await sequencer.submit([intake.read_one(body)])
        assert isinstance(outcome, Receipt), outcome

    async def batch(body: bytes) -> None:
        outcomes = await sequencer.submit(intake.read_batch(body))
        assert all(isinstance(outcome, Receipt) for outcome in outcomes)

    rows = []
    for count in callers:
        before, work = await size_of(dsn), bodies(actor, _singles(seconds, count))
        what = "in-process, a signature each"
        found = await drive(what, work, [one] * count, each=1, seconds=seconds)
        rows.append({**found, "entries_before": before})
    for count in (one for one in callers if one <= BATCH_CALLERS_MAX):
        before, work = await size_of(dsn), batches(actor, int(BATCHES_PER_SECOND * seconds))
        what = "in-process, 100 under one signature"
        found = await drive(what, work, [batch] * count, each=BATCH, seconds=seconds)
        rows.append({**found, "entries_before": before})
    await sequencer.stop()
    return rows


async def over_http(
    server: EmbeddedPostgres, folder: Path, actor: Actor, *, seconds: float, workers: int
) -> list[Row]:
    """Measure a real service with this number of worker processes."""
    label = f"HTTP, {workers} worker{'s' if workers > 1 else ''}"
    plans = [
        (f"{label}, one caller", bodies(actor, _singles(seconds, 1)), 1, 1, b"/v1/events"),
        (f"{label}, a signature each", bodies(actor, _singles(seconds, 64)), 64, 1, b"/v1/events"),
        (
            f"{label}, 100 a POST",
            batches(actor, int(BATCHES_PER_SECOND * seconds)),
            4,
            BATCH,
            b"/v1/events/batch",
        ),
    ]
    rows = []
    with serving(folder, server, workers=workers) as service:
        await service.until_open()
        for what, work, callers, each, path in plans:
            before = await size_of(server.dsn())
            senders = [poster(service.port, path) for _ in range(callers)]
            found = await drive(
                what, work, senders, each=each, seconds=seconds, stagger_seconds=STAGGER_SECONDS
            )
            seen = {"entries_before": before, "peak_mib": service.peak_mib()}
            rows.append({**found, **seen})
    return rows


def _singles(seconds: float, callers: int) -> int:
    return int(SINGLES_PER_SECOND * seconds / (4 if callers == 1 else 1))


async def measure(options: argparse.Namespace) -> Parts:
    """Run everything on one server."""
    settings = {"max_connections": "300"}
    with tempfile.TemporaryDirectory(prefix="dataexchange-bench-") as name:
        folder = Path(name)
        started = await bench_starts.starts(folder / "start")
        async with EmbeddedPostgres(folder / "postgres", settings=settings) as server:
            await migrate(server.dsn(OWNER_ROLE))
            rows = await floors(server, folder, options.seconds)
            actor, _ = await opened(server.dsn())
            rivals = [] if options.no_rivals else await _rivals(server, folder, actor, options)
            proofs: list[Row] = []
            for entries in options.entries or [0]:
                await fill(server.dsn(), actor, entries)
                proofs += await bench_proofs.proofs(server, folder, actor, options.seconds)
                rows += await _appends(server, folder, actor, options)
    rivals = bench_rivals.with_ratios(rivals, rows)
    return {"appends": with_ratios(rows), "rivals": rivals, "proofs": proofs, "starts": started}


async def _rivals(
    server: EmbeddedPostgres, folder: Path, actor: Actor, options: argparse.Namespace
) -> list[Row]:
    (payload,) = bodies(actor, 1)
    return await bench_rivals.rivals(server, folder, payload, options.seconds)


async def _appends(
    server: EmbeddedPostgres, folder: Path, actor: Actor, options: argparse.Namespace
) -> list[Row]:
    rows = await in_process(server.dsn(), actor, options.seconds, options.callers)
    for workers in options.workers:
        rows += await over_http(server, folder, actor, seconds=options.seconds, workers=workers)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="at most, for each row")
    parser.add_argument("--quick", action="store_true", help="two seconds for each row")
    parser.add_argument("--runs", type=int, default=1, help="medians of several runs")
    parser.add_argument("--entries", type=int, nargs="+", help="sizes to fill the log to first")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 32, 64, 256])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--no-rivals", action="store_true", help="leave the others out")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.quick:
        options.seconds = 2
    before = machine()
    runs = [uvloop.run(measure(options)) for _ in range(options.runs)]
    parts = {part: medians([run[part] for run in runs]) for part in HEADS}
    for part, rows in parts.items():
        print(f"{table(rows, HEADS[part])}\n")
    if options.json:
        found = {"machine": before, "runs": options.runs, **parts}
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    gc.set_threshold(100_000, 50, 50)
    main()
