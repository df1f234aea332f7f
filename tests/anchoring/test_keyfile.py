"""Keys in files that only their owner can open."""

import json
import os
from pathlib import Path

import pytest
from eth_account import Account

from dataexchange.anchoring.errors import KeyFileError
from dataexchange.anchoring.keyfile import create_key, load_key
from dataexchange.anchoring.local_chain import local_account
from dataexchange.private_file import FileTakenError, PrivateFileError

SECRET = local_account(4).key.hex().removeprefix("0x")


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_new_key_is_private_and_can_be_loaded(tmp_path: Path) -> None:
    made = create_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert load_key(tmp_path / "key").address == made.address


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    made = create_key(tmp_path / "key")
    with pytest.raises(FileTakenError):
        create_key(tmp_path / "key")
    assert load_key(tmp_path / "key").address == made.address


@pytest.mark.parametrize("text", [SECRET, "0x" + SECRET, SECRET.upper() + "\n"])
def test_hex_is_read_with_and_without_prefix(tmp_path: Path, text: str) -> None:
    assert load_key(write(tmp_path / "key", text)).address == local_account(4).address


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])
def test_a_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "key", SECRET, mode)
    with pytest.raises(PrivateFileError, match="chmod 600"):
        load_key(path)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_the_owner_alone_is_accepted(tmp_path: Path, mode: int) -> None:
    assert load_key(write(tmp_path / "key", SECRET, mode)).address == local_account(4).address


def test_links_folders_pipes_and_absent_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "key", SECRET)
    (tmp_path / "link").symlink_to(tmp_path / "key")
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "folder", "pipe", "absent"):
        with pytest.raises(PrivateFileError):
            load_key(tmp_path / name)


@pytest.mark.parametrize("text", ["", "zz", SECRET[:-1], SECRET + "00", "00" * 32, "锚定", "{}"])
def test_a_file_without_a_key_is_refused_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "key", text)
    with pytest.raises(KeyFileError) as caught:
        load_key(path)
    assert not text or text not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_an_encrypted_keystore_needs_its_passphrase(tmp_path: Path) -> None:
    store = Account.encrypt(local_account(4).key, "correct", kdf="scrypt", iterations=2)
    path = write(tmp_path / "key", json.dumps(store))
    assert load_key(path, passphrase="correct").address == local_account(4).address
    with pytest.raises(KeyFileError):
        load_key(path, passphrase="wrong")
    with pytest.raises(KeyFileError):
        load_key(path)
