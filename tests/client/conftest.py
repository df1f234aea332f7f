"""A running service, and clients of its parties."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from databases import Addresses
    from dataexchange.client.exchange_client import ExchangeClient
    from served import Served


@pytest.fixture
def served(migrated_database: "Addresses", tmp_path: Path) -> "Iterator[Served]":
    """A running service with an empty log."""
    from served import serving

    with serving(migrated_database, tmp_path) as service:
        yield service


@pytest.fixture
async def operator(served: "Served") -> "AsyncIterator[ExchangeClient]":
    """The operator's client; the log is open."""
    from dataexchange.client.exchange_client import ExchangeClient

    async with httpx.AsyncClient(base_url=served.url) as http:
        client = ExchangeClient(http, served.world.operator)
        opening = served.opening
        accepted = await client.submit("log.opened@1", opening)
        assert accepted.index == 0
        yield client
