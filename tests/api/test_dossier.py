"""The dossier of an asset over HTTP: proven, whole, for those it is for."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio

from dataexchange.verification.title import verify_title
from dataexchange.verification.title_members import unpack
from dataexchange.verification.title_verdict import TitleVerdict
from exchanges import POLICY_FILE
from problems import assert_problem
from titles import Titled, titled

if TYPE_CHECKING:
    from databases import Addresses
    from dataexchange.database.embedded import EmbeddedPostgres

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def title(
    postgres: "EmbeddedPostgres", tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Titled]:
    """An exchange with a mapped and confirmed title."""
    from databases import migrated_template, new_database

    template = await migrated_template(postgres)
    async with (
        new_database(postgres, template=template) as addresses,
        titled(addresses, tmp_path_factory.mktemp("titled")) as title,
    ):
        await title.confirm_map(await title.commit_map(), title.names["regulator"])
        yield title


async def read(title: Titled, name: str, suffix: str = "", **headers: str) -> httpx.Response:
    path = f"/v1/assets/{title.asset}/dossier{suffix}"
    return await title.door.get(path, title.names.get(name), **headers)


def verified(data: bytes, folder: Path) -> TitleVerdict:
    path = folder / "title"
    path.write_bytes(data)
    return verify_title(path, POLICY_FILE)


@pytest.mark.parametrize(
    "name", ["holder", "lender", "buyer", "insurer", "guarantor", "regulator", "operator"]
)
async def test_the_parties_to_a_title_and_those_who_read_all_get_it(
    title: Titled, name: str, tmp_path: Path
) -> None:
    response = await read(title, name)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    verdict = verified(response.content, tmp_path)
    assert verdict.asset == title.door.world.held_states()[title.asset]


@pytest.mark.parametrize("name", ["nobody", "stranger", "asker"])
async def test_others_are_refused_and_asking_for_a_licence_opens_nothing(
    title: Titled, name: str
) -> None:
    for suffix in ("", ".zip"):
        assert_problem(await read(title, name, suffix), 403, "dossier.not_yours")


async def test_the_zip_and_the_json_hold_the_same_members(title: Titled, tmp_path: Path) -> None:
    answers = {
        "a.json": await read(title, "holder"),
        "b.zip": await read(title, "holder", ".zip"),
        "c.zip": await read(title, "holder", Accept="application/zip"),
    }
    for name, answer in answers.items():
        (tmp_path / name).write_bytes(answer.content)
    members = [unpack(tmp_path / name) for name in answers]
    assert members[0] == members[1] == members[2]
    assert answers["b.zip"].content == answers["c.zip"].content
    by_client = await title.door.client(title.names["holder"]).title(title.asset)
    assert by_client == answers["b.zip"].content
    assert answers["c.zip"].headers["content-type"] == "application/zip"


async def test_what_names_the_asset_can_be_added_and_nothing_else(
    title: Titled, tmp_path: Path
) -> None:
    path = f"?also={title.guarantee}"
    verdict = verified((await read(title, "lender", path)).content, tmp_path)
    assert verdict.also == (title.guarantee,)
    assert title.guarantee in verdict.states
    # A guarantee is not for whom it does not name.
    assert_problem(await read(title, "buyer", path), 404, "aggregate.not_found")
    assert_problem(await read(title, "holder", "?also=nothing"), 404, "aggregate.not_found")
    response = await read(title, "holder", f"?also={title.unrelated}")
    assert_problem(response, 422, "title.unrelated")


async def test_what_is_no_asset_has_no_dossier(title: Titled) -> None:
    for key in (title.pledge, "asset_00000000000000000000000000", "x", "%00", "a" * 400):
        response = await title.door.get(f"/v1/assets/{key}/dossier", title.names["regulator"])
        assert_problem(response, 404, "aggregate.not_found")


async def test_before_a_map_covers_it_there_is_no_dossier(
    migrated_database: "Addresses", tmp_path: Path
) -> None:
    async with titled(migrated_database, tmp_path) as unmapped:
        assert_problem(await read(unmapped, "holder"), 409, "title.not_mapped")
        committed = await unmapped.commit_map()
        verdict = verified((await read(unmapped, "holder")).content, tmp_path)
        assert verdict.covers == committed.index
        assert_problem(await read(unmapped, "holder", "?confirmed=true"), 409, "title.not_mapped")


async def test_a_title_is_as_of_its_map_and_an_older_confirmed_one_can_be_asked_for(
    migrated_database: "Addresses", tmp_path: Path
) -> None:
    async with titled(migrated_database, tmp_path) as title:
        first = await title.commit_map()
        await title.confirm_map(first, title.names["regulator"])
        order = {"asset": title.asset, "order_number": "JG-1", "reason": "核查"}
        title.door.world.do(title.names["regulator"], "asset.frozen@1", **order)
        await title.door.tell()
        verdict = verified((await read(title, "holder")).content, tmp_path)
        assert (verdict.covers, verdict.asset.freezes) == (first.index, ())
        second = await title.commit_map()
        newest = verified((await read(title, "holder")).content, tmp_path)
        assert (newest.covers, newest.asset.freezes) == (second.index, ("JG-1",))
        assert not newest.confirmed
        older = verified((await read(title, "holder", "?confirmed=true")).content, tmp_path)
        assert (older.covers, older.asset.freezes) == (first.index, ())
        assert [one.regulator for one in older.confirmed] == [title.names["regulator"].party]
