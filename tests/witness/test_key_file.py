"""The witness's key in its file."""

import stat
from pathlib import Path

import pytest

from dataexchange.errors import DataExchangeError
from dataexchange.ledger.log_key import PrivateKey
from dataexchange.ledger.note import SignatureType, VerifierKey
from dataexchange.witness.key_file import WitnessKeyError, create, load


@pytest.mark.parametrize("scheme", [SignatureType.COSIGNATURE, SignatureType.ML_DSA_44])
def test_a_key_that_is_made_is_its_owners_alone_and_comes_back(
    tmp_path: Path, scheme: SignatureType
) -> None:
    path = tmp_path / "w.key"
    made = create(path, "witness.example/w1", scheme)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path).vkey == made.vkey
    key = VerifierKey.parse(made.vkey)
    assert (key.name, key.type) == ("witness.example/w1", scheme)


def test_a_key_is_never_overwritten_nor_named_what_no_note_can_hold(tmp_path: Path) -> None:
    create(tmp_path / "w.key", "w")
    with pytest.raises(DataExchangeError, match="not overwritten"):
        create(tmp_path / "w.key", "w")
    for name in ("", "a b", "a+b"):
        with pytest.raises(WitnessKeyError, match="not a witness's name"):
            create(tmp_path / "other.key", name)
    assert not (tmp_path / "other.key").exists()


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    create(tmp_path / "w.key", "w")
    (tmp_path / "w.key").chmod(0o640)
    with pytest.raises(DataExchangeError, match="chmod 600"):
        load(tmp_path / "w.key")


def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    path = tmp_path / "w.key"
    create(path, "w")
    text = path.read_text().strip()
    for bad in ("", "secret", text[:-4], text.replace("+w+", "+v+"), text + "x"):
        path.write_text(bad)
        with pytest.raises(WitnessKeyError) as caught:
            load(path)
        assert "PRIVATE" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_log_s_key_cosigns_nothing(tmp_path: Path) -> None:
    path = tmp_path / "w.key"
    create(path, "w")
    path.write_text(PrivateKey.generate("w", SignatureType.ED25519).encode() + "\n")
    with pytest.raises(WitnessKeyError, match="a log's key"):
        load(path)
