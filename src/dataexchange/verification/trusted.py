"""The checkpoints that a verifier is given, under its policy: the bundle's, and one it knows.

The bundle's must meet the whole policy. One that is known from elsewhere is the verifier's own, and
can only make the judgement stricter: the log's signature is enough, since a history that the log
signed and no witness saw is just what must come to light. Where it has not even that, it says
nothing of the bundle, which is not judged.
"""

from dataclasses import replace

from dataexchange.errors import DataExchangeError, IntegrityError
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.policy import NO_QUORUM, Policy, VerifiedCheckpoint
from dataexchange.verification.verdict import UnsoundError, UnusableError


def read_policy(data: bytes | None) -> Policy:
    """Return the verifier's policy; `UnusableError` where there is none that can be used."""
    if data is None:
        raise UnusableError("没有验证策略（--policy）/ no policy was given (--policy)")
    try:
        return Policy.parse(data)
    except DataExchangeError as error:
        raise UnusableError(f"验证策略无法使用 / the policy cannot be used: {error}") from error


def open_bundled(policy: Policy, note: bytes) -> VerifiedCheckpoint:
    """Return the bundle's checkpoint, which its log and a quorum of witnesses signed."""
    try:
        return policy.verify(note)
    except IntegrityError as error:
        raise UnsoundError(
            "checkpoint.bundle_not_trusted",
            "检查点不符合验证策略",
            f"the bundle checkpoint does not meet the policy: {error}",
        ) from error


def open_known(policy: Policy, note: bytes) -> Checkpoint:
    """Return the checkpoint that the verifier knows, which its log signed."""
    try:
        return replace(policy, quorum=NO_QUORUM).verify(note).checkpoint
    except IntegrityError as error:
        raise UnusableError(
            "已知检查点无法使用：不是验证策略所列账本签署的"
            f" / the known checkpoint cannot be used, no log of the policy signed it: {error}"
        ) from error
