"""The second verifier on published vectors, and beside ours on bytes that chance has changed."""

import base64
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

import edwards
from dataexchange.errors import DataExchangeError
from dataexchange.ledger import canonical, cosignature, note
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.cosignature import MLDSA44Signer
from dataexchange.ledger.entry import Entry
from dataexchange.ledger.note import Ed25519Signer, Note, SignatureType, VerifierKey
from dataexchange.ledger.policy import Policy
from dataexchange.ledger.signature import PublicKey
from scripted import PROJECT, b64, run_cases

PUBLISHED = PROJECT / "api" / "vectors"
SHARED = PROJECT.parent / "shared" / "vectors"


def published(name: str) -> Any:
    return json.loads((PUBLISHED / f"{name}.json").read_bytes())


def shared(name: str) -> Path:
    if not (SHARED / name).is_dir():
        pytest.skip(f"../shared/vectors/{name} is not here")
    return SHARED / name


def agree(check: str, accepted: Callable[[bytes], object], inputs: list[bytes]) -> None:
    """Both take the same ones of `inputs`, of which some are good and some are not."""
    expected = [taken(accepted, one) for one in inputs]
    found = run_cases({"check": check, "data": b64(one)} for one in inputs)
    different = [one for one, a, b in zip(inputs, expected, found, strict=True) if a != b]
    assert different == []
    assert len(set(expected)) == 2


def taken(accepted: Callable[[bytes], object], data: bytes) -> bool:
    try:
        accepted(data)
    except DataExchangeError:
        return False
    return True


def changed(data: bytes, chance: random.Random) -> bytes:
    """Return `data` with a byte or two replaced, doubled, left out, or a bit flipped."""
    for _ in range(chance.choice((1, 1, 2))):
        at = chance.randrange(len(data))
        with_ = chance.choice(
            (b"", data[at : at + 1] * 2, bytes([data[at] ^ 1 << chance.randrange(8)]))
        )
        data = data[:at] + with_ + data[at + 1 :]
    return data


def test_hashes_are_those_of_the_standard_library() -> None:
    names = {"sha256": "sha256", "sha512": "sha512", "sm3": "sm3"}
    inputs = [
        bytes([size % 251]) * size
        for size in (*range(0, 260, 3), 55, 56, 63, 64, 111, 112, 127, 128)
    ]
    for name, ours in names.items():
        found = run_cases({"check": "hash", "name": name, "data": b64(one)} for one in inputs)
        assert found == [hashlib.new(ours, one).hexdigest() for one in inputs]


def test_keccak_is_that_of_the_chains() -> None:
    from eth_hash.auto import keccak

    inputs = [bytes([size % 251]) * size for size in (0, 1, 55, 135, 136, 137, 271, 272, 1000)]
    found = run_cases({"check": "hash", "name": "keccak256", "data": b64(one)} for one in inputs)
    assert found == [keccak(one).hex() for one in inputs]


def test_every_merkle_vector_meets_its_verdict() -> None:
    for check in ("inclusion", "consistency"):
        files = sorted((shared("merkle") / check).rglob("*.json"))
        cases = [json.loads(path.read_bytes()) for path in files]
        found = run_cases({"check": check, **case} for case in cases)
        wrong = [
            path.as_posix()
            for path, case, valid in zip(files, cases, found, strict=True)
            if valid == case["wantErr"]
        ]
        assert wrong == []
        assert len(cases) > 50


def test_canonical_json_vectors_meet_their_verdicts() -> None:
    cases = published("canonical")
    data = [base64.b64decode(one["base64"]) for one in (*cases["canonical"], *cases["refused"])]
    found = run_cases({"check": "canonical", "data": b64(one)} for one in data)
    assert found == [True] * len(cases["canonical"]) + [False] * len(cases["refused"])


def test_of_rfc_8785s_outputs_those_without_floats_and_foreign_keys_are_taken() -> None:
    folder = shared("jcs")
    agree(
        "canonical",
        canonical.decode,
        [one.read_bytes() for one in sorted(folder.glob("*put/*.json"))],
    )


def test_naughty_strings_are_judged_alike() -> None:
    strings = json.loads((shared("strings") / "blns.json").read_bytes())
    spelt = [
        json.dumps(one, ensure_ascii=escaped).encode()
        for one in strings
        for escaped in (True, False)
    ]
    agree("canonical", canonical.decode, [*spelt, *(b'{"a":%b}' % one for one in spelt)])


def test_documents_that_chance_has_changed_are_judged_alike() -> None:
    chance = random.Random(8785)
    document = canonical.encode(
        {
            "": [],
            "A": {"deep": [[[{"er": None}]], True, False]},
            "a": [0, -1, 10, 2**53 - 1, 1 - 2**53],
            "b": '"\\\b\f\n\r\t\x01\x1f\x7f /é数据\u2028😀',
            "z\\": {"": "", "\t": 1},
        }
    )
    edits = [changed(document, chance) for _ in range(3_000)]
    levels = [b"[" * depth + b"]" * depth for depth in (1, 63, 64, 65, 66)]
    objects = [b'{"":' * depth + b"0" + b"}" * depth for depth in (63, 64, 65)]
    agree("canonical", canonical.decode, [document, *edits, *levels, *objects])


def test_entries_that_chance_has_changed_are_judged_alike() -> None:
    chance = random.Random(6962)
    bodies = [one["entry"].encode() for one in published("entries")["entries"]]
    edits = [changed(chance.choice(bodies), chance) for _ in range(3_000)]
    agree("entry", Entry.parse, [*bodies, *edits, *_edited(json.loads(bodies[0]))])


def _edited(entry: dict[str, Any]) -> Iterator[bytes]:
    """Yield an entry with each member left out, or given in many other forms."""
    times = (
        "2026-02-29T00:00:00.000000Z",
        "2026-11-24T24:00:00.000000Z",
        "2026-11-24T08:00:60.000000Z",
    )
    others = [
        None,
        True,
        0,
        1,
        -1,
        "",
        "a",
        [],
        ["a"],
        ["a", "a"],
        {},
        {"a": 1},
        {"a": "b"},
        *times,
    ]
    others += [
        "2024-02-29T23:59:59.999999Z",
        "0" * 64,
        "ab" * 32,
        "AB" * 32,
        entry["statement"]["id"],
    ]
    others += [
        {"a": "ab" * 32},
        [entry["statement"]["id"], "b"],
        {"path": [], "position": 0, "size": 1},
    ]
    others += [
        {"path": [], "position": 0, "size": 1_000},
    ]
    for part in (entry, entry["statement"], entry["signature"]):
        for name in (*part, "expects", "linked", "sealed", "batch", "more"):
            if name == "payload":  # ours reads payloads later, by their schema
                continue
            before = dict(part)
            part.pop(name, None)
            yield canonical.encode(entry)
            for other in others[name == "batch" :]:  # ours refuses a batch of null later
                part[name] = other
                yield canonical.encode(entry)
            part.clear()
            part.update(before)


@pytest.mark.parametrize(
    "asked",
    [
        {"check": "ed25519"},
        {"check": "beside", "platform": "lenient"},
        {"check": "beside", "platform": "lacking"},
    ],
    ids=["the platform", "a lenient platform", "a platform without Ed25519"],
)
def test_strict_ed25519_meets_every_verdict_whatever_the_platform_says(
    asked: dict[str, str],
) -> None:
    cases = published("ed25519-strict")["cases"]
    names = ("key", "message", "signature")
    given = [{name: b64(bytes.fromhex(case[name])) for name in names} for case in cases]
    found = run_cases({**asked, **one} for one in given)
    assert found == [case["valid"] for case in cases]


def test_signatures_and_keys_of_mixed_order_are_judged_as_plain_arithmetic_judges_them() -> None:
    chance, torsion = random.Random(25519), edwards.small_order_point()
    cases = []
    for _ in range(60):
        secret, nonce = (chance.randrange(1, edwards.ORDER) for _ in range(2))
        key, committed = (
            edwards.encode(edwards.add(edwards.times(n, edwards.BASE), edwards.times(t, torsion)))
            for n, t in (
                (secret, chance.choice((0, 0, 4, 1))),
                (nonce, chance.choice((0, 0, 4, 1))),
            )
        )
        message = chance.randbytes(8)
        digest = hashlib.sha512(committed + key + message).digest()
        k = int.from_bytes(digest, "little") % edwards.ORDER
        signed = committed + ((nonce + k * secret) % edwards.ORDER).to_bytes(32, "little")
        cases.append((key, message, signed))
    expected = [edwards.is_strictly_valid(*case) for case in cases]
    assert set(expected) == {True, False}
    named = [
        dict(zip(("key", "message", "signature"), map(b64, case), strict=True)) for case in cases
    ]
    assert run_cases({"check": "ed25519", **one} for one in named) == expected
    assert run_cases({"check": "arithmetic", **one} for one in named) == expected


def test_ml_dsa_44_is_judged_as_the_library_judges_it() -> None:
    chance, cases = random.Random(204), []
    for at in range(4):
        private = MLDSA44PrivateKey.from_seed_bytes(bytes([at]) * 32)
        key, message = private.public_key().public_bytes_raw(), chance.randbytes(100 * at)
        signature = private.sign(message)
        cases += [(key, message, signature), (key, message + b"!", signature)]
        cases += [(key, message, one) for one in _flipped(signature, chance)]
        cases += [(one, message, signature) for one in _flipped(key, chance)]
    # The places of the hints may be spelt in one way only: their padding is zeros.
    *_, (key, message, signature) = [one for one in cases if _library_accepts(*one)]
    cases += [(key, message, signature[:-5] + b"\1" + signature[-4:]), (key, message, b"")]
    expected = [_library_accepts(*case) for case in cases]
    assert sum(expected) == 4
    named = [
        dict(zip(("key", "message", "signature"), map(b64, case), strict=True)) for case in cases
    ]
    assert run_cases({"check": "mldsa44", **one} for one in named) == expected


def _flipped(data: bytes, chance: random.Random) -> list[bytes]:
    spots = [chance.randrange(len(data)) for _ in range(4)] + [len(data) - 1, len(data) - 30]
    return [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in spots]


def _library_accepts(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        MLDSA44PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("suite", ["secp256k1", "sm2"])
def test_the_other_suites_meet_every_verdict(suite: str) -> None:
    cases = published(f"{suite}-strict")["cases"]
    names = ("key", "message", "signature")
    given = [{name: b64(bytes.fromhex(case[name])) for name in names} for case in cases]
    found = run_cases({"check": suite, **one} for one in given)
    assert found == [case["valid"] for case in cases]
    assert set(found) == {True, False}


@pytest.mark.parametrize("suite", ["ed25519", "secp256k1", "sm2"])
def test_key_ids_that_chance_has_changed_are_judged_alike(suite: str) -> None:
    chance = random.Random(58)
    good = next(one["key"] for one in published("suites") if one["suite"] == suite)
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0OIl"
    edits = [good, "z", "", f"z1{good[1:]}", good[1:], f"{good}1"]
    for _ in range(300):
        at = chance.randrange(1, len(good))
        edits.append(good[:at] + chance.choice(alphabet) + good[at + 1 :])
    expected = [taken(lambda one: PublicKey.parse(one.decode()), one.encode()) for one in edits]
    assert run_cases({"check": "key", "id": one} for one in edits) == expected


def test_published_statements_batches_and_proofs_hold() -> None:
    keys, suites, entries = published("keys"), published("suites"), published("entries")
    single = [*published("statements"), *(one["statement"] for one in suites)]
    batched = [one for suite in suites for one in suite["batch"]["statements"]]
    pairs = [(one["statement"], one["signature"]) for one in single]
    pairs += [(one["statement"], json.loads(one["signature"])) for one in batched]
    moved = [(pairs[at][0], pairs[at - 1][1]) for at in range(len(pairs))]
    found = run_cases(
        {"check": "statement", "statement": one, "signature": signature}
        for one, signature in (*pairs, *moved)
    )
    assert found == [True] * len(pairs) + [False] * len(moved)
    policy = b64(f"log {keys['log_vkey']}\nquorum none\n".encode())
    proofs = [(one["entry"], one["proof"]) for one in entries["entries"]]
    wrong = [(proofs[at][0], proofs[at - 1][1]) for at in range(len(proofs))]
    given = {"check": "proof", "policy": policy, "origin": keys["log"]}
    found = run_cases({**given, "entry": one, "proof": proof} for one, proof in (*proofs, *wrong))
    assert found == [True] * len(proofs) + [False] * len(wrong)


ORIGIN = "exchange.example/log"
LOG = Ed25519Signer(ORIGIN, b"\x01" * 32)
WITNESSES = {
    name: Ed25519Signer(f"{name}.example", bytes([9, at]) * 16, SignatureType.COSIGNATURE)
    for at, name in enumerate(("X1", "X2", "X3", "Y1", "Y2"))
}
LINES = [f"log {LOG.vkey}", *(f"witness {name} {one.vkey}" for name, one in WITNESSES.items())]
GROUPS = ["group X 2 X1 X2 X3", "group Y any Y1 Y2", "group both all X Y", "quorum both"]
CHECKPOINT = Checkpoint(ORIGIN, 7, bytes(range(32)))


def text(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def cosigned(names: list[str]) -> bytes:
    signatures = [cosignature.cosign(CHECKPOINT, WITNESSES[name], 5) for name in names]
    return note.add_signatures(sign_checkpoint(CHECKPOINT, LOG), signatures)


def test_policies_that_chance_has_changed_are_judged_alike() -> None:
    chance = random.Random(32)
    whole = [*LINES, *GROUPS]
    x1, x2 = WITNESSES["X1"].vkey, WITNESSES["X2"].vkey
    spelt = [
        text(*whole),
        text("# 交易所", "", " \t ", f"\t{LINES[0]}  https://log.example ", " quorum none "),
        b"witness \xff\xfe " + x1.encode() + b"\nquorum \xff\xfe\n",
        "quorum\u00a0none\n".encode(),
        text(*LINES, "group none any X1", "quorum none"),
        text(*LINES, "group G any G", "quorum G"),
        text(*LINES, "group G 2 X1 X1", "quorum G"),
        text(*LINES, "group constructor any X1", "quorum constructor"),
        text(*LINES, "group G toString X1", "quorum G"),
        text(f"witness __proto__ {x1}", "quorum __proto__"),
        text(f"witness X1 {x1}", f"witness X1 {x2}", "quorum X1"),
        text(f"witness X1 {x1}", f"witness X2 {x1}", "quorum X1"),
        text("toString", "quorum none"),
    ]
    shuffled = [chance.sample(whole, len(whole)) for _ in range(100)]
    dropped = [[one for one in whole if chance.random() < 0.8] for _ in range(200)]
    edits = [changed(text(*whole), chance) for _ in range(1_000)]
    agree("policy", Policy.parse, [*spelt, *(text(*one) for one in (*shuffled, *dropped)), *edits])


def test_notes_that_chance_has_changed_are_judged_alike() -> None:
    chance = random.Random(4)
    data = cosigned(["X1", "Y1"])
    spelt = [b"", b"\n\n", data + b"\n", data[:-1], data.replace(b"\n", b"\r\n")]
    spelt += [data.replace("—".encode(), b"--"), data.replace(b"X1.", "X1\u00a0".encode())]
    spelt += [data.replace(b"X1.", one.encode()) for one in ("\u0085", "\ufeff", "\u2028", "数")]
    agree("note", Note.parse, [data, *spelt, *(changed(data, chance) for _ in range(1_000))])


def test_vkeys_that_chance_has_changed_are_judged_alike() -> None:
    chance = random.Random(1)
    good = LOG.vkey.encode()
    edits = [good, good.upper(), *(changed(good, chance) for _ in range(500))]
    edits = [one for one in edits if one.isascii()]
    expected = [taken(lambda one: VerifierKey.parse(one.decode()), one) for one in edits]
    assert run_cases({"check": "vkey", "text": one.decode()} for one in edits) == expected
    assert sum(expected) >= 1


def test_witnesses_are_told_by_the_policys_own_names() -> None:
    policy = b64(text(LINES[0], f"witness 见证 {WITNESSES['X1'].vkey}", "quorum 见证"))
    (found,) = run_cases([{"check": "checkpoint", "data": b64(cosigned(["X1"])), "policy": policy}])
    assert found["witnesses"] == ["见证"]


def test_logs_and_witnesses_may_sign_with_ml_dsa_44() -> None:
    log, witness = MLDSA44Signer(ORIGIN, b"\x04" * 32), MLDSA44Signer("w.example", b"\x05" * 32)
    policy = b64(text(f"log {log.vkey}", f"witness W {witness.vkey}", "quorum W"))
    signed = [cosignature.cosign(CHECKPOINT, one, 5) for one in (log, witness)]
    both = Note(CHECKPOINT.text(), tuple(signed)).encode()
    alone = Note(CHECKPOINT.text(), (signed[0],)).encode()
    other = both.replace(b"\n7\n", b"\n8\n")
    cases = [{"check": "checkpoint", "data": b64(one)} for one in (both, alone, other)]
    first, *rest = run_cases({**one, "policy": policy} for one in cases)
    assert first == {"origin": ORIGIN, "size": 7, "witnesses": ["W"]}
    assert rest == [None, None]


def test_a_checkpoint_is_taken_exactly_when_the_quorum_agrees() -> None:
    policy, names = text(*LINES, *GROUPS), list(WITNESSES)
    sets = [[name for at, name in enumerate(names) if number >> at & 1] for number in range(32)]
    notes = [cosigned(one) for one in sets]
    spoilt = [data.replace(b"\n7\n", b"\n8\n") for data in notes]
    cases = [*notes, *spoilt, *(changed(notes[-1], random.Random(n)) for n in range(200))]
    found = run_cases(
        {"check": "checkpoint", "data": b64(one), "policy": b64(policy)} for one in cases
    )
    parsed = Policy.parse(policy)
    for data, answer in zip(cases, found, strict=True):
        assert taken(parsed.verify, data) == (answer is not None)
        if answer is not None:
            verified = parsed.verify(data)
            assert answer["witnesses"] == list(verified.cosigned_at_seconds)
            assert (answer["origin"], answer["size"]) == (ORIGIN, 7)
    assert 0 < sum(answer is not None for answer in found) < 32
