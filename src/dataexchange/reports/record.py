"""What a log says of one valuation, read from a bundle by replaying its rules.

A replay checks every signature and rule on the way; whether the checkpoint is to be trusted is
said by a policy, which `dataexchange verify` asks.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from dataexchange.asset.title import Asset
from dataexchange.errors import DataExchangeError
from dataexchange.identity.party import Party
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.entry import Entry
from dataexchange.ledger.note import Note
from dataexchange.rules import State
from dataexchange.valuation.card_register import RuleCard
from dataexchange.valuation.record import MethodUsed, Valuation, ValuationDrafted
from dataexchange.verification.bundle import Bundle
from dataexchange.verification.replay import Replay
from dataexchange.verification.verdict import UnsoundError, UnusableError

S = TypeVar("S", bound=State)


class NoSuchValuationError(DataExchangeError):
    """The log holds no drafted valuation of that id."""

    def __init__(self, valuation: str) -> None:
        super().__init__(f"账本里没有已出初稿的评估 / the log has no drafted valuation {valuation}")


@dataclass(frozen=True, slots=True)
class Act:
    """One entry about the valuation: what was done, by whom, when, and its leaf hash (hex)."""

    index: int
    event: str
    actor: str
    key: str
    recorded_at: str
    leaf: str


@dataclass(frozen=True, slots=True)
class Record:
    """One valuation as the log holds it.

    `names` are the parties' names as far as they are public; `cards` (method, version) by card;
    `contents` what the bundle holds of the cards and input documents, by SHA-256.
    """

    origin: str
    size: int
    root: str
    valuation: Valuation
    draft: ValuationDrafted
    asset_title: str
    asset_title_en: str | None
    acts: tuple[Act, ...]
    names: Mapping[str, str]
    cards: Mapping[str, tuple[str, str]]
    contents: Mapping[str, bytes]

    @property
    def base_date(self) -> date:
        """The base date 评估基准日."""
        return date.fromisoformat(self.valuation.base_date)

    def disclosed(self, used: MethodUsed) -> bool:
        """Say whether the bundle holds the card and the inputs of a figure."""
        return {used.card_sha256, used.inputs_sha256} <= set(self.contents)

    def name(self, party: str) -> str:
        """Return a party's public name and its id."""
        name = self.names.get(party)
        return f"{name} ({party})" if name else party


def read_record(path: Path, valuation: str) -> Record:
    """Return what the bundle in `path` says of `valuation`.

    Raises `UnusableError`, `UnsoundError`, and `NoSuchValuationError`.
    """
    bundle = Bundle(path)
    try:
        return _read(bundle, valuation)
    finally:
        bundle.close()


def _read(bundle: Bundle, valuation: str) -> Record:
    checkpoint = _checkpoint(bundle)
    bundle.require_exactly(checkpoint.size)
    replay, acts, draft = Replay(checkpoint.origin), [], None
    mark = f'"{valuation}"'.encode()
    for bodies in bundle.entries(checkpoint.size):
        replay.extend(bodies)
        for entry in (Entry.parse(body) for body in bodies if mark in body):
            if valuation not in entry.fields.subjects:
                continue
            acts.append(_act(entry))
            if entry.statement.fields.event == "valuation.drafted@1":
                draft = ValuationDrafted.model_validate_json(entry.statement.payload)
    replay.finish()
    if replay.frontier.root() != checkpoint.root:
        raise UnsoundError(
            "log.root_differs", "条目的默克尔根与检查点不符", "the entries do not have this root"
        )
    if draft is None:
        raise NoSuchValuationError(valuation)
    return _record(bundle, checkpoint, replay, acts=tuple(acts), draft=draft)


def _checkpoint(bundle: Bundle) -> Checkpoint:
    try:
        return Checkpoint.parse(Note.parse(bundle.checkpoint).text)
    except DataExchangeError as error:
        raise UnusableError(f"检查点无法读取 / the checkpoint cannot be read: {error}") from error


def _act(entry: Entry) -> Act:
    said = entry.statement.fields
    return Act(
        index=entry.index,
        event=said.event,
        actor=said.actor,
        key=said.key,
        recorded_at=entry.fields.recorded_at,
        leaf=entry.leaf.hex(),
    )


def _record(
    bundle: Bundle,
    checkpoint: Checkpoint,
    replay: Replay,
    *,
    acts: tuple[Act, ...],
    draft: ValuationDrafted,
) -> Record:
    valuation = _state(replay, Valuation, draft.valuation)
    asset = _state(replay, Asset, valuation.asset)
    parties = {act.actor for act in acts} | {valuation.appraiser, valuation.commissioned_by}
    cards = {used.card: _state(replay, RuleCard, used.card) for used in draft.methods}
    return Record(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        valuation=valuation,
        draft=draft,
        asset_title=asset.title,
        asset_title_en=asset.title_en,
        acts=acts,
        names={
            party: name
            for party in sorted(parties | {draft.second})
            if (name := _state(replay, Party, party).name)
        },
        cards={card: (held.method, held.version) for card, held in cards.items()},
        contents=_contents(bundle, draft),
    )


def _state(replay: Replay, kind: type[S], key: str) -> S:
    """Return a state of the replay; the rules saw to it that it is there."""
    state = replay.tail.held[key].state
    assert isinstance(state, kind)  # noqa: S101  # an invariant of every replayed log
    return state


def _contents(bundle: Bundle, draft: ValuationDrafted) -> dict[str, bytes]:
    """Return the disclosed cards and documents of `draft`, each under the hash that it has."""
    wanted = {sha256 for used in draft.methods for sha256 in (used.card_sha256, used.inputs_sha256)}
    found = {sha256: bundle.content(sha256) for sha256 in sorted(wanted & set(bundle.contents))}
    for sha256, content in found.items():
        if hashlib.sha256(content).hexdigest() != sha256:
            raise UnsoundError(
                "content.differs", f"内容 {sha256} 已被改动", f"content {sha256} was changed"
            )
    return found
