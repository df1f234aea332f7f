"""The keys of openings: one file each, wrapped, destroyed for good, wrapped anew on demand."""

import stat
from pathlib import Path

import pytest

from dataexchange.exchange import secret_file
from dataexchange.exchange.opening_keys import OpeningKeyLostError, OpeningKeys
from dataexchange.private_file import PrivateFileError, write_private

WRAPPING, OTHER = bytes(range(32)), bytes(range(32, 64))


@pytest.fixture
def keys(tmp_path: Path) -> OpeningKeys:
    return OpeningKeys(tmp_path / "keys", WRAPPING)


def file_of(tmp_path: Path, key_id: str) -> Path:
    return tmp_path / "keys" / key_id[:2] / key_id


def test_a_key_comes_back_by_its_id_and_lies_wrapped_on_disk(
    keys: OpeningKeys, tmp_path: Path
) -> None:
    made = [keys.make() for _ in range(20)]
    assert len({key for _, key in made}) == 20
    for key_id, key in made:
        assert OpeningKeys(tmp_path / "keys", WRAPPING).read(key_id) == key
        path = file_of(tmp_path, key_id)
        assert key not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_the_wrapping_key_a_file_opens_nothing(keys: OpeningKeys, tmp_path: Path) -> None:
    key_id, _ = keys.make()
    with pytest.raises(OpeningKeyLostError):
        OpeningKeys(tmp_path / "keys", OTHER).read(key_id)
    path = file_of(tmp_path, key_id)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(OpeningKeyLostError):
        keys.read(key_id)


def test_a_destroyed_key_is_overwritten_before_it_is_removed(
    keys: OpeningKeys, tmp_path: Path
) -> None:
    key_id, _ = keys.make()
    other, _ = keys.make()
    link = tmp_path / "same file"
    link.hardlink_to(file_of(tmp_path, key_id))
    for _ in range(2):
        keys.destroy(key_id)
    assert link.read_bytes() == bytes(40)
    assert not file_of(tmp_path, key_id).exists()
    assert not keys.has(key_id)
    assert keys.has(other)


def test_keys_wrapped_anew_leave_old_copies_of_their_files_worthless(
    keys: OpeningKeys, tmp_path: Path
) -> None:
    made = dict(keys.make() for _ in range(5))
    copies = {key_id: file_of(tmp_path, key_id).read_bytes() for key_id in made}
    assert keys.wrap_anew(OTHER) == 5
    assert all(keys.read(key_id) == key for key_id, key in made.items())
    assert not any(OpeningKeys(tmp_path / "keys", WRAPPING).has(key_id) for key_id in made)
    key_id, copy = copies.popitem()
    file_of(tmp_path, key_id).write_bytes(copy)
    assert not keys.has(key_id)


def test_wrapping_anew_can_be_broken_off_and_repeated(
    keys: OpeningKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = dict(keys.make() for _ in range(5))
    path = tmp_path / "openings.key"
    path.write_text(WRAPPING.hex())
    path.chmod(0o600)
    calls = 0

    def failing(target: Path, content: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OSError("the disk is full")
        write_private(target, content)

    with monkeypatch.context() as patch:
        patch.setattr("dataexchange.exchange.opening_keys.write_private", failing)
        with pytest.raises(OSError, match="full"):
            secret_file.replace(path, keys.wrap_anew)
    assert secret_file.load_or_make(path) == WRAPPING
    again = OpeningKeys(tmp_path / "keys", WRAPPING)
    assert secret_file.replace(path, again.wrap_anew) == 5
    renewed = OpeningKeys(tmp_path / "keys", secret_file.load_or_make(path))
    assert all(renewed.read(key_id) == key for key_id, key in made.items())
    assert not path.with_suffix(".next").exists()


def test_wrapping_anew_leaves_no_draft_of_a_crash(keys: OpeningKeys, tmp_path: Path) -> None:
    key_id, _ = keys.make()
    whole = file_of(tmp_path, key_id)
    draft = whole.with_name(f".{key_id}.1.abcd")
    draft.write_bytes(whole.read_bytes())
    keys.wrap_anew(OTHER)
    assert list(whole.parent.iterdir()) == [whole]


@pytest.mark.parametrize("content", ["", "00", "zz" * 32, "00" * 33])
def test_a_wrapping_key_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "openings.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(secret_file.SecretFileError):
        secret_file.load_or_make(path)


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "openings.key"
    secret_file.load_or_make(path)
    path.chmod(0o640)
    with pytest.raises(PrivateFileError, match="chmod 600"):
        secret_file.load_or_make(path)


def test_a_lost_wrapping_key_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    path, folder = tmp_path / "openings.key", tmp_path / "keys"
    keys = OpeningKeys.under(path, folder)
    key_id, key = keys.make()
    kept = path.read_text()
    path.unlink()
    with pytest.raises(OpeningKeyLostError, match="restore"):
        OpeningKeys.under(path, folder)
    assert not path.exists()
    path.write_text(OTHER.hex())
    path.chmod(0o600)
    with pytest.raises(OpeningKeyLostError, match="none of the keys"):
        OpeningKeys.under(path, folder)
    path.write_text(kept)
    assert OpeningKeys.under(path, folder).read(key_id) == key
    file_of(tmp_path, key_id).write_bytes(bytes(40))  # as a crash while destroying leaves it
    assert not OpeningKeys.under(path, folder).has(key_id)
