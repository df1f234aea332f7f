"""The gas that `docs/anchoring.md` publishes is the gas that a chain charges."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

from hexbytes import HexBytes
from web3.types import Wei

from dataexchange.anchoring.authorisation import checkpoint_message, rotation_message, sign
from dataexchange.anchoring.deployment import Deployment, deploy
from dataexchange.anchoring.local_chain import LocalChain, local_account
from dataexchange.anchoring.transaction import transact
from dataexchange.ledger import merkle

DOCUMENT = Path(__file__).parents[2] / "docs" / "anchoring.md"
PAYER, KEY, NEW_KEY = (local_account(index) for index in range(3))
ENTRY = b"e" * 1000
SIZES = (10**3, 10**6, 10**9)


@cache
def root(size: int) -> bytes:
    """The root of `size` equal leaves: real trees of any size, in a few dozen hashes."""
    if size == 1:
        return merkle.leaf_hash(ENTRY)
    left = 1 << ((size - 1).bit_length() - 1)
    return merkle.node_hash(root(left), root(size - left))


def consistency(old_size: int, size: int) -> list[bytes]:
    return [root(end - start) for start, end in merkle.consistency_ranges(old_size, size)]


def inclusion(index: int, size: int) -> list[bytes]:
    return [root(end - start) for start, end in merkle.inclusion_ranges(index, size)]


def costliest(size: int) -> int:
    """The old size, among the last 4,096, whose proof takes the most hashing and calldata.

    Each node of a proof is hashed into the new root, and those left of the old end into the old
    root as well.
    """

    def cost(old_size: int) -> int:
        ranges = merkle.consistency_ranges(old_size, size)
        return 2 * len(ranges) + sum(start < old_size for start, _ in ranges)

    return max(range(max(1, size - 4096), size), key=cost)


class Meter:
    """Measures one deployment after another: each figure starts from a fresh contract."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain

    async def fresh(self) -> Deployment:
        return await deploy(
            self.chain.chain, PAYER, origin="example.org/log", anchor_key=KEY.address
        )

    async def send(self, made: Deployment, name: str, *arguments: object) -> int:
        data = self.chain.chain.contract(made.site).encode_abi(name, list(arguments))
        receipt = await transact(
            self.chain.chain, PAYER, data=HexBytes(data), to=made.site.contract
        )
        return receipt["gasUsed"]

    async def ask(self, made: Deployment, name: str, *arguments: object) -> int:
        """Gas of a transaction that only asks. A contract that asks pays less: no calldata."""
        data = HexBytes(self.chain.chain.contract(made.site).encode_abi(name, list(arguments)))
        receipt = await transact(self.chain.chain, PAYER, data=data, to=made.site.contract)
        return receipt["gasUsed"]

    async def anchor(self, made: Deployment, old_size: int, size: int) -> int:
        message = checkpoint_message(made.site, epoch=0, size=size, root=root(size))
        proof = consistency(old_size, size) if old_size else []
        return await self.send(made, "anchor", size, root(size), proof, sign(message, KEY))

    async def growth(self, old_size: int, size: int) -> int:
        made = await self.fresh()
        await self.anchor(made, 0, old_size)
        return await self.anchor(made, old_size, size)


async def measure(chain: LocalChain) -> list[tuple[str, list[int]]]:
    meter = Meter(chain)
    made = await meter.fresh()
    rows = [("deployment", [made.gas_used])]
    rows.append(("first anchor", [await meter.anchor(await meter.fresh(), 0, n) for n in SIZES]))
    grown = [await meter.growth(n - n // 1000, n) for n in SIZES]
    rows.append(("anchor after 0.1 % growth", grown))
    worst = [await meter.growth(costliest(n), n) for n in SIZES]
    rows.append(("anchor, costliest of the last 4,096 sizes", worst))
    rows.append(("inclusion of a leaf hash", [await leaf(meter, n) for n in SIZES]))
    rows.append(("inclusion of a 1,000-byte entry", [await entry(meter, n) for n in SIZES]))
    rows.append(("key rotation", [await rotation(meter)]))
    rows.append(("fork on record", [await fork(meter)]))
    return rows


async def leaf(meter: Meter, size: int) -> int:
    made = await meter.fresh()
    await meter.anchor(made, 0, size)
    arguments = size, 0, merkle.leaf_hash(ENTRY), inclusion(0, size)
    call = meter.chain.chain.contract(made.site).functions.verifyInclusion(*arguments)
    assert await call.call()
    return await meter.ask(made, "verifyInclusion", *arguments)


async def entry(meter: Meter, size: int) -> int:
    made = await meter.fresh()
    await meter.anchor(made, 0, size)
    return await meter.ask(made, "verifyEntry", size, 0, ENTRY, inclusion(0, size))


async def rotation(meter: Meter) -> int:
    made = await meter.fresh()
    message = rotation_message(made.site, next_epoch=1, new_key=NEW_KEY.address)
    signatures = sign(message, KEY), sign(message, NEW_KEY)
    return await meter.send(made, "rotateKey", NEW_KEY.address, *signatures)


async def fork(meter: Meter) -> int:
    made = await meter.fresh()
    shown = [
        (0, top, sign(checkpoint_message(made.site, epoch=0, size=9, root=top), KEY))
        for top in (root(9), root(10))
    ]
    return await meter.send(made, "recordFork", 9, *shown)


def table(rows: list[tuple[str, list[int]]]) -> str:
    """The figures as the document prints them."""
    lines = ["| gas | 10^3 | 10^6 | 10^9 |", "|---|---|---|---|"]
    for name, figures in rows:
        cells = [f"{figure:,}" for figure in figures] + [""] * (3 - len(figures))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


async def test_the_published_gas_is_what_the_chain_charges(chain: LocalChain) -> None:
    fresh = table(await measure(chain))
    assert fresh in DOCUMENT.read_text(), f"the table should read\n{fresh}"


async def test_the_proof_of_a_thousand_times_the_entries_costs_less_than_half_as_much_again(
    chain: LocalChain,
) -> None:
    meter = Meter(chain)
    figures = [await meter.growth(n - n // 1000, n) for n in SIZES]
    for smaller, larger in pairwise(figures):
        assert smaller < larger < smaller * 1.5


async def test_a_leaf_of_a_thousand_million_entries_is_proved_and_no_other(
    chain: LocalChain,
) -> None:
    meter, size = Meter(chain), 10**9
    made = await meter.fresh()
    await meter.anchor(made, 0, size)
    verify = chain.chain.contract(made.site).functions.verifyInclusion
    path = inclusion(size - 1, size)
    assert await verify(size, size - 1, merkle.leaf_hash(ENTRY), path).call()
    assert not await verify(size, size - 1, merkle.leaf_hash(b"other"), path).call()
    assert not await verify(size, 0, merkle.leaf_hash(ENTRY), path).call()
    assert await chain.chain.w3.eth.get_balance(made.site.contract) == Wei(0)
