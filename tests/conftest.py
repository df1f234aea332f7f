"""Fixtures for every room. Server packages are imported inside, so pure tests need none."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mutations import Judged

    from databases import Addresses
    from dataexchange.database.embedded import EmbeddedPostgres
    from demonstrated import Demonstrated


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[EmbeddedPostgres]":
    """A real PostgreSQL of this run's own, started by the first test that asks for it."""
    from dataexchange.database.embedded import EmbeddedPostgres

    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def demo_output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of one run of the demonstration, which the whole test run shares."""
    from dataexchange.demo import run

    out = tmp_path_factory.mktemp("demo")
    run(None, out)
    return out


@pytest.fixture(scope="session")
def honest(demo_output: Path) -> "Demonstrated":
    """The demonstration's bundle, with the key of its log."""
    from demonstrated import Demonstrated

    return Demonstrated.of(demo_output)


@pytest.fixture(scope="session")
def judged_mutants(
    honest: "Demonstrated", tmp_path_factory: pytest.TempPathFactory
) -> "list[Judged]":
    """Hundreds of mutants of that bundle, and what our verifier says of each."""
    from mutations import judge

    return judge(honest, tmp_path_factory.mktemp("mutants"), seed=20_261_124)


@pytest.fixture
async def fresh_database(postgres: "EmbeddedPostgres") -> "AsyncIterator[Addresses]":
    """The addresses (owner, app) of a new and empty database."""
    from databases import new_database

    async with new_database(postgres, template="template1") as addresses:
        yield addresses


@pytest.fixture
async def migrated_database(postgres: "EmbeddedPostgres") -> "AsyncIterator[Addresses]":
    """The addresses (owner, app) of a new database with today's schema and no entry."""
    from databases import migrated_template, new_database

    template = await migrated_template(postgres)
    async with new_database(postgres, template=template) as addresses:
        yield addresses
