"""The map of the whole ledger 全账本状态映射: committed by the operator, confirmed by regulators.

A map says of every aggregate how many entries had it as a subject, which was the last, and what
its state was, after the first `covers` entries. The event carries its root; whoever replays those
entries makes the map again and must get the same root. A regulator who has done so says so here.
"""

from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    State,
    View,
    event,
    require_same,
)
from dataexchange.rules.payload import Hash, PositiveCount

MAP_KEY = "map/exchange"
_CLAUSE = "docs/ledger-format.md, map"

MAP_COVERS_THE_FUTURE = RefusalCode(
    "map.covers_the_future",
    clause=_CLAUSE,
    zh="映射只能覆盖已入账的条目：至多 {index} 条，而非 {covers} 条",
    en="A map covers entries that exist: {index} at most, not {covers}",
)
MAP_NOT_GROWING = RefusalCode(
    "map.not_growing",
    clause=_CLAUSE,
    zh="已有覆盖 {held} 条的映射，新映射须覆盖更多，而非 {covers} 条",
    en="A map of {held} entries is committed; the next must cover more, not {covers}",
    kind="conflict",
)


class CommittedMap(State, frozen=True, kw_only=True):
    """The newest map: it covers the first `covers` entries and has this root (hex)."""

    KIND = "map"

    covers: int
    root: str


class MapCommitment(State, frozen=True, kw_only=True):
    """One committed map, kept for those who confirm it later; its head is the entry that did so."""

    KIND = "commitment"

    covers: int
    root: str


class MapConfirmation(State, frozen=True, kw_only=True):
    """A regulator has replayed the entries that a map covers and found its root."""

    KIND = "confirmation"

    covers: int
    root: str
    map: str
    regulator: str


class MapCommitted(Payload):
    """The root of the map over the first `covers` entries, which this entry is not one of."""

    covers: PositiveCount
    root: Hash


class MapConfirmed(Payload):
    """What was replayed: the leaf hash of the entry that committed the map, and what it said."""

    covers: PositiveCount
    map: Hash
    root: Hash


def commitment_key(covers: int) -> str:
    """Return the key of the map over the first `covers` entries."""
    return f"commitment/{covers}"


def confirmation_key(covers: int, regulator: str) -> str:
    """Return the key of `regulator`'s confirmation of that map."""
    return f"confirmation/{covers}/{regulator}"


@event(
    "map.committed@1",
    by={Role.OPERATOR},
    zh="提交全账本状态映射",
    en="Commit the map of all aggregates",
    clause=_CLAUSE,
    also=lambda payload, actor: (MAP_KEY, commitment_key(payload.covers)),
)
def commit(view: View, event: Event[MapCommitted]) -> Changes:
    """Commit; whether the root is right is for every verifier to recompute."""
    covers, root = event.payload.covers, event.payload.root
    if covers > event.index:
        raise MAP_COVERS_THE_FUTURE(index=event.index, covers=covers)
    newest = view.find(CommittedMap, MAP_KEY)
    if newest is not None and covers <= newest.covers:
        raise MAP_NOT_GROWING(held=newest.covers, covers=covers)
    return (
        CommittedMap(id=MAP_KEY, covers=covers, root=root),
        MapCommitment(id=commitment_key(covers), covers=covers, root=root),
    )


@event(
    "map.confirmed@1",
    by={Role.REGULATOR},
    zh="确认状态映射（已重放）",
    en="Confirm a map after a replay",
    clause=_CLAUSE,
    also=lambda payload, actor: (
        commitment_key(payload.covers),
        confirmation_key(payload.covers, actor),
    ),
)
def confirm(view: View, event: Event[MapConfirmed]) -> Changes:
    """The regulator's own replay to `covers` gave this root; once per map and regulator."""
    said, key = event.payload, commitment_key(event.payload.covers)
    committed = view.get(MapCommitment, key)
    require_same("map", said.map, view.head(key))
    require_same("root", said.root, committed.root)
    confirmation = confirmation_key(said.covers, event.actor)
    view.require_new(confirmation)
    return MapConfirmation(
        id=confirmation, covers=said.covers, root=said.root, map=said.map, regulator=event.actor
    )
