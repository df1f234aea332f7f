"""Metrics: off by default, for the operator's token alone, and what they say is so."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_text

from dataexchange.api.metrics import MetricsTokenError
from dataexchange.client.exchange_client import signed
from dataexchange.client.typeid import new_id
from dataexchange.private_file import PrivateFileError, write_private
from exchanges import Door, opened_door, small_world
from problems import assert_problem
from world import ORIGIN, World

if TYPE_CHECKING:
    from databases import Addresses

TOKEN = "0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
RUN = "from dataexchange.cli import main; main()"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.token"
    write_private(path, TOKEN.encode() + b"\n")
    return path


@pytest.fixture
async def measured(
    migrated_database: "Addresses", tmp_path: Path, token_file: Path
) -> AsyncIterator[Door]:
    world = small_world()
    async with opened_door(
        migrated_database, tmp_path, world, metrics_token_file=token_file
    ) as door:
        await door.tell()
        yield door


def samples(text: str) -> dict[str, float]:
    """Return every sample as `name{label=value,…}`."""
    return {
        name + "{" + ",".join(f"{key}={labels[key]}" for key in sorted(labels)) + "}": value
        for family in read_text(text)
        for name, labels, value, *_ in family.samples
    }


async def scrape(door: Door) -> dict[str, float]:
    answer = await door.http.get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    return samples(answer.text)


def grouping(world: World) -> dict[str, str]:
    return {"party": world.regulator.party, "group": new_id("group"), "evidence": "extract"}


async def test_without_a_token_file_there_is_nothing(door: Door) -> None:
    assert_problem(await door.http.get("/metrics", headers=BEARER), 404, "request.no_such_path")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", f"Basic {TOKEN}", "Bearer 0123456789abcdeg", f"Bearer {TOKEN}0"]
)
async def test_only_the_token_opens_them(measured: Door, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = await measured.http.get("/metrics", headers=headers)
    assert_problem(answer, 401, "access.token_wrong")
    assert_problem(
        await measured.get("/metrics", measured.world.operator), 401, "access.token_wrong"
    )


async def test_they_say_how_the_log_stands_and_what_was_done(measured: Door) -> None:
    world = measured.world
    body = measured.sign(world.operator, "party.grouped@1", grouping(world))
    for expected in (201, 200):
        answer = await measured.http.post("/v1/events", content=body)
        assert answer.status_code == expected
    activation = {"version": "2", "hash": "0" * 64}
    refused = await measured.submit(world.regulator, "rules.activated@1", activation)
    assert refused.status_code == 403, refused.text
    await measured.exchange.publisher.publish()
    await measured.get("/v1/aggregates/policy/exchange")
    await measured.get("/v1/aggregates/log/exchange")
    await measured.get("/nowhere/at/all")
    found = await scrape(measured)
    size = len(world.entries) + 1
    assert found["dataexchange_log_entries{}"] == size
    assert found["dataexchange_checkpoint_entries{}"] == size
    assert found["dataexchange_published_entries{}"] == size
    assert found["dataexchange_database_up{}"] == 1
    assert found["dataexchange_anchor_receipts{}"] == 0
    assert found["dataexchange_queue_statements{}"] == 0
    assert found["dataexchange_statements_total{outcome=accepted}"] == size
    assert found["dataexchange_statements_total{outcome=repeated}"] == 1
    assert found["dataexchange_statements_total{outcome=forbidden}"] == 1
    assert found["dataexchange_batch_seconds_count{}"] == size + 2
    assert found["dataexchange_batch_statements_sum{}"] == size + 2
    http = "dataexchange_http_requests_total{method=%s,route=%s,status=%d}"
    assert found[http % ("POST", "/v1/events", 201)] == size
    assert found[http % ("POST", "/v1/events", 403)] == 1
    assert found[http % ("GET", "none", 404)] == 1
    assert found[http % ("GET", "/v1/aggregates/{key:path}", 200)] == 2


async def test_open_metrics_come_where_they_are_asked_for(measured: Door) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = await measured.http.get("/metrics", headers=BEARER | accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = {family.name for family in read_open(answer.text)}
    assert {"dataexchange_http_requests", "dataexchange_log_entries"} <= families


@pytest.mark.parametrize(("content", "mode"), [(b"short", 0o600), (TOKEN.encode(), 0o644)])
async def test_a_token_that_is_short_or_open_to_others_stops_the_start(
    migrated_database: "Addresses", tmp_path: Path, content: bytes, mode: int
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises((MetricsTokenError, PrivateFileError)):
        async with opened_door(migrated_database, tmp_path, small_world(), metrics_token_file=path):
            pass


@contextmanager
def served(settings: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the command with two workers, in a process group of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "serve", "--workers", "2"],
        env={**os.environ, **settings},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def test_two_workers_tell_what_both_did(
    migrated_database: "Addresses", tmp_path: Path, token_file: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {
        "DATAEXCHANGE_DATABASE_URL": migrated_database.app,
        "DATAEXCHANGE_OWNER_DATABASE_URL": migrated_database.owner,
        "DATAEXCHANGE_DATA_FOLDER": str(tmp_path),
        "DATAEXCHANGE_ORIGIN": ORIGIN,
        "DATAEXCHANGE_METRICS_TOKEN_FILE": str(token_file),
        "DATAEXCHANGE_PORT": str(port),
    }
    url = f"http://127.0.0.1:{port}"
    with served(settings):
        vkeys = until_answered(f"{url}/v1/log").json()["vkeys"]
        world = World(log_keys=vkeys)
        opening = world.entries[0].submission.payload.model_dump(mode="json", exclude_none=True)
        said = [("log.opened@1", opening)]
        said += [("party.grouped@1", grouping(world)) for _ in range(20)]
        for event, payload in said:  # a new connection each, so that both workers get some
            body = signed(world.operator, world.operator.state(event, payload)).body
            assert httpx.post(f"{url}/v1/events", content=body).status_code == 201
        time.sleep(1.5)  # longer than counts wait in a process
        for _ in range(6):
            found = samples(httpx.get(f"{url}/metrics", headers=BEARER).text)
            assert found["dataexchange_statements_total{outcome=accepted}"] == len(said)
            written = "{method=POST,route=/v1/events,status=201}"
            assert found[f"dataexchange_http_requests_total{written}"] == len(said)
            assert found["dataexchange_log_entries{}"] == len(said)


def until_answered(url: str) -> httpx.Response:
    until = time.monotonic() + 60
    while True:
        try:
            return httpx.get(url, timeout=5)
        except httpx.TransportError:
            assert time.monotonic() < until
            time.sleep(0.1)
