"""The regulator's check of a bundle, offline, with nothing but a policy.

1. The checkpoint is signed as the policy asks, by the log and by its witnesses.
2. The bundle has the members that a log of that size has, and no other.
3. Every entry: canonical bytes, signature, statement once, linked groups whole.
4. Every rule replayed, in order; each entry must come out byte for byte.
5. The Merkle root of the entries is the checkpoint's, and the hash tiles are theirs.
6. The log calls itself by the policy's name and announced the key that signs for it.
7. A checkpoint known from elsewhere is a prefix of this log.
8. All content has the hash that names it, and an entry that refers to it.
9. Every drafted figure whose card and inputs are among the content is computed again.
10. Every committed map has the root that the entries it covers give.
11. Every anchor receipt is of this log and its roots; `anchors` judges signatures and blocks.
12. Every opening is that of a field which an entry seals.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from dataexchange.errors import DataExchangeError, IntegrityError
from dataexchange.identity.opening import LOG_KEY, Log
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.merkle import Frontier, leaf_hash
from dataexchange.ledger.policy import Policy, VerifiedCheckpoint
from dataexchange.ledger.tile import grow_tiles
from dataexchange.verification.anchor_pass import AnchorJudge, check_anchors
from dataexchange.verification.bundle import Bundle
from dataexchange.verification.map_pass import map_sizes
from dataexchange.verification.opening_pass import check_openings
from dataexchange.verification.replay import Replay
from dataexchange.verification.valuation_pass import recompute_valuations
from dataexchange.verification.verdict import UnsoundError, UnusableError, Verdict

Progress = Callable[[int, int], None]


def verify_bundle(
    path: Path,
    policy: bytes | None,
    *,
    known_checkpoint: bytes | None = None,
    anchors: AnchorJudge | None = None,
    progress: Progress = lambda done, total: None,
) -> Verdict:
    """Return the verdict on the bundle in `path`.

    `UnusableError` where nothing can be judged, `UnsoundError` where it does not hold together.
    """
    if policy is None:
        raise UnusableError("没有验证策略（--policy）/ no policy was given (--policy)")
    parsed = _policy(policy)
    bundle = Bundle(path)
    try:
        signed = _checkpoint(parsed, bundle.checkpoint, "bundle")
        known = None
        if known_checkpoint is not None:
            known = _checkpoint(parsed, known_checkpoint, "known").checkpoint
        verdict = _judge(bundle, signed, known, progress)
        verdict.take_anchors(check_anchors(bundle, verdict.origin, verdict.size, anchors))
        return verdict
    finally:
        bundle.close()


def _judge(
    bundle: Bundle, signed: VerifiedCheckpoint, known: Checkpoint | None, progress: Progress
) -> Verdict:
    checkpoint = signed.checkpoint
    _require_not_behind(checkpoint, known)
    bundle.require_exactly(checkpoint.size)
    covered = (map_sizes(bodies) for bodies in bundle.entries(checkpoint.size))
    replay = Replay(checkpoint.origin, frozenset[int]().union(*covered))
    unnamed = set(bundle.contents)
    for bodies in bundle.entries(checkpoint.size):
        size, before = replay.frontier.size, replay.frontier
        replay.extend(bodies)
        if known is not None and size < known.size <= replay.frontier.size:
            _require_prefix(before, bodies, known)
        unnamed = {name for name in unnamed if not any(name.encode() in one for one in bodies)}
        progress(replay.frontier.size, checkpoint.size)
    replay.finish()
    _require_root(replay.frontier, checkpoint)
    _require_tiles(bundle, checkpoint.size)
    _require_announced(replay, signed)
    _require_contents(bundle, unnamed)
    verdict = _verdict(replay, signed, bundle, known)
    verdict.take_valuations(recompute_valuations(bundle, checkpoint.size))
    verdict.take_openings(check_openings(bundle, checkpoint.size))
    return verdict


def _verdict(
    replay: Replay, signed: VerifiedCheckpoint, bundle: Bundle, known: Checkpoint | None
) -> Verdict:
    verdict = Verdict(
        origin=signed.checkpoint.origin,
        size=signed.checkpoint.size,
        root=signed.checkpoint.root,
        witnesses=dict(signed.cosigned_at_seconds),
        events=dict(sorted(replay.events.items())),
        contents=len(bundle.contents),
        balance_fen=replay.balance_fen,
        known_size=known.size if known is not None else None,
        maps=tuple(replay.maps.verified) if replay.maps is not None else (),
    )
    if verdict.balance_fen != 0:
        raise UnsoundError("accounts.unbalanced", "账户合计不为零", "the accounts do not sum to 0")
    if known is None and not verdict.witnesses:
        verdict.warnings.append(
            (
                "未给出已知检查点，也没有见证签名：若末尾被整体删去，本次验证看不出来",
                "no known checkpoint and no witness: a dropped tail would not show here",
            )
        )
    return verdict


def _policy(data: bytes) -> Policy:
    try:
        return Policy.parse(data)
    except DataExchangeError as error:
        raise UnusableError(f"验证策略无法使用 / the policy cannot be used: {error}") from error


def _checkpoint(policy: Policy, note: bytes, which: str) -> VerifiedCheckpoint:
    try:
        return policy.verify(note)
    except IntegrityError as error:
        raise UnsoundError(
            f"checkpoint.{which}_not_trusted",
            "检查点不符合验证策略",
            f"the {which} checkpoint does not meet the policy: {error}",
        ) from error


def _require_not_behind(checkpoint: Checkpoint, known: Checkpoint | None) -> None:
    if known is None:
        return
    if known.origin != checkpoint.origin:
        raise UnsoundError(
            "checkpoint.other_log",
            f"已知检查点属于 {known.origin}",
            f"the known checkpoint is of {known.origin}",
        )
    if checkpoint.size < known.size:
        raise UnsoundError(
            "log.tail_dropped",
            f"证据包只有 {checkpoint.size} 条，已知检查点有 {known.size} 条：末尾被删去",
            f"the bundle ends at {checkpoint.size}; a known checkpoint has {known.size} entries:"
            " the tail was dropped",
            checkpoint.size,
        )


def _require_prefix(before: Frontier, bodies: list[bytes], known: Checkpoint) -> None:
    """The known checkpoint must sign the first entries of this very log."""
    then = before.extend(leaf_hash(body) for body in bodies[: known.size - before.size])
    if then.root() != known.root:
        raise UnsoundError(
            "log.forked",
            f"前 {known.size} 条与已知检查点不同：历史被改写",
            f"the first {known.size} entries are not those of the known checkpoint: history was"
            " rewritten",
        )


def _require_root(frontier: Frontier, checkpoint: Checkpoint) -> None:
    if frontier.root() != checkpoint.root:
        raise UnsoundError(
            "log.root_differs",
            "条目的默克尔根与检查点不符",
            "the entries do not have the root that the checkpoint signs",
        )


def _require_tiles(bundle: Bundle, size: int) -> None:
    """Hash tiles are redundant; each must say what the entries say."""
    leaves = [leaf_hash(body) for bodies in bundle.entries(size) for body in bodies]
    for name, data in grow_tiles(0, leaves, lambda level, index, width: b""):
        if bundle.tile(name.level, name.index, name.width) != data:
            raise UnsoundError(
                "tile.differs", f"{name.path} 与条目不符", f"{name.path} is not of these entries"
            )


def _require_announced(replay: Replay, signed: VerifiedCheckpoint) -> None:
    held = replay.tail.held.get(LOG_KEY)
    log = held.state if held is not None else None
    if not isinstance(log, Log):
        raise UnsoundError("log.not_opened", "账本没有开立条目", "the log was never opened", 0)
    if log.origin != signed.checkpoint.origin or any(
        key.vkey not in log.keys.valid for key in signed.logs
    ):
        raise UnsoundError(
            "log.key_not_announced",
            "签署检查点的密钥，账本未公布或已停用",
            "the log did not announce a key that signs this checkpoint, or retired it before",
        )


def _require_contents(bundle: Bundle, unnamed: set[str]) -> None:
    if unnamed:
        raise UnsoundError(
            "content.unnamed",
            f"没有条目引用内容 {min(unnamed)}",
            f"no entry refers to content {min(unnamed)}",
        )
    for sha256 in bundle.contents:
        if hashlib.sha256(bundle.content(sha256)).hexdigest() != sha256:
            raise UnsoundError(
                "content.differs", f"内容 {sha256} 已被改动", f"content {sha256} was changed"
            )
