"""A service asks the anchor contract, at its start, whether the log is still whole."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from hexbytes import HexBytes

from dataexchange.anchoring.authorisation import AnchorSite, checkpoint_message, sign
from dataexchange.anchoring.chain import Chain, opened_chain
from dataexchange.anchoring.deployment import deploy
from dataexchange.anchoring.head import anchored_head
from dataexchange.anchoring.local_chain import local_account
from dataexchange.anchoring.transaction import transact
from dataexchange.client.typeid import new_id
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.note import Note
from exchanges import Door, opened_door, small_world
from local_evm import running_chain
from problems import assert_problem
from world import ORIGIN

if TYPE_CHECKING:
    from databases import Addresses

PAYER, KEY = local_account(0), local_account(1)


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[tuple[str, Chain]]:
    with running_chain(tmp_path) as rpc:
        async with opened_chain([rpc]) as one:
            yield rpc, one


async def anchored(chain: Chain, size: int, root: bytes) -> AnchorSite:
    """A new contract that holds one root."""
    made = await deploy(chain, PAYER, origin=ORIGIN, anchor_key=KEY.address)
    signature = sign(checkpoint_message(made.site, epoch=0, size=size, root=root), KEY)
    data = chain.contract(made.site).encode_abi("anchor", [size, root, [], signature])
    await transact(chain, PAYER, data=HexBytes(data), to=made.site.contract)
    return made.site


async def write(door: Door) -> httpx.Response:
    payload = {"party": door.world.regulator.party, "group": new_id("group"), "evidence": "x"}
    return await door.submit(door.world.operator, "party.grouped@1", payload)


async def test_an_empty_contract_holds_no_head(chain: tuple[str, Chain]) -> None:
    rpc, one = chain
    made = await deploy(one, PAYER, origin=ORIGIN, anchor_key=KEY.address)
    assert await anchored_head(made.site, [rpc]) is None


async def test_a_log_that_the_contract_contradicts_is_not_written(
    migrated_database: "Addresses", tmp_path: Path, chain: tuple[str, Chain]
) -> None:
    rpc, one = chain
    world = small_world()
    async with opened_door(migrated_database, tmp_path, world) as door:
        await door.tell()
        note = (await door.get("/checkpoint")).content
    held = Checkpoint.parse(Note.parse(note).text)
    for size, root, code in (
        (held.size, held.root, None),
        (held.size + 9, b"\x01" * 32, "exchange.log_behind"),
        (held.size, b"\x01" * 32, "exchange.log_forked"),
    ):
        site = await anchored(one, size, root)
        settings = {"anchor_contract": site.account, "anchor_rpc_url": f"http://127.0.0.1:9 {rpc}"}
        async with opened_door(migrated_database, tmp_path, world, **settings) as door:
            answer = await write(door)
            if code is None:
                assert answer.status_code == 201, answer.text
            else:
                assert_problem(answer, 503, code)


async def test_a_contract_that_is_misspelt_keeps_the_service_from_starting(
    migrated_database: "Addresses", tmp_path: Path
) -> None:
    settings = {"anchor_contract": "0x00", "anchor_rpc_url": "http://127.0.0.1:9"}
    with pytest.raises(ValueError, match="eip155"):
        async with opened_door(migrated_database, tmp_path, small_world(), **settings):
            pass
