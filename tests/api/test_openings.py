"""Sealed fields at the door: taken in with their openings, shown to the parties alone, erased."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from dataexchange.client import sealing
from dataexchange.client.exchange_client import signed
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.database import log_store
from dataexchange.exchange import sequencer
from dataexchange.ledger import canonical
from dataexchange.ledger.sealing import Opening, seal
from dataexchange.rules import Role
from exchanges import Door
from problems import assert_problem
from steps_market import finalised_licence
from steps_pipeline import registered_resource

SECRET = "机密：不得写入账本 not-for-the-log"
WITHDRAWAL = {"amount_fen": 100}


class Sealed:
    """An entry with a sealed field, and the parties about it."""

    def __init__(self, door: Door, asset: str, index: int, names: dict[str, Actor]) -> None:
        self.door, self.asset, self.index, self.names = door, asset, index, names
        self.sealer = names["reporter"]
        self.path = f"/v1/entries/{index}/openings"

    async def read(self, reader: Actor | None, field: str = "details") -> Any:
        return await self.door.get(f"{self.path}/{field}", reader)


def body(
    door: Door, actor: Actor, event: str, payload: Any, *openings: Opening, **more: Any
) -> Any:
    """Return a request body whose statement commits to `openings`."""
    committed = sealing.commitments(more.pop("committed", openings))
    stated = actor.state(
        event, payload, at=door.world.now, sealed=committed, **more.pop("state", {})
    )
    return signed(actor, stated, openings, more.pop("keeps", ()))


async def post(door: Door, request: Any) -> Any:
    return await door.http.post("/v1/events", content=request.body)


def report(asset: str) -> dict[str, Any]:
    return {
        "correction": new_id("correction"),
        "asset": asset,
        "version": 1,
        "description": "speeds are too high",
    }


@pytest.fixture
async def sealed(door: Door) -> Sealed:
    """A report of an error, its details sealed by a reporter, about the asset of a holder."""
    world = door.world
    resource = registered_resource(world)
    reporter, stranger = world.join(Role.BUYER), world.join(Role.BUYER, Role.PROVIDER)
    await door.tell()
    opening = sealing.seal({"details": SECRET})
    request = body(door, reporter, "data.error_reported@1", report(resource.asset), *opening)
    answer = await post(door, request)
    assert answer.status_code == 201, answer.text
    assert SECRET not in answer.text
    names = {
        "reporter": reporter,
        "holder": resource.provider,
        "stranger": stranger,
        "operator": world.operator,
        "regulator": world.regulator,
    }
    return Sealed(door, resource.asset, answer.json()["index"], names)


async def rows(door: Door, query: str) -> list[Any]:
    connection = await asyncpg.connect(door.exchange.dsn)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


def keys_of(door: Door) -> list[Path]:
    folder = door.app.state.settings.opening_keys_path
    return [path for path in folder.glob("*/*") if path.is_file()]


async def test_what_is_sealed_opens_for_its_parties_and_regulators_alone(sealed: Sealed) -> None:
    for name in ("reporter", "regulator"):
        answer = await sealed.read(sealed.names[name])
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        opening = orjson.loads(answer.content)
        assert opening["value"] == SECRET
        assert canonical.encode(opening) == answer.content
    for reader in (None, sealed.names["stranger"], sealed.names["operator"]):
        for path in (sealed.path, f"{sealed.path}/details", f"{sealed.path}/other"):
            refusal = await sealed.door.get(path, reader)
            assert_problem(refusal, 403, "opening.not_yours")
            assert SECRET not in refusal.text


async def test_a_page_of_openings_says_what_is_open_and_what_was_never_sealed(
    sealed: Sealed,
) -> None:
    said = (await sealed.door.get(sealed.path, sealed.sealer)).json()
    (field,) = said["fields"]
    assert (said["index"], field["field"], field["status"]) == (sealed.index, "details", "open")
    assert field["value"] == SECRET
    client = sealed.door.client(sealed.sealer)
    (opening,) = await client.openings(sealed.index)
    assert opening.commitment == field["commitment"]
    missing = await sealed.read(sealed.sealer, "other")
    assert_problem(missing, 404, "opening.not_sealed")
    missing = await sealed.door.get(f"/v1/entries/{10**6}/openings", sealed.sealer)
    assert_problem(missing, 404, "entry.not_found")
    plain = (await sealed.door.get("/v1/entries/0/openings", sealed.names["regulator"])).json()
    assert plain == {"index": 0, "fields": []}


async def test_the_parties_to_a_deal_read_terms_that_the_entry_does_not_name_them_in(
    door: Door,
) -> None:
    deal = finalised_licence(door.world)
    other = door.world.join(Role.BUYER, Role.PROVIDER)
    await door.tell()
    renewal = {"licence": deal.licence, "days": 30, "fee_fen": 5_000}
    request = body(
        door, deal.provider, "licence.renewal_proposed@1", renewal, *sealing.seal({"terms": SECRET})
    )
    answer = await post(door, request)
    assert answer.status_code == 201, answer.text
    path = f"/v1/entries/{answer.json()['index']}/openings/terms"
    entry = answer.json()["entry"]
    assert deal.buyer.party not in orjson.dumps(entry).decode()
    assert (await door.get(path, deal.buyer)).json()["value"] == SECRET
    assert_problem(await door.get(path, other), 403, "opening.not_yours")


async def test_a_value_is_nowhere_but_in_its_box(
    sealed: Sealed, caplog: pytest.LogCaptureFixture
) -> None:
    door = sealed.door
    salt = (await sealed.read(sealed.sealer)).json()["salt"]
    with caplog.at_level(logging.DEBUG):
        await sealed.read(sealed.sealer)
        opening = sealing.seal({"details": SECRET})
        asset = new_id("asset")
        refused = body(door, sealed.sealer, "data.error_reported@1", report(asset), *opening)
        assert_problem(await post(door, refused), 404, "aggregate.not_found")
    for hidden in (SECRET, salt, SECRET.encode("unicode_escape").decode()):
        assert hidden not in caplog.text
    for table in ("entry", "aggregate", "sealed_opening"):
        for row in await rows(door, f"select t::text from {table} t"):
            assert SECRET.encode().hex() not in row[0]
            assert salt not in row[0]
    for key in keys_of(door):
        assert key.stat().st_mode & 0o077 == 0
        assert SECRET.encode() not in key.read_bytes()


async def test_a_refused_statement_leaves_no_opening_and_no_key(sealed: Sealed) -> None:
    door, before = sealed.door, len(keys_of(sealed.door))
    opening = sealing.seal({"details": "x", "contact": "y"})
    request = body(door, sealed.sealer, "data.error_reported@1", report(new_id("asset")), *opening)
    assert_problem(await post(door, request), 404, "aggregate.not_found")
    assert len(keys_of(door)) == before
    assert len(await rows(door, "select * from sealed_opening")) == 1


async def test_a_full_queue_leaves_no_key(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    door, before = sealed.door, len(keys_of(sealed.door))
    monkeypatch.setattr(sequencer, "QUEUE_MAX", 0)
    opening = sealing.seal({"details": "x"})
    request = body(door, sealed.sealer, "data.error_reported@1", report(sealed.asset), *opening)
    assert_problem(await post(door, request), 503, "exchange.busy")
    assert len(keys_of(door)) == before


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_commit_whose_result_is_unknown_keeps_the_opening(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The connection dies at the write: before it reached the server, or after it was done."""
    door, write, calls = sealed.door, log_store.write, 0

    async def dying(*arguments: Any) -> bool:
        nonlocal calls
        calls += 1
        if calls > 1 or moment == "after":
            written = await write(*arguments)
            if calls > 1:
                return written
        raise asyncpg.ConnectionDoesNotExistError("the connection is gone")

    monkeypatch.setattr(log_store, "write", dying)
    opening = sealing.seal({"details": SECRET})
    request = body(door, sealed.sealer, "data.error_reported@1", report(sealed.asset), *opening)
    answer = await post(door, request)
    assert answer.status_code in (200, 201), answer.text
    path = f"/v1/entries/{answer.json()['index']}/openings/details"
    assert (await door.get(path, sealed.sealer)).json()["value"] == SECRET
    assert len(keys_of(door)) == len(await rows(door, "select * from sealed_opening")) == 2


async def test_a_sealed_statement_sent_many_times_at_once_is_kept_once(sealed: Sealed) -> None:
    door, opening = sealed.door, sealing.seal({"details": SECRET})
    request = body(door, sealed.sealer, "data.error_reported@1", report(sealed.asset), *opening)
    answers = await asyncio.gather(*(post(door, request) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    (index,) = {answer.json()["index"] for answer in answers}
    path = f"/v1/entries/{index}/openings/details"
    assert (await door.get(path, sealed.sealer)).json()["value"] == SECRET
    assert len(keys_of(door)) == len(await rows(door, "select * from sealed_opening")) == 2


async def test_openings_that_are_missing_wrong_or_too_many_are_refused(sealed: Sealed) -> None:
    door, asset = sealed.door, sealed.asset
    good, other = sealing.seal({"details": "a", "contact": "b"})
    wrong = seal("details", "other", bytes(32))
    event = "data.error_reported@1"
    for code, openings, committed, keeps in (
        ("opening.missing", [], [good], []),
        ("opening.missing", [good], [good, other], []),
        ("opening.missing", [good, other], [good], []),
        ("opening.missing", [good], [good], ["details"]),
        ("opening.missing", [good, good], [good], []),
        ("opening.missing", [], [], ["details"]),
        ("opening.wrong", [wrong], [good], []),
    ):
        request = body(
            door, sealed.sealer, event, report(asset), *openings, committed=committed, keeps=keeps
        )
        assert_problem(await post(door, request), 400, code)
    unknown = sealing.seal({"terms": 1})
    request = body(door, sealed.sealer, event, report(asset), *unknown)
    assert_problem(await post(door, request), 400, "statement.not_sealable")
    assert len(await rows(door, "select * from sealed_opening")) == 1


async def test_a_signer_may_keep_its_openings_and_hand_them_over_later(sealed: Sealed) -> None:
    door = sealed.door
    opening = sealing.seal({"details": SECRET})
    payload = report(sealed.asset)
    state = {"id": new_id("evt")}
    kept = body(
        door,
        sealed.sealer,
        "data.error_reported@1",
        payload,
        committed=opening,
        keeps=["details"],
        state=state,
    )
    answer = await post(door, kept)
    assert answer.status_code == 201, answer.text
    path = f"/v1/entries/{answer.json()['index']}/openings"
    assert_problem(await door.get(f"{path}/details", sealed.sealer), 404, "opening.not_kept")
    assert (await door.get(path, sealed.sealer)).json()["fields"][0]["status"] == "kept_by_signer"
    later = body(door, sealed.sealer, "data.error_reported@1", payload, *opening, state=state)
    for _ in range(2):  # handed over once, and repeated
        again = await post(door, later)
        assert (again.status_code, again.json()["repeated"]) == (200, True)
        assert (await door.get(f"{path}/details", sealed.sealer)).json()["value"] == SECRET
    assert len(keys_of(door)) == 2


async def test_a_batch_and_linked_statements_bring_their_openings(sealed: Sealed) -> None:
    door = sealed.door
    client, actor = door.client(sealed.sealer), sealed.sealer
    openings = [sealing.seal({"details": f"{SECRET} {number}"}) for number in range(3)]
    stated = [
        actor.state(
            "data.error_reported@1",
            report(sealed.asset),
            at=door.world.now,
            sealed=sealing.commitments(one),
        )
        for one in openings
    ]
    results = await client.submit_batch(
        stated, {one.fields.id: opening for one, opening in zip(stated, openings, strict=True)}
    )
    for number, result in enumerate(results):
        (opened,) = await client.openings(result["index"])
        assert canonical.decode(bytes(opened.value)) == f"{SECRET} {number}"
    ids = [new_id("evt"), new_id("evt")]
    linked = [
        client.sign(
            "data.error_reported@1",
            report(sealed.asset),
            id=one,
            linked=ids,
            sealed={"details": one},
        )
        for one in ids
    ]
    for one, accepted in zip(ids, await client.send_linked(linked), strict=True):
        (opened,) = await client.openings(accepted.index)
        assert canonical.decode(bytes(opened.value)) == one
