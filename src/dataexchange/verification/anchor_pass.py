"""The pass over a bundle's anchor receipts (`anchors/…`): what the log itself can say of them.

1. Each file bears the name that its size and block give.
2. It is of this log, and of no more entries than the bundle has.
3. Its root, and the root anchored before, are the log's own at their sizes.

Whether the anchor key signed, and a block holds the event, is for an `AnchorJudge`: the room
`anchoring`, which needs the extra `evm`, has one. Without it the verdict says what was not checked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

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


class Roots(Protocol):
    """What is known of the log's roots; `size` is the checkpoint's."""

    @property
    def size(self) -> int:
        """The number of entries that the checkpoint covers."""
        ...

    def holds(self, size: int, root: bytes) -> bool | None:
        """Tell whether the first `size` entries, from 1 on, have `root`; `None`: not known."""
        ...


class LogRoots:
    """The roots of a log whose hash tiles are at hand, checked."""

    def __init__(self, tree: TileTree) -> None:
        self._tree = tree
        self.size = tree.size

    def holds(self, size: int, root: bytes) -> bool:
        """Tell whether the first `size` entries have `root`."""
        return self._tree.prefix_root(size) == root


# Given the origin, the receipts by name, and the log; `UnsoundError` where one does not hold.
AnchorJudge: TypeAlias = Callable[[str, Mapping[str, bytes], Roots], AnchorFindings]


def check_anchors(
    bundle: Bundle, origin: str, size: int, judge: AnchorJudge | None = None
) -> JudgedAnchors:
    """Return what the bundle's receipts show; its hash tiles have been checked before."""
    receipts = {name: bundle.anchor(name) for name in bundle.anchors}
    return judge_anchors(receipts, origin, LogRoots(TileTree(size, bundle.tile)), judge)


def judge_anchors(
    receipts: Mapping[str, bytes], origin: str, roots: Roots, judge: AnchorJudge | None = None
) -> JudgedAnchors:
    """Return what `receipts`, by member name, show beside the log's own roots."""
    said = {name: _compare(name, data, origin, roots) for name, data in receipts.items()}
    findings = AnchorFindings(dict.fromkeys(said, "compared"))
    if judge is not None:
        findings = judge(origin, receipts, roots)
    elif said:
        findings.warnings.append(UNJUDGED)
    anchors = tuple((said[name], findings.shown[name]) for name in sorted(said))
    return JudgedAnchors(anchors, findings.warnings)


def _compare(name: str, data: bytes, origin: str, roots: Roots) -> Anchored:
    said = _read(name, data)
    if said.origin != origin:
        raise UnsoundError(
            "anchor.site", f"{name} 属于 {said.origin}", f"{name} is of {said.origin}"
        )
    if said.size > roots.size:
        raise UnsoundError(
            "log.tail_dropped",
            f"证据包只有 {roots.size} 条，{name} 锚定了 {said.size} 条：末尾被删去",
            f"the bundle ends at {roots.size}; {name} anchored {said.size} entries: the tail was"
            " dropped",
            roots.size,
        )
    if not roots.holds(said.size, _bytes(said.root)):
        raise UnsoundError(
            "anchor.root",
            f"{name}：前 {said.size} 条的根与锚定的不同，历史被改写",
            f"{name}: the first {said.size} entries have another root than was anchored: history"
            " was rewritten",
        )
    if not said.previous_size < said.size or not _is_prefix(said, roots):
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


def _is_prefix(said: Anchored, roots: Roots) -> bool:
    """Tell whether the anchor before is of this log; before the first one there is none."""
    if not said.previous_size:
        return said.previous_root == _NO_ROOT
    return bool(roots.holds(said.previous_size, _bytes(said.previous_root)))


def _bytes(root: str) -> bytes:
    return bytes.fromhex(root.removeprefix("0x"))
