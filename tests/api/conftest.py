"""Doors for the tests of the API: one that was told a whole story, and new ones for writing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from exchanges import Door, opened_door, small_world, told_world

if TYPE_CHECKING:
    from databases import Addresses
    from dataexchange.database.embedded import EmbeddedPostgres


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def told(
    postgres: "EmbeddedPostgres", tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Door]:
    """An exchange with a settled licence and a pledge in it, for tests that only read."""
    from databases import migrated_template, new_database

    world, names = told_world()
    template = await migrated_template(postgres)
    async with (
        new_database(postgres, template=template) as addresses,
        opened_door(addresses, tmp_path_factory.mktemp("told"), world) as door,
    ):
        door.names = names
        await door.tell()
        yield door


@pytest.fixture
async def door(migrated_database: "Addresses", tmp_path: Path) -> AsyncIterator[Door]:
    """A new exchange, its log opened."""
    async with opened_door(migrated_database, tmp_path, small_world()) as opened:
        await opened.tell()
        yield opened
