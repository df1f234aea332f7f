"""What the check of one asset's title ends in."""

from dataclasses import dataclass, field

from dataexchange.asset.title import Asset
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.rules import State
from dataexchange.verification.anchored import Anchored, Shown
from dataexchange.verification.verdict import UnsoundError


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A regulator's word that its replay gave the map."""

    regulator: str
    index: int
    recorded_at: str


@dataclass(slots=True)
class TitleVerdict:
    """A sound title: what the ledger held of the asset after its first `covers` entries.

    `size` is the checkpoint's; what happened from entry `covers` on is not covered. `states` are
    all that was proven, by key; `also` those that were added by their key: of their kinds there may
    be more. `names` are the parties' names as the ledger has them.
    """

    origin: str
    size: int
    covers: int
    map_index: int
    mapped_at: str
    witnesses: tuple[str, ...]
    confirmed: tuple[Confirmation, ...]
    asset: Asset
    states: dict[str, State]
    also: tuple[str, ...]
    entries: int
    names: dict[str, str]
    confirmations_unknown: int = 0
    anchors: tuple[tuple[Anchored, Shown], ...] = ()
    warnings: list[tuple[str, str]] = field(default_factory=list)  # (zh, en)

    def warn(self) -> None:
        """Say what the bundle does not show."""
        if self.covers < self.size:
            self._say(
                f"第 {self.covers} 条至第 {self.size - 1} 条之间发生的事不在证明范围内",
                f"what happened in entries {self.covers} to {self.size - 1} is not covered",
            )
        if not self.confirmed:
            self._say(
                "没有已知监管密钥确认过此映射：映射是否属实，只有运营机构的签名为凭",
                "no regulator's known key confirmed this map; only the operator says that it is"
                " right",
            )
        if self.confirmations_unknown:
            self._say(
                "有确认由本次验证不认识的密钥签署（可用 --regulator 指明）",
                "there are confirmations by keys not known here (name them with --regulator)",
            )
        if not self.witnesses:
            self._say(
                "检查点没有见证签名：是否另有一本账，本次验证看不出来",
                "no witness cosigned the checkpoint: a second log of that name would not show here",
            )

    def compare(self, checkpoint: Checkpoint, known: Checkpoint) -> None:
        """Two checkpoints of one size must be one; of two sizes, only a bundle of the log tells."""
        if known.origin != checkpoint.origin:
            raise UnsoundError("checkpoint.other_log", "属于另一账本", f"is of {known.origin}")
        if known.size == checkpoint.size and known.root != checkpoint.root:
            raise UnsoundError("log.forked", "同一大小有两个根", "two roots signed for one size")
        if known.size != checkpoint.size:
            self._say(
                f"已知检查点有 {known.size} 条，与此不同，无法比较",
                f"the known checkpoint has {known.size} entries; it cannot be compared with this",
            )

    def _say(self, zh: str, en: str) -> None:
        self.warnings.append((zh, en))
