"""A title to prove: pledged, insured, licensed and guaranteed, in an exchange that runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from databases import Addresses
from dataexchange.client.signing import Actor
from dataexchange.exchange.mapper import make_map
from dataexchange.registry.tail import Appended
from dataexchange.rules import Role
from exchanges import Door, opened_door, small_world
from steps_guarantee import active_pledge, guarantee_in_force, second_key
from steps_insurance import asset_loss_cover
from steps_market import another, listed, requested_licence, settled_licence
from world import World


@dataclass
class Titled:
    """The exchange, the asset with what is on it, and its parties by name."""

    door: Door
    asset: str
    pledge: str
    valuation: str
    cover: str
    guarantee: str
    unrelated: str  # a listing of another asset
    names: dict[str, Actor]

    async def commit_map(self) -> Appended:
        """Make a map and have the operator commit it."""
        made = await make_map(self.door.exchange.engine, rest=0)
        assert made is not None
        appended = self.door.world.do(self.door.world.operator, "map.committed@1", **made.payload)
        await self.door.tell()
        return appended

    async def confirm_map(self, committed: Appended, by: Actor) -> None:
        """Have a regulator confirm it."""
        said = committed.submission.payload.model_dump(mode="json")
        self.door.world.do(by, "map.confirmed@1", **said, map=committed.leaf.hex())
        await self.door.tell()

    async def bundle(self, **query: object) -> bytes:
        """Return the zip as the holder gets it."""
        response = await self.door.http.get(
            f"/v1/assets/{self.asset}/dossier.zip",
            params={key: str(value) for key, value in query.items()},
            headers=self.door.bearer(self.names["holder"]),
        )
        assert response.status_code == 200, response.text
        return response.content


@asynccontextmanager
async def titled(addresses: Addresses, folder: Path) -> AsyncIterator[Titled]:
    """Run an exchange with such a title; nothing is mapped yet."""
    world = small_world()
    deal = settled_licence(world)
    pledged = active_pledge(world, deal.product)
    covered = asset_loss_cover(world, deal.product)
    guaranteed = guarantee_in_force(world, pledged)
    _, unrelated = listed(world)
    names = {
        "holder": deal.provider,
        "buyer": deal.buyer,
        "lender": pledged.lender,
        "insurer": covered.insurer.first,
        "guarantor": guaranteed.house.analyst,
        "stranger": world.join(Role.PROVIDER, Role.BUYER),
        "asker": requested_licence(world, another(world, deal)).buyer,
        "regulator": world.regulator,
        "operator": world.operator,
    }
    world.now += timedelta(minutes=1)
    async with opened_door(addresses, folder, world) as door:
        await door.tell()
        yield Titled(
            door,
            asset=deal.product.asset,
            pledge=pledged.pledge,
            valuation=pledged.valuation,
            cover=covered.cover,
            guarantee=guaranteed.guarantee,
            unrelated=unrelated,
            names=names,
        )


def new_regulator_key(world: World) -> Actor:
    """Return the regulator with a key that entry 0 does not name."""
    return second_key(world, world.regulator)
