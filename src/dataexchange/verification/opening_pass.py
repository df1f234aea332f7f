"""Openings in a bundle: each opens a sealed field of an entry in it, or the bundle is unsound.

`sealed/<commitment>` holds salt[32] ‖ JCS(value), so that its SHA-256 is its name. A bundle carries
the openings that its bearer chose to show; those it leaves out prove nothing either way.
"""

from dataclasses import dataclass, field

from dataexchange.errors import RefusedError
from dataexchange.ledger import sealing
from dataexchange.ledger.entry import Entry
from dataexchange.ledger.sealing import Opening
from dataexchange.pipeline.erasure import OpeningErased
from dataexchange.verification.bundle import Bundle
from dataexchange.verification.verdict import Openings, UnsoundError

ERASED = "opening.erased@1"
_MARKS = (b'"sealed":{', f'"{ERASED}"'.encode())


@dataclass(slots=True)
class _Sealed:
    """Which entry commits to what, and which entry ordered which field to be erased."""

    places: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    erased_by: dict[tuple[int, str], int] = field(default_factory=dict)
    signers: dict[int, str] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Add what an entry seals, or orders to be erased."""
        fields = entry.statement.fields
        for name, committed in fields.sealed.items():
            self.places.setdefault(committed, []).append((entry.index, name))
            self.signers[entry.index] = fields.actor
        if fields.event == ERASED:
            order = OpeningErased.model_validate_json(entry.statement.payload)
            if self.signers.get(order.index) == order.sealed_by:
                self.erased_by[order.index, order.field] = entry.index


def check_openings(bundle: Bundle, size: int) -> Openings:
    """Check every opening in the bundle of a log of `size`, whose entries were replayed."""
    found = Openings()
    if not bundle.openings:
        return found
    sealed = _sealed(bundle, size)
    for committed in sorted(bundle.openings, key=lambda one: sealed.places.get(one, [])[:1]):
        places = sealed.places.get(committed)
        if places is None:
            raise UnsoundError(
                "opening.unnamed",
                f"没有条目含有承诺 {committed}",
                f"no entry commits to {committed}",
            )
        _require_opens(bundle.opening(committed), committed, places[0])
        found.count += 1
        found.warnings.extend(_warn(sealed, place) for place in places if place in sealed.erased_by)
    return found


def _sealed(bundle: Bundle, size: int) -> _Sealed:
    sealed = _Sealed()
    for bodies in bundle.entries(size):
        for body in bodies:
            if any(mark in body for mark in _MARKS):
                sealed.take(Entry.parse(body))
    return sealed


def _require_opens(preimage: bytes, committed: str, place: tuple[int, str]) -> None:
    index, name = place
    try:
        Opening.of(name, preimage)
    except RefusedError as error:
        raise UnsoundError("opening.malformed", error.zh, error.en, index) from error
    if sealing.commitment(preimage) != committed:
        raise UnsoundError(
            "opening.differs",
            f"{name} 的打开值与承诺不符",
            f"the opening of {name} is not what the entry commits to",
            index,
        )


def _warn(sealed: _Sealed, place: tuple[int, str]) -> tuple[str, str]:
    index, name = place
    by = sealed.erased_by[place]
    return (
        f"第 {by} 条责令删除第 {index} 条的 {name}，证据包仍带有其打开值",
        f"entry {by} orders {name} of entry {index} to be erased; the bundle still opens it",
    )
