"""The write door: what gets in, what is refused, and that nothing ever gets a 5xx out of it."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from dataexchange.client.exchange_client import signed
from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.ledger import canonical, merkle
from dataexchange.ledger.entry import Entry, encode_signature
from dataexchange.rules import Role
from exchanges import Door
from problems import assert_problem
from world import ORIGIN


def grouping(door: Door, **changes: Any) -> dict[str, Any]:
    """Return the payload of an event of the operator that is always accepted."""
    return {
        "party": door.world.regulator.party,
        "group": new_id("group"),
        "evidence": "register-extract",
        **changes,
    }


def grouped(door: Door, actor: Actor | None = None, **options: Any) -> bytes:
    return door.sign(actor or door.world.operator, "party.grouped@1", grouping(door), **options)


async def size(door: Door) -> int:
    return int((await door.get("/v1/log")).json()["size"])


async def post(door: Door, body: bytes, path: str = "") -> httpx.Response:
    return await door.http.post(f"/v1/events{path}", content=body)


async def test_an_accepted_event_is_answered_with_its_entry_in_exact_bytes(door: Door) -> None:
    response = await post(door, grouped(door))
    said = response.json()
    assert response.status_code == 201
    assert (said["index"], said["repeated"]) == (1, False)
    exact = response.content.removeprefix(b'{"entry":').split(b',"index":1,"leaf":"')[0]
    read = Entry.parse(exact)
    assert (read.index, read.leaf.hex()) == (1, said["leaf"])
    assert canonical.decode(exact) == said["entry"]


async def test_a_statement_that_is_sent_again_gets_its_first_answer(door: Door) -> None:
    body = grouped(door)
    first, second = await post(door, body), await post(door, body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == {**first.json(), "repeated": True}
    assert await size(door) == 2


async def test_a_statement_that_is_sent_many_times_at_once_is_one_entry(door: Door) -> None:
    body = grouped(door)
    answers = await asyncio.gather(*(post(door, body) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["leaf"] for answer in answers}) == 1
    assert await size(door) == 2


async def test_an_id_that_is_used_again_for_something_else_is_refused(door: Door) -> None:
    own = new_id("evt")
    await post(door, grouped(door, id=own))
    assert_problem(await post(door, grouped(door, id=own)), 409, "statement.id_reused")


async def test_two_actors_may_use_the_same_id(door: Door) -> None:
    own = new_id("evt")
    for actor in (door.world.operator, door.world.regulator):
        assert (await post(door, grouped(door, actor, id=own))).status_code == 201


async def test_refusals_of_rules_are_problems_with_clause_and_remedy(door: Door) -> None:
    stranger = door.world.actor()
    said = assert_problem(await post(door, grouped(door, stranger)), 403, "party.not_active")
    assert said["clause"]
    assert said["remedy"]["zh"]
    assert said["remedy"]["en"]
    assert await size(door) == 1


@pytest.mark.parametrize(
    ("event", "payload", "code"),
    [
        ("party.imagined@1", {}, "event.unknown"),
        ("party.grouped@2", {}, "event.unknown"),
        ("party.grouped@1", {}, "event.payload_invalid"),
        ("party.left@1", {"party": "x"}, "event.payload_invalid"),
    ],
)
async def test_what_no_event_is_is_refused(
    door: Door, event: str, payload: dict[str, Any], code: str
) -> None:
    assert_problem(await door.submit(door.world.operator, event, payload), 400, code)


async def test_a_statement_for_another_log_is_refused(door: Door) -> None:
    operator = door.world.operator
    elsewhere = Actor(operator.party, operator.key, "example.test/other")
    assert_problem(await post(door, grouped(door, elsewhere)), 400, "statement.wrong_log")


async def test_a_signature_by_another_key_is_refused(door: Door) -> None:
    operator = door.world.operator
    thief = Actor(operator.party, SigningKey.generate(), ORIGIN)
    assert_problem(await post(door, grouped(door, thief)), 403, "key.not_valid")
    stated = operator.state("party.grouped@1", grouping(door), at=door.world.now)
    forged = encode_signature(thief.sign(stated))
    body = b'{"signature":%b,"statement":%b}' % (forged, stated.body)
    assert_problem(await post(door, body), 403, "signature.bad")


BROKEN = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"1",
    b'"text"',
    b"{}",
    b"\xff\xfe",
    b"\x00",
    b'{"signature":{},"statement":{}}',
    b'{"signature":{"suite":"ed25519","value":""},"statement":null}',
    b'{"signature":{"suite":"ed25519","value":""},"statement":{}}',
    b'{"signature":{"suite":"rsa","value":""},"statement":{}}',
    b'{"signature":null,"statement":{}}',
    b'{"statement":{}}',
    b'{"statements":[]}',
    b'{"signature":{"suite":"ed25519","value":""},"statements":[]}',
    b'{"signature":{"suite":"ed25519","value":""},"statements":[1]}',
    b'{"signature":{"suite":"ed25519","value":""},"statements":{}}',
    b'{"submissions":[]}',
    b'{"submissions":[{}]}',
    b'{"submissions":[null],"linked":true}',
    b'{"submissions":[],"linked":1}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"signature":{"suite":"ed25519","value":""},"statement":' + b"[" * 60_000,
    b'{"signature":{"suite":"ed25519","value":""},"statement":"\\ud800"}',
    b'{"signature":{"suite":"ed25519","value":"\\ud800"},"statement":{"a":"\\u0000"}}',
    b" " * 100_000,
]


@pytest.mark.parametrize("path", ["", "/batch", "/several", "/dry-run"])
async def test_broken_bodies_are_refused_as_malformed(told: Door, path: str) -> None:
    for body in BROKEN:
        response = await post(told, body, path)
        assert response.status_code == 400, (body[:80], response.text)
        assert_problem(response, 400, response.json()["code"])


@pytest.mark.parametrize("path", ["", "/batch", "/several", "/dry-run"])
async def test_another_method_is_answered_with_those_that_serve(told: Door, path: str) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        response = await told.http.request(method, f"/v1/events{path}")
        assert_problem(response, 405, "request.method_not_allowed")
        assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["", "/batch", "/several", "/dry-run"])
async def test_a_body_of_too_many_bytes_is_refused(told: Door, path: str) -> None:
    limit = told.app.state.settings.body_bytes_max
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 20
            yield b" " * (1 << 20)

    response = await told.http.post(f"/v1/events{path}", content=endless())
    assert_problem(response, 413, "request.too_large")
    assert sent <= limit + (2 << 20)
    declared = await told.http.post(
        f"/v1/events{path}", content=b"", headers={"Content-Length": str(limit + 1)}
    )
    assert_problem(declared, 413, "request.too_large")


async def test_a_body_may_come_in_pieces(door: Door) -> None:
    body = grouped(door)

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 7):
            yield body[at : at + 7]

    response = await door.http.post("/v1/events", content=pieces())
    assert response.status_code == 201


async def test_what_came_before_a_client_went_away_is_not_taken_for_its_request(
    door: Door,
) -> None:
    messages = iter(
        [
            {"type": "http.request", "body": grouped(door), "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/events",
        "raw_path": b"/v1/events",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("exchange.test", 80),
    }
    await door.app(scope, receive, send)
    assert sent == []
    assert await size(door) == 1


def batch_body(actor: Actor, bodies: list[bytes], signature: bytes) -> bytes:
    return b'{"signature":%b,"statements":[%b]}' % (signature, b",".join(bodies))


def batch(door: Door, count: int, actor: Actor | None = None) -> bytes:
    operator = actor or door.world.operator
    stated = [
        operator.state("party.grouped@1", grouping(door), at=door.world.now) for _ in range(count)
    ]
    whole = encode_signature(operator.sign_whole(stated))
    return batch_body(operator, [one.body for one in stated], whole)


async def test_a_batch_under_one_signature_gives_entries_that_stand_alone(door: Door) -> None:
    response = await post(door, batch(door, 5), "/batch")
    results = response.json()["results"]
    assert response.status_code == 200
    assert [one["index"] for one in results] == [1, 2, 3, 4, 5]
    for one in results:
        body = (await door.get(f"/v1/entries/{one['index']}", door.world.operator)).content
        read = Entry.parse(body)
        assert merkle.leaf_hash(body).hex() == one["leaf"]
        assert read.fields.signature.batch is not None
        read.statement.verify(read.fields.signature)


async def test_a_batch_that_is_sent_again_gets_its_first_answers(door: Door) -> None:
    body = batch(door, 3)
    first, second = await post(door, body, "/batch"), await post(door, body, "/batch")
    leaves = [one["leaf"] for one in first.json()["results"]]
    assert [one["leaf"] for one in second.json()["results"]] == leaves
    assert all(one["repeated"] for one in second.json()["results"])
    assert await size(door) == 4


async def test_in_a_batch_each_statement_is_judged_for_itself(door: Door) -> None:
    operator, now = door.world.operator, door.world.now
    good = operator.state("party.grouped@1", grouping(door), at=now)
    bad = operator.state("party.admitted@1", {"party": operator.party, "roles": ["buyer"]}, at=now)
    whole = encode_signature(operator.sign_whole([good, bad]))
    response = await post(door, batch_body(operator, [good.body, bad.body], whole), "/batch")
    accepted, refused = response.json()["results"]
    assert accepted["index"] == 1
    assert refused["problem"]["code"] == "aggregate.wrong_status"
    assert refused["problem"]["status"] == 409


async def test_a_batch_whose_signature_does_not_fit_is_refused_whole(door: Door) -> None:
    operator = door.world.operator
    said = orjson.loads(batch(door, 3))
    bodies = [canonical.encode(one) for one in said["statements"]]
    signature = orjson.dumps(said["signature"])
    for other in (bodies[::-1], bodies[:2], [*bodies, bodies[0]]):
        response = await post(door, batch_body(operator, other, signature), "/batch")
        assert_problem(response, 403, "signature.bad")
    assert await size(door) == 1


async def test_a_batch_of_two_actors_keys_or_logs_is_refused(door: Door) -> None:
    operator, now = door.world.operator, door.world.now
    others = [
        door.world.regulator,
        Actor(operator.party, SigningKey.generate(), ORIGIN),
        Actor(operator.party, operator.key, "example.test/other"),
    ]
    for other in others:
        stated = [
            actor.state("party.grouped@1", grouping(door), at=now) for actor in (operator, other)
        ]
        whole = encode_signature(operator.sign_whole(stated))
        body = batch_body(operator, [one.body for one in stated], whole)
        assert_problem(await post(door, body, "/batch"), 400, "batch.mixed")


async def test_a_batch_has_a_greatest_size(door: Door) -> None:
    assert_problem(await post(door, batch(door, 1_001), "/batch"), 400, "batch.mixed")
    response = await post(door, batch(door, 1_000), "/batch")
    assert all("index" in one for one in response.json()["results"])
    assert await size(door) == 1_001


async def test_a_statement_with_a_place_in_a_batch_may_come_alone(door: Door) -> None:
    operator = door.world.operator
    stated = [
        operator.state("party.grouped@1", grouping(door), at=door.world.now) for _ in range(3)
    ]
    for one, signature in zip(stated, operator.sign_batch(stated), strict=True):
        body = b'{"signature":%b,"statement":%b}' % (encode_signature(signature), one.body)
        assert (await post(door, body)).status_code == 201


def several(*bodies: bytes, linked: bool) -> bytes:
    said = b"true" if linked else b"false"
    return b'{"linked":%b,"submissions":[%b]}' % (said, b",".join(bodies))


def joining(door: Door, *roles: Role, linked: bool = True) -> list[bytes]:
    """Return a new party's application and its admission, linked."""
    actor = door.world.actor()
    ids = [new_id("evt"), new_id("evt")]
    options: dict[str, Any] = {"linked": ids} if linked else {}
    profile = door.world.profile(actor, Role.PROVIDER)
    admission = {"party": actor.party, "roles": [role.value for role in roles]}
    return [
        door.sign(actor, "party.applied@1", profile, id=ids[0], **options),
        door.sign(door.world.operator, "party.admitted@1", admission, id=ids[1], **options),
    ]


async def test_linked_statements_of_two_actors_get_in_together(door: Door) -> None:
    body = several(*joining(door, Role.PROVIDER), linked=True)
    results = (await post(door, body, "/several")).json()["results"]
    assert [one["index"] for one in results] == [1, 2]
    again = (await post(door, body, "/several")).json()["results"]
    assert [(one["index"], one["repeated"]) for one in again] == [(1, True), (2, True)]


async def test_linked_statements_stand_or_fall_together(door: Door) -> None:
    body = several(*joining(door, Role.LENDER), linked=True)
    first, second = (await post(door, body, "/several")).json()["results"]
    assert first["problem"]["code"] == "statement.linked_refused"
    assert second["problem"]["code"] == "party.role_not_applied_for"
    assert await size(door) == 1


async def test_statements_that_are_not_linked_are_judged_each_for_itself(door: Door) -> None:
    body = several(*joining(door, Role.LENDER, linked=False), linked=False)
    first, second = (await post(door, body, "/several")).json()["results"]
    assert first["index"] == 1
    assert second["problem"]["code"] == "party.role_not_applied_for"


async def test_linked_statements_come_whole_in_their_order_and_by_their_own_door(
    door: Door,
) -> None:
    first, second = joining(door, Role.PROVIDER)
    plain = grouped(door)
    for body in (
        several(second, first, linked=True),
        several(first, linked=True),
        several(first, second, plain, linked=True),
        several(first, second, linked=False),
        several(plain, grouped(door), linked=True),
    ):
        response = await post(door, body, "/several")
        assert_problem(response, 400, "statement.linked_wrong")
    assert_problem(await post(door, first), 400, "statement.linked_wrong")
    assert_problem(await post(door, first, "/dry-run"), 400, "statement.linked_wrong")
    assert await size(door) == 1


async def test_a_statement_that_expects_another_state_is_refused(door: Door) -> None:
    operator = door.world.operator
    key = door.world.regulator.party
    wrong = grouped(door, expects={key: 7})
    assert_problem(await post(door, wrong), 409, "statement.expectation_failed")
    assert (await post(door, grouped(door, expects={key: 1}))).status_code == 201
    unread = grouped(door, operator, expects={"account/nobody": 0})
    assert_problem(await post(door, unread), 409, "statement.expectation_failed")


async def test_a_statement_past_its_time_or_from_the_future_is_refused(door: Door) -> None:
    from datetime import timedelta

    operator, now = door.world.operator, door.world.now
    for offset, code in ((-2, "statement.expired"), (2, "statement.from_the_future")):
        stated = operator.state("party.grouped@1", grouping(door), at=now + timedelta(hours=offset))
        assert_problem(await post(door, signed(operator, stated).body), 409, code)


async def test_two_applications_on_one_database_write_one_log(
    door: Door, migrated_database: Any, tmp_path: Any
) -> None:
    from exchanges import opened_door

    async with opened_door(migrated_database, tmp_path, door.world) as other:
        both = [door, other]
        answers = await asyncio.gather(
            *(post(both[n % 2], grouped(door)) for n in range(60)),
            *(post(both[n % 2], batch(door, 10), "/batch") for n in range(6)),
        )
        assert {answer.status_code for answer in answers} == {200, 201}
        assert await size(door) == await size(other) == 121
        await door.exchange.publisher.publish()
        await other.exchange.publisher.publish()
        one, two = await door.get("/checkpoint"), await other.get("/checkpoint")
        assert one.content == two.content
    bodies = [
        (await door.get(f"/v1/entries/{index}", door.world.operator)).content
        for index in range(121)
    ]
    leaves = [merkle.leaf_hash(body) for body in bodies]
    assert [Entry.parse(body).fields.prev for body in bodies[1:]] == [
        leaf.hex() for leaf in leaves[:-1]
    ]
    root = base64.b64decode(one.text.splitlines()[2])
    assert merkle.root(leaves) == root
