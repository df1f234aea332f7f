"""Keys, TypeIDs and key files, as a client makes them."""

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.client import keyfile
from dataexchange.client.keyfile import KeyFileError, SealedKeyError
from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import encode_id, new_id
from dataexchange.errors import RefusedError
from dataexchange.ledger.signature import PublicKey
from dataexchange.ledger.suites import SUITES, SuiteName
from dataexchange.private_file import PrivateFileError

ACTOR = Actor("party_01k9m3e3xkf2v8n5q7r1s4t6w8", SigningKey.from_seed(b"\x02" * 32), "a.test/log")


def test_the_type_id_of_the_specifications_example_comes_out() -> None:
    # typeid.dev: prefix_01h455vb4pex5vsknk084sn02q is 01890a5d-ac96-774b-bcce-b302099a8057.
    number = 0x01890A5DAC96774BBCCEB302099A8057
    assert encode_id("prefix", number) == "prefix_01h455vb4pex5vsknk084sn02q"
    assert encode_id("prefix", 2**128 - 1) == "prefix_7zzzzzzzzzzzzzzzzzzzzzzzzz"


def test_new_ids_differ_and_are_uuids_of_version_7() -> None:
    ids = [new_id("evt") for _ in range(200)]
    assert len(set(ids)) == len(ids)
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    for one in ids:
        number = 0
        for letter in one.removeprefix("evt_"):
            number = number << 5 | digits.index(letter)
        assert number >> 76 & 15 == 7
        assert number >> 62 & 3 == 2


def test_an_id_made_later_sorts_later() -> None:
    import time

    first = new_id("evt")
    time.sleep(0.003)
    assert first < new_id("evt")


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_a_key_signs_what_its_id_verifies(seed: bytes, message: bytes) -> None:
    key = SigningKey.from_seed(seed)
    assert key.seed == seed
    assert PublicKey.parse(key.id).verify(message, key.sign(message))
    assert not PublicKey.parse(key.id).verify(message + b"!", key.sign(message))


@given(st.integers(1, 40))
def test_each_statement_of_a_batch_carries_a_signature_that_stands_alone(count: int) -> None:
    stated = [ACTOR.state("party.left@1", {"number": n}) for n in range(count)]
    signatures = ACTOR.sign_batch(stated)
    for one, signature in zip(stated, signatures, strict=True):
        one.verify(signature)
    if count > 1:
        with pytest.raises(RefusedError):
            stated[0].verify(signatures[1])


def test_a_key_file_is_for_its_owner_and_comes_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    keyfile.save(ACTOR, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = keyfile.load(path)
    assert (loaded.party, loaded.log, loaded.key.id) == (ACTOR.party, ACTOR.log, ACTOR.key.id)
    with pytest.raises(PrivateFileError):
        keyfile.save(ACTOR, path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.key"
    keyfile.save(ACTOR, path)
    path.chmod(mode)
    with pytest.raises(PrivateFileError):
        keyfile.load(path)


@pytest.mark.parametrize("gone", ["party", "log", "key", "suite", "seed"])
def test_a_key_file_that_lacks_a_member_is_refused(tmp_path: Path, gone: str) -> None:
    path = tmp_path / "a.key"
    keyfile.save(ACTOR, path)
    said = json.loads(path.read_text())
    del said[gone]
    path.write_text(json.dumps(said))
    with pytest.raises(KeyFileError):
        keyfile.load(path)


@pytest.mark.parametrize("suite", list(SUITES))
def test_a_key_file_holds_a_key_of_any_suite(tmp_path: Path, suite: SuiteName) -> None:
    actor = Actor(ACTOR.party, SigningKey.generate(suite), ACTOR.log)
    keyfile.save(actor, tmp_path / "a.key")
    assert keyfile.load(tmp_path / "a.key").key.id == actor.key.id


def test_a_sealed_key_file_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    keyfile.save(ACTOR, path, "correct horse")
    assert ACTOR.key.seed.hex() not in path.read_text()
    assert keyfile.load(path, "correct horse").key.id == ACTOR.key.id
    for other in (None, "", "Correct horse"):
        with pytest.raises(SealedKeyError):
            keyfile.load(path, other)


@pytest.mark.parametrize("name", ["key", "suite", "salt", "nonce", "seed"])
def test_a_sealed_key_file_that_was_changed_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.key"
    keyfile.save(ACTOR, path, "correct horse")
    said = json.loads(path.read_text())
    part = said if name in said else said["sealed"]
    other = {"key": SigningKey.generate().id, "suite": "sm2"}
    part[name] = other.get(name) or "00" + part[name][2:]
    path.write_text(json.dumps(said))
    with pytest.raises(KeyFileError):
        keyfile.load(path, "correct horse")


def test_a_key_file_is_a_plain_file(tmp_path: Path) -> None:
    """Not a link that somebody else may turn, nor a pipe that never ends."""
    keyfile.save(ACTOR, tmp_path / "a.key")
    (tmp_path / "link.key").symlink_to(tmp_path / "a.key")
    os.mkfifo(tmp_path / "pipe.key", 0o600)
    for name in ("link.key", "pipe.key", "."):
        with pytest.raises(PrivateFileError):
            keyfile.load(tmp_path / name)
