"""The zip of a bundle: whatever its directory says, it is read or refused, and nothing else."""

import hashlib
import re
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from bundles import POLICY, SIGNER, bundle_of
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.rules import Role
from dataexchange.verification import UnsoundError, UnusableError, verify_bundle
from dataexchange.verification.bundle import Bundle
from dataexchange.verification.title_members import is_title_bundle
from world import World


@pytest.mark.filterwarnings("ignore::UserWarning")  # of the zip reader, on a damaged directory
def test_a_damaged_directory_is_read_or_refused_and_never_another_error(tmp_path: Path) -> None:
    world = World(log_keys=[SIGNER.vkey])
    path = bundle_of([entry.body for entry in world.entries]).write(tmp_path / "bundle.zip")
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        start = archive.start_dir
    refused = 0
    for at in range(start, len(whole)):
        for bit in range(8):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
            assert not is_title_bundle(path)
            try:
                Bundle(path).close()
            except (UnsoundError, UnusableError):
                refused += 1
    assert refused > 300


@pytest.mark.parametrize("bits", [31, 40, 62])
def test_a_size_that_no_zip_can_hold_is_refused_at_once(tmp_path: Path, bits: int) -> None:
    world = World(log_keys=[SIGNER.vkey])
    signed = sign_checkpoint(Checkpoint(SIGNER.name, 1 << bits, b"\1" * 32), SIGNER)
    bundle = bundle_of([entry.body for entry in world.entries]).but(checkpoint=signed)
    with pytest.raises(UnsoundError, match=r"bundle\.missing_member") as caught:
        verify_bundle(bundle.write(tmp_path / "bundle.zip"), POLICY)
    assert caught.value.index == 0


@pytest.mark.parametrize("around", [(b"#!/bin/sh\n", b""), (b"", b"more"), (b"PK\5\6", b"\n")])
def test_a_zip_with_anything_around_it_is_no_bundle(
    tmp_path: Path, around: tuple[bytes, bytes]
) -> None:
    path = bundle_of([World(log_keys=[SIGNER.vkey]).entries[0].body]).write(tmp_path / "a.zip")
    verify_bundle(path, POLICY)
    path.write_bytes(around[0] + path.read_bytes() + around[1])
    with pytest.raises(UnusableError):
        verify_bundle(path, POLICY)


def test_a_zip_with_a_comment_is_no_bundle(tmp_path: Path) -> None:
    path = bundle_of([World(log_keys=[SIGNER.vkey]).entries[0].body]).write(tmp_path / "a.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"hello"
    with pytest.raises(UnusableError):
        verify_bundle(path, POLICY)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_are_stored_or_deflated_and_nothing_else(tmp_path: Path, method: int) -> None:
    members = bundle_of([World(log_keys=[SIGNER.vkey]).entries[0].body]).members
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(UnsoundError, match=r"bundle\.damaged"):
        verify_bundle(path, POLICY)


def test_large_content_is_hashed_in_pieces(tmp_path: Path) -> None:
    content = bytes(64 << 20)
    sha256 = hashlib.sha256(content).hexdigest()
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("checkpoint", b"")
        archive.writestr(f"content/{sha256}", content)
        archive.writestr(f"content/{'0' * 64}", content)
    del content
    bundle = Bundle(path)
    tracemalloc.start()
    try:
        assert bundle.has_content(sha256)
        assert not bundle.has_content("0" * 64)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
        bundle.close()


@pytest.mark.parametrize(
    ("found", "put"),
    [
        (rb'"prev":"[0-9a-f]{64}","seq":2', rb'"prev":"%","seq":2'),
        (rb'"seq":2', rb'"seq":"two"'),
        (rb'"seq":2', rb'"seq": 2'),
        (rb',"v":1}$', rb',"v":1,"x":"\xff"}'),
        (rb',"v":1}$', rb',"v":1,"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
        (rb',"v":1}$', rb',"v":2}'),
        (rb"^", b"\xef\xbb\xbf"),
        (rb"^.*$", b""),
    ],
)
def test_an_entry_of_any_other_form_is_unsound_and_named(
    tmp_path: Path, found: bytes, put: bytes
) -> None:
    world = World(log_keys=[SIGNER.vkey])
    world.join(Role.PROVIDER)
    bodies = [entry.body for entry in world.entries]
    changed = re.sub(found, lambda _: put, bodies[2], count=1)
    assert changed != bodies[2]
    path = bundle_of([*bodies[:2], changed]).write(tmp_path / "bundle.zip")
    with pytest.raises(UnsoundError) as caught:
        verify_bundle(path, POLICY)
    assert caught.value.index == 2
