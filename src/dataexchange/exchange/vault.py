"""The vault: openings of sealed fields, encrypted at rest, handed out whole or not at all.

A key is on disk before its box is written, and the box is written with its entry or not at all; so
every entry that was accepted with openings has them. What a crash may leave is a key without a box,
which opens nothing.
"""

import asyncio
import secrets
from collections.abc import Collection, Iterable

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import openings
from dataexchange.database.openings import Kept
from dataexchange.database.tables import EntryRow
from dataexchange.errors import IntegrityError, UnavailableError
from dataexchange.exchange.batch import Outcome, Receipt
from dataexchange.exchange.opening_keys import OpeningKeys
from dataexchange.ledger import sealing
from dataexchange.ledger.sealing import Opening
from dataexchange.registry.submission import SealedBox, Submission

NONCE_BYTES = 12


class OpeningDamagedError(IntegrityError):
    """A box does not open under its key, or what is in it is not what the entry committed to."""


class Vault:
    """Locks openings up, and opens them again for those whom the door lets in."""

    def __init__(self, engine: AsyncEngine, keys: OpeningKeys, origin: str) -> None:
        self._engine = engine
        self.keys = keys
        self._origin = origin

    async def lock_up(self, submission: Submission) -> Submission:
        """Return the submission with a box for each of its openings, each under a new key."""
        if not submission.openings:
            return submission
        boxes = await asyncio.to_thread(self._lock_up, submission)
        return msgspec.structs.replace(submission, boxes=boxes)

    async def settle(self, submission: Submission, outcome: Outcome) -> None:
        """Keep boxes of a statement that was in before without them; drop keys left unused."""
        if not submission.boxes or isinstance(outcome, UnavailableError):
            return  # where the outcome is unknown, the boxes may have been written
        used: set[str] = set()
        if isinstance(outcome, Receipt):
            if not outcome.repeated:
                return
            async with AsyncSession(self._engine) as session:
                used = await openings.add(session, submission, submission.boxes)
        await self.drop([submission], used)

    async def drop(self, submissions: Iterable[Submission], used: Collection[str] = ()) -> None:
        """Destroy the keys of boxes that were not written, save those in `used`."""
        for box in (box for one in submissions for box in one.boxes):
            if box.key_id not in used:
                await asyncio.to_thread(self.keys.destroy, box.key_id)

    async def open(self, entry: EntryRow, kept: Kept, committed: str) -> Opening:
        """Return what is kept for a field of `entry`, checked against its commitment (hex)."""
        return await asyncio.to_thread(self._open, entry, kept, committed)

    def _lock_up(self, submission: Submission) -> tuple[SealedBox, ...]:
        return tuple(self._box(submission, opening) for opening in submission.openings)

    def _box(self, submission: Submission, opening: Opening) -> SealedBox:
        key_id, key = self.keys.make()
        nonce = secrets.token_bytes(NONCE_BYTES)
        about = self._about(submission.actor, submission.id, opening.field)
        sealed = AESGCM(key).encrypt(nonce, opening.preimage, about)
        return SealedBox(opening.field, key_id, nonce + sealed)

    def _open(self, entry: EntryRow, kept: Kept, committed: str) -> Opening:
        key, box = self.keys.read(kept.key_id or ""), kept.box or b""
        about = self._about(entry.actor, entry.statement_id, kept.field)
        try:
            preimage = AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], about)
        except (InvalidTag, ValueError) as error:
            raise OpeningDamagedError(
                f"entry {entry.index}: {kept.field} cannot be opened"
            ) from error
        if sealing.commitment(preimage) != committed:
            raise OpeningDamagedError(f"entry {entry.index}: {kept.field} differs")
        return Opening.of(kept.field, preimage)

    def _about(self, actor: str, statement_id: str, field: str) -> bytes:
        """Return what a box is bound to, so that none can be put in another's place."""
        named = ("dataexchange-opening/v1", self._origin, actor, statement_id, field)
        return "\n".join(named).encode()
