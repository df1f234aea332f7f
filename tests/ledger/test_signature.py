"""Signatures: the strict predicate, key ids, batches; no library and no bit may disagree."""

import base64
import hashlib
import itertools
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_sign_open
from nacl.exceptions import CryptoError

import edwards
from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.errors import RefusedError
from dataexchange.ledger import merkle, signature
from dataexchange.ledger.signature import BatchPosition, PublicKey, Signature
from dataexchange.ledger.statement import Statement
from dataexchange.ledger.suites.ed25519 import is_usable_ed25519, verify_ed25519
from dataexchange.registry.strict_ed25519 import strict_ed25519

KEY = SigningKey.from_seed(b"\x01" * 32)
ACTOR = Actor(new_id("party"), KEY, "example.test/log")
CASES = [
    pytest.param(*(bytes.fromhex(case[name]) for name in ("key", "message", "signature")), case)
    for case in strict_ed25519()["cases"]
]
ORDER_8 = edwards.small_order_point()
IDS = [case["what"] for case in strict_ed25519()["cases"]]


def libsodium_accepts(key: bytes, message: bytes, signed: bytes) -> bool:
    try:
        crypto_sign_open(signed + message, key)
    except (CryptoError, ValueError):
        return False
    return True


def openssl_accepts(key: bytes, message: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signed, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize(("key", "message", "signed", "case"), CASES, ids=IDS)
def test_the_published_cases_are_judged_as_plain_arithmetic_judges_them(
    key: bytes, message: bytes, signed: bytes, case: dict[str, Any]
) -> None:
    expected = edwards.is_strictly_valid(key, message, signed)
    assert case["valid"] == expected == verify_ed25519(key, message, signed)


@pytest.mark.parametrize(("key", "message", "signed", "case"), CASES, ids=IDS)
def test_what_the_predicate_accepts_every_library_accepts(
    key: bytes, message: bytes, signed: bytes, case: dict[str, Any]
) -> None:
    if case["valid"]:
        assert libsodium_accepts(key, message, signed)
        assert openssl_accepts(key, message, signed)


def test_the_predicate_refuses_cases_that_a_library_accepts() -> None:
    """Else the predicate would not be needed: OpenSSL takes keys and R of small order."""
    lenient = [param.values[3]["what"] for param in CASES if openssl_accepts(*param.values[:3])]
    refused = {param.values[3]["what"] for param in CASES if not param.values[3]["valid"]}
    assert len(refused & set(lenient)) >= 5


SCALARS = st.integers(1, edwards.ORDER - 1)
TORSIONS = st.integers(0, 7)


@settings(max_examples=25, deadline=None)
@given(st.tuples(SCALARS, TORSIONS), st.tuples(SCALARS, TORSIONS), st.binary(max_size=1))
def test_libraries_agree_under_the_predicate(
    keyed: tuple[int, int], committed: tuple[int, int], message: bytes
) -> None:
    """Also on keys and R of mixed order, where a check with cofactor would say something else."""
    (secret, _), (nonce, _) = keyed, committed
    key, commitment = _point(*keyed), _point(*committed)
    digest = hashlib.sha512(commitment + key + message).digest()
    k = int.from_bytes(digest, "little") % edwards.ORDER
    scalar = (nonce + k * secret) % edwards.ORDER
    signed = commitment + scalar.to_bytes(32, "little")
    expected = edwards.is_strictly_valid(key, message, signed)
    assert verify_ed25519(key, message, signed) == expected
    assert libsodium_accepts(key, message, signed) == expected
    assert openssl_accepts(key, message, signed) == expected


def _point(scalar: int, torsion: int) -> bytes:
    """Return the encoding of a point with a component of small order."""
    plain = edwards.times(scalar, edwards.BASE)
    return edwards.encode(edwards.add(plain, edwards.times(torsion, ORDER_8)))


def test_there_are_eight_points_of_small_order_and_none_is_a_usable_key() -> None:
    points = {edwards.encode(edwards.times(n, ORDER_8)) for n in range(8)}
    assert len(points) == 8
    assert not any(map(is_usable_ed25519, points))


@given(st.data())
def test_no_changed_bit_of_signature_message_or_key_verifies(data: st.DataObject) -> None:
    parts = [KEY.public.raw, b"a message", KEY.sign(b"a message")]
    assert verify_ed25519(*parts)
    which = data.draw(st.integers(0, 2))
    bit = data.draw(st.integers(0, len(parts[which]) * 8 - 1))
    changed = bytearray(parts[which])
    changed[bit // 8] ^= 1 << bit % 8
    parts[which] = bytes(changed)
    assert not verify_ed25519(*parts)


@given(st.binary(min_size=32, max_size=32))
def test_a_key_id_names_one_key_and_is_read_back(seed: bytes) -> None:
    public = SigningKey.from_seed(seed).public
    assert public.id.startswith("z6Mk")
    assert PublicKey.parse(public.id) == public


def test_the_key_id_of_did_key_is_ours() -> None:
    """The first example of the did:key method specification."""
    key_id = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
    raw = bytes.fromhex("3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29")
    assert PublicKey("ed25519", raw).id == key_id


@pytest.mark.parametrize(
    "key_id",
    [
        "",
        "z",
        "z1",
        KEY.id[1:],
        KEY.id + "1",
        "z1" + KEY.id[1:],
        KEY.id[:-1],
        KEY.id.replace("z6", "z0", 1),
        "f" + KEY.public.raw.hex(),
        "z" + "1" * 63,
        "z6Mk" + "l" * 44,
        "z" * 65,
        "z" * 50_000,
        "z６Mk",
        PublicKey("ed25519", b"\x01" + bytes(31)).id,
        PublicKey("ed25519", bytes(32)).id,
        PublicKey("ed25519", b"\x02" + bytes(31)).id,  # no point has this y
        PublicKey("ed25519", KEY.public.raw[:31]).id,
        PublicKey("ed25519", KEY.public.raw + b"\0").id,
        "z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",  # X25519
    ],
)
def test_an_id_that_is_no_usable_key_is_refused(key_id: str) -> None:
    with pytest.raises(RefusedError) as caught:
        PublicKey.parse(key_id)
    assert caught.value.code == "signature.bad_key"


def stated(count: int) -> list[Statement]:
    return [ACTOR.state("party.left@1", {"number": number}) for number in range(count)]


def refused(one: Statement, signed: Signature) -> str:
    with pytest.raises(RefusedError) as caught:
        one.verify(signed)
    return caught.value.code


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33])
def test_every_statement_of_a_batch_stands_alone_with_its_signature(size: int) -> None:
    statements = stated(size)
    for one, signed in zip(statements, ACTOR.sign_batch(statements), strict=True):
        one.verify(signed)


@pytest.mark.parametrize("size", [2, 5, 8])
def test_no_statement_verifies_at_the_place_of_another(size: int) -> None:
    statements = stated(size)
    signatures = ACTOR.sign_batch(statements)
    for (at, one), (other, signed) in itertools.product(
        enumerate(statements), enumerate(signatures)
    ):
        if at != other:
            assert refused(one, signed) == "signature.bad"


def changed(signed: Signature, **changes: Any) -> Signature:
    assert signed.batch is not None
    said = {name: getattr(signed.batch, name) for name in ("path", "position", "size")}
    return Signature(signed.suite, signed.value, BatchPosition(**{**said, **changes}))


@pytest.mark.parametrize("position", [-1, 0, 1, 3, 4, 5, 2**62, -(2**62)])
def test_another_position_does_not_verify(position: int) -> None:
    statements = stated(5)
    signed = ACTOR.sign_batch(statements)[2]
    assert refused(statements[2], changed(signed, position=position)) == "signature.bad"


@pytest.mark.parametrize("size", [-1, 0, 1, 3, 4, 6, 8, 1_001, 2**62])
def test_another_size_does_not_verify(size: int) -> None:
    statements = stated(5)
    signed = ACTOR.sign_batch(statements)[2]
    assert refused(statements[2], changed(signed, size=size)) == "signature.bad"


def test_a_path_that_is_longer_shorter_or_spelt_otherwise_does_not_verify() -> None:
    statements = stated(5)
    signed = ACTOR.sign_batch(statements)[2]
    assert signed.batch is not None
    path = signed.batch.path
    raw = base64.b64decode(path[0])
    others = [
        (),
        path[:-1],
        (*path, path[0]),
        path[::-1],
        (path[0].rstrip("="), *path[1:]),
        (path[0] + "\n", *path[1:]),
        (base64.b64encode(raw + b"\0").decode(), *path[1:]),
        (base64.b64encode(raw[:-1]).decode(), *path[1:]),
        ("*" * 44, *path[1:]),
        ("é" * 44, *path[1:]),
        (path[0],) * 1_000,
    ]
    for other in others:
        assert refused(statements[2], changed(signed, path=other)) == "signature.bad"


def test_a_path_that_neighbours_climbed_is_still_held_to_every_hash() -> None:
    statements = stated(7)
    signatures = ACTOR.sign_batch(statements)
    for one, signed in zip(statements, signatures, strict=True):
        one.verify(signed)
    for one, signed in zip(statements, signatures, strict=True):
        assert signed.batch is not None
        path = signed.batch.path
        for at in range(len(path)):
            other = (*path[:at], base64.b64encode(b"\x01" * 32).decode(), *path[at + 1 :])
            assert refused(one, changed(signed, path=other)) == "signature.bad"


def test_a_batch_signature_does_not_serve_alone_nor_a_plain_one_in_a_batch() -> None:
    statements = stated(2)
    whole = ACTOR.sign_whole(statements)
    assert refused(statements[0], whole) == "signature.bad"
    plain = ACTOR.sign(statements[0])
    in_batch = ACTOR.sign_batch(statements)[0]
    assert refused(statements[0], Signature("ed25519", plain.value, in_batch.batch))


def test_statements_of_two_actors_or_logs_share_no_batch_signature() -> None:
    """The batch's message names the key and the log, so a mixed batch fits neither."""
    other = Actor(ACTOR.party, SigningKey.from_seed(b"\x02" * 32), ACTOR.log)
    elsewhere = Actor(ACTOR.party, KEY, "example.test/other")
    for stranger in (other, elsewhere):
        mixed = [*stated(1), stranger.state("party.left@1", {})]
        first, second = ACTOR.sign_batch(mixed)
        mixed[0].verify(first)
        assert refused(mixed[1], second) == "signature.bad"


def test_an_inner_node_of_a_batch_is_no_statement() -> None:
    """RFC 9162's prefixes: a node's children cannot pass for a leaf."""
    leaves = [merkle.leaf_hash(one.body) for one in stated(2)]
    root = merkle.root(leaves)
    message = signature.batch_message(ACTOR.log, KEY.id, 1, root)
    signed = Signature(
        "ed25519", signature.encode_base64(KEY.sign(message)), BatchPosition((), 0, 1)
    )
    with pytest.raises(RefusedError):
        signature.verify_statement(ACTOR.log, KEY.id, leaves[0] + leaves[1], signed)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value.rstrip("="),
        lambda value: value + "=",
        lambda value: value + "\n",
        lambda value: " " + value[1:],
        lambda value: value[:-3] + chr(ord(value[-3]) + 1) + "==",
        lambda value: value.replace("=", "-"),
        lambda value: value[:4],
        lambda value: value * 2,
        lambda value: "A" * 1_000_000,
        lambda value: "é" * 88,
        lambda value: "",
    ],
)
def test_a_signature_has_one_spelling(spoil: Any) -> None:
    (one,) = stated(1)
    good = ACTOR.sign(one)
    one.verify(good)
    assert refused(one, Signature("ed25519", spoil(good.value))) == "signature.bad"
    (in_batch,) = ACTOR.sign_batch([one])
    spoilt = Signature("ed25519", spoil(in_batch.value), in_batch.batch)
    assert refused(one, spoilt) == "signature.bad"


def test_the_pre_authentication_encoding_is_that_of_dsse() -> None:
    """The example of the DSSE protocol specification."""
    encoded = signature.pre_authentication(b"http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_what_is_kept_of_verified_batches_is_bounded() -> None:
    """Single statements are not kept at all: a stranger's must not fill the memory."""
    before = signature._verify_once.cache_info().currsize
    for one in stated(3):
        one.verify(ACTOR.sign(one))
    after = signature._verify_once.cache_info()
    assert after.currsize == before
    for kept in (after, signature._root_above.cache_info()):
        assert kept.maxsize is not None
        assert kept.maxsize <= 1_024
