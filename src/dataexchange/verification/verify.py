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

Without rules, a first look: 1, 2, 5, 7, 8 and 11, and that each entry names the one before it.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from dataexchange.identity.opening import LOG_KEY, Log
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.merkle import Frontier
from dataexchange.ledger.policy import VerifiedCheckpoint
from dataexchange.verification.anchor_pass import AnchorJudge, check_anchors
from dataexchange.verification.bundle import Bundle
from dataexchange.verification.chain_pass import Chain, Hashed, hash_part
from dataexchange.verification.examination import examine_part
from dataexchange.verification.map_pass import MAP_MARK, map_sizes
from dataexchange.verification.opening_pass import check_openings
from dataexchange.verification.part import Found, Part, parts, worked
from dataexchange.verification.past import Past
from dataexchange.verification.replay import Replay
from dataexchange.verification.tile_pass import TilePass
from dataexchange.verification.trusted import open_bundled, open_known, read_policy
from dataexchange.verification.valuation_pass import DRAFTED, recompute_valuations
from dataexchange.verification.verdict import UnsoundError, Verdict

Progress = Callable[[int, int], None]
HASHED_MEMBERS = 16  # in one part: hashing is so quick that handing out work would show
NOT_REPLAYED: Final = (  # (zh, en)
    "未重放规则：条目格式、签名、规则、账户、估值、映射、密封内容、签署密钥是否公布，均未验证",
    (
        "no rule was replayed: form, signatures, rules, accounts, valuations, maps, sealed fields,"
        " and whether the log announced its key, were not checked"
    ),
)


def verify_bundle(
    path: Path,
    policy: bytes | None,
    *,
    known_checkpoint: bytes | None = None,
    anchors: AnchorJudge | None = None,
    progress: Progress = lambda done, total: None,
    executor: Executor | None = None,
    resume: Path | None = None,
    rules: bool = True,
) -> Verdict:
    """Return the verdict on the bundle in `path`; without `rules`, one that says what is left out.

    What entries show by themselves is examined by `executor`, any that keeps to the interface of
    `concurrent.futures` and whose processes can read `path`, while the rules are replayed here.
    `resume` names a file of the verifier's own, where a sound verdict leaves what the next one
    need not replay again. `UnusableError` where nothing can be judged, `UnsoundError` where it does
    not hold together.
    """
    believed = read_policy(policy)
    known = None if known_checkpoint is None else open_known(believed, known_checkpoint)
    bundle = Bundle(path)
    with closing(bundle):
        signed = open_bundled(believed, bundle.checkpoint)
        _require_not_behind(signed.checkpoint, known)
        bundle.require_exactly(signed.checkpoint.size)
        rest = _Rest(bundle, signed, known, anchors=anchors, executor=executor, progress=progress)
        if not rules:
            return _linked(rest)
        with closing(Past(resume)) as past:
            kept = past.size
            replay, verdict = _replayed(rest, past)
            if resume is not None and verdict.size >= kept:
                replay.save()
            return verdict


def _replayed(rest: "_Rest", past: Past) -> tuple[Replay, Verdict]:
    """Return a replay of the rules, which `past` may hold the beginning of, and the verdict."""
    bundle = rest.bundle
    replay = _begin(bundle, rest.checkpoint, past)
    rest.pass_verified(replay.frontier)
    size = rest.checkpoint.size
    for found in rest.worked(examine_part, replay.tail.size, size):
        leaves = replay.take(found, lambda index: bundle.entry(index, size))
        rest.take(leaves, found.hashes)
    replay.finish()
    rest.finish()
    return replay, _verdict(rest, replay)


def _linked(rest: "_Rest") -> Verdict:
    """Return the verdict after a first look, which replays nothing."""
    chain = Chain()
    for hashed in rest.hashed(rest.checkpoint.size):
        chain.take(hashed)
        rest.take(hashed.leaves, hashed.hashes)
    rest.finish()
    verdict = rest.verdict()
    verdict.rules_replayed = False
    verdict.warnings.append(NOT_REPLAYED)
    return verdict


def _begin(bundle: Bundle, checkpoint: Checkpoint, past: Past) -> Replay:
    """Return the replay to go on with: a new one where the kept one does not lead to this log."""
    replay = Replay.resumed(checkpoint.origin, past)
    since = replay.tail.size
    sizes = _map_sizes(bundle, checkpoint.size, since)
    if since > checkpoint.size or (since and any(size <= since for size in sizes)):
        past.forget()
        replay = Replay(checkpoint.origin, past=past)
        sizes = _map_sizes(bundle, checkpoint.size, 0)
    replay.expect_maps(sizes)
    return replay


def _map_sizes(bundle: Bundle, size: int, since: int) -> frozenset[int]:
    """Return the sizes that maps cover, up to what cannot be read: the replay says what that is."""
    sizes: set[int] = set()
    with suppress(UnsoundError):
        for bodies in bundle.holding(MAP_MARK, size, since):
            sizes |= map_sizes(bodies)
    return frozenset(sizes)


class _Rest:
    """What else must agree with the entries: root, tiles, contents, the known checkpoint."""

    def __init__(
        self,
        bundle: Bundle,
        signed: VerifiedCheckpoint,
        known: Checkpoint | None,
        *,
        anchors: AnchorJudge | None,
        executor: Executor | None,
        progress: Progress,
    ) -> None:
        self.bundle = bundle
        self.signed = signed
        self.checkpoint = signed.checkpoint
        self._known = known
        self._anchors = anchors
        self._executor = executor
        self._progress = progress
        self._tiles = TilePass(bundle)
        self._unnamed = {name.encode() for name in bundle.contents}

    def worked(
        self, task: Callable[[Part], Found], since: int, until: int, *, members: int = 1
    ) -> Iterator[Found]:
        """Yield what `task` finds in the parts of a range of the log, in order."""
        of = parts(self.bundle, self.checkpoint.size, since, until, members=members)
        return worked(task, of, self._executor)

    def hashed(self, until: int) -> Iterator[Hashed]:
        """Yield what hashing shows of the first entries."""
        return self.worked(hash_part, 0, until, members=HASHED_MEMBERS)

    def pass_verified(self, start: Frontier) -> None:
        """Take the entries before `start`, which were replayed at another time: only hashed."""
        for hashed in self.hashed(start.size):
            self.take(hashed.leaves, hashed.hashes)
        if self._tiles.frontier != start:
            raise UnsoundError(
                "log.forked",
                f"前 {start.size} 条与上次验证时不同：历史被改写",
                f"the first {start.size} entries are not those that were verified before: history"
                " was rewritten",
            )

    def take(self, leaves: Sequence[bytes], hashes: frozenset[bytes]) -> None:
        """Take the leaf hashes of the next entries, and the hashes that they state."""
        known, before = self._known, self._tiles.size
        if known is not None and before < known.size <= before + len(leaves):
            then = self._tiles.frontier.extend(leaves[: known.size - before])
            _require_prefix(then, known)
        self._tiles.take(leaves)
        self._unnamed -= hashes
        self._progress(self._tiles.size, self.checkpoint.size)

    def finish(self) -> None:
        """Check what only the end shows."""
        if self._tiles.frontier.root() != self.checkpoint.root:
            raise UnsoundError(
                "log.root_differs",
                "条目的默克尔根与检查点不符",
                "the entries do not have the root that the checkpoint signs",
            )
        self._tiles.finish()
        _require_contents(self.bundle, self._unnamed)

    def verdict(self) -> Verdict:
        """Return the verdict, to which a replay adds."""
        size, origin = self.checkpoint.size, self.checkpoint.origin
        verdict = Verdict(
            origin=origin,
            size=size,
            root=self.checkpoint.root,
            witnesses=dict(self.signed.cosigned_at_seconds),
            contents=len(self.bundle.contents),
            known_size=self._known.size if self._known is not None else None,
        )
        if self._known is None and not verdict.witnesses:
            verdict.warnings.append(
                (
                    "未给出已知检查点，也没有见证签名：若末尾被整体删去，本次验证看不出来",
                    "no known checkpoint and no witness: a dropped tail would not show here",
                )
            )
        verdict.take_anchors(check_anchors(self.bundle, origin, size, self._anchors))
        return verdict


def _verdict(rest: _Rest, replay: Replay) -> Verdict:
    _require_announced(replay, rest.signed)
    verdict = rest.verdict()
    verdict.events = dict(sorted(replay.events.items()))
    verdict.balance_fen = replay.balance_fen
    if replay.maps is not None:
        verdict.maps = tuple(replay.maps.verified)
    if verdict.balance_fen != 0:
        raise UnsoundError("accounts.unbalanced", "账户合计不为零", "the accounts do not sum to 0")
    if replay.events[DRAFTED]:
        verdict.take_valuations(recompute_valuations(rest.bundle, verdict.size))
    verdict.take_openings(check_openings(rest.bundle, verdict.size))
    return verdict


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


def _require_prefix(then: Frontier, known: Checkpoint) -> None:
    """The known checkpoint must sign the first entries of this very log."""
    if then.root() != known.root:
        raise UnsoundError(
            "log.forked",
            f"前 {known.size} 条与已知检查点不同：历史被改写",
            f"the first {known.size} entries are not those of the known checkpoint: history was"
            " rewritten",
        )


def _require_announced(replay: Replay, signed: VerifiedCheckpoint) -> None:
    log = replay.find(Log, LOG_KEY)
    if log is None:
        raise UnsoundError("log.not_opened", "账本没有开立条目", "the log was never opened", 0)
    if log.origin != signed.checkpoint.origin or any(
        not log.keys.is_in_use(key.vkey) for key in signed.logs
    ):
        raise UnsoundError(
            "log.key_not_announced",
            "签署检查点的密钥，账本未公布或已停用",
            "the log did not announce a key that signs this checkpoint, or retired it before",
        )


def _require_contents(bundle: Bundle, unnamed: set[bytes]) -> None:
    if unnamed:
        first = min(unnamed).decode()
        raise UnsoundError(
            "content.unnamed", f"没有条目引用内容 {first}", f"no entry refers to content {first}"
        )
    for sha256 in bundle.contents:
        if not bundle.has_content(sha256):
            raise UnsoundError(
                "content.differs", f"内容 {sha256} 已被改动", f"content {sha256} was changed"
            )
