"""What others append beside us: the same payload of about 1 KB, on this disk, as durable.

`eventsourcing` and the trigger use the same server as we do, `pymerkle` a file of SQLite. The two
packages are installed in an environment of their own. None of the three does what we do for an
event, and each row says what is left out.
"""

import asyncio
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from bench_environment import environment
from bench_floor import inserts
from bench_load import BATCH, Row, row

from dataexchange.database.embedded import SUPERUSER, EmbeddedPostgres

PINS = (
    "eventsourcing==9.5.6",
    "psycopg[binary]==3.3.9",
    "psycopg-pool==3.3.3",
    "pymerkle==7.0.0",
    "cachetools==7.2.1",
    "typing-extensions==4.16.0",
)
FOLDER = Path(tempfile.gettempdir()) / "dataexchange-bench-rivals"
DATABASE = "bench_rivals"
HEADS = (
    "what",
    "callers",
    "each",
    "events_per_second",
    "p50_ms",
    "p99_ms",
    "ours_in_process",
    "ours_over_http",
    "does_not",
)
# (callers, events in a call): those that our own rows have.
PLANS = ((1, 1), (64, 1), (1, BATCH), (4, BATCH))
TRIGGER_CLIENTS = (1, 32, 64)
TRIGGER_NAME = "hash-chained trigger"
DOES_NOT = {
    "eventsourcing": "no hashes, proofs or signatures; no rules or states, versions are unique",
    "pymerkle": "tree and proofs only: no signatures, checkpoints, rules or states; one process",
    TRIGGER_NAME: "chain only: no tree, proofs or signatures, no rules or states",
}
# The least that chains: the row itself keeps the hash, and no second table is written.
TRIGGER = """
create table chain_head (hash bytea not null);
insert into chain_head values ('');
create table chained (id bigserial primary key, body text not null, hash bytea);
create function chain() returns trigger language plpgsql as $$
declare previous bytea;
begin
    select hash into previous from chain_head for update;
    new.hash := sha256(previous || convert_to(new::text, 'UTF8'));
    update chain_head set hash = new.hash;
    return new;
end $$;
create trigger chained before insert on chained for each row execute function chain();
"""
INSERT = "insert into chained (body) values (repeat('x', {size}))"


async def rivals(
    server: EmbeddedPostgres, folder: Path, payload: bytes, seconds: float
) -> list[Row]:
    """Measure each rival alone, in a database of its own."""
    python = await asyncio.to_thread(environment, FOLDER, PINS)
    (folder / "payload").write_bytes(payload)
    await _as_superuser(server, f"create database {DATABASE}")
    dsn = server.dsn(SUPERUSER, DATABASE)
    try:
        rows = [] if isinstance(python, str) else await _packages(python, dsn, folder, seconds)
        rows += await _trigger(dsn, folder, len(payload), seconds)
    finally:
        await _as_superuser(server, f"drop database {DATABASE} with (force)")
    if isinstance(python, str):
        rows.append({"what": python})
    return [{**one, "does_not": DOES_NOT.get(one["what"])} for one in rows]


async def _packages(python: Path, dsn: str, folder: Path, seconds: float) -> list[Row]:
    rows = []
    for name in ("eventsourcing", "pymerkle"):
        for callers, each in PLANS:
            command = [str(python), str(Path(__file__).with_name("rival_appends.py")), name]
            command += ["--dsn", dsn, "--folder", str(folder), "--seconds", str(seconds)]
            command += ["--callers", str(callers), "--each", str(each)]
            done = await asyncio.to_thread(
                subprocess.run, command, check=True, stdout=subprocess.PIPE
            )
            said = json.loads(done.stdout)
            rate = len(said["latencies"]) * each / said["elapsed"]
            rows.append(row(name, callers, rate, said["latencies"], each=each))
    return rows


async def _trigger(dsn: str, folder: Path, size: int, seconds: float) -> list[Row]:
    connection = await asyncpg.connect(dsn)
    await connection.execute(TRIGGER)
    await connection.close()
    statement = INSERT.format(size=size)
    return await inserts(
        TRIGGER_NAME, statement, dsn, folder, clients=TRIGGER_CLIENTS, seconds=seconds
    )


def with_ratios(rows: Sequence[Row], ours: Sequence[Row]) -> list[Row]:
    """Add to each rival how many times as many events the slowest of our like rows appends.

    Like is: as many callers, and as many events in a call.
    """
    ways = {"ours_in_process": "in-process", "ours_over_http": "HTTP"}
    return [{**one, **{head: _ratio(one, ours, way) for head, way in ways.items()}} for one in rows]


def _ratio(rival: Row, ours: Sequence[Row], way: str) -> float | None:
    like = [
        one["events_per_second"]
        for one in ours
        if one["what"].startswith(way)
        and all(one[key] == rival.get(key) for key in ("callers", "each"))
    ]
    return round(min(like) / rival["events_per_second"], 2) if like else None


async def _as_superuser(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn(SUPERUSER, SUPERUSER))
    await connection.execute(statement)
    await connection.close()
