"""Access tokens at the door: who is known by one, and every token that does not serve."""

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from dataexchange.client.exchange_client import access_token
from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.identity import access
from dataexchange.ledger import canonical
from dataexchange.ledger.signature import pre_authentication
from dataexchange.rules import Role
from exchanges import Door
from problems import assert_problem
from world import ORIGIN

ANYTHING = "/v1/parties"


async def read(door: Door, authorization: str | bytes) -> Any:
    value = authorization if isinstance(authorization, bytes) else authorization.encode()
    return await door.http.get(ANYTHING, headers=[(b"Authorization", value)])


async def refused(door: Door, token: str) -> None:
    response = await read(door, f"Bearer {token}")
    assert_problem(response, 401, "access.token_wrong")
    assert response.headers["www-authenticate"] == "Bearer"


def token(actor: Actor, body: bytes) -> str:
    return access.join(body, actor.key.sign(pre_authentication(access.TOKEN_TYPE, body)))


async def test_a_token_opens_what_is_for_its_party(door: Door) -> None:
    own = f"/v1/entries/{0}"
    assert (await door.get(own)).status_code == 403
    assert (await door.get(own, door.world.regulator)).status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_read_in_any_case(door: Door, scheme: str) -> None:
    good = access_token(door.world.operator, door.world.now)
    assert (await read(door, f"{scheme} {good}")).status_code == 200


async def test_tokens_of_another_form_are_refused(door: Door) -> None:
    good = access_token(door.world.operator, door.world.now)
    body, signature = good.split(".")
    for other in (
        "",
        ".",
        "a.b",
        body,
        f"{body}.",
        f".{signature}",
        f"{good}.{signature}",
        f"{body}.{signature[:-1]}",
        f"{body}={'.'}{signature}",
        f"{body}.{signature[::-1]}",
        f"{signature}.{body}",
        "A" * 100_000,
        f"{base64.urlsafe_b64encode(b'null').decode().rstrip('=')}.{signature}",
        f"{base64.urlsafe_b64encode(b'{}').decode().rstrip('=')}.{signature}",
    ):
        await refused(door, other)
    for header in (
        b"Bearer \xff.\xff",
        "Bearer 令.牌",
        "Basic dXNlcjpwYXNz",
        "Bearer",
        "",
        good,
        "Token " + good,
    ):
        assert_problem(await read(door, header), 401, "access.token_wrong")


@pytest.mark.parametrize(
    "changes",
    [
        {"log": "example.test/other"},
        {"key": "z6Mk"},
        {"key": ""},
        {"key": SigningKey.generate().id},
        {"actor": "party_01k9m3e3xkf2v8n5q7r1s4t6w8"},
        {"actor": "log/exchange"},
        {"actor": "policy/exchange"},
        {"actor": "' or 1=1 --"},
        {"actor": ""},
        {"more": 1},
        {"issued_at": "yesterday"},
        {"not_after": 1},
    ],
    ids=str,
)
async def test_a_token_that_says_something_else_is_refused(
    door: Door, changes: dict[str, Any]
) -> None:
    operator, now = door.world.operator, door.world.now
    good = access.body(
        operator.party, operator.key.id, ORIGIN, issued_at=now, life=timedelta(minutes=5)
    )
    assert (await read(door, f"Bearer {token(operator, good)}")).status_code == 200
    changed = canonical.encode({**canonical.decode(good), **changes})
    await refused(door, token(operator, changed))


async def test_a_token_lives_an_hour_at_most_and_not_past_its_end(door: Door) -> None:
    operator, now = door.world.operator, door.world.now
    for issued, life in (
        (now, timedelta(hours=1, seconds=1)),
        (now - timedelta(minutes=31), timedelta(minutes=30)),
        (now + timedelta(minutes=6), timedelta(minutes=30)),
        (now, timedelta(minutes=-1)),
    ):
        await refused(door, access_token(operator, issued, life))
    hour = access_token(operator, now, timedelta(hours=1))
    assert (await read(door, f"Bearer {hour}")).status_code == 200


async def test_a_token_by_a_key_that_was_revoked_does_not_serve(door: Door) -> None:
    operator = door.world.operator
    second = SigningKey.generate()
    await door.submit(operator, "key.added@1", {"party": operator.party, "key": second.id})
    old = access_token(operator, door.world.now)
    assert (await read(door, f"Bearer {old}")).status_code == 200
    renewed = Actor(operator.party, second, ORIGIN)
    revocation = {"party": operator.party, "key": operator.key.id, "reason": "rotation"}
    assert (await door.submit(renewed, "key.revoked@1", revocation)).status_code == 201
    await refused(door, old)
    assert (await door.get(ANYTHING, renewed)).status_code == 200


async def test_who_has_applied_reads_its_own_entry_and_nothing_more(door: Door) -> None:
    actor, member = door.world.actor(), door.world.join(Role.PROVIDER)
    await door.tell()
    applied = await door.submit(actor, "party.applied@1", door.world.profile(actor, Role.PROVIDER))
    own = applied.json()["index"]
    assert (await door.get(f"/v1/entries/{own}", actor)).json()["statement"]["actor"] == actor.party
    assert_problem(await door.get(f"/v1/entries/{own}", member), 403, "entry.not_yours")
    assert_problem(await door.get(f"/v1/entries/{own - 1}", actor), 403, "entry.not_yours")
    put = await door.http.put(
        f"/v1/content/{hashlib.sha256(b'').hexdigest()}", headers=door.bearer(actor)
    )
    assert_problem(put, 403, "party.not_active")


async def test_a_token_of_a_party_that_is_suspended_does_not_serve(door: Door) -> None:
    actor, operator = door.world.actor(), door.world.operator
    applied = door.world.profile(actor, Role.PROVIDER)
    await door.submit(actor, "party.applied@1", applied)
    suspended = access_token(actor, door.world.now)
    assert (await read(door, f"Bearer {suspended}")).status_code == 200
    admission = {"party": actor.party, "roles": ["provider"]}
    await door.submit(operator, "party.admitted@1", admission)
    assert (await door.get(ANYTHING, actor)).status_code == 200
    suspension = {"party": actor.party, "reason": "r", "order_number": "1"}
    await door.submit(operator, "party.suspended@1", suspension)
    await refused(door, access_token(actor, door.world.now))


async def test_a_token_of_somebody_unknown_does_not_serve(door: Door) -> None:
    stranger = Actor(new_id("party"), SigningKey.generate(), ORIGIN)
    await refused(door, access_token(stranger, door.world.now))
