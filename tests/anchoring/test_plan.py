"""The worker's decisions, without a chain."""

from datetime import UTC, datetime, timedelta

import pytest
from eth_typing import BlockNumber
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.plan import (
    Reason,
    Schedule,
    Send,
    View,
    Wait,
    forget_final,
    outstanding,
    plan,
)
from dataexchange.anchoring.source import TreeHead
from dataexchange.anchoring.state import Attempt, SignedRoot, WorkerState, fresh_state

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = to_checksum_address("0x" + "11" * 20)
ROOT = bytes(range(32))
SCHEDULE = Schedule()


def view(**choices: object) -> View:
    fields: dict[str, object] = {
        "block_number": 100,
        "base_fee_wei": 10**9,
        "eip1559": True,
        "nonce": 3,
        "balance_wei": 10**18,
        "head": TreeHead(0, bytes(32)),
        "epoch": 0,
        "anchor_key": NOBODY,
        "final_number": BlockNumber(90),
        "final_nonce": 3,
        "final_head": TreeHead(0, bytes(32)),
    }
    return View(**(fields | choices))  # type: ignore[arg-type]


def attempt(nonce: int = 3, *, sent_at: datetime = NOW, refused: bool = False) -> Attempt:
    return Attempt(
        nonce=nonce,
        size=5,
        previous_size=0,
        epoch=0,
        transaction_hash=HexBytes(nonce.to_bytes(32, "big")),
        raw=HexBytes(b"raw"),
        max_fee_wei=3 * 10**9,
        priority_fee_wei=10**9,
        sent_at=sent_at,
        block_number=99,
        refused=refused,
    )


def signed(size: int = 5, *, signed_at: datetime = NOW) -> SignedRoot:
    return SignedRoot(size, HexBytes(ROOT), 0, HexBytes(bytes(65)), signed_at, 99)


def state(*attempts: Attempt, last: SignedRoot | None = None) -> WorkerState:
    fresh = fresh_state(AnchorSite(1, NOBODY, "example.org/log"))
    for one in attempts:
        fresh = fresh.with_attempt(one)
    return fresh.with_signed(last) if last else fresh


def decide(memory: WorkerState, seen: View, **later: float) -> Wait | Send:
    return plan(memory, seen, now=NOW + timedelta(**later), schedule=SCHEDULE)


def test_a_worker_that_never_signed_is_due_at_once() -> None:
    assert decide(state(), view()) == Send(Reason.DUE, 3)


def test_an_anchored_root_is_followed_after_the_interval() -> None:
    memory, seen = state(last=signed()), view(head=TreeHead(5, ROOT))
    assert decide(memory, seen, minutes=59) == Wait(Reason.NOT_DUE)
    assert decide(memory, seen, minutes=60) == Send(Reason.DUE, 3)


def test_a_signed_root_that_is_neither_anchored_nor_under_way_is_lost() -> None:
    assert decide(state(last=signed()), view()) == Send(Reason.LOST, 3)


def test_a_transaction_under_way_is_left_alone() -> None:
    assert decide(state(attempt()), view(), minutes=2) == Wait(Reason.UNDERWAY)


def test_a_slow_transaction_is_replaced_at_its_nonce() -> None:
    slow = attempt()
    assert decide(state(slow), view(), minutes=3) == Send(Reason.SLOW, 3, replaces=slow)


def test_a_chain_that_stands_still_is_not_paid_to_move() -> None:
    seen = view(block_number=99)
    assert decide(state(attempt()), seen, hours=9) == Wait(Reason.UNDERWAY)


def test_a_refused_transaction_is_replaced_even_where_no_block_came() -> None:
    refused = attempt(refused=True)
    seen = view(block_number=99, forgotten=frozenset({3}))
    assert decide(state(refused), seen, minutes=2) == Wait(Reason.UNDERWAY)
    assert decide(state(refused), seen, minutes=3) == Send(Reason.SLOW, 3, replaces=refused)


def test_what_the_node_forgot_is_offered_again_before_it_is_replaced() -> None:
    first, second = attempt(3), attempt(4)
    seen = view(forgotten=frozenset({3, 4}))
    expected = Wait(Reason.FORGOTTEN, (first, second))
    assert decide(state(second, first), seen, hours=9) == expected


@pytest.mark.parametrize("seen", [view(head=TreeHead(4, ROOT)), view(epoch=1)])
def test_a_transaction_that_the_contract_would_refuse_is_replaced_at_once(seen: View) -> None:
    assert decide(state(attempt()), seen) == Send(Reason.STALE, 3, replaces=attempt())


def test_a_gap_before_our_transaction_is_filled() -> None:
    assert decide(state(attempt(4)), view()) == Send(Reason.NONCE_GAP, 3)


def test_an_executed_transaction_is_no_longer_outstanding() -> None:
    memory = state(attempt(2), attempt(3))
    assert outstanding(memory, view()) == (attempt(3),)


def test_a_replacement_takes_the_place_of_what_it_replaces() -> None:
    better = attempt(3, sent_at=NOW + timedelta(minutes=3))
    assert state(attempt(3), better).attempts == (better,)


def test_transactions_are_kept_until_their_nonce_is_final() -> None:
    memory = state(attempt(2), attempt(3))
    assert forget_final(memory, view(final_nonce=2)).attempts == memory.attempts
    assert forget_final(memory, view(final_nonce=3)).attempts == (attempt(3),)
    assert forget_final(memory, view(final_nonce=4)).attempts == ()


def test_signed_roots_are_kept_until_the_final_head_overtakes_them() -> None:
    memory = state(last=signed(5))
    assert forget_final(memory, view(final_head=TreeHead(4, ROOT))).signed == memory.signed
    overtaken = view(final_head=TreeHead(6, ROOT))
    assert forget_final(memory, overtaken).signed == ()
    awaiting_receipt = view(final_head=TreeHead(6, ROOT), final_roots={5: ROOT})
    assert forget_final(memory, awaiting_receipt).signed == memory.signed


def test_what_was_signed_last_is_never_forgotten() -> None:
    memory = forget_final(state(last=signed(5)), view(final_head=TreeHead(6, ROOT)))
    assert memory.last_signed == signed(5)
