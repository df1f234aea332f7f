"""Zip files as a verifier takes them: nothing around the zip, members stored or deflated.

Readers of zips differ in what they make of bytes before or behind one, of comments, and of rare
ways to compress. What only some of them can read is no bundle.
"""

import os
import zipfile
from pathlib import Path
from typing import IO, Final

METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_END: Final = 22  # the record that ends a zip without a comment
_WIDE: Final = 0xFFFFFFFF  # the place of the directory is in the zip64 record


def open_zip(source: Path | IO[bytes]) -> zipfile.ZipFile:
    """Return the zip that all of `source` is; `BadZipFile`, or what its reader stumbles on."""
    archive = zipfile.ZipFile(source)
    try:
        _require_nothing_around(archive)
    except BaseException:
        archive.close()
        raise
    return archive


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Return a member to be read; `BadZipFile` where it is packed otherwise."""
    if archive.getinfo(name).compress_type not in METHODS:
        raise zipfile.BadZipFile(f"{name} is neither stored nor deflated")
    return archive.open(name)


def read_member(archive: zipfile.ZipFile, name: str, bytes_max: int) -> bytes:
    """Return the first `bytes_max` bytes of a member."""
    with open_member(archive, name) as member:
        return member.read(bytes_max)


def _require_nothing_around(archive: zipfile.ZipFile) -> None:
    file = archive.fp
    if file is None:
        raise zipfile.BadZipFile("closed")
    file.seek(-_END, os.SEEK_END)
    end = file.read(_END)
    start = int.from_bytes(end[16:20], "little")
    if end[:4] != b"PK\5\6" or start not in (archive.start_dir, _WIDE):
        raise zipfile.BadZipFile("there is something before or behind the zip")
