"""The bundle of one asset, as it travels: named members, in a zip or in one JSON document.

dossier               which asset, which map, what was added (canonical JSON)
checkpoint            the signed note
entry/<index>         an entry's bytes
proof/<index>         its C2SP tlog-proof under that very checkpoint
map/<key>             the map's proof for an aggregate, or that there is none of that key
state/<key>           the encoded state whose hash the map holds
anchors/<name>        a receipt of an anchor on a chain, where there is one
consistency/<size>    the proof that a root in a receipt is a prefix of the checkpoint's

As JSON it is `{"members": {name: text}}`, canonical; every member is UTF-8.
"""

import io
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from dataexchange.errors import RefusedError
from dataexchange.ledger import canonical
from dataexchange.verification.verdict import UnsoundError, UnusableError
from dataexchange.verification.zipped import open_zip, read_member

DOSSIER = "dossier"
CHECKPOINT = "checkpoint"
MEMBERS_MAX = 100_000
BYTES_MAX = 256 * 1024 * 1024
# Members get one fixed time: the same dossier gives the same zip, byte for byte.
_EPOCH = (2020, 1, 1, 0, 0, 0)

Members: TypeAlias = Mapping[str, bytes]
Key: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_/.:-]{1,300}\Z")]
Index: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class Dossier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the bundle is about: `map` and `confirmed` are indexes of entries, `also` are keys."""

    also: tuple[Key, ...]
    asset: Key
    confirmed: tuple[Index, ...]
    map: Index
    v: int = 1

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return _ENCODER.encode(self)

    @classmethod
    def parse(cls, data: bytes) -> "Dossier":
        """Return the dossier that the canonical `data` is."""
        try:
            dossier = msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _malformed(str(error)) from error
        if dossier.v != 1:
            raise UnusableError(f"未知的资产证据包版本 / unknown version {dossier.v} of the bundle")
        if dossier.encode() != data:
            raise _malformed("not in canonical form")
        for named in (dossier.also, dossier.confirmed):
            if len(set(named)) != len(named):
                raise _malformed("something is named twice")
        return dossier


def is_title_bundle(path: Path) -> bool:
    """Tell whether the file at `path` is, or says that it is, the bundle of one asset."""
    try:
        with open_zip(path) as archive:
            return DOSSIER in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, struct.error):
        with path.open("rb") as file:
            return file.read(len(_JSON_START)) == _JSON_START


def pack(members: Members) -> bytes:
    """Return the zip of `members`, the same bytes for the same members."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, members[name])
    return data.getvalue()


def pack_json(members: Members) -> bytes:
    """Return the JSON document of `members`."""
    return canonical.encode({"members": {name: data.decode() for name, data in members.items()}})


def unpack(path: Path) -> dict[str, bytes]:
    """Return the members in the file at `path`, zip or JSON; none is trusted for being there."""
    data = _read(path)
    return _of_json(data) if data.startswith(_JSON_START) else _of_zip(data)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > BYTES_MAX:
            raise UnusableError(f"{path} 过大 / is too large")
        return path.read_bytes()
    except OSError as error:
        raise UnusableError(f"{path} 无法读取 / cannot be read") from error


def _of_json(data: bytes) -> dict[str, bytes]:
    try:
        canonical.decode(data)
        members = msgspec.json.decode(data, type=_Document).members
    except (msgspec.ValidationError, RefusedError) as error:
        raise UnsoundError(
            "bundle.damaged", "资产证据包格式有误", f"the bundle is not canonical: {error}"
        ) from error
    return {name: text.encode() for name, text in members.items()}


def _of_zip(data: bytes) -> dict[str, bytes]:
    try:
        with open_zip(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            names = {info.filename for info in infos}
            if len(infos) > MEMBERS_MAX or sum(info.file_size for info in infos) > BYTES_MAX:
                raise UnsoundError("bundle.too_large", "证据包过大", "the bundle is too large")
            if len(names) != len(infos):
                raise UnsoundError("bundle.duplicate", "证据包有重名成员", "a member appears twice")
            return {name: read_member(archive, name, BYTES_MAX) for name in names}
    except UnsoundError:
        raise
    except Exception as error:  # zipfile's own and those of its decompressors
        raise UnsoundError("bundle.damaged", "证据包已损坏", "the bundle cannot be read") from error


def _malformed(why: str) -> UnsoundError:
    return UnsoundError("dossier.malformed", "dossier 成员格式有误", f"the dossier member: {why}")


class Shelf:
    """The members of a bundle, each taken by who needs it; what is left was needed by nobody."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._taken: set[str] = set()

    def take(self, name: str) -> bytes:
        """Return a member that the bundle must have."""
        if name not in self._members:
            raise UnsoundError(
                "bundle.missing_member", f"证据包缺少 {name}", f"member {name} is missing"
            )
        self._taken.add(name)
        return self._members[name]

    def indexes(self) -> list[int]:
        """Return the indexes that entries are given for, not taken."""
        found = (_ENTRY.fullmatch(name) for name in self._members)
        return sorted(int(one.group(1)) for one in found if one is not None)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def names(self, folder: str, pattern: re.Pattern[str]) -> list[str]:
        """Return the names in `folder` (which ends in `/`) that fit, not taken."""
        found = (name for name in self._members if name.startswith(folder))
        return sorted(name for name in found if pattern.fullmatch(name.removeprefix(folder)))

    def require_empty(self) -> None:
        """Refuse a member that nobody took."""
        if left := sorted(self._members.keys() - self._taken):
            raise UnsoundError(
                "bundle.unknown_member",
                f"证据包含有与该资产无关的成员 {left[0]}",
                f"member {left[0]} does not belong to this title",
            )


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    members: dict[str, str]


_ENCODER = msgspec.json.Encoder(order="sorted")
_JSON_START = b'{"members":{'
_ENTRY = re.compile(r"entry/(0|[1-9]\d{0,14})", re.ASCII)
