"""While the database is away the doors say so, and afterwards they serve again."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from dataexchange.client.typeid import new_id
from exchanges import Door
from problems import assert_problem

PATHS = ("/v1/log", "/v1/parties", "/checkpoint", "/tile/0/000.p/1", "/v1/entries/0/proof")


async def gate(owner: str, database: str, *, is_open: bool) -> None:
    """Let nobody connect to `database`, and cut off who is connected; or let them in again."""
    connection = await asyncpg.connect(owner)
    try:
        word = "true" if is_open else "false"
        await connection.execute(f"alter database {database} allow_connections {word}")
        if not is_open:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1",
                database,
            )
    finally:
        await connection.close()


@pytest.fixture
def superuser(postgres: Any) -> str:
    """How the superuser reaches the server, by another database."""
    from dataexchange.database.embedded import SUPERUSER

    dsn: str = postgres.dsn(SUPERUSER, SUPERUSER)
    return dsn


async def test_an_outage_is_told_as_503_and_ends(door: Door, superuser: str) -> None:
    database = urlsplit(door.exchange.dsn).path.lstrip("/")
    for path in PATHS:
        assert (await door.get(path)).status_code == 200
    await gate(superuser, database, is_open=False)
    try:
        for path in PATHS:
            response = await door.get(path)
            assert_problem(response, 503, "exchange.unavailable")
            assert response.headers["retry-after"] == "1"
        assert (await door.get("/health/live")).status_code == 200
        assert (await door.get("/health/ready")).status_code == 503
        payload = {"party": door.world.regulator.party, "group": new_id("group"), "evidence": "x"}
        tried = door.sign(door.world.operator, "party.grouped@1", payload)
        response = await door.http.post("/v1/events/dry-run", content=tried)
        assert_problem(response, 503, "exchange.unavailable")
    finally:
        await gate(superuser, database, is_open=True)
    for path in PATHS:
        assert (await door.get(path)).status_code == 200, path
    assert (await door.http.post("/v1/events", content=tried)).status_code == 201


async def test_readiness_tells_of_a_sequencer_that_stopped_and_of_late_checkpoints(
    door: Door,
) -> None:
    assert (await door.get("/health/ready")).json()["status"] == "ok"
    await door.exchange.publisher.stop()
    payload = {"party": door.world.regulator.party, "group": new_id("group"), "evidence": "x"}
    await door.submit(door.world.operator, "party.grouped@1", payload)
    assert (await door.get("/health/ready")).status_code == 200
    door.world.now += timedelta(seconds=31)
    behind = await door.get("/health/ready")
    assert (behind.status_code, behind.json()["status"]) == (503, "checkpoints behind")
    await door.exchange.publisher.publish()
    assert (await door.get("/health/ready")).status_code == 200
    await door.exchange.sequencer.stop()
    stopped = await door.get("/health/ready")
    assert (stopped.status_code, stopped.json()["status"]) == (503, "sequencer stopped")
    assert_problem(
        await door.submit(door.world.operator, "party.grouped@1", payload),
        503,
        "exchange.unavailable",
    )
