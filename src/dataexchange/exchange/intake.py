"""From the bytes at the door to submissions: parsed, their signatures checked, not yet decided.

one       {"signature": {"suite", "value", "batch"?}, "statement": {…}, "openings"?, "keeps"?}
a batch   {"signature": {"suite", "value"}, "statements": [{…}, …]}     one signature for all
several   {"submissions": [one, …], "linked": true?}                    each with its own
"""

import sys
from typing import TypeVar

import msgspec

from dataexchange.ledger import canonical, merkle
from dataexchange.ledger.sealing import Opening, require_openings
from dataexchange.ledger.signature import (
    BATCH_SIZE_MAX,
    Signature,
    batch_signatures,
    verify_batch,
)
from dataexchange.ledger.statement import BAD_STATEMENT, Statement
from dataexchange.registry import submission
from dataexchange.registry.submission import Submission
from dataexchange.rules import RefusalCode

T = TypeVar("T")

LINKED_WRONG = RefusalCode(
    "statement.linked_wrong",
    clause="docs/ledger-format.md, linked",
    zh="关联陈述须一并提交，且各自的 linked 按同样次序列出全部标识",
    en="Linked statements come together, each listing all ids in the order submitted",
    kind="malformed",
)
BATCH_MIXED = RefusalCode(
    "batch.mixed",
    clause="docs/ledger-format.md, batch signature",
    zh="一个批次须由同一主体、同一密钥签名，至多 {limit} 条",
    en="A batch is of one actor and one key, {limit} statements at most",
    kind="malformed",
)


class One(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement with its signature, and what opens its sealed fields.

    `keeps` names those that the actor keeps itself.
    """

    signature: Signature
    statement: msgspec.Raw
    openings: tuple[Opening, ...] = ()
    keeps: tuple[str, ...] = ()


class SignedBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Statements under one signature, and what opens their sealed fields, by statement id."""

    signature: Signature
    statements: tuple[msgspec.Raw, ...]
    openings: dict[str, tuple[Opening, ...]] = {}
    keeps: dict[str, tuple[str, ...]] = {}


class Several(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Statements, each under its own signature; all or none where `linked`."""

    submissions: tuple[One, ...]
    linked: bool = False


def read_one(body: bytes) -> Submission:
    """Return the submission in a request's `body`; linked statements must come together."""
    read = _checked(_decode(_ONE, body))
    if read.statement.fields.linked:
        raise LINKED_WRONG()
    return read


def read_batch(body: bytes) -> list[Submission]:
    """Return the submissions of a batch under one signature; the signature is checked once."""
    batch = _decode(_BATCH, body)
    statements = [Statement.parse(bytes(raw)) for raw in batch.statements]
    if not 0 < len(statements) <= BATCH_SIZE_MAX:
        raise BATCH_MIXED(limit=BATCH_SIZE_MAX)
    first = statements[0].fields
    for one in statements:
        fields = one.fields
        if (fields.actor, fields.key, fields.log) != (first.actor, first.key, first.log):
            raise BATCH_MIXED(limit=BATCH_SIZE_MAX)
        if fields.linked:
            raise LINKED_WRONG()
    leaves = [merkle.leaf_hash(one.body) for one in statements]
    verify_batch(first.log, first.key, leaves, batch.signature)
    signatures = batch_signatures(batch.signature, leaves)
    return [
        _with_openings(
            submission.read(one, sign),
            batch.openings.get(one.fields.id, ()),
            batch.keeps.get(one.fields.id, ()),
        )
        for one, sign in zip(statements, signatures, strict=True)
    ]


def read_several(body: bytes) -> tuple[list[Submission], bool]:
    """Return the submissions of a request and whether they are linked."""
    several = _decode(_SEVERAL, body)
    if not 0 < len(several.submissions) <= BATCH_SIZE_MAX:
        raise BATCH_MIXED(limit=BATCH_SIZE_MAX)
    read = [_checked(one) for one in several.submissions]
    expected = tuple(one.id for one in read) if several.linked else ()
    if any(one.statement.fields.linked != expected for one in read):
        raise LINKED_WRONG()
    return read, several.linked


def _checked(one: One) -> Submission:
    stated = Statement.parse(bytes(one.statement))
    stated.verify(one.signature)
    return _with_openings(submission.read(stated, one.signature), one.openings, one.keeps)


def _with_openings(
    read: Submission, openings: tuple[Opening, ...], keeps: tuple[str, ...]
) -> Submission:
    """Return the submission with its openings, each checked against its commitment."""
    sealed = read.statement.fields.sealed
    if not (sealed or openings or keeps):
        return read
    require_openings(sealed, openings, keeps)
    return msgspec.structs.replace(read, openings=openings)


def _decode(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    if sys.getrecursionlimit() > _RECURSION_SAFE:
        canonical.require_shallow(body, _BODY_DEPTH_MAX)
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BAD_STATEMENT(reason=str(error)) from error


# Up to this limit the parser's own guard stops it long before the stack ends.
_RECURSION_SAFE = 5_000
_BODY_DEPTH_MAX = 72  # a statement's, and what is around it
_ONE = msgspec.json.Decoder(One)
_BATCH = msgspec.json.Decoder(SignedBatch)
_SEVERAL = msgspec.json.Decoder(Several)
