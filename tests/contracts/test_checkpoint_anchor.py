"""The anchor contract on a real EVM: what it accepts, and every reason for which it refuses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3.contract import AsyncContract
from web3.types import TxReceipt

from dataexchange.anchoring import contract
from dataexchange.anchoring.authorisation import (
    AnchorSite,
    checkpoint_message,
    recover,
    rotation_message,
    sign,
)
from dataexchange.anchoring.chain import answering
from dataexchange.anchoring.deployment import Deployment, deploy
from dataexchange.anchoring.errors import ContractRefusedError
from dataexchange.anchoring.local_chain import LocalChain, local_account
from dataexchange.anchoring.transaction import transact
from dataexchange.ledger import merkle

LEAVES = [merkle.leaf_hash(b"entry %d" % index) for index in range(64)]
PAYER = local_account(0)
KEY = local_account(1)
NEW_KEY = local_account(2)
STRANGER = local_account(3)
ZERO = "0x" + "00" * 20
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def root(size: int) -> bytes:
    return merkle.root(LEAVES[:size])


def proof(old_size: int, size: int) -> list[bytes]:
    return merkle.consistency_proof(LEAVES[:size], old_size) if old_size else []


@dataclass(frozen=True)
class Anchor:
    """The deployed contract, and short ways to speak to it."""

    running: LocalChain
    site: AnchorSite

    @property
    def contract(self) -> AsyncContract:
        return self.running.chain.contract(self.site)

    def signature(
        self, size: int, top: bytes, *, epoch: int = 0, key: LocalAccount = KEY
    ) -> HexBytes:
        return sign(checkpoint_message(self.site, epoch=epoch, size=size, root=top), key)

    async def send(self, name: str, *arguments: object, payer: LocalAccount = PAYER) -> TxReceipt:
        data = self.contract.encode_abi(name, list(arguments))
        return await transact(self.running.chain, payer, data=HexBytes(data), to=self.site.contract)

    async def anchor(self, old_size: int, size: int, **choices: Any) -> TxReceipt:
        signature = choices.get("signature") or self.signature(size, root(size))
        return await self.send("anchor", size, root(size), proof(old_size, size), signature)

    async def rotate(self, new: LocalAccount, *, epoch: int, old: LocalAccount) -> TxReceipt:
        message = rotation_message(self.site, next_epoch=epoch, new_key=new.address)
        return await self.send("rotateKey", new.address, sign(message, old), sign(message, new))


@pytest.fixture
def anchor(chain: LocalChain, deployment: Deployment) -> Anchor:
    return Anchor(chain, deployment.site)


async def ask(function: Any) -> Any:
    async with answering():
        return await function.call()


def refused(name: str) -> Any:
    return pytest.raises(ContractRefusedError, match=f"^合约拒绝 / {name}")


async def test_deployment_states_origin_key_and_domain(anchor: Anchor) -> None:
    call = anchor.contract.functions
    assert await call.origin().call() == anchor.site.origin_hash
    assert await call.anchorKey().call() == KEY.address == await call.keyAt(0).call()
    assert await call.head().call() == [0, bytes(32)]
    domain = await call.eip712Domain().call()
    assert domain == [
        b"\x0f",
        "dataexchange CheckpointAnchor",
        "1",
        anchor.site.chain_id,
        anchor.site.contract,
        bytes(32),
        [],
    ]


async def test_a_contract_without_key_or_origin_cannot_be_made(chain: LocalChain) -> None:
    with refused("ZeroKey"):
        await deploy(chain.chain, PAYER, origin="x", anchor_key=to_checksum_address(ZERO))
    maker = chain.chain.w3.eth.contract(abi=contract.abi(), bytecode=contract.bytecode())
    creation = HexBytes(maker.constructor(bytes(32), KEY.address).data_in_transaction)
    with refused("ZeroOrigin"):
        await transact(chain.chain, PAYER, data=creation)


async def test_roots_are_anchored_as_the_log_grows(anchor: Anchor) -> None:
    old_size = 0
    for size in (1, 2, 7, 8, 33, 64):
        receipt = await anchor.anchor(old_size, size)
        (event,) = anchor.contract.events.Anchored().process_receipt(receipt)
        assert event["args"] == {
            "size": size,
            "root": root(size),
            "previousSize": old_size,
            "epoch": 0,
        }
        assert await anchor.contract.functions.head().call() == [size, root(size)]
        assert await anchor.contract.functions.rootAt(size).call() == root(size)
        old_size = size


async def test_anyone_may_pay_for_what_the_key_authorised(anchor: Anchor) -> None:
    signature = anchor.signature(5, root(5))
    await anchor.send("anchor", 5, root(5), [], signature, payer=STRANGER)
    assert await anchor.contract.functions.headSize().call() == 5


@pytest.mark.parametrize("size", [1, 8])
async def test_a_size_that_does_not_grow_is_refused(anchor: Anchor, size: int) -> None:
    await anchor.anchor(0, 8)
    with refused(rf"SizeNotGrowing\({size}, 8\)"):
        await anchor.send("anchor", size, root(size), [], anchor.signature(size, root(size)))


async def test_size_zero_is_refused(anchor: Anchor) -> None:
    with refused("SizeNotGrowing"):
        await anchor.send(
            "anchor", 0, merkle.EMPTY_ROOT, [], anchor.signature(0, merkle.EMPTY_ROOT)
        )


async def test_the_zero_root_is_refused(anchor: Anchor) -> None:
    with refused("ZeroRoot"):
        await anchor.send("anchor", 1, bytes(32), [], anchor.signature(1, bytes(32)))


MUTATIONS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "none": lambda path: [],
    "shorter": lambda path: path[:-1],
    "longer": lambda path: [*path, path[-1]],
    "changed": lambda path: [path[0][::-1], *path[1:]],
    "reversed": lambda path: path[::-1],
}


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_root_without_a_sound_consistency_proof_is_refused(
    anchor: Anchor, mutation: str
) -> None:
    await anchor.anchor(0, 7)
    path = MUTATIONS[mutation](proof(7, 33))
    with refused(r"InconsistentRoot\(7, 33\)"):
        await anchor.send("anchor", 33, root(33), path, anchor.signature(33, root(33)))


async def test_a_rewritten_history_is_refused_even_with_its_own_proof(anchor: Anchor) -> None:
    await anchor.anchor(0, 7)
    rewritten = [merkle.leaf_hash(b"other"), *LEAVES[1:33]]
    top, path = merkle.root(rewritten), merkle.consistency_proof(rewritten, 7)
    with refused("InconsistentRoot"):
        await anchor.send("anchor", 33, top, path, anchor.signature(33, top))


async def test_the_first_root_takes_no_proof(anchor: Anchor) -> None:
    with refused("InconsistentRoot"):
        await anchor.send("anchor", 7, root(7), [root(3)], anchor.signature(7, root(7)))


async def test_a_strangers_signature_is_refused(anchor: Anchor) -> None:
    with refused("WrongSigner"):
        await anchor.anchor(0, 7, signature=anchor.signature(7, root(7), key=STRANGER))


@pytest.mark.parametrize("change", ["size", "root", "epoch", "contract", "chain", "log"])
async def test_a_signature_for_anything_else_is_refused(anchor: Anchor, change: str) -> None:
    site, other = anchor.site, to_checksum_address(STRANGER.address)
    sites = {
        "contract": AnchorSite(site.chain_id, other, site.origin),
        "chain": AnchorSite(site.chain_id + 1, site.contract, site.origin),
        "log": AnchorSite(site.chain_id, site.contract, "example.org/other"),
    }
    message = checkpoint_message(
        sites.get(change, site),
        epoch=1 if change == "epoch" else 0,
        size=8 if change == "size" else 7,
        root=root(8) if change == "root" else root(7),
    )
    with refused("WrongSigner"):
        await anchor.anchor(0, 7, signature=sign(message, KEY))


@pytest.mark.parametrize("anvil_options", [["--chain-id", "777"]], ids=["chain 777"])
async def test_signatures_are_bound_to_the_chain_that_runs_now(anchor: Anchor) -> None:
    """A chain that splits off takes another id; what was signed for the old one is void there."""
    await anchor.anchor(0, 7)
    kept = anchor.signature(8, root(8))
    await anchor.running.request("anvil_setChainId", 778)
    with refused("WrongSigner"):
        await anchor.anchor(7, 8, signature=kept)
    moved = Anchor(anchor.running, AnchorSite(778, anchor.site.contract, anchor.site.origin))
    await moved.anchor(7, 8)


def high_s(signature: bytes) -> bytes:
    """The twin of a signature: valid by itself, refused so that each message has one signature."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest.mark.parametrize(
    "malform",
    [
        lambda s: s[:64],
        lambda s: s + b"\x00",
        lambda s: s[:64] + b"\x1d",
        lambda s: s[:64] + bytes([s[64] - 27]),
        lambda s: bytes(65),
        high_s,
    ],
    ids=["short", "long", "v 29", "v 0 or 1", "zeros", "high s"],
)
async def test_malformed_signatures_are_refused_by_contract_and_python(
    anchor: Anchor, malform: Callable[[bytes], bytes]
) -> None:
    malformed = malform(bytes(anchor.signature(7, root(7))))
    with refused("MalformedSignature"):
        await anchor.anchor(0, 7, signature=malformed)
    message = checkpoint_message(anchor.site, epoch=0, size=7, root=root(7))
    assert recover(message, malformed) is None


async def test_the_key_is_replaced_when_old_and_new_agree(anchor: Anchor) -> None:
    await anchor.anchor(0, 7)
    receipt = await anchor.rotate(NEW_KEY, epoch=1, old=KEY)
    (event,) = anchor.contract.events.KeyRotated().process_receipt(receipt)
    assert event["args"] == {"epoch": 1, "oldKey": KEY.address, "newKey": NEW_KEY.address}
    with refused("WrongSigner"):
        await anchor.anchor(7, 8, signature=anchor.signature(8, root(8), epoch=1))
    await anchor.anchor(7, 8, signature=anchor.signature(8, root(8), epoch=1, key=NEW_KEY))
    assert await anchor.contract.functions.keyAt(0).call() == KEY.address


async def test_a_rotation_needs_both_signatures(anchor: Anchor) -> None:
    message = rotation_message(anchor.site, next_epoch=1, new_key=NEW_KEY.address)
    old, new = sign(message, KEY), sign(message, NEW_KEY)
    for first, second in ((new, new), (old, old), (sign(message, STRANGER), new)):
        with refused("WrongSigner"):
            await anchor.send("rotateKey", NEW_KEY.address, first, second)
    with refused("ZeroKey"):
        await anchor.send("rotateKey", ZERO, old, new)


async def test_a_rotation_works_once(anchor: Anchor) -> None:
    message = rotation_message(anchor.site, next_epoch=1, new_key=NEW_KEY.address)
    signatures = sign(message, KEY), sign(message, NEW_KEY)
    await anchor.send("rotateKey", NEW_KEY.address, *signatures)
    await anchor.rotate(KEY, epoch=2, old=NEW_KEY)
    with refused("WrongSigner"):
        await anchor.send("rotateKey", NEW_KEY.address, *signatures)


async def test_what_an_earlier_reign_signed_is_void_when_the_key_returns(anchor: Anchor) -> None:
    kept = anchor.signature(7, root(7))
    await anchor.rotate(NEW_KEY, epoch=1, old=KEY)
    await anchor.rotate(KEY, epoch=2, old=NEW_KEY)
    with refused("WrongSigner"):
        await anchor.anchor(0, 7, signature=kept)


async def test_entries_and_leaves_are_verified_against_any_anchored_size(anchor: Anchor) -> None:
    await anchor.anchor(0, 7)
    await anchor.anchor(7, 33)
    call = anchor.contract.functions
    for size in (7, 33):
        path = merkle.inclusion_proof(LEAVES[:size], 3)
        assert await call.verifyEntry(size, 3, b"entry 3", path).call()
        assert await call.verifyInclusion(size, 3, LEAVES[3], path).call()
        assert not await call.verifyEntry(size, 4, b"entry 3", path).call()
        assert not await call.verifyEntry(size, 3, b"entry 4", path).call()
        assert not await call.verifyInclusion(size, 3, LEAVES[3], path[:-1]).call()
    with refused("SizeNotAnchored"):
        await ask(call.verifyInclusion(8, 3, LEAVES[3], []))


async def test_a_node_does_not_pass_for_a_leaf(anchor: Anchor) -> None:
    await anchor.anchor(0, 8)
    node = merkle.root(LEAVES[:2])
    path = merkle.inclusion_proof(LEAVES[:8], 0)[1:]
    for index in range(8):
        assert not await anchor.contract.functions.verifyInclusion(8, index, node, path).call()


async def test_later_trees_are_compared_with_anchored_ones(anchor: Anchor) -> None:
    await anchor.anchor(0, 7)
    call = anchor.contract.functions.verifyConsistency
    assert await call(7, 33, root(33), proof(7, 33)).call()
    assert not await call(7, 33, root(32), proof(7, 33)).call()
    with refused("SizeNotAnchored"):
        await ask(call(8, 33, root(33), proof(8, 33)))


async def test_two_signed_roots_for_one_size_are_recorded_by_anyone(anchor: Anchor) -> None:
    other = merkle.root(LEAVES[1:8])
    shown = [(0, top, anchor.signature(7, top)) for top in (root(7), other)]
    receipt = await anchor.send("recordFork", 7, *shown, payer=STRANGER)
    (event,) = anchor.contract.events.ForkRecorded().process_receipt(receipt)
    assert event["args"] == {
        "size": 7,
        "rootA": root(7),
        "rootB": other,
        "epochA": 0,
        "epochB": 0,
    }
    assert await anchor.contract.functions.forkAt(7).call() == [root(7), other, 0, 0]
    assert await anchor.contract.functions.forkCount().call() == 1
    with refused(r"ForkAlreadyRecorded\(7\)"):
        await anchor.send("recordFork", 7, *shown)


async def test_a_fork_across_a_rotation_is_recorded_with_both_epochs(anchor: Anchor) -> None:
    early = (0, root(7), anchor.signature(7, root(7)))
    await anchor.rotate(NEW_KEY, epoch=1, old=KEY)
    late = (1, root(8), anchor.signature(7, root(8), epoch=1, key=NEW_KEY))
    await anchor.send("recordFork", 7, early, late)
    assert await anchor.contract.functions.forkAt(7).call() == [root(7), root(8), 0, 1]


async def test_a_fork_needs_two_roots_that_a_key_of_this_log_signed(anchor: Anchor) -> None:
    good = (0, root(7), anchor.signature(7, root(7)))
    with refused("EqualRoots"):
        await anchor.send("recordFork", 7, good, good)
    with refused("WrongSigner"):
        forged = (0, root(8), anchor.signature(7, root(8), key=STRANGER))
        await anchor.send("recordFork", 7, good, forged)
    with refused("WrongSigner"):
        elsewhere = (0, root(8), anchor.signature(8, root(8)))
        await anchor.send("recordFork", 7, good, elsewhere)
    with refused(r"UnknownEpoch\(1\)"):
        await anchor.send("recordFork", 7, good, (1, root(8), good[2]))
    assert await anchor.contract.functions.forkCount().call() == 0


async def test_anchoring_goes_on_after_a_fork_is_recorded(anchor: Anchor) -> None:
    shown = [(0, top, anchor.signature(7, top)) for top in (root(7), root(8))]
    await anchor.send("recordFork", 7, *shown)
    await anchor.anchor(0, 7)
    assert await anchor.contract.functions.headSize().call() == 7
