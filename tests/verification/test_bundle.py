"""The zip of a bundle: whatever its directory says, it is read or refused, and nothing else."""

import zipfile
from pathlib import Path

import pytest

from bundles import SIGNER, bundle_of
from dataexchange.verification import UnsoundError, UnusableError
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
