"""Byte-exact vectors for those who write a client or a verifier of their own (`api/vectors/`).

Made from published seeds and fixed times, so they come out the same whenever they are made. The
statements are of event types that need not exist: nothing here depends on the rules in force.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dataexchange.identity import access
from dataexchange.ledger import canonical, entry, merkle, sealing, signature, statement
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.entry import NO_PREVIOUS, encode_signature
from dataexchange.ledger.note import Ed25519Signer
from dataexchange.ledger.proof import TlogProof
from dataexchange.ledger.signature import PublicKey, Signature, encode_base64
from dataexchange.ledger.suites import SUITES, SuiteName
from dataexchange.registry.strict_ed25519 import strict_ed25519
from dataexchange.registry.strict_weierstrass import sign_sm2, strict_secp256k1, strict_sm2

LOG = "example.test/log"
ACTOR = "party_01k9m3e3xkf2v8n5q7r1s4t6w8"
AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SEED = bytes(range(32))  # published: never use it for anything else
LOG_SEED = bytes(range(32, 64))

Json = dict[str, Any]


def vectors() -> dict[str, Any]:
    """Return the content of each file of `api/vectors/`, by its name without `.json`."""
    return {
        "keys": _keys(),
        "canonical": _canonical(),
        "statements": [_statement_vector(body) for body in _statements()],
        "batch": _batch(),
        "entries": _entries(),
        "sealed": _sealed(),
        "access-token": _access_token(),
        "suites": [_suite_vector(suite) for suite in SUITES],
        "ed25519-strict": strict_ed25519(),
        "secp256k1-strict": strict_secp256k1(),
        "sm2-strict": strict_sm2(),
    }


def _keys() -> Json:
    return {
        "about": "Seeds are published: they sign nothing but these vectors.",
        "actor": ACTOR,
        "seed": SEED.hex(),
        "public": _public().raw.hex(),
        "key": _public().id,
        "log": LOG,
        "log_seed": LOG_SEED.hex(),
        "log_vkey": _log_signer().vkey,
    }


def _canonical() -> Json:
    """Return texts that are canonical in the strict profile, and texts that are not, and why."""
    values: list[Any] = [
        {},
        {"b": [True, None, -1], "a": {"Z": "", "z": "", "_": ""}},
        {"text": 'quote " backslash \\ slash / tab \t bell \u0007 delete \u007f'},
        {"wide": "数据资产 é \u2028 😀"},
        {"integers": [2**53 - 1, 1 - 2**53, 0]},
        {"letters": "\\u0000"},
    ]
    refused = {
        "a key twice": b'{"a":1,"a":1}',
        "keys out of order": b'{"b":1,"a":1}',
        "white space": b'{"a": 1}',
        "a float": b"1.5",
        "a float that is whole": b"1.0",
        "an exponent": b"1e3",
        "minus zero": b"-0",
        "an integer beyond 2^53-1": b"9007199254740992",
        "NaN": b"NaN",
        "a lone surrogate": b'"before \\ud800 after"',
        "a surrogate pair that should be UTF-8": b'"\\ud83d\\ude00"',
        "NUL": b'"\\u0000"',
        "a long escape for a short one": b'"\\u000a"',
        "a key that is not ASCII": '{"é":1}'.encode(),
        "a byte order mark": b"\xef\xbb\xbf1",
        "trailing bytes": b"1 2",
        "65 levels": b"[" * 65 + b"]" * 65,
    }
    return {
        "canonical": [
            {"base64": encode_base64(data), "sha256": hashlib.sha256(data).hexdigest()}
            for data in map(canonical.encode, values)
        ],
        "refused": [{"base64": encode_base64(data), "why": why} for why, data in refused.items()],
    }


def _statements() -> list[bytes]:
    """Return canonical statements: a plain one, one with every member, and wide text."""
    return [
        _statement(1, "party.left@1", {"party": ACTOR}),
        _statement(
            2,
            "example.recorded@1",
            {"amount_fen": 12_345, "note": "数据资产 \n 😀", "ratio": "0.25"},
            expects={ACTOR: 1, "policy/exchange": 1},
            sealed={"name": hashlib.sha256(bytes(32) + b'"sealed"').hexdigest()},
        ),
        _statement(3, "example.recorded@1", {}, linked=[_id(3), _id(4)]),
    ]


def _statement(number: int, event: str, payload: Json, **optional: Any) -> bytes:
    return statement.build(
        {
            "actor": ACTOR,
            "event": event,
            "id": _id(number),
            "key": _public().id,
            "log": LOG,
            "not_after": statement.format_time(AT + timedelta(hours=1)),
            "occurred_at": statement.format_time(AT),
            "payload": payload,
            **optional,
        }
    )


def _statement_vector(body: bytes, suite: SuiteName = "ed25519") -> Json:
    message = signature.pre_authentication(signature.STATEMENT_TYPE, body)
    signed = _signature(body, suite)
    return {
        "statement": body.decode(),
        "sha256": hashlib.sha256(body).hexdigest(),
        "pre_authentication": encode_base64(message),
        "signature": {"suite": signed.suite, "value": signed.value},
        "request": _request(body, signed).decode(),
    }


def _request(body: bytes, signed: Signature) -> bytes:
    return b'{"signature":%b,"statement":%b}' % (encode_signature(signed), body)


def _suite_vector(suite: SuiteName) -> Json:
    """Return a key of `suite`, and a statement, a batch and a token that it signs."""
    public = _public(suite)
    body = _statement(20, "example.recorded@1", {"suite": suite}, key=public.id)
    return {
        "suite": suite,
        "secret": SEED.hex(),
        "public": public.raw.hex(),
        "key": public.id,
        "statement": _statement_vector(body, suite),
        "batch": _batch(suite),
        "access_token": _access_token(suite),
    }


def _batch(suite: SuiteName = "ed25519") -> Json:
    """Return one signature over five statements, and what each takes along of it."""
    key = _public(suite).id
    bodies = [_statement(10 + n, "example.recorded@1", {"number": n}, key=key) for n in range(5)]
    leaves = [merkle.leaf_hash(body) for body in bodies]
    root = merkle.root(leaves)
    message = signature.batch_message(LOG, key, len(leaves), root)
    signed = Signature(suite, encode_base64(_sign(message, suite)))
    return {
        "root": root.hex(),
        "pre_authentication": encode_base64(message),
        "signature": {"suite": signed.suite, "value": signed.value},
        "statements": [
            {"statement": body.decode(), "leaf": leaf.hex(), "signature": _encoded(alone)}
            for body, leaf, alone in zip(
                bodies, leaves, signature.batch_signatures(signed, leaves), strict=True
            )
        ],
    }


def _entries() -> Json:
    """Return three chained entries, their root, a checkpoint of them, and a proof of each."""
    bodies = _chain(_statements())
    leaves = [merkle.leaf_hash(body) for body in bodies]
    root = merkle.root(leaves)
    note = sign_checkpoint(Checkpoint(LOG, len(leaves), root), _log_signer())
    proofs = (
        TlogProof(index, tuple(merkle.inclusion_proof(leaves, index)), note).encode().decode()
        for index in range(len(leaves))
    )
    return {
        "entries": [
            {"entry": body.decode(), "leaf": leaf.hex(), "proof": proof}
            for body, leaf, proof in zip(bodies, leaves, proofs, strict=True)
        ],
        "root": root.hex(),
        "checkpoint": note.decode(),
        "policy": f"log {_log_signer().vkey}\nquorum none\n",
    }


def _chain(statements: Sequence[bytes]) -> list[bytes]:
    bodies: list[bytes] = []
    prev = NO_PREVIOUS
    for index, body in enumerate(statements):
        built = entry.build(
            index=index,
            prev=prev,
            recorded_at=AT + timedelta(seconds=index),
            signature=encode_signature(_signature(body)),
            statement=body,
            subjects={ACTOR: (index + 1, prev)},
        )
        prev = merkle.leaf_hash(built).hex()
        bodies.append(built)
    return bodies


def _sealed() -> list[Json]:
    """Return openings, each with its commitment and the bytes that a bundle holds of it."""
    salt = hashlib.sha256(b"published: use it for nothing else").digest()
    values: dict[str, Any] = {
        "name": "张三",
        "details": 'quote " and \n 😀',
        "terms": {"price_fen": 12_345, "parts": [True, None, "0.25"]},
    }
    openings = [sealing.seal(field, value, salt) for field, value in values.items()]
    return [
        {
            "opening": one.encode().decode(),
            "preimage": encode_base64(one.preimage),
            "commitment": one.commitment,
        }
        for one in openings
    ]


def _access_token(suite: SuiteName = "ed25519") -> Json:
    body = access.body(ACTOR, _public(suite).id, LOG, issued_at=AT, life=timedelta(minutes=30))
    message = signature.pre_authentication(access.TOKEN_TYPE, body)
    return {
        "body": body.decode(),
        "pre_authentication": encode_base64(message),
        "token": access.join(body, _sign(message, suite)),
    }


def _encoded(signed: Signature) -> str:
    return encode_signature(signed).decode()


def _id(number: int) -> str:
    return f"evt_01k9m3e3xkf2v8n5q7r1s4t6{number:02d}"


def _signature(body: bytes, suite: SuiteName = "ed25519") -> Signature:
    message = signature.pre_authentication(signature.STATEMENT_TYPE, body)
    return Signature(suite, encode_base64(_sign(message, suite)))


def _sign(message: bytes, suite: SuiteName) -> bytes:
    """Return a signature that comes out the same each time."""
    return sign_sm2(SEED, message) if suite == "sm2" else SUITES[suite].open(SEED).sign(message)


def _public(suite: SuiteName = "ed25519") -> PublicKey:
    return PublicKey(suite, SUITES[suite].open(SEED).public)


def _log_signer() -> Ed25519Signer:
    return Ed25519Signer(LOG, LOG_SEED)
