"""The mapper: the same root as a replay gives, whatever goes on around it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from dataexchange.database import map_store
from dataexchange.database.engine import connect
from dataexchange.exchange.mapper import MadeMap, make_map
from dataexchange.exchange.rebuild import rebuild
from dataexchange.rules import Role
from exchanges import Door, opened_door, small_world
from steps_map import root_at

if TYPE_CHECKING:
    from databases import Addresses


async def made(door: Door) -> MadeMap:
    found = await make_map(door.exchange.engine, rest=0)
    assert found is not None
    return found


async def committed(door: Door) -> MadeMap:
    """Make a map and have the operator commit it, in the world's story too."""
    found = await made(door)
    door.world.do(door.world.operator, "map.committed@1", **found.payload)
    await door.tell()
    return found


async def join(door: Door, count: int) -> None:
    for _ in range(count):
        door.world.join(Role.PROVIDER)
    await door.tell()


async def nodes(door: Door) -> int:
    connection = await connect(door.exchange.dsn)
    count = await connection.fetchval("select count(*) from map_node")
    await connection.close()
    return int(count)


@pytest.fixture
async def door(migrated_database: "Addresses", tmp_path: Path) -> AsyncIterator[Door]:
    async with opened_door(migrated_database, tmp_path, small_world()) as opened:
        await opened.tell()
        yield opened


async def test_the_root_is_that_of_a_replay_and_only_what_changed_is_touched(door: Door) -> None:
    await join(door, 20)
    first = await committed(door)
    assert first.root.hex() == root_at(door.world, first.covers)
    assert first.touched == len(door.world.held_states()) - 2  # not the map's own two
    await join(door, 1)
    second = await committed(door)
    assert second.root.hex() == root_at(door.world, second.covers)
    # The new party, the operator who admitted it, and the first map with its commitment.
    assert second.touched == 4
    assert not (await rebuild(door.exchange.dsn)).differing


async def test_a_map_that_covers_all_is_not_made_again(door: Door) -> None:
    await committed(door)
    assert await make_map(door.exchange.engine, rest=0) is None


async def test_a_mapper_that_died_before_its_event_is_repeated_to_the_same_root(door: Door) -> None:
    await join(door, 5)
    first = await made(door)
    kept = await nodes(door)
    assert (await made(door)).root == first.root
    assert await nodes(door) == kept
    await join(door, 1)
    later = await committed(door)
    assert later.root.hex() == root_at(door.world, later.covers)


async def test_the_snapshot_holds_while_appends_go_on(door: Door) -> None:
    await join(door, 40)
    making = asyncio.create_task(make_map(door.exchange.engine, rest=2))
    told = [join(door, 1) for _ in range(10)]
    for one in told:
        await one
        await asyncio.sleep(0)
    found = await making
    assert found is not None
    assert found.root.hex() == root_at(door.world, found.covers)
    assert found.covers < door.world.tail.size


async def test_a_map_whose_nodes_are_lost_is_made_from_nothing(
    door: Door, migrated_database: "Addresses"
) -> None:
    await join(door, 5)
    await committed(door)
    owner = await asyncpg.connect(migrated_database.owner)
    await owner.execute("alter table map_node disable trigger all; delete from map_node")
    await owner.close()
    await join(door, 1)
    again = await committed(door)
    assert again.root.hex() == root_at(door.world, again.covers)
    assert again.touched > 4


async def test_the_app_can_add_nodes_and_change_none(door: Door) -> None:
    await committed(door)
    connection = await connect(door.exchange.dsn)
    for statement in ("update map_node set body = ''", "delete from map_node"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_a_spool_gives_back_what_was_put_in_order() -> None:
    given = [map_store.Aggregate(f"key/{n}", n, bytes(32), b"{}" * n) for n in range(1, 8)]
    with map_store.spool() as kept:
        kept.put(given[:3])
        kept.put(given[3:])
        batches = list(kept.batches(3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert [one for batch in batches for one in batch] == given
