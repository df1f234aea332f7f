"""Previews of valuations: the desk's figures over HTTP, and every refusal a problem."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema
import pytest

from dataexchange.api import create_app
from dataexchange.api.valuations import EXAMPLE
from dataexchange.settings import Settings
from dataexchange.valuation import (
    ValuationRefusedError,
    as_json,
    find_card,
    run_card,
    run_report,
    shelf,
)
from dataexchange.valuation.card import Card
from exchanges import Door, opened_door, small_world
from problems import assert_problem
from steps_valuation import published_card

if TYPE_CHECKING:
    from databases import Addresses

COST = (shelf() / "cost/1.0.0.yaml").read_bytes()
REPORT = (shelf() / "examples/report.yaml").read_bytes()
# Malformed JSON that may be YAML, whose parser is slow: minutes of work in a small body.
HEAVY = b'{"card": "cost", "inputs": {"costs": [' + b"{a: 1}, " * 100_000 + b"]}}"
CASES = [
    pytest.param(card, case.inputs, case.engagement, id=f"{card.sheet.method}: {case.name}")
    for path in sorted(shelf().glob("*/1.0.0.yaml"))
    for card in [find_card(path)]
    for case in card.sheet.cases[:4]
]


async def ask(door: Door, document: Any) -> httpx.Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return await door.http.post("/v1/valuations/preview", content=body, timeout=30)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("card", "inputs", "engagement"), CASES)
async def test_a_preview_gives_what_the_desk_gives(
    told: Door, card: Card, inputs: Any, engagement: Any
) -> None:
    document = {"card": card.sheet.method, "inputs": inputs, "engagement": engagement}
    body = json.dumps(document, default=str).encode()
    said = (await ask(told, body)).json()
    expected = at_the_desk(card.sheet.method, body)
    assert {name: said[name] for name in expected} == expected
    assert 200 <= said.get("status", 200) < 500


def at_the_desk(method: str, document: bytes) -> dict[str, Any]:
    """Return what `dataexchange value` tells: the whole result, or the refusal's texts."""
    try:
        return as_json(run_card((shelf() / f"{method}/1.0.0.yaml").read_bytes(), document))
    except ValuationRefusedError as refused:
        return {name: getattr(refused, name) for name in ("code", "clause", "zh", "en")}


@pytest.mark.asyncio(loop_scope="session")
async def test_the_example_of_the_document_is_answered_in_the_form_that_it_promises(
    told: Door,
) -> None:
    document = create_app(Settings(database_url="none")).openapi()
    operation = document["paths"]["/v1/valuations/preview"]["post"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    answer = (await ask(told, EXAMPLE)).json()
    jsonschema.validate(answer, {**schema, "components": document["components"]})
    assert answer["valuation"]["figures"][0]["shown"] == ["1020000.00"]


@pytest.mark.asyncio(loop_scope="session")
async def test_a_yaml_report_is_previewed_from_the_very_bytes_that_the_desk_reads(
    told: Door,
) -> None:
    answer = (await ask(told, REPORT)).json()
    assert answer == json.loads(json.dumps(as_json(run_report(REPORT))))
    assert answer["document_sha256"] == hashlib.sha256(REPORT).hexdigest()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "valuation.document_malformed"),
        (b"\xff\xfe", "valuation.document_not_text"),
        (b"[]", "valuation.document_malformed"),
        (b'{"card": "cost", "card": "cost", "inputs": {}}', "valuation.document_malformed"),
        (b'{"card": "cost", "inputs": ' + b"[" * 9_000 + b"]" * 9_000 + b"}",
         "valuation.document_malformed"),
        (b'{"card": "cost", "inputs": {"adjustment": "\\ud800", "costs": []}}',
         "valuation.document_malformed"),
        ({"inputs": {}}, "valuation.input_missing"),
        ({"card": 7, "inputs": {}}, "valuation.input_missing"),
        ({"card": "/etc/passwd", "inputs": {}}, "valuation.card_not_found"),
        ({"card": "../cost/1.0.0", "inputs": {}}, "valuation.card_not_found"),
        ({"card": "a" * 64, "inputs": {}}, "valuation.card_not_found"),
        ({"card": "cost", "inputs": {"costs": [], "adjustment": "{0}"}},
         "valuation.input_malformed"),
        (REPORT.replace(b"card: income", b"card: /etc/passwd"), "valuation.card_not_found"),
    ],
)  # fmt: skip
async def test_what_cannot_be_valued_is_a_problem(told: Door, document: Any, code: str) -> None:
    response = await ask(told, document)
    assert response.json()["code"] == code, response.text
    assert 400 <= response.status_code < 500


@pytest.mark.asyncio(loop_scope="session")
async def test_a_document_of_more_than_a_mebibyte_is_not_read(told: Door) -> None:
    assert_problem(await ask(told, b" " * ((1 << 20) + 1)), 413, "request.too_large")


@pytest.mark.asyncio(loop_scope="session")
async def test_amounts_beyond_sixty_four_bits_stay_exact(told: Door) -> None:
    document = {
        "card": "cost",
        "inputs": {"costs": [{"item": "direct", "amount": "1e18"}], "adjustment": "1"},
    }
    answer = (await ask(told, document)).json()
    assert answer["valuation"]["figures"][0]["fen"] == [10**20]


async def publish_own(door: Door, **changes: Any) -> tuple[bytes, str]:
    """Publish a card of the city's own by its hash and keep its content."""
    content = COST.replace(b"name: {zh: ", "name: {zh: 本市".encode(), 1)
    sha256 = hashlib.sha256(content).hexdigest()
    card = published_card(door.world, "cost", sha256=sha256, **changes)
    await door.tell()
    door.exchange.content.put(content)
    return content, card


async def test_a_card_that_is_published_on_this_log_is_applied_by_its_hash(door: Door) -> None:
    content, _ = await publish_own(door)
    sha256 = hashlib.sha256(content).hexdigest()
    answer = (await ask(door, {**EXAMPLE, "card": sha256})).json()
    assert answer["valuation"]["card_sha256"] == sha256
    assert answer["name"]["zh"].startswith("本市")


async def test_a_superseded_card_previews_nothing(door: Door) -> None:
    content, card = await publish_own(door)
    published_card(door.world, "cost", version="1.0.1", supersedes=card)
    await door.tell()
    document = {**EXAMPLE, "card": hashlib.sha256(content).hexdigest()}
    assert_problem(await ask(door, document), 409, "aggregate.wrong_status")


async def test_a_computation_that_takes_too_long_is_ended_and_the_next_one_is_answered(
    migrated_database: "Addresses", tmp_path: Path
) -> None:
    world, limit = small_world(), {"preview_seconds_max": 4}
    async with opened_door(migrated_database, tmp_path, world, **limit) as door:
        await door.tell()
        assert (await ask(door, EXAMPLE)).status_code == 200
        assert_problem(await ask(door, HEAVY), 422, "valuation.preview_too_heavy")
        assert (await ask(door, EXAMPLE)).status_code == 200


async def test_more_previews_than_workers_wait_a_little_and_are_then_sent_away(
    migrated_database: "Addresses", tmp_path: Path
) -> None:
    world, limit = small_world(), {"preview_seconds_max": 6}
    async with opened_door(migrated_database, tmp_path, world, **limit) as door:
        await door.tell()
        asked = [asyncio.create_task(ask(door, HEAVY)) for _ in range(2)]
        await asyncio.sleep(0.5)
        refused = await ask(door, EXAMPLE)
        assert_problem(refused, 429, "valuation.preview_busy")
        assert refused.headers["retry-after"] == "1"
        assert {(await one).status_code for one in asked} == {422}
