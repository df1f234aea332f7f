"""The folder in which a worker's memory survives."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.receipt import AnchorReceipt
from dataexchange.anchoring.state import (
    Attempt,
    SignedRoot,
    WorkerState,
    decode,
    encode,
    fresh_state,
)
from dataexchange.anchoring.store import FileStore, read_receipts

NOW = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
NOBODY = to_checksum_address("0x" + "11" * 20)


def receipt(size: int, block: int) -> AnchorReceipt:
    return AnchorReceipt(
        origin="example.org/log",
        chain_id=1,
        contract=NOBODY,
        epoch=0,
        anchor_key=NOBODY,
        size=size,
        root=HexBytes(b"\x01" * 32),
        signature=HexBytes(bytes(65)),
        previous_size=0,
        previous_root=HexBytes(bytes(32)),
        consistency=(HexBytes(b"\x02" * 32),),
        transaction_hash=HexBytes(b"\x03" * 32),
        block_number=block,
        block_hash=HexBytes(block.to_bytes(32, "little")),
        block_time=NOW,
        gas_used=73_993,
        gas_price_wei=10**9,
        finality="finalized",
    )


def full_state() -> WorkerState:
    signed = SignedRoot(5, HexBytes(b"\x01" * 32), 0, HexBytes(bytes(65)), NOW, 7)
    attempt = Attempt(0, 5, 0, 0, HexBytes(b"\x04" * 32), HexBytes(b"raw"), 9, 1, NOW, 7, True)
    state = fresh_state(AnchorSite(1, NOBODY, "example.org/log"))
    return state.with_signed(signed).with_attempt(attempt)


async def test_a_new_folder_holds_nothing(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "new" / "folder")
    assert await store.load() is None
    assert await store.receipts() == []


async def test_what_was_saved_last_is_loaded(tmp_path: Path) -> None:
    await FileStore(tmp_path).save(fresh_state(AnchorSite(1, NOBODY, "other")))
    await FileStore(tmp_path).save(full_state())
    assert await FileStore(tmp_path).load() == full_state()


async def test_receipts_come_back_by_size_and_the_same_one_is_kept_once(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    for one in (receipt(10, 3), receipt(9, 2), receipt(10, 3), receipt(100, 5)):
        await store.add_receipt(one)
    assert await store.receipts() == [receipt(9, 2), receipt(10, 3), receipt(100, 5)]


async def test_an_orphaned_receipt_no_longer_counts_but_is_kept(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    await store.add_receipt(receipt(10, 3))
    await store.add_receipt(receipt(10, 4))
    await store.orphan_receipt(receipt(10, 3))
    assert await store.receipts() == [receipt(10, 4)]
    assert read_receipts(tmp_path / "orphaned") == [receipt(10, 3)]


async def test_a_write_that_was_cut_short_leaves_the_old_state(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    await store.save(full_state())
    (tmp_path / ".state.json.cut").write_bytes(b'{"chain_id": 1')
    assert await FileStore(tmp_path).load() == full_state()


async def test_drafts_are_no_receipts(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    await store.add_receipt(receipt(9, 2))
    (tmp_path / "receipts" / ".00000000000000000010-aa.json.cut").write_bytes(b"{")
    assert await store.receipts() == [receipt(9, 2)]


def test_documents_are_json_with_prefixed_hex() -> None:
    text = encode(receipt(9, 2)).decode()
    assert '"root": "0x0101' in text
    assert '"block_time": "2026-01-01T12:30:00Z"' in text
    assert decode(text.encode(), AnchorReceipt) == receipt(9, 2)


@pytest.mark.parametrize(
    "change",
    [
        ('"root": "0x', '"root": "'),
        ('"root": "0x', '"root": "0xg'),
        ('"v": 1', '"v": 2'),
        ('"size": 9', '"size": "9"'),
        ('"size": 9', '"size": 9, "extra": 1'),
    ],
)
def test_a_document_of_another_form_is_refused(change: tuple[str, str]) -> None:
    text = encode(receipt(9, 2)).decode()
    assert change[0] in text
    with pytest.raises(msgspec.ValidationError):
        decode(text.replace(*change, 1).encode(), AnchorReceipt)
