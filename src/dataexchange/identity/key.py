"""Keys of parties: added, rotated, revoked, reported as compromised.

A revocation acts from its own index. A stated time of compromise flags earlier entries; it never
unmakes them.
"""

from typing import Annotated

import msgspec
from pydantic import Field

from dataexchange.identity.party import KEYS_MAX, Key, Party
from dataexchange.ledger.signature import PublicKey
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    View,
    event,
    require_actor,
)
from dataexchange.rules.payload import Line, Moment
from dataexchange.rules.reference import PartyId

KEY_KNOWN = RefusalCode(
    "key.known",
    clause="domain: key.added",
    zh="密钥 {key} 已登记过，不可再次加入",
    en="Key {key} was recorded before and cannot be added again",
    kind="conflict",
)
KEY_UNKNOWN = RefusalCode(
    "key.unknown",
    clause="domain: key.revoked",
    zh="{party} 没有有效密钥 {key}",
    en="{party} has no valid key {key}",
    kind="missing",
)
LAST_KEY = RefusalCode(
    "key.last",
    clause="domain: key.revoked",
    zh="这是最后一把有效密钥：请先加入新密钥（key.rotated）",
    en="This is the last valid key: add another first (key.rotated)",
    kind="conflict",
)
TOO_MANY_KEYS = RefusalCode(
    "key.too_many",
    clause="architecture: state rows stay small",
    zh="密钥记录已达 {limit} 条",
    en="The party has {limit} recorded keys already",
)

KeyId = Annotated[str, Field(max_length=64, description="A key id (multibase)")]


class KeyAdded(Payload):
    """One more key for the signing party."""

    party: PartyId
    key: KeyId


class KeyRotated(Payload):
    """A new key in place of an old one, in one act."""

    party: PartyId
    old_key: KeyId
    new_key: KeyId


class KeyRevoked(Payload):
    """The end of a key."""

    party: PartyId
    key: KeyId
    reason: Line


class KeyCompromised(KeyRevoked):
    """The end of a key that others may have used since `since`."""

    since: Moment


@event("key.added@1", by=set(Role), zh="新增密钥", en="Add a key", clause="GB/T 39786-2021")
def add(view: View, event: Event[KeyAdded]) -> Changes:
    """A party adds a key of its own."""
    require_actor(event.actor, event.payload.party, event.payload.party)
    return with_key(view.get(Party, event.payload.party), event.payload.key, event.index)


@event("key.rotated@1", by=set(Role), zh="轮换密钥", en="Rotate a key", clause="GB/T 39786-2021")
def rotate(view: View, event: Event[KeyRotated]) -> Changes:
    """A party replaces a key; the old one signs nothing after this entry."""
    require_actor(event.actor, event.payload.party, event.payload.party)
    party = with_key(view.get(Party, event.payload.party), event.payload.new_key, event.index)
    return without_key(party, event.payload.old_key, event.index, "rotated")


@event("key.revoked@1", by=set(Role), zh="吊销密钥", en="Revoke a key", clause="GB/T 39786-2021")
def revoke(view: View, event: Event[KeyRevoked]) -> Changes:
    """The party itself, or the operator or regulator for it, ends a key."""
    _require_self_or_authority(event)
    party = view.get(Party, event.payload.party)
    return without_key(party, event.payload.key, event.index, event.payload.reason)


@event(
    "key.compromised@1",
    by=set(Role),
    zh="密钥泄露",
    en="Report a compromised key",
    clause="GB/T 39786-2021",
)
def compromise(view: View, event: Event[KeyCompromised]) -> Changes:
    """End a key and flag what it signed since the stated time."""
    _require_self_or_authority(event)
    party = view.get(Party, event.payload.party)
    ended = without_key(party, event.payload.key, event.index, event.payload.reason)
    key = msgspec.structs.replace(
        ended.keys[event.payload.key], compromised_from=event.payload.since
    )
    return ended.but(keys={**ended.keys, event.payload.key: key})


def with_key(party: Party, key_id: str, index: int) -> Party:
    """Return `party` with one more valid key."""
    PublicKey.parse(key_id)
    if key_id in party.keys:
        raise KEY_KNOWN(key=key_id)
    if len(party.keys) >= KEYS_MAX:
        raise TOO_MANY_KEYS(limit=KEYS_MAX)
    return party.but(keys={**party.keys, key_id: Key(added_index=index)})


def without_key(party: Party, key_id: str, index: int, reason: str) -> Party:
    """Return `party` with `key_id` ended at `index`; refuse to end the last valid key."""
    if not party.holds_valid(key_id):
        raise KEY_UNKNOWN(key=key_id, party=party.id)
    if not any(other != key_id and party.holds_valid(other) for other in party.keys):
        raise LAST_KEY()
    ended = msgspec.structs.replace(party.keys[key_id], ended_index=index, reason=reason)
    return party.but(keys={**party.keys, key_id: ended})


def _require_self_or_authority(event: Event[KeyRevoked] | Event[KeyCompromised]) -> None:
    if not event.roles & {Role.OPERATOR, Role.REGULATOR}:
        require_actor(event.actor, event.payload.party, event.payload.party)
