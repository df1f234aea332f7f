"""The signer process: real processes, real sockets; it signs what grows and nothing else."""

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dataexchange.exchange.log_key import create
from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.note import NoteError, SignatureType
from dataexchange.ledger.policy import Policy
from dataexchange.signer.client import SocketSigner
from dataexchange.signer.server import listening
from dataexchange.signer.signer import AheadError, CautiousSigner, SignerError
from dataexchange.witness.memory import Memory
from signers import Site, made_site
from world import LOG_SIGNER, ORIGIN

LEAVES = [merkle.leaf_hash(b"%d" % number) for number in range(300)]
FORKED = [*LEAVES[:5], merkle.leaf_hash(b"another"), *LEAVES[6:]]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return made_site(tmp_path)


def checkpoint(size: int, leaves: list[bytes] = LEAVES) -> Checkpoint:
    return Checkpoint(ORIGIN, size, merkle.root(leaves[:size]))


async def sign(signer: SocketSigner, size: int, leaves: list[bytes] = LEAVES) -> bytes:
    async def prove(old: int) -> list[bytes]:
        return merkle.consistency_proof(leaves[:size], old)

    return await signer.sign(checkpoint(size, leaves), signer.vkeys, prove)


async def test_it_signs_a_growing_log_with_all_its_keys(site: Site) -> None:
    with site.running():
        signer = await SocketSigner.connect(site.socket, ORIGIN)
        assert set(signer.vkeys) == set(site.vkeys)
        lines = "".join(f"log {vkey}\n" for vkey in site.vkeys)
        policy = Policy.parse(f"{lines}quorum none\n".encode())
        for size in (0, 1, 2, 7, 7, 8, 255, 256, 300):
            verified = policy.verify(await sign(signer, size))
            assert verified.checkpoint == checkpoint(size)
            assert len(verified.logs) == 2


async def test_it_signs_no_fork_no_smaller_log_and_no_unproved_growth(site: Site) -> None:
    with site.running():
        signer = await SocketSigner.connect(site.socket, ORIGIN)
        await sign(signer, 10)
        with pytest.raises(SignerError, match="refuses"):
            await sign(signer, 20, FORKED)
        with pytest.raises(SignerError, match="refuses"):
            await sign(signer, 10, FORKED)
        with pytest.raises(AheadError):
            await sign(signer, 9)

        async def no_proof(old: int) -> list[bytes]:
            return []

        with pytest.raises(SignerError, match="refuses"):
            await signer.sign(checkpoint(20), signer.vkeys, no_proof)
        await sign(signer, 20)  # what was refused changed nothing


async def test_a_killed_signer_remembers_what_it_signed(site: Site) -> None:
    with site.running() as process:
        await sign(await SocketSigner.connect(site.socket, ORIGIN), 10)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with site.running():
        signer = await SocketSigner.connect(site.socket, ORIGIN)
        assert await signer.last() == checkpoint(10)
        with pytest.raises(SignerError):
            await sign(signer, 11, FORKED)
        with pytest.raises(AheadError):
            await sign(signer, 9)
        await sign(signer, 11)


async def test_two_services_may_ask_in_turn_and_at_once(site: Site) -> None:
    with site.running():
        one = await SocketSigner.connect(site.socket, ORIGIN)
        other = await SocketSigner.connect(site.socket, ORIGIN)
        for size in range(1, 20):
            await sign((one, other)[size % 2], size)
        both = await asyncio.gather(sign(one, 40), sign(other, 40))
        assert len(both) == 2


async def test_the_socket_is_its_users_alone(site: Site) -> None:
    with site.running():
        assert site.socket.stat().st_mode & 0o777 == 0o600
        assert (site.folder / "store").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_cut_off_and_a_named_one_is_not() -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        site = made_site(Path(folder))
        with site.running("--peer-uid", "4321"):
            assert site.socket.stat().st_mode & 0o777 == 0o666
            assert _asked_as(4321, site.socket)["say"] == "keys"
            assert _asked_as(4322, site.socket) == {}


def _asked_as(uid: int, path: Path) -> dict[str, object]:
    """Ask for the keys in a process of the user `uid`; return the answer, empty if cut off."""
    program = """
import socket, sys
asking = socket.socket(socket.AF_UNIX)
asking.connect(sys.argv[1])
try:
    asking.sendall(b'{"ask":"keys"}' + bytes([10]))
    print(asking.makefile().readline() or "{}")
except ConnectionError:
    print("{}")
"""
    command = ["/usr/bin/python3", "-c", program, str(path)]
    done = subprocess.run(command, user=uid, capture_output=True, text=True, check=True)
    said: dict[str, object] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize(
    "asked",
    [
        b"\n",
        b"{}\n",
        b'{"ask":"everything"}\n',
        b"\xff\n",
        b"x" * 70_000 + b"\n",
        b'{"ask":"keys"}',
    ],
)
async def test_what_is_no_question_ends_the_talk_and_not_the_process(
    site: Site, asked: bytes
) -> None:
    with site.running():
        reader, writer = await asyncio.open_unix_connection(site.socket)
        writer.write(asked)
        writer.write_eof()
        await reader.read()
        writer.close()
        await sign(await SocketSigner.connect(site.socket, ORIGIN), 3)


@pytest.mark.parametrize("size", [-1, 2**80])
async def test_an_impossible_checkpoint_is_refused(site: Site, size: int) -> None:
    with site.running():
        reader, writer = await asyncio.open_unix_connection(site.socket)
        ask = {"ask": "sign", "size": size, "root": "AAAA", "vkeys": [], "old": 0, "proof": []}
        writer.write(json.dumps(ask).encode() + b"\n")
        writer.write_eof()
        assert b"signed" not in await reader.read()
        writer.close()


async def test_it_signs_for_its_own_log_and_with_its_own_keys(site: Site, tmp_path: Path) -> None:
    with site.running():
        with pytest.raises(SignerError):
            await SocketSigner.connect(site.socket, "example.test/other")
        signer = await SocketSigner.connect(site.socket, ORIGIN)
        stranger = create(tmp_path / "c", ORIGIN, SignatureType.ED25519).vkey

        async def prove(old: int) -> list[bytes]:
            return []

        with pytest.raises(SignerError):
            await signer.sign(checkpoint(1), [stranger], prove)


async def test_a_signer_that_is_not_there_or_lies_is_told_of(site: Site) -> None:
    with pytest.raises(SignerError, match="does not answer"):
        await SocketSigner.connect(site.socket, ORIGIN)

    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = json.loads(await reader.readline())
        said = {"say": "keys", "origin": ORIGIN, "vkeys": list(site.vkeys)}
        note = f"{ORIGIN}\n1\nAAAA\n\n— {ORIGIN} AAAAAAAA\n"
        answer = said if asked["ask"] == "keys" else {"say": "signed", "note": note}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(lie, site.socket):
        signer = await SocketSigner.connect(site.socket, ORIGIN)
        with pytest.raises(NoteError):
            await sign(signer, 1)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_it_does_not_start_with_a_key_that_others_may_read(site: Site, mode: int) -> None:
    (site.folder / "b").chmod(mode)
    done = subprocess.run(site.command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "chmod 600" in done.stderr
    assert not site.socket.exists()


async def test_a_file_in_the_sockets_place_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "important"
    path.write_text("mine")
    memory = Memory(tmp_path / "memory", LOG_SIGNER.vkey)
    with pytest.raises(OSError, match="in use"):
        async with listening(CautiousSigner(ORIGIN, [LOG_SIGNER], memory), path):
            raise AssertionError
    assert path.read_text() == "mine"
