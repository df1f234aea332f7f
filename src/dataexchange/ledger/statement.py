"""The statement: what an actor says and signs.

Field by field as in `docs/ledger-format.md`. `body` is always the exact canonical bytes that were
signed; every parsed view of them is for reading only.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from dataexchange.errors import RefusalCode
from dataexchange.ledger import canonical
from dataexchange.ledger.signature import Signature, verify_statement

STATEMENT_SIZE_MAX = 57_344

BAD_STATEMENT = RefusalCode(
    "statement.malformed",
    clause="docs/ledger-format.md, statement",
    zh="陈述格式有误：{reason}",
    en="The statement is malformed: {reason}",
    remedy_zh="对照 api/ 中的事件模式和示例；SDK 会生成正确的陈述。",
    remedy_en="Compare with the schemas and examples in api/; the SDK builds correct statements.",
    kind="malformed",
)


class StatementFields(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The members of a statement; times are RFC 3339 UTC with microseconds."""

    actor: str
    event: str
    id: str
    key: str
    log: str
    not_after: str
    occurred_at: str
    payload: msgspec.Raw
    v: int
    expects: dict[str, int] = {}
    linked: tuple[str, ...] = ()
    sealed: dict[str, str] = {}


class Statement(msgspec.Struct, frozen=True, gc=False):
    """A well-formed statement; nothing is said yet of its signature or its payload."""

    body: bytes
    fields: StatementFields
    occurred_at: datetime
    not_after: datetime

    @property
    def payload(self) -> bytes:
        """The canonical bytes of the payload."""
        return bytes(self.fields.payload)

    @classmethod
    def parse(cls, body: bytes) -> "Statement":
        """Return the statement that the canonical `body` is, or refuse it."""
        _require_size(body)
        canonical.decode(body)
        return cls.read(body)

    @classmethod
    def read(cls, body: bytes) -> "Statement":
        """Return the statement that `body` is, known to be canonical already."""
        _require_size(body)
        try:
            fields = _DECODER.decode(body)
        except msgspec.ValidationError as error:
            raise BAD_STATEMENT(reason=str(error)) from error
        _require_form(fields)
        return cls(body, fields, parse_time(fields.occurred_at), parse_time(fields.not_after))

    @classmethod
    def reread(cls, body: bytes) -> "Statement":
        """Return the statement that `body` is, known to be one already."""
        fields = _DECODER.decode(body)
        times = datetime.fromisoformat(fields.occurred_at), datetime.fromisoformat(fields.not_after)
        return cls(body, fields, *times)

    def verify(self, signature: Signature) -> None:
        """Refuse unless `signature` is the named key's over this statement."""
        verify_statement(self.fields.log, self.fields.key, self.body, signature)


def build(fields: dict[str, Any]) -> bytes:
    """Return the canonical bytes of a statement of `fields`; empty optional ones are left out."""
    given = {name: value for name, value in fields.items() if value or name not in _OPTIONAL}
    return canonical.encode({"v": 1, **given})


def parse_time(text: str) -> datetime:
    """Return the UTC time of `YYYY-MM-DDThh:mm:ss.ffffffZ`; refuse any other form."""
    if not _TIME.fullmatch(text):
        raise BAD_STATEMENT(reason=f"not RFC 3339 UTC with microseconds: {text[:80]!r}")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise BAD_STATEMENT(reason=f"no such time: {text}") from error


def format_time(moment: datetime) -> str:
    """Return `moment` (aware) as `YYYY-MM-DDThh:mm:ss.ffffffZ`."""
    utc = moment.astimezone(UTC)
    if utc.microsecond:  # msgspec is much the quickest, and leaves out a fraction that is zero
        return msgspec.json.encode(utc)[1:-1].decode()
    return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def time_after(moment: datetime, seconds: int) -> datetime:
    """Return `moment` plus `seconds`."""
    return moment + timedelta(seconds=seconds)


def _require_size(body: bytes) -> None:
    if len(body) > STATEMENT_SIZE_MAX:
        raise BAD_STATEMENT(reason=f"{len(body)} bytes, {STATEMENT_SIZE_MAX} at most")


def _require_form(fields: StatementFields) -> None:
    if fields.v != 1:
        raise BAD_STATEMENT(reason=f"v is {fields.v}, 1 is known")
    if not _ACTOR.fullmatch(fields.actor):
        raise BAD_STATEMENT(reason=f"actor is not a TypeID party_…: {fields.actor[:80]!r}")
    if not _EVENT.fullmatch(fields.event):
        raise BAD_STATEMENT(reason=f"event is not name@version: {fields.event[:80]!r}")
    if not _STATEMENT_ID.fullmatch(fields.id):
        raise BAD_STATEMENT(reason=f"id is not a TypeID evt_…: {fields.id[:80]!r}")
    if fields.linked and (fields.id not in fields.linked or len(set(fields.linked)) < 2):
        raise BAD_STATEMENT(reason="linked must list at least two ids, this statement's among them")
    if len(set(fields.linked)) != len(fields.linked):
        raise BAD_STATEMENT(reason="linked lists an id twice")
    for commitment in fields.sealed.values():
        if not _HEX_HASH.fullmatch(commitment):
            raise BAD_STATEMENT(reason="a sealed commitment is not a SHA-256 in hex")


_OPTIONAL = frozenset({"expects", "linked", "sealed"})
# Hours end at 23 here: whether a date library takes 24:00 depends on its version.
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII)
_ACTOR = re.compile(r"party_[0-7][0-9a-hjkmnp-tv-z]{25}", re.ASCII)
_EVENT = re.compile(r"[a-z_]+\.[a-z_]+@[1-9]\d{0,3}", re.ASCII)
_STATEMENT_ID = re.compile(r"evt_[0-7][0-9a-hjkmnp-tv-z]{25}", re.ASCII)
_HEX_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DECODER = msgspec.json.Decoder(StatementFields)
