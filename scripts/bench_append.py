"""Durable signed events a second, beside `pgbench` on the same server in the same run.

Every event is a real one of about 1 KB: canonical form, signature, key, rules, states, chain and
Merkle frontier included. The load generator and the database share the machine. With `--entries`,
the log is filled to each of the sizes given and measured there, so that growth shows.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop
from bench_floor import floors, with_ratios
from bench_load import BATCH, ROOT, Row, batches, bodies, drive, poster

from dataexchange.client.signing import Actor
from dataexchange.database.embedded import OWNER_ROLE, EmbeddedPostgres
from dataexchange.database.engine import connect
from dataexchange.database.migrate import migrate
from dataexchange.exchange import intake
from dataexchange.exchange.batch import Receipt
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.sequencer import Sequencer
from dataexchange.rules import Role
from live import signed as submission_of
from world import ORIGIN, World

# More is never sent in a second on two cores, so work does not run out before the time does.
SINGLES_PER_SECOND = 12_000
BATCHES_PER_SECOND = 300
BATCH_CALLERS_MAX = 64  # the queue holds 20,000 statements
HEADS = (
    "what",
    "callers",
    "entries_before",
    "events_per_second",
    "p50_ms",
    "p99_ms",
    "of_pgbench_same",
    "of_pgbench_32",
)


async def in_process(dsn: str, actor: Actor, seconds: float, callers: tuple[int, ...]) -> list[Row]:
    """Measure the sequencer itself, statements read and signatures checked."""
    sequencer = Sequencer(lambda: connect(dsn), ORIGIN, Clock())
    await sequencer.start()

    async def one(body: bytes) -> None:
        (outcome,) = await sequencer.submit([intake.read_one(body)])
        assert isinstance(outcome, Receipt), outcome

    async def batch(body: bytes) -> None:
        outcomes = await sequencer.submit(intake.read_batch(body))
        assert all(isinstance(outcome, Receipt) for outcome in outcomes)

    rows = []
    for count in callers:
        work = bodies(actor, _singles(seconds, count))
        what = "in-process, a signature each"
        rows.append(await drive(what, work, [one] * count, each=1, seconds=seconds))
    for count in (one for one in callers if one <= BATCH_CALLERS_MAX):
        work = batches(actor, int(BATCHES_PER_SECOND * seconds))
        what = "in-process, 100 under one signature"
        rows.append(await drive(what, work, [batch] * count, each=BATCH, seconds=seconds))
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
    with _service(server, folder, workers) as port:
        await _until_open(port)
        for what, work, callers, each, path in plans:
            senders = [poster(port, path, number * 0.005) for number in range(callers)]
            rows.append(await drive(what, work, senders, each=each, seconds=seconds))
    return rows


def _singles(seconds: float, callers: int) -> int:
    return int(SINGLES_PER_SECOND * seconds / (4 if callers == 1 else 1))


@contextmanager
def _service(server: EmbeddedPostgres, folder: Path, workers: int) -> Iterator[int]:
    """Serve on a free port until the context ends; what the service says is in `service.log`."""
    port = _free_port()
    environment = {
        **os.environ,
        "DATAEXCHANGE_DATABASE_URL": server.dsn(),
        "DATAEXCHANGE_OWNER_DATABASE_URL": server.dsn(OWNER_ROLE),
        "DATAEXCHANGE_ORIGIN": ORIGIN,
        "DATAEXCHANGE_DATA_FOLDER": str(folder / "data"),
        "PYTHONPATH": str(ROOT / "src"),
    }
    program = "from dataexchange.cli import main; main()"
    serve = ["serve", "--port", str(port), "--workers", str(workers)]
    with (folder / "service.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *serve], env=environment, stdout=log, stderr=log
        )
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


async def fill(dsn: str, actor: Actor, entries: int) -> None:
    """Append events until the log has at least `entries`."""
    sequencer = Sequencer(lambda: connect(dsn), ORIGIN, Clock())
    await sequencer.start()
    missing = entries - await size_of(dsn)
    for start in range(0, missing, BATCH * BATCH):
        for body in batches(actor, min(BATCH, -(-(missing - start) // BATCH))):
            await sequencer.submit(intake.read_batch(body))
        print(f"filled {start + BATCH * BATCH} of {missing}", file=sys.stderr)
    await sequencer.stop()


async def size_of(dsn: str) -> int:
    """Return the log's size."""
    connection = await connect(dsn)
    size = await connection.fetchval("select size from head")
    await connection.close()
    return int(size)


async def measure(options: argparse.Namespace) -> list[Row]:
    """Run everything on one server."""
    settings = {"max_connections": "300"}
    with tempfile.TemporaryDirectory(prefix="dataexchange-bench-") as name:
        folder = Path(name)
        async with EmbeddedPostgres(folder / "postgres", settings=settings) as server:
            await migrate(server.dsn(OWNER_ROLE))
            rows = await floors(server, folder, options.seconds)
            actor, _ = await opened(server.dsn())
            for entries in options.entries or [0]:
                await fill(server.dsn(), actor, entries)
                rows += await _measure_at_size(server, folder, actor, options)
            return with_ratios(rows)


async def _measure_at_size(
    server: EmbeddedPostgres, folder: Path, actor: Actor, options: argparse.Namespace
) -> list[Row]:
    before, dsn = await size_of(server.dsn()), server.dsn()
    rows = await in_process(dsn, actor, options.seconds, options.callers)
    for workers in options.workers:
        rows += await over_http(server, folder, actor, seconds=options.seconds, workers=workers)
    return [{**one, "entries_before": before} for one in rows]


async def opened(dsn: str) -> tuple[Actor, Actor]:
    """Open the log and admit a provider that writes; return it and the operator."""
    world = World()
    opening = world.entries[0].submission.payload.model_dump(mode="json", exclude_none=True)
    member = world.actor()
    profile = world.profile(member, Role.PROVIDER)
    admission = {"party": member.party, "roles": ["provider"]}
    sequencer = Sequencer(lambda: connect(dsn), ORIGIN, Clock())
    await sequencer.start()
    outcomes = await sequencer.submit(
        [
            submission_of(world.operator, "log.opened@1", opening),
            submission_of(member, "party.applied@1", profile),
            submission_of(world.operator, "party.admitted@1", admission),
        ]
    )
    assert all(isinstance(one, Receipt) for one in outcomes), outcomes
    await sequencer.stop()
    return member, world.operator


async def _until_open(port: int) -> None:
    for _ in range(300):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        except OSError:
            await asyncio.sleep(0.1)
    raise TimeoutError("the service did not come up")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def table(rows: list[Row], heads: Sequence[str] = HEADS) -> str:
    """Return the rows as a table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(_cell(one.get(head)) for head in heads) + " |" for one in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": platform.release(),
    }


def medians(runs: list[list[Row]]) -> list[Row]:
    """Return the rows of several runs as one, each figure the median of its kind."""
    return [
        {key: _median([one.get(key) for one in same]) for key in same[0]}
        for same in zip(*runs, strict=True)
    ]


def _median(values: list[Any]) -> Any:
    numbers = [value for value in values if isinstance(value, int | float)]
    return statistics.median(numbers) if len(numbers) == len(values) else values[0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="at most, for each row")
    parser.add_argument("--quick", action="store_true", help="two seconds for each row")
    parser.add_argument("--runs", type=int, default=1, help="medians of several runs")
    parser.add_argument("--entries", type=int, nargs="+", help="sizes to fill the log to first")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.quick:
        options.seconds = 2
    before = machine()
    rows = medians([uvloop.run(measure(options)) for _ in range(options.runs)])
    print(table(rows))
    if options.json:
        found = {"machine": before, "runs": options.runs, "rows": rows}
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    gc.set_threshold(100_000, 50, 50)
    main()
