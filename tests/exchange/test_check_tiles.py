"""The check of a log so long that it has a tile of level 1: 65,536 entries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest_asyncio

from databases import migrated_template, new_database
from dataexchange.exchange.batch import Receipt
from dataexchange.exchange.check import Checked, Findings, check
from dataexchange.exchange.check.check import find_repeated
from dataexchange.exchange.check.tiles import TilesPass
from dataexchange.ledger.policy import Policy
from exchanges import POLICY_FILE
from steps_story import group, telling
from tampering import Tamperer, tables
from world import World

if TYPE_CHECKING:
    from databases import Addresses
    from dataexchange.database.embedded import EmbeddedPostgres

SIZE = 256**2 + 1
AT_ONCE = 1_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def superuser_dsn(postgres: "EmbeddedPostgres") -> AsyncIterator[str]:
    async with new_database(postgres, template=await migrated_template(postgres)) as addresses:
        await tell(addresses)
        yield postgres.dsn("postgres", addresses.app.split("?")[0].rsplit("/", 1)[1])


async def tell(addresses: "Addresses") -> None:
    """Fill a database with a log of `SIZE` entries, and publish it."""
    world = World()
    while len(world.entries) < SIZE:
        group(world)
    async with telling(addresses) as teller:
        for at in range(0, SIZE, AT_ONCE):
            part = world.entries[at : at + AT_ONCE]
            teller.clock.told = part[-1].recorded_at
            outcomes = await teller.sequencer.submit([one.submission for one in part])
            assert [one for one in outcomes if not isinstance(one, Receipt)] == []
        await teller.publisher.publish()


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


class TilesTamperer(Tamperer):
    """Asks only what the check asks of tiles: all else would take ten seconds for each case."""

    leaves: list[bytes]

    async def check(self) -> Checked:
        """Judge the tiles by the leaves, as the check does once it knows them."""
        findings = Findings()
        await find_repeated(self.connection, findings)
        tiles = TilesPass(self.connection, SIZE, findings)
        await tiles.take(self.leaves)
        await tiles.finish()
        return Checked("", SIZE, SIZE, {}, findings)


async def test_every_change_of_a_tile_of_level_1_is_found_where_it_was_made(
    superuser_dsn: str,
) -> None:
    async with connected(superuser_dsn) as connection, connected(superuser_dsn) as same:
        leaves = await connection.fetch("select leaf from entry order by index")
        tamperer = TilesTamperer(connection, Policy.parse(POLICY_FILE), [], same)
        tamperer.leaves = [row["leaf"] for row in leaves]
        (tile,) = (one for one in await tables(connection) if one.name == "tile")
        assert (await tamperer.check()).is_sound
        for case in await tamperer.cases(tile):
            if "level = '1'" in case.statements[-1]:
                await tamperer.attempt(case)
        assert (await tamperer.check()).is_sound, "a case was not undone"
    found = tamperer.matrix
    assert found.cases["tile"] > 25
    assert [str(case) for case in found.undetected] == []
    assert [f"{case}\n  {faults}" for case, faults in found.mislocated] == []


async def test_the_check_of_the_whole_log_names_what_is_wrong_at_level_1_and_no_more(
    superuser_dsn: str,
) -> None:
    async with connected(superuser_dsn) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "alter table tile disable trigger all;"
            "update tile set root = set_byte(root, 0, get_byte(root, 0) # 1),"
            "                hashes = set_byte(hashes, 6400, get_byte(hashes, 6400) # 1)"
            " where level = 1"
        )
        found = await check(connection, Policy.parse(POLICY_FILE), guarded=False)
        await transaction.rollback()
    hashes, root = found.findings.faults
    assert (str(hashes.place), hashes.place.entry) == ("tile · level=1, number=0 · hashes", 51_200)
    assert str(root.place) == "tile · level=1, number=0 · root"
