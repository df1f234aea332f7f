"""Erasure at the door: what opens a field is destroyed for good, and every proof still verifies."""

import hashlib
import logging
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.client import sealing
from dataexchange.client.exchange_client import signed
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.database import openings
from dataexchange.exchange.rebuild import rebuild
from dataexchange.rules import Role
from exchanges import POLICY, Door
from problems import assert_problem
from steps_pipeline import assess, registered_resource, staff
from world import ORIGIN

if TYPE_CHECKING:
    from dataexchange.database.embedded import EmbeddedPostgres

SECRET = "to be forgotten"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Story:
    """A sealed report about an asset, told at a door; `request` is the one that was accepted."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.resource = registered_resource(door.world)
        self.sealer = door.world.join(Role.BUYER)
        self.other = door.world.join(Role.BUYER, Role.PROVIDER)
        assess(door.world, self.resource.asset)

    async def tell(self) -> "Story":
        await self.door.tell()
        payload = {
            "correction": new_id("correction"),
            "asset": self.resource.asset,
            "version": 1,
            "description": "speeds are too high",
        }
        openings = sealing.seal({"details": SECRET, "contact": "kept"})
        stated = self.sealer.state(
            "data.error_reported@1",
            payload,
            at=self.door.world.now,
            sealed=sealing.commitments(openings),
        )
        self.request = signed(self.sealer, stated, openings).body
        answer = await self.door.http.post("/v1/events", content=self.request)
        assert answer.status_code == 201, answer.text
        self.index = answer.json()["index"]
        self.path = f"/v1/entries/{self.index}/openings"
        return self

    def order(self, **changes: Any) -> dict[str, Any]:
        """Return the payload of the erasure."""
        return {
            "index": self.index,
            "sealed_by": self.sealer.party,
            "field": "details",
            "ground": "purpose_ended",
            **changes,
        }

    async def erase(self, actor: Actor, **changes: Any) -> Any:
        return await self.door.submit(actor, "opening.erased@1", self.order(**changes))

    async def read(self, reader: Actor | None = None) -> Any:
        return await self.door.get(f"{self.path}/details", reader or self.sealer)

    async def rows(self) -> list[Any]:
        query = "select * from sealed_opening order by field"
        return await ask(self.door.exchange.dsn, query)

    def keys(self) -> set[str]:
        folder = self.door.app.state.settings.opening_keys_path
        return {path.name for path in folder.glob("*/*") if path.is_file()}


async def ask(dsn: str, query: str, *arguments: object) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(query, *arguments))
    finally:
        await connection.close()


@pytest.fixture
async def story(door: Door) -> Story:
    return await Story(door).tell()


async def test_what_was_erased_is_gone_from_database_and_keys(story: Story) -> None:
    contact, details = await story.rows()
    assert story.keys() == {contact["key_id"], details["key_id"]}
    answer = await story.erase(story.sealer)
    assert answer.status_code == 201, answer.text
    said = assert_problem(await story.read(), 410, "opening.erased")
    assert str(answer.json()["index"]) in said["en"]
    assert story.keys() == {contact["key_id"]}
    kept, erased = await story.rows()
    assert kept == contact
    assert (erased["key_id"], erased["box"]) == (None, None)
    assert erased["erased_by"] == answer.json()["index"]
    page = (await story.door.get(story.path, story.door.world.regulator)).json()["fields"]
    states = {one["field"]: (one["status"], one["value"]) for one in page}
    assert states == {"details": ("erased", None), "contact": ("open", "kept")}


async def test_every_proof_still_verifies_after_an_erasure(story: Story) -> None:
    door = story.door
    before = (await door.get(f"/v1/entries/{story.index}", story.sealer)).content
    erased = (await story.erase(story.sealer)).json()["index"]
    await door.exchange.publisher.publish()
    client = door.client(door.world.regulator)
    proven = await client.proven(story.index, POLICY, ORIGIN)
    assert (await door.get(f"/v1/entries/{story.index}", story.sealer)).content == before
    assert proven.index == story.index
    assert (await client.proven(erased, POLICY, ORIGIN)).index == erased
    rebuilt = await rebuild(door.exchange.dsn)
    assert (rebuilt.entries, rebuilt.differing) == (erased + 1, ())


async def test_no_file_of_the_database_or_the_exchange_holds_what_was_sealed(
    story: Story, postgres: "EmbeddedPostgres"
) -> None:
    """The box may outlive its erasure in pages, WAL and backups: so its key must not be there."""
    door = story.door
    salt = bytes.fromhex((await story.read()).json()["salt"])
    (_, details) = await story.rows()
    key = door.exchange.vault.keys.read(details["key_id"])
    wrapped = next(
        path.read_bytes()
        for path in door.app.state.settings.opening_keys_path.glob("*/*")
        if path.name == details["key_id"]
    )
    assert (await story.erase(story.sealer)).status_code == 201
    await ask(postgres.dsn("postgres", "postgres"), "checkpoint")
    folders = (postgres.folder, door.app.state.settings.data_folder)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    found = dict.fromkeys(("box", "value", "salt", "key", "wrapped"), 0)
    hidden = dict(zip(found, (details["box"], SECRET.encode(), salt, key, wrapped), strict=True))
    for path in files:
        data = path.read_bytes()
        for name, needle in hidden.items():
            found[name] += needle in data
    assert found.pop("box") > 0  # else this scan would find nothing anywhere
    assert set(found.values()) == {0}, found


async def test_an_erased_opening_does_not_come_back_by_a_retry(story: Story) -> None:
    await story.erase(story.sealer)
    keys = story.keys()
    again = await story.door.http.post("/v1/events", content=story.request)
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    assert_problem(await story.read(), 410, "opening.erased")
    assert story.keys() == keys


async def test_a_restored_backup_of_the_database_opens_nothing_that_was_erased(
    story: Story,
) -> None:
    """The row comes back as it was; its key lies outside of the database, and is destroyed."""
    (_, details) = await story.rows()
    await story.erase(story.sealer)
    restore = (
        "update sealed_opening set key_id = $1, box = $2, erased_by = null where field = 'details'"
    )
    owner = story.door.app.state.settings.owner_database_url
    await ask(owner, restore, details["key_id"], details["box"])
    assert_problem(await story.read(), 410, "opening.erased")  # the log says so
    (kept,) = await ask(owner, "select * from aggregate where kind = 'erasure'")
    await ask(owner, "delete from aggregate where kind = 'erasure'")
    answer = await story.read()
    assert_problem(answer, 404, "opening.unreadable")
    assert SECRET not in answer.text
    fields = (await story.door.get(story.path, story.sealer)).json()["fields"]
    assert {one["field"]: one["status"] for one in fields} == {
        "contact": "open",
        "details": "unreadable",
    }
    columns = ", ".join(f"${n}" for n in range(1, len(kept) + 1))
    await ask(owner, f"insert into aggregate values ({columns})", *kept.values())
    await story.door.exchange.reception.eraser.erase()  # as every start does
    assert (await story.rows())[1]["box"] is None
    assert_problem(await story.read(), 410, "opening.erased")


async def test_an_erasure_that_fails_is_told_and_done_again(
    story: Story, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from dataexchange.exchange.opening_keys import OpeningKeys

    def fail(self: OpeningKeys, key_id: str) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(OpeningKeys, "destroy", fail)
        assert (await story.erase(story.sealer)).status_code == 201
        assert "was not carried out" in caplog.text
    # It is not shown from the moment that the log orders it, and its key goes a little later.
    assert_problem(await story.read(), 410, "opening.erased")
    assert len(story.keys()) == 2
    await story.door.exchange.reception.eraser.erase()
    assert len(story.keys()) == 1
    assert_problem(await story.read(), 410, "opening.erased")


async def test_the_id_of_a_key_leads_to_no_other_file(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    """The database's superuser could write any id; the exchange overwrites what it destroys."""
    settings = story.door.app.state.settings
    victim = settings.data_folder / "log.key"
    before = victim.read_bytes()
    for key_id in ("../../log.key", str(victim), ""):
        tampered = "update sealed_opening set key_id = $1 where field = 'details'"
        await ask(settings.owner_database_url, tampered, key_id)
        assert_problem(await story.read(), 404, "opening.unreadable")
    with caplog.at_level(logging.CRITICAL):
        await story.erase(story.sealer)
        assert (await story.erase(story.sealer, field="contact")).status_code == 201
    assert victim.read_bytes() == before
    assert (await story.rows())[0]["box"] is None  # one that cannot be erased stops no other


async def test_only_the_sealer_or_a_regulator_erases(story: Story) -> None:
    regulator, holder = story.door.world.regulator, story.resource.provider
    for actor in (story.other, holder, story.door.world.operator, regulator):
        assert_problem(await story.erase(actor), 403, "party.not_concerned")
    ordered = {"ground": "ordered", "order_number": "2026-7"}
    assert_problem(await story.erase(story.other, **ordered), 403, "erasure.order_unfit")
    assert (await story.read()).json()["value"] == SECRET
    # Naming oneself as the sealer of another's entry erases nothing.
    named = await story.erase(story.other, sealed_by=story.other.party)
    assert named.status_code == 201
    assert (await story.read()).json()["value"] == SECRET
    assert (await story.erase(regulator, **ordered)).status_code == 201
    assert_problem(await story.read(), 410, "opening.erased")


async def test_an_erasure_of_what_was_never_sealed_leaves_no_trace(story: Story) -> None:
    before = await story.rows()
    assert (await story.erase(story.sealer, field="terms")).status_code == 201
    assert (await story.erase(story.sealer, index=10**9)).status_code == 201
    assert await story.rows() == before
    async with AsyncSession(story.door.exchange.engine) as session:
        assert await openings.pending(session) == []


async def test_what_its_signer_keeps_is_not_taken_in_after_its_erasure(story: Story) -> None:
    door, opening = story.door, sealing.seal({"details": SECRET})
    payload = {
        "correction": new_id("correction"),
        "asset": story.resource.asset,
        "version": 1,
        "description": "speeds are too high",
    }
    committed = sealing.commitments(opening)
    now = door.world.now
    stated = story.sealer.state("data.error_reported@1", payload, at=now, sealed=committed)
    kept = signed(story.sealer, stated, keeps=committed)
    index = (await door.http.post("/v1/events", content=kept.body)).json()["index"]
    assert (await story.erase(story.sealer, index=index)).status_code == 201
    later = signed(story.sealer, stated, opening)
    assert (await door.http.post("/v1/events", content=later.body)).status_code == 200
    path = f"/v1/entries/{index}/openings/details"
    assert_problem(await door.get(path, story.sealer), 410, "opening.erased")
    assert len(story.keys()) == 2


async def test_the_app_changes_no_opening_but_by_an_entry_that_orders_it(story: Story) -> None:
    connection = await asyncpg.connect(
        story.door.exchange.dsn, server_settings={"role": "dataexchange_app"}
    )
    try:
        for statement in (
            "update sealed_opening set box = null, key_id = null, erased_by = 1",
            "delete from sealed_opening",
            "truncate sealed_opening",
            "insert into content_erasure values (1, sha256(''), true)",
            "delete from content_upload",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        for function in ("erase_opening", "erase_content"):
            for index in (story.index, 10**6):
                with pytest.raises(asyncpg.RaiseError, match="erases no"):
                    await connection.execute(f"select {function}({index})")
    finally:
        await connection.close()
    assert (await story.read()).json()["value"] == SECRET


async def test_a_table_of_the_apps_own_orders_no_erasure(story: Story) -> None:
    """A temporary table is found before all others, unless a function says otherwise."""
    owner = story.door.app.state.settings.owner_database_url
    (named,) = await ask(owner, "select current_database() as name")
    await ask(owner, f"grant temporary on database {named['name']} to dataexchange_app")
    connection = await asyncpg.connect(
        story.door.exchange.dsn, server_settings={"role": "dataexchange_app"}
    )
    order = orjson.dumps({"statement": {"event": "opening.erased@1", "payload": story.order()}})
    try:
        await connection.execute("create temporary table entry as select * from public.entry")
        await connection.execute("update entry set body = $1 where index = 1", order)
        with pytest.raises(asyncpg.RaiseError, match="erases no"):
            await connection.execute("select erase_opening(1)")
    finally:
        await connection.close()
    assert (await story.read()).json()["value"] == SECRET


async def put(door: Door, actor: Actor, data: bytes) -> Any:
    headers = door.bearer(actor)
    return await door.http.put(f"/v1/content/{sha256(data)}", content=data, headers=headers)


async def erase_content(door: Door, actor: Actor, data: bytes, **changes: Any) -> Any:
    payload = {"content": sha256(data), "ground": "purpose_ended", **changes}
    return await door.submit(actor, "content.erased@1", payload)


async def test_content_goes_when_all_who_put_it_in_erase_it(story: Story) -> None:
    door, data = story.door, b"personal"
    path, regulator = f"/v1/content/{sha256(data)}", door.world.regulator
    for actor in (story.sealer, story.other):
        assert (await put(door, actor, data)).status_code == 201
    assert (await erase_content(door, door.world.operator, data)).status_code == 201
    assert (await door.get(path, regulator)).content == data
    assert (await erase_content(door, story.sealer, data)).status_code == 201
    assert (await door.get(path, regulator)).content == data
    assert (await erase_content(door, story.other, data)).status_code == 201
    assert_problem(await door.get(path, regulator), 410, "content.erased")
    assert sha256(data) not in door.exchange.content
    # It was theirs to erase, and is anybody's to put in again.
    assert (await put(door, story.other, data)).status_code == 201
    assert (await door.get(path, regulator)).content == data
    assert (await erase_content(door, story.other, data)).status_code == 201
    assert_problem(await door.get(path, regulator), 410, "content.erased")


async def test_a_regulators_order_erases_content_for_all_and_for_good(story: Story) -> None:
    door, data = story.door, b"unlawful"
    path, regulator = f"/v1/content/{sha256(data)}", door.world.regulator
    await put(door, story.sealer, data)
    ordered = {"ground": "ordered", "order_number": "2026-8"}
    refusal = await erase_content(door, story.other, data, **ordered)
    assert_problem(refusal, 403, "erasure.order_unfit")
    assert (await erase_content(door, regulator, data, **ordered)).status_code == 201
    assert_problem(await door.get(path, regulator), 410, "content.erased")
    assert_problem(await put(door, story.sealer, data), 410, "content.erased")


async def test_erased_content_is_told_to_its_parties_and_hidden_from_others(story: Story) -> None:
    door, asset = story.door, story.resource.asset
    report = f"report {asset} 1".encode()
    path = f"/v1/content/{sha256(report)}/of/version/{asset}/1"
    assessor, holder = staff(door.world, Role.DATA_SERVICE), story.resource.provider
    await put(door, assessor, report)
    assert (await door.get(path, holder)).content == report
    assert (await erase_content(door, assessor, report)).status_code == 201
    assert_problem(await door.get(path, holder), 410, "content.erased")
    assert_problem(await door.get(path, story.other), 404, "content.not_found")
