"""The signer's socket: a Unix socket that answers to named users only."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.note import NoteError
from dataexchange.signer.protocol import (
    ASK,
    LINE_BYTES_MAX,
    Answer,
    Ask,
    AskKeys,
    Conflict,
    Keys,
    Refused,
    Signed,
    line,
)
from dataexchange.signer.signer import CautiousSigner, SignerError
from dataexchange.witness.protocol import SizeConflictError, WitnessError

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


@asynccontextmanager
async def listening(
    signer: CautiousSigner, path: Path, peers: Collection[int] = ()
) -> AsyncIterator[None]:
    """Answer on the socket `path` to this process's own user and to the users `peers`.

    The kernel names the peer. Without further users the socket's mode is 0600; with some it lets
    anyone connect, and whoever is not named is cut off before a word.
    """
    allowed = {os.geteuid(), *peers}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _peer(writer) in allowed:
                await _converse(signer, reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_unix_server(
        serve, sock=_bound(path, 0o600 if not peers else 0o666), limit=LINE_BYTES_MAX
    )
    async with server:
        yield


def answer(signer: CautiousSigner, ask: Ask) -> Answer:
    """Return the answer to one question."""
    if isinstance(ask, AskKeys):
        return Keys(signer.origin, signer.vkeys, signer.last())
    try:
        checkpoint = Checkpoint(signer.origin, ask.size, ask.root)
        note = signer.sign(checkpoint, ask.vkeys, old=ask.old, proof=ask.proof)
        return Signed(note.decode())
    except SizeConflictError as error:
        return Conflict(error.size)
    except (NoteError, SignerError, WitnessError) as error:
        return Refused(str(error))


async def _converse(
    signer: CautiousSigner, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer until the peer hangs up, or says what is no question."""
    with suppress(ConnectionError, ValueError, msgspec.DecodeError):
        while asked := await reader.readline():
            writer.write(line(answer(signer, ASK.decode(asked))))
            await writer.drain()


def _bound(path: Path, mode: int) -> socket.socket:
    """Return a socket at `path` with `mode`, in place of one that a killed process left."""
    if path.is_socket():
        path.unlink()
    bound = socket.socket(socket.AF_UNIX)
    # The mode is set by the mask: between bind and chmod anyone could connect.
    before = os.umask(0o777 & ~mode)
    try:
        bound.bind(str(path))
    except OSError:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound


def _peer(writer: asyncio.StreamWriter) -> int:
    """Return the user id at the other end, as the kernel knows it."""
    found: socket.socket = writer.get_extra_info("socket")
    said = found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(said)[1]
    return uid
