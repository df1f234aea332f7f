"""Dossiers 一数一档 and 一企一档: all that the log holds of one asset, or of one party.

A dossier is plain JSON: what the thing is now, what belongs to it, and the entries, stage by stage,
each by its index, so that a proof of inclusion can be asked for every line.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from dataexchange.accounts.book import Account, account_key
from dataexchange.asset.title import Asset
from dataexchange.asset.version import Version, version_key
from dataexchange.errors import DataExchangeError
from dataexchange.identity.party import Party
from dataexchange.ledger.statement import format_time
from dataexchange.rules import State
from dataexchange.rules.reference import kind_of
from dataexchange.supervision.record import History, Record
from dataexchange.supervision.stage import Stage, stage_of

Json = dict[str, Any]

_ID = re.compile(r"[a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25}")
# What names an asset without belonging to it: other assets made of it, and parties.
_APART = frozenset({"asset", "party", "policy", "log", "book", "account"})


class NotOnLedgerError(DataExchangeError):
    """The log holds no asset, or no party, of that id."""

    def __init__(self, key: str) -> None:
        super().__init__(f"账本上没有 {key} / the ledger holds no {key}")


def asset_dossier(records: Iterable[Record], states: Mapping[str, State], asset: str) -> Json:
    """Return 一数一档: the asset, its versions, its lineage, what rests on it, and all entries."""
    history = History.of(records, states)
    held = history.find(Asset, asset)
    if held is None:
        raise NotOnLedgerError(asset)
    belongings = _belongings(states, asset)
    numbers = range(1, held.latest_version + 1)
    versions = (history.find(Version, version_key(asset, number)) for number in numbers)
    return {
        "asset": _plain(held),
        "versions": [_plain(one) for one in versions if one is not None],
        "sources": [{"asset": one.asset, "version": one.version} for one in held.sources],
        "products": sorted(
            one.id
            for one in history.all(Asset)
            if asset in {source.asset for source in one.sources}
        ),
        **_rest(history, belongings, {asset, *belongings}, actor=None),
    }


def party_dossier(records: Iterable[Record], states: Mapping[str, State], party: str) -> Json:
    """Return 一企一档: the party, its account, what it has a part in, and every entry on it."""
    history = History.of(records, states)
    held = history.find(Party, party)
    if held is None:
        raise NotOnLedgerError(party)
    own = sorted(key for key, state in states.items() if key != party and _names(state, {party}))
    account = history.find(Account, account_key(party))
    return {
        "party": _plain(held),
        "balance_fen": account.balance_fen if account is not None else 0,
        "assets": sorted(one.id for one in history.all(Asset) if one.holder == party),
        **_rest(history, own, {party, *own}, actor=party),
    }


def _rest(history: History, own: Iterable[str], names: set[str], actor: str | None) -> Json:
    """Return what every dossier ends with."""
    return {
        "covers": len(history.records),
        "as_of": format_time(history.now),
        "belongings": _by_kind(history.states, own),
        "stages": list(_stages(history.records, names, actor)),
    }


def _belongings(states: Mapping[str, State], asset: str) -> list[str]:
    """Return the keys of what is about `asset`, and of what is about those in turn."""
    known, last = {asset}, 0
    while len(known) > last:
        last = len(known)
        known |= {
            key
            for key, state in states.items()
            if key not in known and state.KIND not in _APART and _names(state, known)
        }
    return sorted(known - {asset})


def _names(state: State, keys: set[str]) -> bool:
    """Tell whether `state` names one of `keys` in a field of its own."""
    return any(
        not keys.isdisjoint(_ids(getattr(state, one.name)))
        for one in msgspec.structs.fields(state)
        if one.name != "id"
    )


def _ids(value: object) -> Iterator[str]:
    """Return every id that a JSON value or a field of a state holds."""
    if isinstance(value, str):
        yield from _ID.findall(value)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _ids(key)
            yield from _ids(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _ids(one)
    elif isinstance(value, msgspec.Struct):
        yield from _ids(msgspec.to_builtins(value))


def _by_kind(states: Mapping[str, State], keys: Iterable[str]) -> Json:
    kinds: dict[str, list[Json]] = {}
    for key in keys:
        status = getattr(states[key], "status", None)
        kinds.setdefault(kind_of(key), []).append({"key": key, "status": status})
    return dict(sorted(kinds.items()))


def _stages(records: Iterable[Record], names: set[str], actor: str | None) -> Iterator[Json]:
    entries: dict[Stage, list[Json]] = {}
    for record in records:
        if record.actor == actor or not names.isdisjoint(_ids(record.payload)):
            entries.setdefault(stage_of(record.event), []).append(
                {
                    "index": record.index,
                    "event": record.event,
                    "actor": record.actor,
                    "recorded_at": format_time(record.recorded_at),
                }
            )
    for stage in Stage:
        if stage in entries:
            label = stage.label
            yield {
                "stage": stage.value,
                "zh": label.zh,
                "en": label.en,
                "entries": entries[stage],
            }


def _plain(state: State) -> Json:
    plain: Json = msgspec.json.decode(state.encode())
    return plain
