"""A service whose keys are in a signer process: it publishes, and stops where it was set back."""

from pathlib import Path

import pytest

from databases import Addresses
from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.policy import Policy
from dataexchange.signer.client import SocketSigner
from dataexchange.signer.signer import SignerError
from exchanges import Door, opened_door
from problems import assert_problem
from signers import Site, made_site
from world import ORIGIN, PARAMETERS, World


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "signer"
    folder.mkdir()
    return made_site(folder)


async def set_policy(door: Door) -> int:
    """Append one entry; return the answer's status."""
    said = {"version": 2, "parameters": PARAMETERS, "basis": "理事会决议"}
    return (await door.submit(door.world.operator, "policy.set@1", said)).status_code


async def sign_ahead(site: Site, size: int) -> None:
    """Have the signer sign a log of `size` that this service never had."""
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(size)]

    async def prove(old: int) -> list[bytes]:
        return merkle.consistency_proof(leaves, old)

    signer = await SocketSigner.connect(site.socket, ORIGIN)
    await signer.sign(Checkpoint(ORIGIN, size, merkle.root(leaves)), site.vkeys, prove)


async def test_a_service_publishes_what_the_process_signs(
    migrated_database: Addresses, tmp_path: Path, site: Site
) -> None:
    world = World(log_keys=site.vkeys)
    with site.running():
        async with opened_door(
            migrated_database, tmp_path, world, signer_socket=site.socket
        ) as door:
            await door.tell()
            assert await set_policy(door) == 201
            await door.exchange.publisher.publish()
            note = (await door.http.get("/checkpoint")).content
            said = (await door.http.get("/v1/log")).json()
    lines = "".join(f"log {vkey}\n" for vkey in site.vkeys)
    verified = Policy.parse(f"{lines}quorum none\n".encode()).verify(note)
    assert verified.checkpoint.size == 2
    assert len(verified.logs) == 2
    assert set(said["vkeys"]) == set(site.vkeys)


async def test_a_service_that_is_behind_its_signer_does_not_write(
    migrated_database: Addresses, tmp_path: Path, site: Site
) -> None:
    """A restored backup: the signer remembers what the database forgot."""
    world = World(log_keys=site.vkeys)
    with site.running():
        await sign_ahead(site, 9)
        async with opened_door(
            migrated_database, tmp_path, world, signer_socket=site.socket
        ) as door:
            one = world.entries[0].submission
            body = b'{"signature":%b,"statement":%b}' % (one.signature, one.statement.body)
            answer = await door.http.post("/v1/events", content=body)
            assert_problem(answer, 503, "exchange.log_behind")


async def test_a_service_finds_out_while_it_runs(
    migrated_database: Addresses, tmp_path: Path, site: Site
) -> None:
    world = World(log_keys=site.vkeys)
    with site.running():
        async with opened_door(
            migrated_database, tmp_path, world, signer_socket=site.socket
        ) as door:
            await sign_ahead(site, 9)
            one = world.entries[0].submission
            body = b'{"signature":%b,"statement":%b}' % (one.signature, one.statement.body)
            await door.http.post("/v1/events", content=body)
            await door.exchange.publisher.publish()
            assert door.exchange.guard.found is not None
            assert await set_policy(door) == 503


async def test_a_service_does_not_start_without_its_signer(
    migrated_database: Addresses, tmp_path: Path, site: Site
) -> None:
    with pytest.raises(SignerError, match="does not answer"):
        async with opened_door(migrated_database, tmp_path, World(), signer_socket=site.socket):
            pass


async def test_a_signer_that_comes_back_is_asked_again(
    migrated_database: Addresses, tmp_path: Path, site: Site
) -> None:
    world = World(log_keys=site.vkeys)
    with site.running() as process:
        async with opened_door(
            migrated_database, tmp_path, world, signer_socket=site.socket
        ) as door:
            await door.tell()
            process.kill()
            process.wait()
            assert await set_policy(door) == 201
            with pytest.raises(SignerError):
                await door.exchange.publisher.publish()
            with site.running():
                await door.exchange.publisher.publish()
                assert door.exchange.publisher.published_size == 2
