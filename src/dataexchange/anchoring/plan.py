"""Decide the worker's next act from what it remembers and what the chain shows. Pure.

The chain is believed afresh each time. A re-org, a lost transaction, a stranger who anchors our
root for us, a restart: each is only another view, and the same rules apply to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from eth_typing import BlockNumber, ChecksumAddress
from msgspec.structs import replace

from dataexchange.anchoring.fees import FeePolicy
from dataexchange.anchoring.source import TreeHead
from dataexchange.anchoring.state import Attempt, WorkerState


@dataclass(frozen=True, slots=True)
class View:
    """The chain as one block shows it, and what its newest final block shows of our sizes."""

    block_number: int
    base_fee_wei: int
    eip1559: bool
    nonce: int
    balance_wei: int
    head: TreeHead
    epoch: int
    anchor_key: ChecksumAddress
    final_number: BlockNumber
    final_nonce: int
    final_head: TreeHead
    # The roots at the sizes that were asked for; a size without a root is missing.
    final_roots: Mapping[int, bytes] = field(default_factory=dict)
    # The nonces of transactions of ours that the node should hold and does not.
    forgotten: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often to anchor, and how long to wait for a transaction before offering more."""

    interval: timedelta = timedelta(hours=1)
    resend_after: timedelta = timedelta(minutes=3)
    poll: timedelta = timedelta(seconds=12)
    fees: FeePolicy = field(default_factory=FeePolicy)


class Reason(Enum):
    """Why a transaction is sent, or why none is."""

    DUE = "due"
    LOST = "lost"
    NONCE_GAP = "nonce gap"
    STALE = "stale"
    SLOW = "slow"
    NOT_DUE = "not due"
    UNDERWAY = "underway"
    FORGOTTEN = "forgotten"
    FEES_TOO_HIGH = "fees too high"
    NOTHING_NEW = "nothing new"
    LOG_BEHIND = "log behind"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Wait:
    """Send nothing new; `again` are transactions to offer again, in order."""

    reason: Reason
    again: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Send:
    """Anchor the newest checkpoint with this nonce, in place of `replaces` if that is given."""

    reason: Reason
    nonce: int
    replaces: Attempt | None = None


def plan(state: WorkerState, view: View, *, now: datetime, schedule: Schedule) -> Wait | Send:
    """Return what to do next.

    There is one transaction under way at most, except after a re-org that undid several: then all
    are offered again, lowest nonce first.
    """
    open_attempts = outstanding(state, view)
    first = open_attempts[0] if open_attempts else None
    if first is None:
        return _plan_new(state, view, now=now, schedule=schedule)
    if first.nonce > view.nonce:
        return Send(Reason.NONCE_GAP, view.nonce)
    if is_stale(first, view):
        return Send(Reason.STALE, view.nonce, replaces=first)
    again = tuple(a for a in open_attempts if a.nonce in view.forgotten and not a.refused)
    if again:
        return Wait(Reason.FORGOTTEN, again)
    if _is_slow(first, view, now=now, schedule=schedule):
        return Send(Reason.SLOW, view.nonce, replaces=first)
    return Wait(Reason.UNDERWAY)


def outstanding(state: WorkerState, view: View) -> tuple[Attempt, ...]:
    """Return the transactions that this chain has not executed, by nonce."""
    attempts = (attempt for attempt in state.attempts if attempt.nonce >= view.nonce)
    return tuple(sorted(attempts, key=lambda attempt: attempt.nonce))


def is_stale(attempt: Attempt, view: View) -> bool:
    """Whether the contract would refuse it: its proof starts elsewhere or its key was replaced."""
    return (attempt.previous_size, attempt.epoch) != (view.head.size, view.epoch)


def _is_slow(attempt: Attempt, view: View, *, now: datetime, schedule: Schedule) -> bool:
    """Whether the chain went on without it. A chain that stands still is not paid to move."""
    waited = now - attempt.sent_at >= schedule.resend_after
    return waited and (view.block_number > attempt.block_number or attempt.refused)


def forget_final(state: WorkerState, view: View) -> WorkerState:
    """Return the state without what can no longer matter.

    A nonce that a final block has used is settled. A signed root that the final head has overtaken
    without anchoring it never will be anchored.
    """
    attempts = tuple(a for a in state.attempts if a.nonce >= view.final_nonce)
    signed = tuple(
        s for s in state.signed if s.size in view.final_roots or s.size > view.final_head.size
    )
    return replace(state, attempts=attempts, signed=signed)


def _plan_new(state: WorkerState, view: View, *, now: datetime, schedule: Schedule) -> Wait | Send:
    last = state.last_signed
    if last is None:
        return Send(Reason.DUE, view.nonce)
    if view.head.size < last.size:
        return Send(Reason.LOST, view.nonce)
    if now - last.signed_at >= schedule.interval:
        return Send(Reason.DUE, view.nonce)
    return Wait(Reason.NOT_DUE)
