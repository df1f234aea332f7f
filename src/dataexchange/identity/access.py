"""Access tokens: a party's own signed word that the bearer reads in its name, for a short while.

A token is `base64url(body).base64url(signature)`, the body canonical JSON, the signature DSSE over
it. The server keeps nothing; it checks the signature, the log's name, the times, and that the key
is valid for the party now.
"""

import base64
import binascii
import re
from datetime import datetime, timedelta

import msgspec

from dataexchange.ledger import canonical
from dataexchange.ledger.signature import PublicKey, pre_authentication
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.rules import RefusalCode, RefusedError

TOKEN_TYPE = b"application/vnd.dataexchange.access+json"
LIFE_MAX = timedelta(hours=1)
SKEW_MAX = timedelta(minutes=5)

TOKEN_WRONG = RefusalCode(
    "access.token_wrong",
    clause="docs/developer.md, access",
    zh="访问令牌无效：{reason}",
    en="The access token does not serve: {reason}",
    remedy_zh="用 `dataexchange token` 以有效密钥重新生成（有效期至多一小时）。",
    remedy_en="Make a new one with `dataexchange token` and a valid key (one hour at most).",
    kind="unauthenticated",
)


class AccessToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a token; times are RFC 3339 UTC with microseconds."""

    actor: str
    issued_at: str
    key: str
    log: str
    not_after: str
    v: int


def body(actor: str, key: str, log: str, *, issued_at: datetime, life: timedelta) -> bytes:
    """Return the canonical body of a token, to be signed with `pre_authentication`."""
    return canonical.encode(
        {
            "actor": actor,
            "issued_at": format_time(issued_at),
            "key": key,
            "log": log,
            "not_after": format_time(issued_at + life),
            "v": 1,
        }
    )


def join(token_body: bytes, signature: bytes) -> str:
    """Return the token as text."""
    return f"{_text(token_body)}.{_text(signature)}"


def read(token: str, origin: str, now: datetime) -> AccessToken:
    """Return what `token` says; refuse a token that is malformed, of another log, or not current.

    Whether the key is valid for the party is for the caller, who can read the party.
    """
    if not _FORM.fullmatch(token):
        raise TOKEN_WRONG(reason="malformed")
    try:
        signed, signature = (_bytes(part) for part in token.split("."))
        canonical.decode(signed)
        said = msgspec.json.decode(signed, type=AccessToken)
        issued, end = parse_time(said.issued_at), parse_time(said.not_after)
    except (msgspec.ValidationError, binascii.Error, RefusedError) as error:
        raise TOKEN_WRONG(reason="malformed") from error
    if said.log != origin:
        raise TOKEN_WRONG(reason=f"for log {said.log}")
    if end - issued > LIFE_MAX or now > end or issued > now + SKEW_MAX:
        raise TOKEN_WRONG(reason="expired, or not yet valid, or too long")
    if not PublicKey.parse(said.key).verify(pre_authentication(TOKEN_TYPE, signed), signature):
        raise TOKEN_WRONG(reason="bad signature")
    return said


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


_FORM = re.compile(r"[A-Za-z0-9_-]{1,2000}\.[A-Za-z0-9_-]{86}", re.ASCII)
