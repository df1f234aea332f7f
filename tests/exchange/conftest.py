"""The addresses of a migrated database, for the exchange's tests."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from databases import Addresses


@pytest.fixture
def app_dsn(migrated_database: "Addresses") -> str:
    """How the service logs in."""
    return migrated_database.app


@pytest.fixture
def owner_dsn(migrated_database: "Addresses") -> str:
    """How the tables' owner logs in."""
    return migrated_database.owner
