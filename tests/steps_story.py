"""A told story on a real database: entries of every room, checkpoints along the way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from bundles import SIGNER
from databases import Addresses
from dataexchange.client import sealing
from dataexchange.client.typeid import new_id
from dataexchange.database import cosignature_store, openings, reading, uploads
from dataexchange.database.engine import connect, reading_engine
from dataexchange.database.tables import CosignatureRow
from dataexchange.exchange.batch import Receipt
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.mapper import make_map
from dataexchange.exchange.publisher import Publisher
from dataexchange.exchange.sequencer import Sequencer
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.cosignature import cosign
from dataexchange.ledger.note import Ed25519Signer, Note, SignatureType
from dataexchange.registry import submission
from dataexchange.registry.submission import SealedBox
from dataexchange.registry.tail import Appended
from dataexchange.rules import Role
from dataexchange.signer.signer import LocalSigner
from steps_guarantee import registered_pledge
from steps_insurance import paid_claim
from steps_market import settled_licence
from steps_pipeline import registered_resource
from world import ORIGIN, World

WITNESSES = tuple(
    Ed25519Signer(f"witness.test/{number}", bytes([number]) * 32, SignatureType.COSIGNATURE)
    for number in (1, 2)
)
COSIGNED = "".join(
    (
        f"log {SIGNER.vkey}\n",
        *(f"witness w{number} {one.vkey}\n" for number, one in enumerate(WITNESSES)),
        "group both all w0 w1\nquorum both\n",
    )
).encode()


class ToldClock(Clock):
    """Shows the time at which the entry that is told was recorded in its world."""

    def __init__(self) -> None:
        super().__init__()
        self.told: datetime | None = None

    def now(self) -> datetime:
        """Return that time."""
        return self.told or super().now()


@dataclass
class Teller:
    """Tells a world's entries to a real sequencer."""

    sequencer: Sequencer
    publisher: Publisher
    engine: AsyncEngine
    clock: ToldClock

    async def tell_until(self, world: World, size: int) -> None:
        """Let a world grow to `size` entries, with a map of those before; publish, cosigned."""
        if (made := await make_map(self.engine, rest=0)) is not None:
            world.do(world.operator, "map.committed@1", **made.payload)
        while len(world.entries) < size:
            group(world)
        async with AsyncSession(self.engine) as session:
            start = (await reading.head(session)).size
        for one in world.entries[start:size]:
            self.clock.told = one.recorded_at
            (outcome,) = await self.sequencer.submit([one.submission])
            assert isinstance(outcome, Receipt), outcome
            assert outcome.body == one.body
        await self.publisher.publish()
        await self._cosign(world)
        await self._erase()

    async def _erase(self) -> None:
        """Carry out what the log orders to be erased."""
        async with AsyncSession(self.engine) as session:
            for one in await openings.pending(session):
                await openings.erase(session, one.index)
            for index in await uploads.pending(session):
                await uploads.erase(session, index)

    async def _cosign(self, world: World) -> None:
        """Have every witness sign the newest checkpoint, which is then published."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            row = await reading.latest_checkpoint(session)
            assert row is not None
            checkpoint = Checkpoint.parse(Note.parse(row.note.encode()).text)
            for witness in WITNESSES:
                line = cosign(checkpoint, witness, int(world.now.timestamp())).line()
                await cosignature_store.keep(
                    session,
                    CosignatureRow(
                        size=row.size, witness=witness.vkey, line=line, received_at=world.now
                    ),
                )
            await cosignature_store.publish(session, row.size, world.now)
        async with AsyncSession(self.engine) as session:
            digest = sha256(row.note.encode()).hexdigest()
            await uploads.record(session, digest, world.operator.party)


@asynccontextmanager
async def telling(addresses: Addresses) -> AsyncIterator[Teller]:
    """Run a sequencer and a publisher on a migrated database."""
    clock = ToldClock()
    engine = reading_engine(addresses.app)
    sequencer = Sequencer(lambda: connect(addresses.app), ORIGIN, clock)
    await sequencer.start()
    try:
        yield Teller(sequencer, Publisher(engine, LocalSigner([SIGNER])), engine, clock)
    finally:
        await sequencer.stop()
        await engine.dispose()


def story() -> World:
    """Return a world with a settled licence, a pledge and a paid claim."""
    world = World(log_keys=(SIGNER.vkey,))
    settled_licence(world)
    registered_pledge(world)
    paid_claim(world)
    erasure(world)
    return world


def erasure(world: World) -> None:
    """Seal two fields of a report and erase one; erase content, too."""
    asset = registered_resource(world).asset
    reporter = world.join(Role.BUYER)
    report = {
        "correction": new_id("correction"),
        "asset": asset,
        "version": 1,
        "description": "speeds are too high",
    }
    sealed = sealing.seal({"details": "secret", "contact": "kept"})
    stated = reporter.state(
        "data.error_reported@1", report, at=world.now, sealed=sealing.commitments(sealed)
    )
    boxes = tuple(SealedBox(one.field, f"key/{one.field}", b"encrypted") for one in sealed)
    read = submission.read(stated, reporter.sign(stated))
    appended = world.tail.append(msgspec.structs.replace(read, boxes=boxes), world.now)
    world.entries.append(appended)
    order = {"index": appended.index, "sealed_by": reporter.party, "field": "details"}
    world.do(reporter, "opening.erased@1", **order, ground="purpose_ended")
    for content in ("ab" * 32, "cd" * 32):
        world.do(reporter, "content.erased@1", content=content, ground="purpose_ended")


def group(world: World) -> Appended:
    """Append one small event that is accepted any number of times."""
    said = {"party": world.regulator.party, "group": new_id("group"), "evidence": "extract"}
    return world.do(world.operator, "party.grouped@1", **said)
