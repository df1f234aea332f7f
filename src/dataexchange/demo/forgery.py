"""Three ways to cheat with the bundle, each by somebody who can recompute every hash."""

import re
import zipfile
from pathlib import Path

from dataexchange.ledger import entry, merkle
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.entry import NO_PREVIOUS, Entry, encode_signature
from dataexchange.ledger.note import Signer
from dataexchange.ledger.tile import (
    TILE_WIDTH,
    bundles,
    decode_bundle,
    encode_bundle,
    grow_tiles,
)

_AMOUNT = re.compile(rb'"amount_fen":(\d+)')


def entries_of(bundle: Path) -> list[bytes]:
    """Return the entries in a bundle."""
    with zipfile.ZipFile(bundle) as archive:
        size = int(archive.read("checkpoint").split(b"\n")[1])
        return [
            body
            for name in bundles(size)
            for body in decode_bundle(archive.read(name.path), name.width)
        ]


def with_a_flipped_bit(bundle: Path, to: Path, index: int) -> None:
    """Flip one bit in the middle of entry `index`; change nothing else."""
    body = entries_of(bundle)[index]
    middle = len(body) // 2
    changed = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(to, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(body, changed))


def with_an_amount_rewritten(bundle: Path, to: Path, signer: Signer) -> int:
    """Add a zero to the first amount, recompute every hash, sign anew; return the entry's index."""
    bodies = entries_of(bundle)
    index = next(at for at, body in enumerate(bodies) if _AMOUNT.search(body))
    statements = [Entry.parse(body).statement.body for body in bodies]
    statements[index] = _AMOUNT.sub(rb'"amount_fen":\g<1>0', statements[index], count=1)
    _write(bundle, to, _chained(bodies, statements), signer)
    return index


def with_the_tail_dropped(bundle: Path, to: Path, signer: Signer, count: int) -> None:
    """Leave out the last `count` entries and sign the shorter log."""
    _write(bundle, to, entries_of(bundle)[:-count], signer)


def _chained(bodies: list[bytes], statements: list[bytes]) -> list[bytes]:
    """Return entries with these statements and every chain recomputed."""
    heads: dict[str, tuple[int, str]] = {}
    prev, built = NO_PREVIOUS, []
    for index, (body, statement) in enumerate(zip(bodies, statements, strict=True)):
        old = Entry.parse(body)
        links = {key: heads.get(key, (0, NO_PREVIOUS)) for key in old.fields.subjects}
        new = entry.build(
            index=index,
            prev=prev,
            recorded_at=old.recorded_at,
            signature=encode_signature(old.fields.signature),
            statement=statement,
            subjects={key: (seq + 1, head) for key, (seq, head) in links.items()},
        )
        prev = merkle.leaf_hash(new).hex()
        heads.update({key: (seq + 1, prev) for key, (seq, _) in links.items()})
        built.append(new)
    return built


def _write(bundle: Path, to: Path, bodies: list[bytes], signer: Signer) -> None:
    leaves = [merkle.leaf_hash(body) for body in bodies]
    checkpoint = Checkpoint(signer.name, len(bodies), merkle.root(leaves))
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(to, "w") as target:
        target.writestr("checkpoint", sign_checkpoint(checkpoint, signer))
        for name in bundles(len(bodies)):
            start = name.index * TILE_WIDTH
            target.writestr(name.path, encode_bundle(bodies[start : start + name.width]))
        for tile, data in grow_tiles(0, leaves, lambda level, index, width: b""):
            target.writestr(tile.path, data)
        text = b"".join(bodies)
        for member in source.namelist():
            if member.startswith("content/") and member.removeprefix("content/").encode() in text:
                target.writestr(member, source.read(member))
