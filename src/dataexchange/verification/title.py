"""The lender's check of one asset's title, offline, with nothing but a policy.

1. The checkpoint is signed as the policy asks.
2. Each entry is in the log that it signs: its tlog-proof, its canonical bytes, its signature.
3. One entry commits the map that the bundle rests on; regulators' confirmations name that entry.
4. For each aggregate of the title (`title_set`) the map holds its count, head and state, or holds
   nothing; the state given is the one. The bundle has those aggregates and no other.
5. Of each, the entries from the first to the count are there, chained up to the head.
6. The keys that sign the checkpoint are in use, as the map holds the log's own state.
7. Receipts of anchors, where there are any, are of this log (`title_anchors`).
8. Every member was needed.

It shows what the map says. That the map itself is right is shown by whoever replayed the log: the
regulators that confirmed it, with keys that entry 0 or the caller names, or a bundle of the log.
"""

from collections.abc import Collection
from pathlib import Path

from dataexchange.identity.opening import Log, LogOpened
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.policy import Policy, VerifiedCheckpoint
from dataexchange.supervision.completeness import MapCommitted, MapConfirmed
from dataexchange.verification.anchor_pass import AnchorJudge
from dataexchange.verification.title_anchors import check_title_anchors
from dataexchange.verification.title_entries import Entries, history, proven, said_at
from dataexchange.verification.title_members import CHECKPOINT, DOSSIER, Dossier, Shelf, unpack
from dataexchange.verification.title_states import TitleStates
from dataexchange.verification.title_verdict import Confirmation, TitleVerdict
from dataexchange.verification.trusted import open_bundled, open_known, read_policy
from dataexchange.verification.verdict import UnsoundError


def verify_title(
    path: Path,
    policy: bytes | None,
    *,
    known_checkpoint: bytes | None = None,
    regulator_keys: Collection[str] = (),
    anchors: AnchorJudge | None = None,
) -> TitleVerdict:
    """Return the verdict on the bundle of one asset in `path`.

    `regulator_keys` are ids of keys that the caller knows to be regulators', beside those of entry
    0; `anchors` judges receipts as in `verify_bundle`. `UnusableError` where nothing can be judged,
    `UnsoundError` where it does not hold together.
    """
    believed = read_policy(policy)
    return _judge(
        Shelf(unpack(path)),
        believed,
        known=None if known_checkpoint is None else open_known(believed, known_checkpoint),
        regulator_keys=regulator_keys,
        anchors=anchors,
    )


def _judge(
    shelf: Shelf,
    policy: Policy,
    *,
    known: Checkpoint | None,
    regulator_keys: Collection[str],
    anchors: AnchorJudge | None,
) -> TitleVerdict:
    dossier, note = Dossier.parse(shelf.take(DOSSIER)), shelf.take(CHECKPOINT)
    signed = open_bundled(policy, note)
    entries = proven(shelf, shelf.indexes(), note=note, policy=policy)
    opened = _opening(entries, signed.checkpoint)
    committed = said_at(entries, dossier.map, "map.committed@1", MapCommitted)
    if committed.covers > dossier.map:
        raise UnsoundError("map.differs", "映射有误", "the map covers itself", dossier.map)
    title = TitleStates(shelf, bytes.fromhex(committed.root), dossier)
    needed = {0, dossier.map, *dossier.confirmed}
    for value in title.close():
        needed.update(history(entries, value, committed.covers))
    _require_announced(title.log, signed)
    _require_no_more(entries, needed)
    anchored = check_title_anchors(shelf, signed.checkpoint, anchors)
    shelf.require_empty()
    keys = {*regulator_keys, *(one.key for one in opened.regulators)}
    confirmed = _confirmations(entries, dossier, committed, keys)
    names = {one.party: one.name for one in (opened.operator, *opened.regulators) if one.name}
    verdict = TitleVerdict(
        origin=signed.checkpoint.origin,
        size=signed.checkpoint.size,
        covers=committed.covers,
        map_index=dossier.map,
        mapped_at=entries[dossier.map].fields.recorded_at,
        witnesses=tuple(signed.cosigned_at_seconds),
        confirmed=confirmed,
        asset=title.asset,
        states=title.states,
        also=dossier.also,
        entries=len(entries),
        names=names | title.names,
        confirmations_unknown=len(dossier.confirmed) - len(confirmed),
        anchors=anchored.anchors,
    )
    verdict.warn()
    verdict.warnings += anchored.warnings
    if known is not None:
        verdict.compare(signed.checkpoint, known)
    return verdict


def _opening(entries: Entries, checkpoint: Checkpoint) -> LogOpened:
    """Return what entry 0 says; it names the first regulators, and no later entry can undo it."""
    opened = said_at(entries, 0, "log.opened@1", LogOpened)
    if opened.origin != checkpoint.origin:
        raise UnsoundError("log.other", "第 0 条属于另一账本", "entry 0 opened another log", 0)
    return opened


def _require_announced(log: Log, signed: VerifiedCheckpoint) -> None:
    """Unsound unless the log had announced, and not retired, a key that signs the checkpoint.

    A key announced after the map is not known here, so it counts for nothing.
    """
    in_use = any(log.keys.is_in_use(key.vkey) for key in signed.logs)
    if not in_use or any(log.keys.is_retired(key.vkey) for key in signed.logs):
        raise UnsoundError(
            "log.key_not_announced",
            "签署检查点的密钥，账本未公布或已停用",
            "the log, as of the map, did not announce a key that signs this checkpoint, or had"
            " retired it",
        )


def _require_no_more(entries: Entries, needed: set[int]) -> None:
    if extra := sorted(entries.keys() - needed):
        raise UnsoundError(
            "bundle.unknown_member",
            f"证据包含有与该资产无关的条目 {extra[0]}",
            f"entry {extra[0]} does not belong to this title",
            extra[0],
        )


def _confirmations(
    entries: Entries, dossier: Dossier, committed: MapCommitted, keys: Collection[str]
) -> tuple[Confirmation, ...]:
    """Return the confirmations by known keys; one that is about another map is unsound."""
    leaf = entries[dossier.map].leaf.hex()
    expected = MapConfirmed(covers=committed.covers, map=leaf, root=committed.root)
    found = []
    for index in dossier.confirmed:
        if said_at(entries, index, "map.confirmed@1", MapConfirmed) != expected:
            raise UnsoundError("title.other_map", "确认的是另一映射", "confirms another map", index)
        said = entries[index].statement.fields
        if said.key in keys:
            recorded_at = entries[index].fields.recorded_at
            found.append(Confirmation(said.actor, index, recorded_at))
    return tuple(found)
