"""Content comes back by its hash, whole and checked, or not at all."""

import hashlib
from pathlib import Path

import pytest

from dataexchange.content.store import (
    BAD_HASH,
    MISSING,
    ContentDamagedError,
    ContentStore,
    FolderStore,
    object_key,
)
from dataexchange.errors import RefusedError


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def test_bytes_are_kept_under_their_hash(store: FolderStore) -> None:
    sha256 = store.put(b"report")
    assert sha256 == hashlib.sha256(b"report").hexdigest()
    assert store.read(sha256) == b"report"
    assert store.size_bytes(sha256) == 6


def test_a_file_is_kept_under_the_same_hash_as_its_bytes(
    store: FolderStore, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 10_000
    source = tmp_path / "data.bin"
    source.write_bytes(content)
    assert store.put(source) == store.put(content)
    assert list(store) == [hashlib.sha256(content).hexdigest()]


def test_the_folder_store_is_a_content_store(store: FolderStore) -> None:
    kept: ContentStore = store
    sha256 = kept.put(b"")
    with kept.open(sha256) as stream:
        assert stream.read() == b""
    assert sha256 in kept


def test_nothing_is_left_behind_while_writing(store: FolderStore, tmp_path: Path) -> None:
    store.put(b"a")
    with pytest.raises(FileNotFoundError):
        store.put(tmp_path / "absent")
    assert list((tmp_path / "store" / "incoming").iterdir()) == []


def test_unknown_content_is_missing(store: FolderStore) -> None:
    with pytest.raises(RefusedError) as caught:
        store.open("0" * 64)
    assert caught.value.refusal is MISSING
    assert "0" * 64 not in store


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n", "/" + "0" * 63]
)
def test_a_name_that_is_no_hash_is_refused(store: FolderStore, name: str) -> None:
    for ask in (store.open, store.size_bytes, store.__contains__, object_key):
        with pytest.raises(RefusedError) as caught:
            ask(name)
        assert caught.value.refusal is BAD_HASH


def test_damaged_content_is_never_served(store: FolderStore, tmp_path: Path) -> None:
    sha256 = store.put(b"good")
    (tmp_path / "store" / object_key(sha256)).write_bytes(b"evil")
    with pytest.raises(ContentDamagedError):
        store.read(sha256)


def test_putting_good_bytes_repairs_damage(store: FolderStore, tmp_path: Path) -> None:
    sha256 = store.put(b"good")
    (tmp_path / "store" / object_key(sha256)).write_bytes(b"evil")
    store.put(b"good")
    assert store.read(sha256) == b"good"


def test_a_link_in_the_store_is_not_followed(store: FolderStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    sha256 = hashlib.sha256(b"secret").hexdigest()
    link = tmp_path / "store" / object_key(sha256)
    link.parent.mkdir(parents=True)
    link.symlink_to(secret)
    assert sha256 not in store
    with pytest.raises(RefusedError) as caught:
        store.open(sha256)
    assert caught.value.refusal is MISSING
