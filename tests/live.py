"""A real exchange for tests: a sequencer on a real database, and signed submissions for it."""

from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.exchange.batch import Outcome, Receipt
from dataexchange.exchange.sequencer import Sequencer
from dataexchange.registry import submission
from dataexchange.registry.submission import Submission
from dataexchange.rules import Role
from world import World


def signed(actor: Actor, event: str, payload: dict[str, Any], **options: Any) -> Submission:
    """Return `actor`'s submission of `event`, its signature checked as at the door."""
    stated = actor.state(event, payload, **options)
    signature = actor.sign(stated)
    stated.verify(signature)
    return submission.read(stated, signature)


@dataclass
class Live:
    """An opened log; `member` is an admitted party to do things to."""

    sequencer: Sequencer
    dsn: str
    world: World
    member: Actor

    async def submit(self, *submissions: Submission) -> list[Outcome]:
        """Submit independently."""
        return await self.sequencer.submit(submissions)

    def grouping(self, *, party: str | None = None, **options: Any) -> Submission:
        """Return an event that is accepted any number of times."""
        payload = {
            "party": party or self.member.party,
            "group": new_id("group"),
            "evidence": "register-extract",
        }
        return signed(self.world.operator, "party.grouped@1", payload, **options)

    def application(self) -> tuple[Submission, Submission]:
        """Return a new party's application and its admission."""
        actor = self.world.actor()
        profile = self.world.profile(actor, Role.PROVIDER)
        admission = {"party": actor.party, "roles": ["provider"]}
        return (
            signed(actor, "party.applied@1", profile),
            signed(self.world.operator, "party.admitted@1", admission),
        )

    async def bodies(self) -> list[bytes]:
        """Return the bytes of all entries."""
        connection = await asyncpg.connect(self.dsn)
        rows = await connection.fetch("select body from entry order by index")
        await connection.close()
        return [row["body"] for row in rows]


async def opened(sequencer: Sequencer, dsn: str) -> Live:
    """Open the log as tests' worlds do, with one more party admitted."""
    world = World()
    opening = orjson.loads(world.entries[0].submission.statement.payload)
    member = world.actor()
    profile = world.profile(member, Role.PROVIDER, Role.BUYER)
    admission = {"party": member.party, "roles": ["provider", "buyer"]}
    outcomes = await sequencer.submit(
        [
            signed(world.operator, "log.opened@1", opening),
            signed(member, "party.applied@1", profile),
            signed(world.operator, "party.admitted@1", admission),
        ]
    )
    assert all(isinstance(one, Receipt) for one in outcomes), outcomes
    return Live(sequencer, dsn, world, member)
