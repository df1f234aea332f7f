"""Does the log here continue what others hold of it? Asked before the first write.

A database restored from a backup looks whole from inside. Those who know better are outside it:
published files, an anchor contract, witnesses (which `exchange.witnessing` asks).
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import reading, tile_store
from dataexchange.errors import IntegrityError
from dataexchange.exchange.static_files import CHECKPOINT, StaticFiles
from dataexchange.exchange.write_guard import LOG_BEHIND, LOG_FORKED, WriteGuard
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.cosignature import verifier_for
from dataexchange.ledger.note import Note, VerifierKey, open_note
from dataexchange.signer.client import SocketSigner

ANSWER_SECONDS_MAX = 10.0
_log = logging.getLogger(__name__)


class Head(NamedTuple):
    """The size of a log and its 32-byte root."""

    size: int
    root: bytes


class PublishedHead(Protocol):
    """Somebody who holds a head of this log that cannot be taken back."""

    @property
    def name(self) -> str:
        """How the refusal and the log call it."""

    async def head(self) -> Head | None:
        """Return the greatest head that it holds, checked; `None` where it holds none."""


class PublishedFiles:
    """The `checkpoint` among the static files, signed by a key of the log."""

    name = "published files 已发布文件"

    def __init__(self, files: StaticFiles, vkeys: Iterable[str]) -> None:
        self._files = files
        self._verifiers = [verifier_for(VerifierKey.parse(vkey)) for vkey in vkeys]

    async def head(self) -> Head | None:
        """Return the head that was published last."""
        note = await self._files.read(CHECKPOINT)
        if note is None:
            return None
        signed = Checkpoint.parse(open_note(note, self._verifiers).text)
        if signed.origin != self._verifiers[0].key.name:
            raise IntegrityError(f"the published checkpoint is of {signed.origin}")
        return Head(signed.size, signed.root)


class AnchorContract:
    """The anchor contract on an EVM chain, a CAIP-10 account; needs the extra `evm`."""

    name = "anchor contract 锚定合约"

    def __init__(self, account: str, origin: str, rpc_urls: Sequence[str]) -> None:
        # Services that are not anchored do without the extra.
        from dataexchange.anchoring.authorisation import AnchorSite

        self._site = AnchorSite.parse(account, origin)
        self._rpc_urls = rpc_urls

    async def head(self) -> Head | None:
        """Return the head that was anchored last."""
        from dataexchange.anchoring.head import anchored_head

        found = await anchored_head(self._site, self._rpc_urls)
        return None if found is None else Head(found.size, found.root)


class SignedLast:
    """What the signer process signed last."""

    name = "signer 签名进程"

    def __init__(self, signer: SocketSigner) -> None:
        self._signer = signer

    async def head(self) -> Head | None:
        """Return the head that was signed last."""
        last = await self._signer.last()
        return Head(last.size, last.root) if last is not None else None


class SignedCheckpoints:
    """The checkpoints in the database itself: none may be of more than the log has."""

    name = "checkpoint table 检查点表"

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def head(self) -> Head | None:
        """Return the greatest head that was signed."""
        async with AsyncSession(self._engine) as session:
            latest = await reading.latest_checkpoint(session)
        if latest is None:
            return None
        signed = Checkpoint.parse(Note.parse(latest.note.encode()).text)
        return Head(signed.size, signed.root)


async def compare(
    engine: AsyncEngine, published: Iterable[PublishedHead], guard: WriteGuard
) -> None:
    """Close `guard` unless the log continues every head that is published.

    One who does not answer in time, or whose head cannot be read, proves nothing.
    """
    for one in published:
        try:
            head = await asyncio.wait_for(one.head(), ANSWER_SECONDS_MAX)
        except Exception:  # noqa: BLE001 -- each holder fails in its own ways
            _log.exception("the log could not be compared with %s", one.name)
            continue
        continues = head is not None and await _continues(engine, one.name, head, guard)
        # What stands in the database itself was restored with it, and confirms nothing.
        if continues and not isinstance(one, SignedCheckpoints):
            guard.confirm()


async def _continues(engine: AsyncEngine, source: str, head: Head, guard: WriteGuard) -> bool:
    """Tell whether the log continues `head`; close `guard` where it does not."""
    async with AsyncSession(engine) as session:
        size = (await reading.head(session)).size
        if head.size > size:
            guard.close(LOG_BEHIND, source=source, size=size, known=head.size)
        elif await _root_at(session, head.size) != head.root:
            guard.close(LOG_FORKED, source=source, known=head.size)
        else:
            return True
    return False


async def _root_at(session: AsyncSession, size: int) -> bytes | None:
    """Return the root of the first `size` entries; `None` where they are not all there."""
    try:
        return (await tile_store.tree(session, size, [(0, size)])).root()
    except IntegrityError:
        return None
