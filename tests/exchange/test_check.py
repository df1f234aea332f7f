"""The check of the database: what a superuser changes is found, and where; nothing else is."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import pytest
import pytest_asyncio

import tampering
from bundles import SIGNER, Forger
from databases import migrated_template, new_database, run, turn_off_triggers
from dataexchange.exchange.batch import Receipt
from dataexchange.exchange.check import Checked, check
from dataexchange.exchange.rebuild import rebuild
from dataexchange.ledger.merkle import leaf_hash
from dataexchange.ledger.note import Ed25519Signer
from dataexchange.ledger.policy import Policy
from dataexchange.ledger.suites import ed25519
from dataexchange.verification import UnusableError
from dataexchange.verification.replay import Replay
from steps_story import COSIGNED, group, story, telling
from tampering import Matrix, Tamperer
from world import World

if TYPE_CHECKING:
    from databases import Addresses
    from dataexchange.database.embedded import EmbeddedPostgres

SIZE = 270  # a full tile and a part
BACKUP = 200
STEPS = (1, 120, BACKUP, SIZE)
BELIEVED = Policy.parse(COSIGNED)


NO_REFUSAL = """
create or replace function refuse_change() returns trigger language plpgsql as
'begin return null; end'
"""


class Told(NamedTuple):
    """A world, the names of a database that holds it and of a backup; the last checkpoint."""

    world: World
    server: "EmbeddedPostgres"
    now: str
    backup: str
    checkpoint: bytes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(postgres: "EmbeddedPostgres") -> AsyncIterator[Told]:
    world = story()
    async with new_database(postgres, template=await migrated_template(postgres)) as addresses:
        now = name_of(addresses)
        backup = f"{now}_backup"
        for step in STEPS:
            async with telling(addresses) as teller:
                await teller.tell_until(world, step)
            if step == BACKUP:
                await run(postgres, f"create database {backup} template {now}")
        async with connected(postgres, now) as connection:
            note = await last_checkpoint(connection)
        yield Told(world, postgres, now, backup, note)
        await run(postgres, f"drop database {backup} with (force)")


@asynccontextmanager
async def connected(server: "EmbeddedPostgres", database: str) -> AsyncIterator[Any]:
    """Connect as the superuser."""
    connection = await asyncpg.connect(server.dsn("postgres", database))
    try:
        yield connection
    finally:
        await connection.close()


async def last_checkpoint(connection: Any) -> bytes:
    """Return the last checkpoint as its witnesses cosigned it."""
    note: str = await connection.fetchval("select note from checkpoint where size = $1", SIZE)
    lines = await connection.fetch("select line from cosignature where size = $1", SIZE)
    return (note + "".join(row["line"] for row in lines)).encode()


async def checked(connection: Any, *known: bytes, policy: Policy = BELIEVED) -> Checked:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return await check(connection, policy, known=known)


def told_faults(found: Checked) -> list[str]:
    return [f"{fault.place}: {fault.en}" for fault in found.findings.faults]


async def test_an_untouched_database_gives_no_alarm(told: Told) -> None:
    async with connected(told.server, told.now) as connection:
        found = await checked(connection, told.checkpoint)
    assert told_faults(found) == []
    assert (found.size, found.checkpoint_size) == (SIZE, SIZE)
    assert found.rows["tile"] == 1
    assert found.rows["cosignature"] == 2 * found.rows["checkpoint"]
    assert found.rows["map_node"] > 100
    assert found.findings.notes == []


async def test_every_change_of_every_column_of_every_table_is_found_where_it_was_made(
    told: Told, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every case has nearly the same signatures; what verified once does so again.
    monkeypatch.setattr(ed25519, "crypto_sign_open", cache(ed25519.crypto_sign_open))
    async with connected(told.server, told.now) as connection:
        async with connected(told.server, told.backup) as backup:
            tamperer = Tamperer(connection, BELIEVED, [told.checkpoint], backup)
            matrix = await tamperer.run()
        assert (await checked(connection, told.checkpoint)).is_sound, "a case was not undone"
    with capsys.disabled():
        sys.stdout.write(f"\ntamper matrix: {matrix.summary()}\n")
    assert unseen(matrix) == tampering.unprotected()
    assert [f"{case}\n  {found}" for case, found in matrix.mislocated] == []
    assert set(matrix.cases) == set(tampering.TABLES)


def unseen(matrix: Matrix) -> set[tuple[str, str]]:
    return {(case.table.name, case.column or "*") for case in matrix.undetected}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (
            NO_REFUSAL,
            "function refuse_change()",
        ),
        ("alter table entry disable trigger entry_refuses_update", "entry"),
        ("drop trigger tile_refuses_delete on tile", "tile"),
        ("grant update on checkpoint to dataexchange_app", "checkpoint"),
        ("create view newest as select * from entry limit 1", "newest"),
    ],
)
async def test_a_defence_that_was_weakened_is_found_and_nothing_else(
    told: Told, change: str, place: str
) -> None:
    async with connected(told.server, told.now) as connection, undone(connection):
        await connection.execute(change)
        found = await check(connection, BELIEVED, known=[told.checkpoint])
    assert {str(fault.place) for fault in found.findings.faults} == {place}


async def test_a_tail_cut_off_everywhere_shows_against_a_checkpoint_from_outside(
    told: Told,
) -> None:
    async with copied(told, told.now) as (addresses, connection):
        await cut(connection, addresses.owner, 230)
        async with undone(connection):
            assert told_faults(await check(connection, BELIEVED, guarded=False)) == []
            known = [told.checkpoint]
            found = await check(connection, BELIEVED, known=known, guarded=False)
    (fault,) = told_faults(found)
    assert fault == (
        "entry · index=230…269: the log ends at 230; a known checkpoint has 270 entries:"
        " the tail was dropped"
    )


async def test_a_restored_backup_shows_against_a_checkpoint_from_outside(told: Told) -> None:
    async with connected(told.server, told.backup) as connection:
        alone = await checked(connection)
        assert alone.is_sound
        assert "no known checkpoint" in alone.findings.notes[0][1]
        (fault,) = told_faults(await checked(connection, told.checkpoint))
    assert fault.startswith("entry · index=200…269: the log ends at 200")


async def test_a_backup_that_was_continued_is_another_history(told: Told) -> None:
    async with copied(told, told.backup) as (addresses, connection):
        async with telling(addresses) as teller:
            teller.clock.told = told.world.now
            more = [group(told.world).submission for _ in range(SIZE - BACKUP + 1)]
            outcomes = await teller.sequencer.submit(more)
            assert all(isinstance(one, Receipt) for one in outcomes)
            await teller.publisher.publish()
        assert told_faults(await checked(connection)) == []
        rewritten, missing = told_faults(await checked(connection, told.checkpoint))
    assert rewritten == (
        "entry · index=0…269: the first 270 entries are not those of the known checkpoint:"
        " history was rewritten"
    )
    assert missing == "checkpoint · size=270: the row is missing"


async def test_when_everything_is_gone_a_checkpoint_from_outside_tells(told: Told) -> None:
    async with connected(told.server, told.now) as connection, undone(connection):
        await turn_off_triggers(connection)
        await connection.execute("truncate entry, head, aggregate, tile, checkpoint cascade")
        with pytest.raises(UnusableError):
            await check(connection, BELIEVED)
        found = await check(connection, BELIEVED, known=[told.checkpoint], guarded=False)
    assert told_faults(found)[0] == "head · log=1: the row is missing"
    assert "the tail was dropped" in told_faults(found)[-1]


async def test_all_faults_are_named_not_only_the_first(told: Told) -> None:
    async with connected(told.server, told.now) as connection, undone(connection):
        await turn_off_triggers(connection)
        await connection.execute(
            "update entry set body = set_byte(body, 40, 33) where index in (7, 150);"
            "delete from entry where index in (100, 101, 260);"
            "update aggregate set seq = seq + 1 where kind = 'policy';"
            "update tile set root = hashes where number = 0;"
            "update head set recorded_at = null"
        )
        found = await check(connection, BELIEVED, known=[told.checkpoint], guarded=False)
    places = {str(fault.place) for fault in found.findings.faults}
    assert places == {
        "entry · index=7 · body",
        "entry · index=100",
        "entry · index=101",
        "entry · index=150 · body",
        "entry · index=260",
        "aggregate · key=policy/exchange · seq",
        "tile · level=0, number=0 · root",
        "head · log=1 · recorded_at",
    }
    assert "replayed from entry 7 on" in found.findings.notes[0][1]


async def test_a_head_that_claims_more_than_any_log_can_hold_is_judged_all_the_same(
    told: Told,
) -> None:
    size = 2**50
    async with connected(told.server, told.now) as connection, undone(connection):
        await turn_off_triggers(connection)
        frontier = size.to_bytes(8, "big") + bytes(32)
        await connection.execute("update head set size = $1, frontier = $2", size, frontier)
        await connection.execute("update entry set index = $1 where index = 269", size - 1)
        found = await check(connection, BELIEVED, known=[told.checkpoint], guarded=False)
    places = [str(fault.place) for fault in found.findings.faults]
    assert "entry · index=269" in places
    assert f"entry · index={size - 1} · index" in places


async def test_an_entry_that_breaks_a_rule_is_found_though_all_its_hashes_fit(
    told: Told,
) -> None:
    """The operator itself, with the log's key: only the rules are left to tell."""
    bodies = [one.body for one in told.world.entries[:BACKUP]]
    forged = Forger.of(bodies).change(150, recorded_at=told.world.now).bodies()
    rows = [(index, body, leaf_hash(body)) for index, body in enumerate(forged)]
    async with connected(told.server, told.backup) as connection, undone(connection):
        await turn_off_triggers(connection)
        change = "update entry set body = $2, leaf = $3 where index = $1"
        await connection.executemany(change, rows)
        found = await check(connection, BELIEVED, guarded=False)
    first = told_faults(found)[0]
    assert first.startswith("entry · index=151 · body"), first  # time ran backwards there


async def test_a_checkpoint_signed_by_another_key_is_not_believed(told: Told) -> None:
    stranger = Ed25519Signer(SIGNER.name, b"\x09" * 32)
    policy = Policy.parse(COSIGNED.replace(SIGNER.vkey.encode(), stranger.vkey.encode()))
    async with connected(told.server, told.now) as connection:
        with pytest.raises(UnusableError):
            await checked(connection, told.checkpoint, policy=policy)
        found = await checked(connection, policy=policy)
    assert [str(fault.place) for fault in found.findings.faults] == ["checkpoint · size=270 · note"]


@asynccontextmanager
async def copied(told: Told, name: str) -> "AsyncIterator[tuple[Addresses, Any]]":
    """Give the addresses of a copy of a database, and a superuser's connection to it."""
    async with (
        new_database(told.server, template=name) as addresses,
        connected(told.server, name_of(addresses)) as connection,
    ):
        yield addresses, connection


def name_of(addresses: "Addresses") -> str:
    """Return the name of a database."""
    return addresses.app.split("?")[0].rsplit("/", 1)[1]


@asynccontextmanager
async def undone(connection: Any) -> AsyncIterator[None]:
    """Take back whatever is done meanwhile."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


async def cut(connection: Any, owner: str, size: int) -> None:
    """Make the log end at `size`, as somebody would who knows how everything hangs together."""
    await turn_off_triggers(connection)
    await connection.execute(f"delete from entry where index >= {size}")
    for table in ("published", "cosignature", "checkpoint"):
        await connection.execute(f"delete from {table} where size > {size}")
    await connection.execute(f"delete from tile where (number + 1) * 256 > {size}")
    rows = await connection.fetch("select body from entry order by index")
    replay = Replay(SIGNER.name)
    replay.extend(row["body"] for row in rows)
    await connection.execute(
        "update head set size = $1, last = $2, frontier = $3, recorded_at = $4",
        size,
        bytes.fromhex(replay.tail.prev),
        replay.frontier.to_bytes(),
        replay.tail.recorded_at,
    )
    await rebuild(owner, write=True)
