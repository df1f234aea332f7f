"""What the database alone can do with rows of 1 KB: the floors that the benchmarks stand beside."""

import asyncio
import subprocess
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import asyncpg
from bench_load import BATCH, Row, row

from dataexchange.database.embedded import OWNER_ROLE, EmbeddedPostgres
from dataexchange.database.server_files import installed_server

ROW_BYTES = 1_000
ONE_ROW = "pgbench, one row"
CLIENTS = (1, 4, 16, 32, 64, 256)
INSERT = f"insert into bench_rows (body) values (repeat('x', {ROW_BYTES})::bytea)"


async def floors(server: EmbeddedPostgres, folder: Path, seconds: float) -> list[Row]:
    """Measure single-row inserts by each number of clients, and COPY of 100 rows a commit."""
    connection = await asyncpg.connect(server.dsn(OWNER_ROLE))
    try:
        await connection.execute("create table bench_rows (id bigserial primary key, body bytea)")
        rows = await inserts(
            ONE_ROW, INSERT, server.dsn(OWNER_ROLE), folder, clients=CLIENTS, seconds=seconds
        )
        rows.append(await _copies(connection, seconds))
        await connection.execute("drop table bench_rows")
    finally:
        await connection.close()
    return rows


def with_ratios(rows: list[Row]) -> list[Row]:
    """Add to each row its ratio to pgbench with as many clients, and with 32."""
    base = {one["callers"]: one["events_per_second"] for one in rows if one["what"] == ONE_ROW}
    for one in rows:
        nearest = min(base, key=lambda clients: abs(clients - one["callers"]))
        one["of_pgbench_same"] = round(one["events_per_second"] / base[nearest], 2)
        one["of_pgbench_32"] = round(one["events_per_second"] / base[32], 2)
    return rows


async def inserts(
    what: str, statement: str, dsn: str, folder: Path, *, clients: Sequence[int], seconds: float
) -> list[Row]:
    """Measure a statement that inserts a row, by each number of clients, with `pgbench`."""
    script = folder / "insert.sql"
    script.write_text(statement + ";\n")
    rate = partial(_pgbench_rate, script, dsn)
    return [
        row(what, count, await asyncio.to_thread(rate, clients=count, seconds=seconds))
        for count in clients
    ]


def _pgbench_rate(script: Path, dsn: str, *, clients: int, seconds: float) -> float:
    load = ["-c", str(clients), "-j", str(min(2, clients)), "-T", str(max(2, int(seconds)))]
    done = subprocess.run(
        [_pgbench(), "-n", "-M", "prepared", *load, "-f", str(script), dsn],
        capture_output=True,
        text=True,
        check=True,
    )
    rate = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
    return float(rate.split("=")[1].split()[0])


async def _copies(connection: "asyncpg.Connection[asyncpg.Record]", seconds: float) -> Row:
    records = [(b"x" * ROW_BYTES,)] * BATCH
    latencies: list[float] = []
    started = time.perf_counter()
    while time.perf_counter() < started + seconds:
        begun = time.perf_counter()
        await connection.copy_records_to_table("bench_rows", records=records, columns=["body"])
        latencies.append(time.perf_counter() - begun)
    rate = len(latencies) * BATCH / (time.perf_counter() - started)
    return row("COPY, 100 rows a commit", 1, rate, latencies, each=BATCH)


def _pgbench() -> str:
    """Return the program that comes with the embedded server, or else the system's."""
    own = installed_server() / "bin" / "pgbench"
    return str(own) if own.exists() else "pgbench"
