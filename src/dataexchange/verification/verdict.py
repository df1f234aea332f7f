"""What a verification ends in."""

from dataclasses import dataclass, field

from dataexchange.errors import DataExchangeError, IntegrityError
from dataexchange.verification.anchored import Anchored, JudgedAnchors, Shown
from dataexchange.verification.map_pass import VerifiedMap


class UnusableError(DataExchangeError):
    """There is nothing that could be judged: no policy, no bundle, rules of an unknown version."""


class UnsoundError(IntegrityError):
    """The bundle does not hold together; `index` is the first entry at fault, where one is."""

    def __init__(self, code: str, zh: str, en: str, index: int | None = None) -> None:
        self.code = code
        self.zh = zh
        self.en = en
        self.index = index
        place = "" if index is None else f"entry {index}: "
        super().__init__(f"{place}{code}: {en}")

    def __reduce__(self) -> tuple[type["UnsoundError"], tuple[str, str, str, int | None]]:
        """Let it pass from one process to another."""
        return UnsoundError, (self.code, self.zh, self.en, self.index)


@dataclass(slots=True)
class Recomputation:
    """How many drafted figures came out again, and how many are not disclosed.

    `intervals` counts the drafts whose P10 and P90 did, `comparables` the deals of the ledger that
    market valuations rest on and that are as they say.
    `warnings` (zh, en) name the figures whose card or document this verifier cannot read.
    """

    figures: int = 0
    not_disclosed: int = 0
    intervals: int = 0
    comparables: int = 0
    warnings: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Openings:
    """How many openings hold, and warnings (zh, en) of those whose erasure the log orders."""

    count: int = 0
    warnings: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Verdict:
    """A sound bundle: what it is a log of, and how much was checked.

    `figures_recomputed` counts the figures of valuations that their cards gave again,
    `figures_not_disclosed` those whose card or inputs are not in the bundle. `intervals_recomputed`
    and `comparables_checked` are as in `Recomputation`. `maps` are the committed maps whose roots
    came out again. `witnesses` has the POSIX time of each cosignature. Without
    `rules_replayed` the entries are one chain with this root, and no more is known of them.
    """

    origin: str
    size: int
    root: bytes
    witnesses: dict[str, int]
    events: dict[str, int] = field(default_factory=dict)
    contents: int = 0
    balance_fen: int = 0
    known_size: int | None = None
    warnings: list[tuple[str, str]] = field(default_factory=list)  # (zh, en)
    figures_recomputed: int = 0
    figures_not_disclosed: int = 0
    intervals_recomputed: int = 0
    comparables_checked: int = 0
    maps: tuple[VerifiedMap, ...] = ()
    anchors: tuple[tuple[Anchored, Shown], ...] = ()
    openings: int = 0
    rules_replayed: bool = True

    def take_valuations(self, found: Recomputation) -> None:
        """Add what the valuation pass found."""
        self.figures_recomputed = found.figures
        self.figures_not_disclosed = found.not_disclosed
        self.intervals_recomputed = found.intervals
        self.comparables_checked = found.comparables
        self.warnings.extend(found.warnings)

    def take_anchors(self, found: JudgedAnchors) -> None:
        """Add what the anchor pass found."""
        self.anchors = found.anchors
        self.warnings.extend(found.warnings)

    def take_openings(self, found: Openings) -> None:
        """Add what the opening pass found."""
        self.openings = found.count
        self.warnings.extend(found.warnings)
