"""A dry run says what the rules would say, and leaves everything as it was."""

import asyncio
from typing import Any

import asyncpg

from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.rules import Role
from exchanges import Door
from problems import assert_problem
from world import ORIGIN


async def tables(door: Door) -> dict[str, Any]:
    """Return every row of the log and of what follows from it."""
    connection = await asyncpg.connect(door.exchange.dsn)
    try:
        return {
            name: await connection.fetch(f"select * from {name} order by 1, 2")
            for name in ("head", "entry", "aggregate")
        }
    finally:
        await connection.close()


async def try_(door: Door, actor: Actor, event: str, payload: dict[str, Any]) -> Any:
    body = door.sign(actor, event, payload)
    return await door.http.post("/v1/events/dry-run", content=body)


def grouping(door: Door) -> dict[str, Any]:
    return {"party": door.world.regulator.party, "group": new_id("group"), "evidence": "x"}


async def test_a_dry_run_shows_the_states_and_changes_nothing(door: Door) -> None:
    before = await tables(door)
    said = grouping(door)
    response = await try_(door, door.world.operator, "party.grouped@1", said)
    assert response.status_code == 200
    assert response.json()["accepted"] is True
    assert response.json()["states"][said["party"]]["group"] == said["group"]
    assert await tables(door) == before
    # And what was tried can still be done.
    assert (await door.submit(door.world.operator, "party.grouped@1", said)).status_code == 201


async def test_a_dry_run_refuses_what_the_door_would_refuse(door: Door) -> None:
    operator, before = door.world.operator, await tables(door)
    cases: list[tuple[Actor, str, dict[str, Any], int, str]] = [
        (operator, "party.imagined@1", {}, 400, "event.unknown"),
        (operator, "party.grouped@1", {}, 400, "event.payload_invalid"),
        (door.world.actor(), "party.grouped@1", grouping(door), 403, "party.not_active"),
        (
            Actor(operator.party, SigningKey.generate(), ORIGIN),
            "party.grouped@1",
            grouping(door),
            403,
            "key.not_valid",
        ),
        (
            operator,
            "party.left@1",
            {"party": door.world.regulator.party},
            403,
            "party.not_concerned",
        ),
    ]
    for actor, event, payload, status, code in cases:
        assert_problem(await try_(door, actor, event, payload), status, code)
    assert await tables(door) == before


async def test_a_dry_run_of_what_is_in_the_log_says_that_it_was_accepted(door: Door) -> None:
    body = door.sign(door.world.operator, "party.grouped@1", grouping(door))
    await door.http.post("/v1/events", content=body)
    response = await door.http.post("/v1/events/dry-run", content=body)
    assert response.json() == {"accepted": True, "states": {}}


async def test_anyone_may_try_their_own_application(door: Door) -> None:
    actor = door.world.actor()
    profile = door.world.profile(actor, Role.PROVIDER)
    response = await try_(door, actor, "party.applied@1", profile)
    assert response.json()["states"][actor.party]["status"] == "applied"


async def test_a_dry_run_shows_no_state_that_its_actor_may_not_read(
    migrated_database: Any, tmp_path: Any
) -> None:
    """A payment changes the payee's account too; what is in it is no business of the payer's."""
    from exchanges import opened_door, small_world
    from steps_market import accepted_licence, release

    world = small_world()
    deal = accepted_licence(world)
    async with opened_door(migrated_database, tmp_path, world) as door:
        await door.tell()
        response = await try_(door, deal.buyer, "escrow.released@1", release(deal))
        assert response.status_code == 200, response.text
        states = response.json()["states"]
        assert f"account/{deal.provider.party}" not in states
        assert deal.licence in states


async def test_many_dry_runs_at_once_leave_connections_for_the_sequencer(door: Door) -> None:
    bodies = [door.sign(door.world.operator, "party.grouped@1", grouping(door)) for _ in range(60)]
    tried = (door.http.post("/v1/events/dry-run", content=body) for body in bodies)
    done = (door.submit(door.world.operator, "party.grouped@1", grouping(door)) for _ in range(20))
    answers = await asyncio.gather(*tried, *done)
    assert {answer.status_code for answer in answers} == {200, 201}
