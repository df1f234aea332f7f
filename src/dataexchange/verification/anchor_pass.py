"""The pass over a bundle's anchor receipts (`anchors/…`): what the log itself can say of them.

1. Each file bears the name that its size and block give.
2. It is of this log, and of no more entries than the bundle has.
3. Its root, and the root anchored before, are the log's own at their sizes.

Whether the anchor key signed, and a block holds the event, is for an `AnchorJudge`: the room
`anchoring`, which needs the extra `evm`, has one. Without it the verdict says what was not checked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec

from dataexchange.ledger.tile import TileTree
from dataexchange.verification.anchored import Anchored, JudgedAnchors, Shown
from dataexchange.verification.bundle import ANCHORS, Bundle
from dataexchange.verification.verdict import UnsoundError

_NO_ROOT: Final = "0x" + "0" * 64
UNJUDGED: Final = (
    "锚定凭证只与账本作了比对，签名与区块证据未验：安装 dataexchange[evm]",
    "anchors were compared with the log only; to check signatures install dataexchange[evm]",
)


@dataclass(frozen=True, slots=True)
class AnchorFindings:
    """How much each receipt shows, by member name, and what the reader should know (zh, en)."""

    shown: Mapping[str, Shown]
    warnings: list[tuple[str, str]] = field(default_factory=list)


# Given the origin, the receipts by name, and the log; `UnsoundError` where one does not hold.
AnchorJudge: TypeAlias = Callable[[str, Mapping[str, bytes], TileTree], AnchorFindings]


def check_anchors(
    bundle: Bundle, origin: str, size: int, judge: AnchorJudge | None = None
) -> JudgedAnchors:
    """Return what the bundle's receipts show; its hash tiles have been checked before."""
    tree = TileTree(size, bundle.tile)
    receipts = {name: bundle.anchor(name) for name in bundle.anchors}
    said = {name: _compare(name, data, origin, tree) for name, data in receipts.items()}
    findings = AnchorFindings(dict.fromkeys(said, "compared"))
    if judge is not None:
        findings = judge(origin, receipts, tree)
    elif said:
        findings.warnings.append(UNJUDGED)
    anchors = tuple((said[name], findings.shown[name]) for name in sorted(said))
    return JudgedAnchors(anchors, findings.warnings)


def _compare(name: str, data: bytes, origin: str, tree: TileTree) -> Anchored:
    said = _read(name, data)
    if said.origin != origin:
        raise UnsoundError(
            "anchor.site", f"{name} 属于 {said.origin}", f"{name} is of {said.origin}"
        )
    if said.size > tree.size:
        raise UnsoundError(
            "log.tail_dropped",
            f"证据包只有 {tree.size} 条，{name} 锚定了 {said.size} 条：末尾被删去",
            f"the bundle ends at {tree.size}; {name} anchored {said.size} entries: the tail was"
            " dropped",
            tree.size,
        )
    if said.root != _root(tree, said.size):
        raise UnsoundError(
            "anchor.root",
            f"{name}：前 {said.size} 条的根与锚定的不同，历史被改写",
            f"{name}: the first {said.size} entries have another root than was anchored: history"
            " was rewritten",
        )
    if not said.previous_size < said.size or said.previous_root != _root(tree, said.previous_size):
        raise UnsoundError(
            "anchor.consistency",
            f"{name}：前一锚定不是本账本的前缀",
            f"{name}: the anchor before it is no prefix of this log",
        )
    return said


def _read(name: str, data: bytes) -> Anchored:
    try:
        said = msgspec.json.decode(data, type=Anchored)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnsoundError(
            "anchor.form", f"{name} 不是锚定凭证", f"{name} is no anchor receipt: {error}"
        ) from error
    if name != ANCHORS + said.name:
        raise UnsoundError(
            "anchor.name", f"{name} 名实不符", f"{name} does not bear the name of what it holds"
        )
    return said


def _root(tree: TileTree, size: int) -> str:
    """Return the log's root as receipts spell it; before the first anchor there is none."""
    return "0x" + tree.prefix_root(size).hex() if size else _NO_ROOT
