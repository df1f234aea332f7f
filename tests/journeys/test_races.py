"""Two hundred tasks in two processes sell one asset, and pledge another, twice: one winner each."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from racer import Stopped
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.asset.title import Asset
from dataexchange.client.exchange_client import signed
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.database import reading
from dataexchange.database.engine import connect, reading_engine
from dataexchange.exchange.batch import Receipt
from dataexchange.exchange.rebuild import rebuild
from dataexchange.exchange.sequencer import Sequencer
from dataexchange.rules import Role
from dataexchange.rules.state import decode
from steps_guarantee import terms
from steps_market import proposed_transfer
from steps_pipeline import Ready, ready_product, staff
from steps_valuation import issued_valuation
from world import ORIGIN, World

if TYPE_CHECKING:
    from databases import Addresses

CONTENDERS = 100
Act = tuple[Actor, str, dict[str, object]]


def statement(world: World, actor: Actor, event: str, **payload: object) -> bytes:
    return signed(actor, actor.state(event, payload, at=world.now)).body


def sales(world: World) -> tuple[str, list[Act]]:
    """Return an asset and the acceptances of a hundred who were all offered it."""
    product = ready_product(world)
    acceptances = []
    for _ in range(CONTENDERS):
        purchaser = world.join(Role.PROVIDER)
        transfer = proposed_transfer(world, product, purchaser)
        said = {
            "transfer": transfer,
            "asset": product.asset,
            "holder": product.provider.party,
            "proposal": world.head(transfer),
        }
        acceptances.append((purchaser, "title.transferred@1", said))
    return product.asset, acceptances


def registrations(world: World) -> tuple[str, list[Act]]:
    """Return an asset and the registrations of a hundred pledges, any one of which fits."""
    product = ready_product(world)
    valuation, appraiser = issued_valuation(world, product)
    registrar = staff(world, Role.REGISTRAR)
    found = []
    for number in range(CONTENDERS):
        pledge = _signed_pledge(world, product, valuation, appraiser)
        said = {"pledge": pledge, "asset": product.asset, "valuation": valuation}
        receipt = {"receipt": f"ZD-{number}"}
        found.append((registrar, "pledge.registered@1", {**said, **receipt}))
    return product.asset, found


def _signed_pledge(world: World, product: Ready, valuation: str, appraiser: Actor) -> str:
    lender = world.join(Role.LENDER)
    said = terms(product, lender)
    pledge: str = said["pledge"]
    world.do(product.provider, "pledge.drafted@1", **said)
    named = {"pledge": pledge, "asset": product.asset, "valuation": valuation}
    world.do(appraiser, "pledge.valued@1", **named)
    proposal = world.head(pledge)
    for party in (product.provider, lender):
        world.do(party, "pledge.signed@1", pledge=pledge, proposal=proposal)
    return pledge


async def replayed(world: World, dsn: str) -> None:
    """Put the world's log into the database, through a sequencer."""
    sequencer = Sequencer(lambda: connect(dsn), ORIGIN, Stopped(world.entries[0].recorded_at))
    await sequencer.start()
    for one in world.entries:
        sequencer._clock = Stopped(one.recorded_at)
        (outcome,) = await sequencer.submit([one.submission])
        assert isinstance(outcome, Receipt), outcome
    await sequencer.stop()


def raced(dsn: str, now: str, statements: list[bytes], folder: Path) -> Counter[tuple[str, str]]:
    """Let two processes submit half of `statements` each, at once; count (event, code)."""
    processes = []
    for half in (0, 1):
        file = folder / f"half-{half}"
        file.write_bytes(b"\n".join(statements[half::2]))
        script = str(Path(__file__).parent / "racer.py")
        command = [sys.executable, script, dsn, ORIGIN, now, str(file)]
        processes.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    counted: Counter[tuple[str, str]] = Counter()
    for process in processes:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        counted.update((line.split()[0], line.split()[1]) for line in out.splitlines())
    return counted


async def test_one_asset_is_sold_once_and_another_pledged_once(
    migrated_database: "Addresses", tmp_path: Path
) -> None:
    world, dsn = World(), migrated_database.app
    sold, acceptances = sales(world)
    pledged, registering = registrations(world)
    await replayed(world, dsn)
    acts = [one for pair in zip(acceptances, registering, strict=True) for one in pair]
    statements = [statement(world, actor, event, **said) for actor, event, said in acts]
    counted = raced(dsn, world.now.isoformat(), statements, tmp_path)
    assert sum(counted.values()) == 2 * CONTENDERS
    for event in ("title.transferred@1", "pledge.registered@1"):
        codes = {code: count for (name, code), count in counted.items() if name == event}
        assert codes.pop("ok") == 1
        assert sum(codes.values()) == CONTENDERS - 1
        assert all("." in code for code in codes), codes
    async with AsyncSession(reading_engine(dsn)) as session:
        row = await reading.aggregate(session, pledged)
        assert row is not None
        assert len(decode(Asset, row.state).liens) == 1
    assert (await rebuild(dsn)).differing == ()
    assert sold != pledged


@pytest.mark.parametrize("copies", [50])
async def test_one_statement_sent_many_times_by_two_processes_is_one_entry(
    migrated_database: "Addresses", tmp_path: Path, copies: int
) -> None:
    world, dsn = World(), migrated_database.app
    member = world.join(Role.PROVIDER)
    await replayed(world, dsn)
    said = {"party": member.party, "group": new_id("group"), "evidence": "x"}
    body = statement(world, world.operator, "party.grouped@1", **said)
    counted = raced(dsn, world.now.isoformat(), [body] * copies, tmp_path)
    assert counted == {("party.grouped@1", "ok"): copies}
    assert (await rebuild(dsn)).entries == len(world.entries) + 1
