"""No request, whatever it holds, gets a 5xx or an inner message out of the service."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataexchange.api import create_app
from dataexchange.client.exchange_client import signed
from dataexchange.ledger import canonical
from dataexchange.ledger.entry import encode_signature
from dataexchange.registry.catalogue import catalogue
from dataexchange.settings import Settings
from exchanges import Door
from problems import assert_problem

Run = Callable[[Coroutine[Any, Any, httpx.Response]], httpx.Response]
STRINGS = Path(__file__).parents[3] / "shared" / "vectors" / "strings" / "blns.json"
DOCUMENT = create_app(Settings(database_url="none")).openapi()
PATHS = sorted(path for path, methods in DOCUMENT["paths"].items() if "get" in methods)
NASTY = [
    "",
    "\0",
    "a\0b",
    "\ud7ff\ue000",
    "😀" * 50,
    "é",
    "-1",
    "0",
    str(2**31),
    str(2**53),
    str(2**63),
    str(2**64),
    "9" * 5_000,
    "1e400",
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    "%",
    "%%",
    "%00",
    "../" * 20,
    "..\\..\\",
    "' or 1=1 --",
    '"; drop table entry; --',
    "{{7*7}}${7*7}",
    "<script>alert(1)</script>",
    "\r\nSet-Cookie: a=b",
    "\u202e\u2066",
    "a" * 7_000,
]


@pytest.fixture(scope="session")
def run(told: Door, _session_scoped_runner: asyncio.Runner) -> Run:
    """Return a function that runs a request on the loop that the exchange lives on."""
    return _session_scoped_runner.run


def assert_answered(response: httpx.Response) -> None:
    """Assert that a request was answered: with what it asked for, or with a problem."""
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert_problem(response, response.status_code)


def filled(path: str, value: str) -> str:
    return re.sub(r"\{[a-z0-9_]+\}", quote(value, safe=""), path)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("path", PATHS)
async def test_nasty_values_in_every_path_and_query_are_answered(told: Door, path: str) -> None:
    names = [one["name"] for one in DOCUMENT["paths"][path]["get"].get("parameters", [])]
    queries = [one for one in names if f"{{{one}}}" not in path] or ["unknown"]
    # Registers share one handler: one of them gets everything, the others a sample.
    is_sample = path.startswith("/v1/") and "{" not in path and path != "/v1/accounts"
    values = NASTY[:6] if is_sample else NASTY
    for value in values:
        assert_answered(await told.get(filled(path, value)))
        for query in queries:
            url = f"{filled(path, '1')}?{query}={quote(value, safe='')}"
            assert_answered(await told.get(url, told.world.operator))


@pytest.mark.asyncio(loop_scope="session")
async def test_naughty_strings_are_answered_wherever_they_are_put(told: Door) -> None:
    if not STRINGS.is_file():
        pytest.skip("../shared/vectors/strings is not here")
    for text in json.loads(STRINGS.read_text("utf-8")):
        value = quote(text, safe="")
        for url in (
            f"/v1/aggregates/{value}",
            f"/v1/parties?cursor={value}",
            f"/tile/{value}",
            f"/problems/{value}",
            f"/{value}",
        ):
            assert_answered(await told.http.get(url))
        payload = {"party": text, "group": text, "evidence": text}
        body = told.sign(told.world.operator, "party.grouped@1", payload)
        assert_answered(await told.http.post("/v1/events/dry-run", content=body))


@pytest.mark.asyncio(loop_scope="session")
async def test_headers_of_any_kind_are_answered(told: Door) -> None:
    for name in ("Authorization", "If-None-Match", "Content-Type", "Accept", "Host", "Range"):
        for value in (b"", b"\xff\xfe", b"a" * 9_000, b"Bearer \x80.", b'W/"', b'",,,"', b"*"):
            response = await told.http.get("/v1/parties", headers=[(name.encode(), value)])
            assert_answered(response)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["statement", "signature", "statements", "submissions", "linked", "v", "x"]
            )
            | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=JSON.map(json.dumps).map(str.encode) | st.binary(max_size=300), data=st.data())
def test_bodies_of_any_kind_are_answered(
    told: Door, run: Run, body: bytes, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(["", "/batch", "/several", "/dry-run"]))
    response = run(told.http.post(f"/v1/events{path}", content=body))
    assert_answered(response)
    assert response.status_code >= 400 or "results" in response.json()


OTHERS = st.sampled_from(
    ["", "x", "a" * 3_000, 0, -1, 2**53 - 1, True, None, [], {}, ["x"], {"a": 1}]
) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)


def mutated(value: Any, data: st.DataObject) -> Any:
    """Return a JSON value with one of its parts replaced by something else."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(value)))
        return {**value, name: mutated(value[name], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], mutated(value[at], data), *value[at + 1 :]]
    return data.draw(OTHERS)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutated_events_of_every_kind_are_judged_and_never_break_a_rule(
    told: Door, run: Run, data: st.DataObject
) -> None:
    """Payloads of the told story, signed again after a change, before rules in the same state."""
    appended = data.draw(st.sampled_from(told.world.entries))
    statement = appended.submission.statement
    payload = mutated(canonical.decode(statement.payload), data)
    actors = [told.world.operator, *told.names.values()]
    actor = data.draw(st.sampled_from(actors))
    event = data.draw(st.just(statement.fields.event) | st.sampled_from(sorted(catalogue().events)))
    if not isinstance(payload, dict):
        return
    stated = actor.state(event, payload, at=told.world.now)
    body = b'{"signature":%b,"statement":%b}' % (encode_signature(actor.sign(stated)), stated.body)
    assert_answered(run(told.http.post("/v1/events/dry-run", content=body)))


@pytest.mark.asyncio(loop_scope="session")
async def test_every_told_event_is_refused_or_known_when_another_signs_it(told: Door) -> None:
    """No rule fails on an event that is well formed but out of its time and place."""
    for appended in told.world.entries:
        fields = appended.submission.statement.fields
        payload = canonical.decode(appended.submission.statement.payload)
        for actor in told.names.values():
            stated = actor.state(fields.event, payload, at=told.world.now)
            body = signed(actor, stated).body
            assert_answered(await told.http.post("/v1/events/dry-run", content=body))
