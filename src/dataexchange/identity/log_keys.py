"""Which keys may sign the log's checkpoints, from which entry on, and until which."""

import hashlib
from collections.abc import Iterable

import msgspec

from dataexchange.ledger.log_key import parse_log_key
from dataexchange.ledger.note import NoteError, SignatureType, VerifierKey
from dataexchange.rules import RefusalCode

KEYS_MAX = 4
RETIRED_MAX = 64

LOG_KEY_UNFIT = RefusalCode(
    "log.key_unfit",
    clause="C2SP signed-note; docs/ledger-format.md, checkpoints",
    zh="不能用作检查点密钥：{reason}",
    en="Not a key for this log's checkpoints: {reason}",
    remedy_zh="用 `dataexchange log-key` 生成，名称须为账本名称；类型 Ed25519 或 ML-DSA-44。",
    remedy_en="Make one with `dataexchange log-key`: named as the log, Ed25519 or ML-DSA-44.",
)
LOG_KEY_KNOWN = RefusalCode(
    "log.key_known",
    clause="domain: log.key_added",
    zh="此检查点密钥已公布过，不可再次加入",
    en="This key of checkpoints was announced before and cannot be added again",
    kind="conflict",
)
LOG_KEY_UNKNOWN = RefusalCode(
    "log.key_unknown",
    clause="domain: log.key_retired",
    zh="没有这把在用的检查点密钥",
    en="No such key of checkpoints is in use",
    kind="missing",
)
LOG_KEY_LAST = RefusalCode(
    "log.key_last",
    clause="domain: log.key_retired",
    zh="须始终有一把 Ed25519 检查点密钥在用：请先加入新密钥（log.key_added）",
    en="One Ed25519 key of checkpoints always stays in use: add another first (log.key_added)",
    kind="conflict",
)
TOO_MANY_LOG_KEYS = RefusalCode(
    "log.too_many_keys",
    clause="architecture: state rows stay small",
    zh="在用的检查点密钥至多 {limit} 把，历来停用的至多 {retired} 把",
    en="At most {limit} keys of checkpoints are in use, and {retired} retired",
)


class LogKeys(msgspec.Struct, frozen=True, omit_defaults=True):
    """The vkeys in use, and those retired by the SHA-256 (hex) of their vkey, with their entry."""

    valid: dict[str, int]
    retired: dict[str, int] = {}

    def is_in_use(self, vkey: str) -> bool:
        """Tell whether the log announced the key and did not retire it."""
        return vkey in self.valid

    def is_retired(self, vkey: str) -> bool:
        """Tell whether the log retired the key."""
        return _digest(vkey) in self.retired

    def adding(self, vkey: str, origin: str, index: int) -> "LogKeys":
        """Return these keys with `vkey`, which signs from entry `index` on."""
        key = _fit(vkey, origin)
        # By the public key: one key under two spellings of a vkey would count twice.
        known = {VerifierKey.parse(one).public for one in self.valid}
        if key.public in known or _digest(key.vkey) in self.retired:
            raise LOG_KEY_KNOWN()
        if len(self.valid) >= KEYS_MAX:
            raise TOO_MANY_LOG_KEYS(limit=KEYS_MAX, retired=RETIRED_MAX)
        return LogKeys({**self.valid, key.vkey: index}, self.retired)

    def retiring(self, vkey: str, index: int) -> "LogKeys":
        """Return these keys without `vkey`, which signs nothing that covers entry `index`."""
        if vkey not in self.valid:
            raise LOG_KEY_UNKNOWN()
        valid = {one: added for one, added in self.valid.items() if one != vkey}
        if not _has_ed25519(valid):
            raise LOG_KEY_LAST()
        if len(self.retired) >= RETIRED_MAX:
            raise TOO_MANY_LOG_KEYS(limit=KEYS_MAX, retired=RETIRED_MAX)
        return LogKeys(valid, {**self.retired, _digest(vkey): index})


def announced(vkeys: Iterable[str], origin: str) -> LogKeys:
    """Return the keys that entry 0 announces."""
    keys = LogKeys({})
    for vkey in vkeys:
        keys = keys.adding(vkey, origin, 0)
    if not _has_ed25519(keys.valid):
        raise LOG_KEY_UNFIT(reason="one of the keys must be Ed25519")
    return keys


def _fit(vkey: str, origin: str) -> VerifierKey:
    try:
        key = parse_log_key(vkey, origin)
    except NoteError as error:
        raise LOG_KEY_UNFIT(reason=str(error)) from error
    if key.vkey != vkey:
        raise LOG_KEY_UNFIT(reason="not in canonical form")
    return key


def _has_ed25519(vkeys: Iterable[str]) -> bool:
    return any(VerifierKey.parse(one).type is SignatureType.ED25519 for one in vkeys)


def _digest(vkey: str) -> str:
    return hashlib.sha256(vkey.encode()).hexdigest()
