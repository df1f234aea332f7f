"""The exchange and its witnesses, on a real database and over real HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from bundles import SIGNER
from databases import turn_off_triggers
from dataexchange.client.typeid import new_id
from dataexchange.database.cosignature_store import keep
from dataexchange.database.tables import CosignatureRow
from dataexchange.errors import IntegrityError
from dataexchange.exchange.write_guard import LOG_FORKED
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.cosignature import cosign
from dataexchange.ledger.note import Ed25519Signer, Note
from dataexchange.ledger.policy import Policy, PolicyError
from dataexchange.ledger.proof import verify_entry
from dataexchange.witness import AddCheckpoint
from exchanges import POLICY, Door, opened_door, small_world
from problems import assert_problem
from witness_server import ServedWitness, policy_of
from world import ORIGIN, World

if TYPE_CHECKING:
    from databases import Addresses
    from dataexchange.database.embedded import EmbeddedPostgres

PATIENCE_SECONDS = 30


@pytest.fixture
def witnesses(tmp_path: Path) -> list[ServedWitness]:
    """Three witnesses that know the log; none is up yet."""
    return [
        ServedWitness(tmp_path, f"w{number}", [SIGNER.vkey], bytes([0x30 + number]) * 32)
        for number in range(3)
    ]


@asynccontextmanager
async def exchange(
    addresses: "Addresses", folder: Path, policy: str, world: World | None = None
) -> AsyncIterator[Door]:
    """Run an exchange that asks the witnesses of `policy`."""
    file = policy_file(folder, policy)
    async with opened_door(addresses, folder, world or small_world(), policy_file=file) as door:
        yield door


def policy_file(folder: Path, policy: str) -> Path:
    """Return a file that holds `policy`."""
    folder.mkdir(exist_ok=True)
    (folder / "policy").write_text(policy)
    return folder / "policy"


async def write(door: Door, count: int = 1) -> int:
    """Append `count` entries; return the index of the last."""
    operator = door.world.operator
    for _ in range(count):
        payload = {"party": door.world.regulator.party, "group": new_id("group"), "evidence": "x"}
        answer = await door.submit(operator, "party.grouped@1", payload)
        assert answer.status_code == 201, answer.text
        last = int(answer.json()["index"])
    await door.exchange.publisher.publish()
    return last


async def until(true: Callable[[], Awaitable[Any]]) -> Any:
    """Return what `true` returns once that is true."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if found := await true():
            return found
        await asyncio.sleep(0.1)
    raise TimeoutError


async def size_at(door: Door) -> int:
    """Return the size of the published checkpoint; −1 where there is none."""
    answer = await door.get("/checkpoint")
    return int(answer.text.split("\n")[1]) if answer.status_code == 200 else -1


async def until_published(door: Door, size: int) -> bytes:
    """Return the published checkpoint once it covers `size` entries."""

    async def covered() -> bool:
        return await size_at(door) >= size

    await until(covered)
    return (await door.get("/checkpoint")).content


async def health(door: Door) -> dict[str, Any]:
    """Return what the service says of its witnesses."""
    found: dict[str, Any] = (await door.get("/health/witnesses")).json()
    return found


async def test_the_published_checkpoint_and_proofs_meet_the_quorum(
    migrated_database: "Addresses", tmp_path: Path, witnesses: list[ServedWitness]
) -> None:
    text = policy_of(SIGNER.vkey, witnesses, 3)
    policy = Policy.parse(text.encode())
    with witnesses[0].up(), witnesses[1].up(), witnesses[2].up():
        async with exchange(migrated_database, tmp_path / "x", text) as door:
            await door.tell()
            index = await write(door, 5)
            verified = policy.verify(await until_published(door, index + 1), origin=ORIGIN)
            assert set(verified.cosigned_at_seconds) == {"w0", "w1", "w2"}
            assert all(abs(at - time.time()) < 60 for at in verified.cosigned_at_seconds.values())
            body = (await door.get(f"/v1/entries/{index}", door.world.operator)).content
            proof = (await door.get(f"/v1/entries/{index}/proof")).content
            assert verify_entry(body, proof, policy, origin=ORIGIN).index == index
        # A restart forgets none of it, even while no witness is there.
    async with exchange(migrated_database, tmp_path / "x", text, door.world) as door:
        again = policy.verify((await door.get("/checkpoint")).content)
        assert again.checkpoint == verified.checkpoint


async def test_dead_witnesses_delay_neither_appends_nor_what_needs_no_quorum(
    migrated_database: "Addresses", tmp_path: Path, witnesses: list[ServedWitness]
) -> None:
    text = policy_of(SIGNER.vkey, witnesses, 1)
    async with exchange(migrated_database, tmp_path / "x", text) as door:
        await door.tell()
        began = time.monotonic()
        index = await write(door, 20)
        assert time.monotonic() - began < 5
        assert_problem(await door.get("/checkpoint"), 503, "checkpoint.not_yet")
        assert_problem(await door.get(f"/v1/entries/{index}/proof"), 503, "checkpoint.not_yet")
        signed = await door.get(f"/v1/entries/{index}/proof?signed=true")
        body = (await door.get(f"/v1/entries/{index}", door.world.operator)).content
        verify_entry(body, signed.content, POLICY, origin=ORIGIN)
        told = await health(door)
        assert told["uncosigned"] == index + 1
        assert all(one["trouble"] for one in told["witnesses"])
        with witnesses[2].up():
            await until_published(door, index + 1)
            assert (await health(door))["uncosigned"] == 0


async def test_without_a_quorum_the_newest_is_published_at_once(
    migrated_database: "Addresses", tmp_path: Path, witnesses: list[ServedWitness]
) -> None:
    text = policy_of(SIGNER.vkey, witnesses[:1], 0)
    async with exchange(migrated_database, tmp_path / "x", text) as door:
        await door.tell()
        index = await write(door)
        assert await size_at(door) == index + 1
        with witnesses[0].up():

            async def cosigned() -> bool:
                note = Note.parse((await door.get("/checkpoint")).content)
                return len(note.signatures) == 2

            await until(cosigned)


async def test_sixteen_witnesses_and_more_fit_under_one_checkpoint(
    migrated_database: "Addresses", tmp_path: Path
) -> None:
    many = [
        ServedWitness(tmp_path, f"w{number}", [SIGNER.vkey], bytes([0x40 + number]) * 32)
        for number in range(20)
    ]
    text = policy_of(SIGNER.vkey, many, 0)
    async with exchange(migrated_database, tmp_path / "x", text) as door:
        await door.tell()
        size = await write(door) + 1
        signed = Checkpoint.parse(Note.parse((await door.get("/checkpoint")).content).text)
        async with AsyncSession(door.exchange.engine) as session, session.begin():
            for one in many:
                line = cosign(signed, one.signer, 1_800_000_000).line()
                row = {"size": size, "witness": one.signer.vkey, "line": line}
                await keep(session, CosignatureRow(**row, received_at=door.world.now))
        strict = policy_of(SIGNER.vkey, many, 20).encode()
        verified = Policy.parse(strict).verify((await door.get("/checkpoint")).content)
        assert len(verified.cosigned_at_seconds) == 20


async def test_a_slow_witness_and_fast_ones_meet_on_one_checkpoint(
    migrated_database: "Addresses", tmp_path: Path, witnesses: list[ServedWitness]
) -> None:
    text = policy_of(SIGNER.vkey, witnesses, 3)
    witnesses[1].signer.pause_seconds = 1.0
    with witnesses[0].up(), witnesses[1].up(), witnesses[2].up():
        async with exchange(migrated_database, tmp_path / "x", text) as door:
            await door.tell()
            sizes = set()
            for _ in range(30):  # the log grows all the while
                await write(door)
                sizes.add(await size_at(door))
                await asyncio.sleep(0.1)
            assert len(sizes - {-1}) > 1


async def test_a_witness_fed_by_somebody_else_is_followed(
    migrated_database: "Addresses", tmp_path: Path, witnesses: list[ServedWitness]
) -> None:
    """The first 409: the witness is ahead of what we thought, within our log."""
    text = policy_of(SIGNER.vkey, witnesses[:1], 1)
    async with exchange(migrated_database, tmp_path / "x", text) as door:
        await door.tell()
        index = await write(door, 3)
        note = (await door.get("/v1/log")).json()["checkpoint"].encode()
        with witnesses[0].up() as witness:
            witness.add_checkpoint(AddCheckpoint(0, (), note).encode())
            await until_published(door, index + 1)
            assert await write(door) == index + 1
            await until_published(door, index + 2)


async def test_a_restored_backup_refuses_to_write_and_still_reads(
    postgres: "EmbeddedPostgres",
    migrated_database: "Addresses",
    tmp_path: Path,
    witnesses: list[ServedWitness],
) -> None:
    from databases import new_database

    text = policy_of(SIGNER.vkey, witnesses[:1], 1)
    world = small_world()
    with witnesses[0].up():
        async with exchange(migrated_database, tmp_path / "x", text, world) as door:
            await door.tell()
            backed_up = await write(door, 3)
            await until_published(door, backed_up + 1)
        name = urlsplit(migrated_database.app).path.lstrip("/")
        async with new_database(postgres, template=name) as backup:
            async with exchange(migrated_database, tmp_path / "x", text, world) as door:
                last = await write(door, 4)
                await until_published(door, last + 1)
            async with exchange(backup, tmp_path / "x", text, world) as door:
                told = assert_problem(
                    await door.submit(world.operator, "party.grouped@1", group(world)),
                    503,
                    "exchange.log_behind",
                )
                assert f"{backed_up + 1} 条" in told["zh"]
                assert str(last + 1) in told["remedy"]["en"]
                assert (await door.get(f"/v1/entries/{backed_up}/proof")).status_code == 200
                ready = await door.get("/health/ready")
                assert ready.status_code == 200
                assert ready.json()["status"] == "read-only"
                assert ready.json()["problem"]["code"] == "exchange.log_behind"
                assert (await door.get("/v1/log")).json()["size"] == backed_up + 1
        # The database that is whole serves on.
        async with exchange(migrated_database, tmp_path / "x", text, world) as door:
            await write(door)


async def test_a_backup_that_went_on_writing_is_told_as_a_fork(
    postgres: "EmbeddedPostgres",
    migrated_database: "Addresses",
    tmp_path: Path,
    witnesses: list[ServedWitness],
    *,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The witness was away when the backup was started; once back, it stops the other history."""
    from databases import new_database

    text = policy_of(SIGNER.vkey, witnesses[:1], 1)
    world = small_world()
    async with exchange(migrated_database, tmp_path / "x", text, world) as door:
        await door.tell()
    name = urlsplit(migrated_database.app).path.lstrip("/")
    async with new_database(postgres, template=name) as backup:
        with witnesses[0].up():
            async with exchange(migrated_database, tmp_path / "x", text, world) as door:
                await until_published(door, await write(door, 2) + 1)
        async with exchange(backup, tmp_path / "x", text, world) as door:
            await write(door, 5)
            with witnesses[0].up():

                async def refused() -> bool:
                    answer = await door.submit(world.operator, "party.grouped@1", group(world))
                    return answer.status_code == 503

                await until(refused)
                answer = await door.submit(world.operator, "party.grouped@1", group(world))
                told = assert_problem(answer, 503, "exchange.log_forked")
                assert "w0" in told["en"]

                async def evidence() -> bool:
                    return "witness w0 shows b'" in caplog.text

                await until(evidence)


async def test_rows_dropped_by_a_superuser_are_noticed_at_the_start(
    postgres: "EmbeddedPostgres",
    migrated_database: "Addresses",
    tmp_path: Path,
    witnesses: list[ServedWitness],
) -> None:
    """Somebody sets entries, head, checkpoints and cosignatures back, all of them in step."""
    import asyncpg

    from dataexchange.database.embedded import SUPERUSER

    text = policy_of(SIGNER.vkey, witnesses[:1], 1)
    world = small_world()
    name = urlsplit(migrated_database.app).path.lstrip("/")
    connection = await asyncpg.connect(postgres.dsn(SUPERUSER, name))
    try:
        with witnesses[0].up():
            async with exchange(migrated_database, tmp_path / "x", text, world) as door:
                await door.tell()
                kept = await write(door, 2) + 1
                head = await connection.fetchrow("select * from head")
                await until_published(door, await write(door, 3) + 1)
            await turn_off_triggers(connection)
            for table in ("published", "cosignature", "checkpoint"):
                await connection.execute(f"delete from {table} where size > $1", kept)
            await connection.execute("delete from entry where index >= $1", kept)
            await connection.execute(
                "update head set size = $1, last = $2, frontier = $3, recorded_at = $4",
                *(head[column] for column in ("size", "last", "frontier", "recorded_at")),
            )
            async with exchange(migrated_database, tmp_path / "x", text, world) as door:
                answer = await door.submit(world.operator, "party.grouped@1", group(world))
                assert_problem(answer, 503, "exchange.log_behind")
    finally:
        await connection.close()


async def test_a_database_set_back_under_a_running_service_is_noticed(
    postgres: "EmbeddedPostgres", migrated_database: "Addresses", tmp_path: Path
) -> None:
    """As a failover to a replica that lagged: what this process acknowledged is gone."""
    import asyncpg

    from dataexchange.database.embedded import SUPERUSER

    world = small_world()
    name = urlsplit(migrated_database.app).path.lstrip("/")
    connection = await asyncpg.connect(postgres.dsn(SUPERUSER, name))
    try:
        async with opened_door(migrated_database, tmp_path, world) as door:
            await door.tell()
            head = await connection.fetchrow("select * from head")
            await write(door, 2)
            await turn_off_triggers(connection)
            await connection.execute("delete from entry where index >= $1", head["size"])
            await connection.execute("delete from checkpoint where size > $1", head["size"])
            await connection.execute(
                "update head set size = $1, last = $2, frontier = $3, recorded_at = $4",
                *(head[column] for column in ("size", "last", "frontier", "recorded_at")),
            )
            answer = await door.submit(world.operator, "party.grouped@1", group(world))
            assert_problem(answer, 503)
            answer = await door.submit(world.operator, "party.grouped@1", group(world))
            assert_problem(answer, 503, "exchange.log_behind")
    finally:
        await connection.close()


async def test_a_forged_row_spoils_no_published_note(
    postgres: "EmbeddedPostgres",
    migrated_database: "Addresses",
    tmp_path: Path,
    witnesses: list[ServedWitness],
) -> None:
    import asyncpg

    from dataexchange.database.embedded import SUPERUSER

    text = policy_of(SIGNER.vkey, witnesses[:2], 1)
    policy = Policy.parse(text.encode())
    name = urlsplit(migrated_database.app).path.lstrip("/")
    connection = await asyncpg.connect(postgres.dsn(SUPERUSER, name))
    try:
        with witnesses[0].up():
            async with exchange(migrated_database, tmp_path / "x", text) as door:
                await door.tell()
                size = await write(door) + 1
                await until_published(door, size)
                line = await connection.fetchval(
                    "select line from cosignature where size = $1", size
                )
                forged = line.replace(" w0 ", " w1 ")
                await connection.execute(
                    "insert into cosignature values ($1, $2, $3, now())",
                    size,
                    witnesses[1].signer.vkey,
                    forged,
                )
                verified = policy.verify((await door.get("/checkpoint")).content)
                assert set(verified.cosigned_at_seconds) == {"w0"}
    finally:
        await connection.close()


async def test_a_careful_operator_waits_until_somebody_outside_confirms(
    migrated_database: "Addresses", tmp_path: Path, witnesses: list[ServedWitness]
) -> None:
    """Every process waits, and what the leader hears opens them all."""
    world = small_world()
    file = policy_file(tmp_path / "x", policy_of(SIGNER.vkey, witnesses[:1], 1))
    careful: dict[str, Any] = {"policy_file": file, "confirm_before_writing": True}
    async with (
        opened_door(migrated_database, tmp_path / "x", world, **careful) as leader,
        opened_door(migrated_database, tmp_path / "x", world, **careful) as other,
    ):
        for door in (leader, other):
            answer = await door.submit(world.operator, "party.grouped@1", group(world))
            assert_problem(answer, 503, "exchange.log_unconfirmed")
            assert (await door.get("/health/ready")).json()["status"] == "read-only"
        with witnesses[0].up():
            for door in (leader, other):

                async def ready(door: Door = door) -> bool:
                    return bool((await door.get("/health/ready")).json()["status"] == "ok")

                await until(ready)
            await leader.tell()
            await write(other)


async def test_what_one_process_finds_stops_them_all(
    migrated_database: "Addresses", tmp_path: Path, witnesses: list[ServedWitness]
) -> None:
    text = policy_of(SIGNER.vkey, witnesses[:1], 1)
    world = small_world()
    with witnesses[0].up():
        async with (
            exchange(migrated_database, tmp_path / "x", text, world) as leader,
            exchange(migrated_database, tmp_path / "x", text, world) as other,
        ):
            await leader.tell()
            await until_published(other, await write(other) + 1)
            leader.exchange.guard.close(LOG_FORKED, source="w0", known=1)

            async def heard() -> bool:
                return other.exchange.guard.found is not None

            await until(heard)
            answer = await other.submit(world.operator, "party.grouped@1", group(world))
            assert_problem(answer, 503, "exchange.log_forked")


async def test_the_exposure_window_is_shown(
    migrated_database: "Addresses", tmp_path: Path, witnesses: list[ServedWitness]
) -> None:
    text = policy_of(SIGNER.vkey, witnesses[:1], 1)
    async with exchange(migrated_database, tmp_path / "x", text) as door:
        await door.tell()
        await write(door, 2)
        door.world.now += timedelta(seconds=7)
        told = await health(door)
        assert told["uncosigned"] == (await door.get("/v1/log")).json()["size"]
        assert told["waiting_seconds"] >= 7
        with witnesses[0].up():
            await until_published(door, told["uncosigned"])
        told = await health(door)
        assert (told["uncosigned"], told["waiting_seconds"]) == (0, 0)
        assert told["max_seconds"] >= 7
        assert told["witnesses"][0]["size"] == told["published"] == told["cosigned"]


async def test_a_policy_that_cannot_work_is_told_at_the_start(
    migrated_database: "Addresses", tmp_path: Path, witnesses: list[ServedWitness]
) -> None:
    other = Ed25519Signer(ORIGIN, b"\x55" * 32)
    nowhere = f"log {SIGNER.vkey}\nwitness w0 {witnesses[0].signer.vkey}\nquorum w0\n"
    for text, said in (
        (policy_of(other.vkey, witnesses, 1), "does not name this log's key"),
        (nowhere, "has no URL"),
    ):
        with pytest.raises(PolicyError, match=said):
            async with exchange(migrated_database, tmp_path / "x", text):
                pass


async def test_published_files_that_know_more_close_the_log(
    migrated_database: "Addresses", tmp_path: Path
) -> None:
    world = small_world()
    folder = tmp_path / "published"
    folder.mkdir()
    async with opened_door(migrated_database, tmp_path, world, publish_to=str(folder)) as door:
        await door.tell()
        size = await write(door) + 1
        note = (await door.get("/checkpoint")).content
    (folder / "checkpoint").write_bytes(note)
    async with opened_door(migrated_database, tmp_path, world, publish_to=str(folder)) as door:
        await write(door)
    for known, code in ((size + 9, "exchange.log_behind"), (size, "exchange.log_forked")):
        other = Checkpoint(ORIGIN, known, bytes(32))
        (folder / "checkpoint").write_bytes(sign_checkpoint(other, SIGNER))
        async with opened_door(migrated_database, tmp_path, world, publish_to=str(folder)) as door:
            answer = await door.submit(world.operator, "party.grouped@1", group(world))
            assert_problem(answer, 503, code)
    # Files that the log's key did not sign prove nothing.
    forged = sign_checkpoint(other, Ed25519Signer(ORIGIN, b"\x66" * 32))
    (folder / "checkpoint").write_bytes(forged)
    with pytest.raises(IntegrityError):
        POLICY.verify(forged)
    async with opened_door(migrated_database, tmp_path, world, publish_to=str(folder)) as door:
        await write(door)


def group(world: World) -> dict[str, str]:
    """Return the payload of an event that is accepted any number of times."""
    return {"party": world.regulator.party, "group": new_id("group"), "evidence": "x"}
