"""A verifier's policy: which logs it believes, and which witnesses must agree (C2SP tlog-policy).

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <member>...
    quorum <name>|none

Several `log` lines may name one log. Where its keys are of two types, one key of each must have
signed; of one type, any will do, so that a key can follow another.

A line may refer to preceding lines only, and each name is a member at most once, so the groups
are trees and a witness counts in one place. A key counts once: two lines may not hold the same
public key under two names, and (stricter than the text) a log may not witness itself.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from dataexchange.errors import DataExchangeError, IntegrityError
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.cosignature import COSIGNATURE_TYPES, cosigned_at_seconds, verifier_for
from dataexchange.ledger.note import (
    Note,
    NoteError,
    Signature,
    SignatureType,
    VerifierKey,
    open_note,
)

POLICY_SIZE_MAX: Final = 1_000_000
NO_QUORUM: Final = "none"
LOG_TYPES: Final = (SignatureType.ED25519, SignatureType.ML_DSA_44)

_FORBIDDEN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_THRESHOLD = re.compile("[1-9][0-9]{0,5}")


class PolicyError(DataExchangeError):
    """A policy file that cannot be used; the message names the line."""


class UnmetPolicyError(IntegrityError):
    """A checkpoint that its log did not sign, or too few witnesses cosigned, for the policy."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group that witnesses what at least `threshold` of its members witness."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifiedCheckpoint:
    """A checkpoint that met the policy, the log's keys, and when each witness cosigned it."""

    checkpoint: Checkpoint
    logs: tuple[VerifierKey, ...]
    cosigned_at_seconds: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Policy:
    """Known logs, known witnesses by the policy's own names, and the quorum. Made by `parse`.

    `urls` has the address of each witness that the policy gives one for.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey]
    groups: tuple[Group, ...]
    quorum: str
    urls: Mapping[str, str]

    @classmethod
    def parse(cls, data: bytes) -> "Policy":
        """Return the policy that a file is; `PolicyError` where any line of it is not valid."""
        reader = _Reader()
        for number, line in enumerate(_lines(data), start=1):
            words = re.split("[ \t]+", line.strip(" \t"))
            if words == [""] or words[0].startswith("#"):
                continue
            try:
                reader.take(words)
            except (PolicyError, NoteError) as error:
                raise PolicyError(f"line {number}: {error}") from error
        if reader.quorum is None:
            raise PolicyError("a policy has one quorum line")
        groups = tuple(reader.groups)
        return cls(tuple(reader.logs), reader.witnesses, groups, reader.quorum, reader.urls)

    @classmethod
    def of_log(cls, key: VerifierKey) -> "Policy":
        """Return the policy that believes one log and asks for no witness."""
        return cls.parse(f"log {key.vkey}\nquorum {NO_QUORUM}\n".encode())

    def verify(self, note: bytes, *, origin: str | None = None) -> VerifiedCheckpoint:
        """Return the checkpoint in `note` if a log of the policy signed it and the quorum agrees.

        With `origin`, only that log's will do. `NoteError` where the note is malformed or a known
        key's signature fails, `UnmetPolicyError` where a signature is missing.
        """
        opened = open_note(note, map(verifier_for, (*self.logs, *self.witnesses.values())))
        checkpoint = Checkpoint.parse(opened.text)
        if origin not in (None, checkpoint.origin):
            raise UnmetPolicyError(f"a checkpoint of {checkpoint.origin}, not of {origin}")
        logs = self._logs_of(checkpoint, opened)
        cosigned_at = self._cosigned_at_seconds(opened)
        if not self.is_met_by(cosigned_at):
            names = ", ".join(cosigned_at) or "no witness"
            raise UnmetPolicyError(f"cosigned by {names}; that is not the quorum {self.quorum}")
        return VerifiedCheckpoint(checkpoint, logs, cosigned_at)

    def is_met_by(self, witnesses: Collection[str]) -> bool:
        """Tell whether cosignatures of these witnesses, by the policy's names, make the quorum."""
        agreed = set(witnesses) & self.witnesses.keys()
        # Groups refer to earlier ones only: one pass in their order settles them all.
        for group in self.groups:
            if sum(member in agreed for member in group.members) >= group.threshold:
                agreed.add(group.name)
        return self.quorum == NO_QUORUM or self.quorum in agreed

    def _logs_of(self, checkpoint: Checkpoint, opened: Note) -> tuple[VerifierKey, ...]:
        """Return the keys that signed for the log: one at least of each type that it is known by.

        Keys of one type follow each other, so any will do; keys of two types stand together.
        """
        # Another log's key does not vouch for this origin, however good its signature.
        known = [key for key in self.logs if key.name == checkpoint.origin]
        signed = tuple(key for key in known if _signatures_of(key, opened))
        if not signed:
            raise UnmetPolicyError(f"no key of the policy signed as {checkpoint.origin}")
        if missing := {key.type for key in known} - {key.type for key in signed}:
            types = ", ".join(f"{one:02x}" for one in sorted(missing))
            raise UnmetPolicyError(f"{checkpoint.origin} did not sign with a key of type {types}")
        return signed

    def _cosigned_at_seconds(self, opened: Note) -> dict[str, int]:
        found = {name: _signatures_of(key, opened) for name, key in self.witnesses.items()}
        return {name: max(map(cosigned_at_seconds, all_)) for name, all_ in found.items() if all_}


@dataclass(slots=True)
class _Reader:
    """Takes the lines of a policy in their order."""

    logs: list[VerifierKey] = field(default_factory=list)
    witnesses: dict[str, VerifierKey] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    keys: set[bytes] = field(default_factory=set)

    def take(self, words: list[str]) -> None:
        keyword, *rest = words
        takers: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if keyword not in takers:
            raise PolicyError(f"unknown keyword {keyword!r}")
        takers[keyword](rest)

    def _log(self, words: list[str]) -> None:
        if len(words) not in (1, 2):
            raise PolicyError("a log line is 'log <vkey> [<url>]'")
        self.logs.append(self._key(words[0], LOG_TYPES))

    def _witness(self, words: list[str]) -> None:
        if len(words) not in (2, 3):
            raise PolicyError("a witness line is 'witness <name> <vkey> [<url>]'")
        self._define(words[0])
        name, vkey, *url = words
        self.witnesses[name] = self._key(vkey, COSIGNATURE_TYPES)
        if url:
            self.urls[name] = url[0]

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise PolicyError("a group line is 'group <name> all|any|<k> <member>...'")
        name, threshold, *members = words
        for member in members:
            self._join(member)
        # Defined last: a group is no member of itself.
        self._define(name)
        self.groups.append(Group(name, _threshold(threshold, len(members)), tuple(members)))

    def _quorum(self, words: list[str]) -> None:
        if len(words) != 1:
            raise PolicyError("a quorum line is 'quorum <name>'")
        if self.quorum is not None:
            raise PolicyError("a policy has one quorum line")
        if words[0] != NO_QUORUM and words[0] not in self.names:
            raise PolicyError(f"{words[0]!r} is not defined on a preceding line")
        self.quorum = words[0]

    def _define(self, name: str) -> None:
        if name == NO_QUORUM or name in self.names:
            raise PolicyError(f"the name {name!r} is taken")
        self.names.add(name)

    def _join(self, member: str) -> None:
        if member not in self.names:
            raise PolicyError(f"{member!r} is not defined on a preceding line")
        if member in self.members:
            raise PolicyError(f"{member!r} is a member already; it counts once")
        self.members.add(member)

    def _key(self, vkey: str, types: Collection[SignatureType]) -> VerifierKey:
        key = VerifierKey.parse(vkey)
        if key.type not in types:
            raise PolicyError(f"a key of type {key.type:02x} does not sign here")
        # By the public key, not by name or id: those differ where one key is listed twice
        # (GHSA-pwqf-9h7j-7mv8).
        if key.public in self.keys:
            raise PolicyError(f"the key of {key.name} is listed already; it counts once")
        self.keys.add(key.public)
        return key


def _lines(data: bytes) -> list[str]:
    """Return the lines of a policy file; octets beyond ASCII stay opaque."""
    if len(data) > POLICY_SIZE_MAX:
        raise PolicyError(f"{len(data)} bytes, {POLICY_SIZE_MAX} at most")
    if _FORBIDDEN.search(data):
        raise PolicyError("a policy holds no control character but tab and newline")
    # A last line without its end may be cut short, and then name something else.
    if not data.endswith(b"\n"):
        raise PolicyError("every line of a policy ends in a newline")
    return data.decode("utf-8", "surrogateescape").split("\n")[:-1]


def _threshold(text: str, count: int) -> int:
    if text in ("any", "all"):
        return 1 if text == "any" else count
    if not _THRESHOLD.fullmatch(text) or int(text) > count:
        raise PolicyError(f"{text!r} of {count} members is no threshold")
    return int(text)


def _signatures_of(key: VerifierKey, opened: Note) -> list[Signature]:
    named = (key.name, key.key_id)
    return [one for one in opened.signatures if (one.name, one.key_id) == named]
