"""The suites: public vectors, plain arithmetic, wallets; no changed bit, no second form serves."""

import hashlib
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given, settings
from hypothesis import strategies as st

import edwards
import wycheproof
from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.errors import RefusedError
from dataexchange.ledger.signature import PublicKey, Signature
from dataexchange.ledger.statement import Statement
from dataexchange.ledger.suites import SUITES, SuiteName
from dataexchange.ledger.suites.ed25519 import verify_ed25519
from dataexchange.ledger.suites.secp256k1 import (
    HALF_ORDER,
    ORDER,
    digest_of,
    read_wallet,
    verify_digest,
    verify_secp256k1,
)
from dataexchange.ledger.suites.sm2 import prefix_of, sm3, verify_sm2
from dataexchange.ledger.suites.weierstrass import SECP256K1, SM2, Curve
from dataexchange.registry.strict_weierstrass import strict_secp256k1, strict_sm2
from dataexchange.registry.vectors import vectors

NAMES = list(SUITES)
SEED = b"\x01" * 32
KEYS = {name: SigningKey.from_seed(SEED, name) for name in NAMES}
MESSAGE = b"a message"
SIGNED = {name: key.sign(MESSAGE) for name, key in KEYS.items()}
CASES = [
    pytest.param(suite, case, id=f"{suite}: {case['what']}")
    for suite, cases in (("secp256k1", strict_secp256k1()), ("sm2", strict_sm2()))
    for case in cases["cases"]
]


def is_valid_by_arithmetic(suite: str, key: bytes, message: bytes, signed: bytes) -> bool:
    """Ask each condition of `docs/ledger-format.md` in turn."""
    curve: Curve = {"secp256k1": SECP256K1, "sm2": SM2}[suite]
    point = curve.decompress(key)
    if point is None or len(signed) != 64:
        return False
    r, s = int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:], "big")
    if not (0 < r < curve.order and 0 < s < curve.order):
        return False
    if suite == "secp256k1":
        e, inverse = int.from_bytes(digest_of(message), "big"), pow(s, -1, curve.order)
        here = curve.add(
            curve.times(e * inverse % curve.order, curve.base),
            curve.times(r * inverse % curve.order, point),
        )
        return s <= HALF_ORDER and here is not None and here[0] % curve.order == r
    e, t = int.from_bytes(sm3(prefix_of(point) + message), "big"), (r + s) % curve.order
    here = curve.add(curve.times(s, curve.base), curve.times(t, point))
    return t != 0 and here is not None and (e + here[0]) % curve.order == r


@pytest.mark.parametrize(("suite", "case"), CASES)
def test_the_published_cases_are_judged_as_plain_arithmetic_judges_them(
    suite: SuiteName, case: dict[str, Any]
) -> None:
    parts = [bytes.fromhex(case[name]) for name in ("key", "message", "signature")]
    assert case["valid"] == is_valid_by_arithmetic(suite, *parts)
    assert case["valid"] == SUITES[suite].verify(*parts)


def test_ed25519_meets_wycheproof() -> None:
    judged = 0
    for group, test in wycheproof.cases("ed25519_test"):
        key, message, signed = (
            bytes.fromhex(text) for text in (group["publicKey"]["pk"], test["msg"], test["sig"])
        )
        expected = test["result"] == "valid"
        if test["result"] == "acceptable":  # where libraries may differ, the predicate may not
            expected = edwards.is_strictly_valid(key, message, signed)
        assert verify_ed25519(key, message, signed) == expected, test
        judged += 1
    assert judged >= 150


def test_secp256k1_meets_wycheproof_and_asks_for_a_low_s_besides() -> None:
    judged, high = 0, 0
    for group, test in wycheproof.cases("ecdsa_secp256k1_sha256_p1363_test"):
        signed = bytes.fromhex(test["sig"])
        is_low = int.from_bytes(signed[32:], "big") <= HALF_ORDER
        expected = test["result"] == "valid" and is_low
        assert _judge(group, test, signed) == expected, test
        judged, high = judged + 1, high + (test["result"] == "valid" and not is_low)
    assert judged >= 250
    assert high > 0


def test_secp256k1_meets_wycheproofs_cases_of_bitcoin() -> None:
    """They refuse high s as we do; what is no canonical DER has no form here at all."""
    judged = 0
    for group, test in wycheproof.cases("ecdsa_secp256k1_sha256_bitcoin_test"):
        try:
            r, s = decode_dss_signature(bytes.fromhex(test["sig"]))
            signed = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        except (ValueError, OverflowError):
            assert test["result"] == "invalid"
            continue
        assert _judge(group, test, signed) == (test["result"] == "valid"), test
        judged += 1
    assert judged >= 150


def _judge(group: dict[str, Any], test: dict[str, Any], signed: bytes) -> bool:
    numbers = bytes.fromhex(group["publicKey"]["uncompressed"])
    key = bytes([2 | numbers[64] & 1]) + numbers[1:33]
    return verify_digest(key, hashlib.sha256(bytes.fromhex(test["msg"])).digest(), signed)


def test_sm2_meets_the_example_of_its_standard() -> None:
    """GB/T 32918.5-2017, annex A: the example of signing on the recommended curve."""
    secret = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
    key = SigningKey.from_seed(secret, "sm2")
    assert key.public.raw.hex().upper() == (
        "03" + "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    )
    point = SM2.decompress(key.public.raw)
    assert point is not None
    prefix = prefix_of(point)
    assert prefix.hex().upper() == (
        "B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3"
    )
    assert sm3(prefix + b"message digest").hex().upper() == (
        "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640"
    )
    signed = bytes.fromhex(
        "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
        "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
    )
    assert verify_sm2(key.public.raw, b"message digest", signed)
    assert not verify_sm2(key.public.raw, b"message digest.", signed)


@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32))
def test_a_wallets_personal_sign_serves_and_tells_its_key(message: bytes, secret: bytes) -> None:
    """eth-account is what wallets run: `personal_sign` of any bytes."""
    number = int.from_bytes(secret, "big") % (ORDER - 1) + 1
    wallet = Account.from_key(number.to_bytes(32, "big"))
    signed = bytes(wallet.sign_message(encode_defunct(primitive=message)).signature)
    public, value = read_wallet(message, signed)
    assert public == SigningKey.from_seed(number.to_bytes(32, "big"), "secp256k1").public.raw
    assert verify_secp256k1(public, message, value)


@pytest.mark.parametrize("spoil", [lambda one: one[:64], lambda one: one[:64] + b"\x1d", bytes])
def test_what_no_wallet_returns_is_refused(spoil: Any) -> None:
    wallet = Account.from_key(SEED)
    signed = bytes(wallet.sign_message(encode_defunct(primitive=MESSAGE)).signature)
    with pytest.raises(ValueError, match="wallet"):
        read_wallet(MESSAGE, spoil(signed) if spoil is not bytes else b"")
    with pytest.raises(ValueError, match="no key"):
        read_wallet(MESSAGE, bytes(32) + signed[32:])


@pytest.mark.parametrize("suite", NAMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_changed_bit_of_signature_message_or_key_verifies(
    suite: SuiteName, data: st.DataObject
) -> None:
    parts = [KEYS[suite].public.raw, MESSAGE, SIGNED[suite]]
    assert SUITES[suite].verify(*parts)
    which = data.draw(st.integers(0, 2))
    bit = data.draw(st.integers(0, len(parts[which]) * 8 - 1))
    changed = bytearray(parts[which])
    changed[bit // 8] ^= 1 << bit % 8
    parts[which] = bytes(changed)
    assert not SUITES[suite].verify(*parts)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=80))
def test_the_other_s_of_an_ecdsa_signature_is_refused(message: bytes) -> None:
    signed, public = KEYS["secp256k1"].sign(message), KEYS["secp256k1"].public
    s = int.from_bytes(signed[32:], "big")
    assert s <= HALF_ORDER
    assert public.verify(message, signed)
    assert not public.verify(message, signed[:32] + (ORDER - s).to_bytes(32, "big"))


@pytest.mark.parametrize("suite", NAMES)
@settings(max_examples=40, deadline=None)
@given(key=st.binary(max_size=80), signed=st.binary(max_size=80))
def test_a_predicate_answers_whatever_it_is_asked(
    suite: SuiteName, key: bytes, signed: bytes
) -> None:
    assert not SUITES[suite].verify(key, MESSAGE, signed)
    assert not SUITES[suite].verify(KEYS[suite].public.raw, MESSAGE, signed)


@pytest.mark.parametrize("suite", NAMES)
@settings(max_examples=20, deadline=None)
@given(message=st.binary(max_size=1_000))
def test_a_new_key_signs_and_its_id_is_read_back(suite: SuiteName, message: bytes) -> None:
    key = SigningKey.generate(suite)
    assert PublicKey.parse(key.id) == key.public
    assert key.public.suite == suite
    assert key.public.verify(message, key.sign(message))
    assert SigningKey.from_seed(key.seed, suite).id == key.id


@pytest.mark.parametrize(
    ("suite", "beginning"), [("ed25519", "z6Mk"), ("secp256k1", "zQ3s"), ("sm2", "zEPJ")]
)
def test_a_key_id_begins_as_its_suite_does(suite: SuiteName, beginning: str) -> None:
    assert SigningKey.generate(suite).id.startswith(beginning)


def test_the_key_id_of_did_key_is_ours_for_secp256k1() -> None:
    """A test vector of the did:key method specification."""
    key_id = "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"
    secret = bytes.fromhex("9085d2bef69286a6cbb51623c8fa258629945cd55ca705cc4e66700396894e0c")
    assert SigningKey.from_seed(secret, "secp256k1").id == key_id


@pytest.mark.parametrize(("suite", "end"), [("secp256k1", ORDER), ("sm2", SM2.order - 1)])
def test_a_secret_out_of_range_is_refused(suite: SuiteName, end: int) -> None:
    for number in (0, end, 2**256 - 1):
        with pytest.raises(ValueError, match="secret"):
            SigningKey.from_seed(number.to_bytes(32, "big"), suite)
    with pytest.raises(ValueError, match="secret"):
        SigningKey.from_seed(b"\x01" * 31, suite)
    SigningKey.from_seed((end - 1).to_bytes(32, "big"), suite)


@pytest.mark.parametrize("suite", NAMES)
def test_a_key_of_a_suite_is_no_key_of_another(suite: SuiteName) -> None:
    for other in NAMES:
        raw = KEYS[other].public.raw
        if SUITES[suite].is_usable(raw):
            continue
        with pytest.raises(RefusedError) as caught:
            PublicKey.parse(PublicKey(suite, raw).id)
        assert caught.value.code == "signature.bad_key"


@pytest.mark.parametrize("suite", NAMES)
def test_statements_alone_and_in_batches_verify_under_every_suite(suite: SuiteName) -> None:
    actor = Actor(new_id("party"), KEYS[suite], "example.test/log")
    statements = [actor.state("party.left@1", {"number": number}) for number in range(5)]
    for one, in_batch in zip(statements, actor.sign_batch(statements), strict=True):
        one.verify(in_batch)
        one.verify(actor.sign(one))


@pytest.mark.parametrize("suite", NAMES)
@pytest.mark.parametrize("named", NAMES)
def test_a_signature_names_the_suite_of_its_key(suite: SuiteName, named: SuiteName) -> None:
    actor = Actor(new_id("party"), KEYS[suite], "example.test/log")
    one = actor.state("party.left@1", {})
    for good in (actor.sign(one), *actor.sign_batch([one])):
        claimed = Signature(named, good.value, good.batch)
        if named == suite:
            one.verify(claimed)
            continue
        with pytest.raises(RefusedError) as caught:
            one.verify(claimed)
        assert caught.value.code == "signature.bad"


def test_the_registry_lists_what_a_signature_may_name() -> None:
    assert tuple(SUITES) == get_args(SuiteName)


@pytest.mark.parametrize("vector", vectors()["suites"], ids=NAMES)
def test_the_published_statements_batches_and_keys_verify(vector: dict[str, Any]) -> None:
    key = SigningKey.from_seed(bytes.fromhex(vector["secret"]), vector["suite"])
    assert (key.id, key.public.raw.hex()) == (vector["key"], vector["public"])
    alone = vector["statement"]
    stated = Statement.parse(alone["statement"].encode())
    stated.verify(Signature(**alone["signature"]))
