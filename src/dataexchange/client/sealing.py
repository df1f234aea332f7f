"""Seal values: a random salt for each, and openings that go to the exchange or stay with you."""

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dataexchange.errors import DataExchangeError
from dataexchange.ledger import sealing
from dataexchange.ledger.sealing import SALT_BYTES, Opening


class OpeningsFileError(DataExchangeError):
    """The file that openings are to be kept in exists, or cannot be written."""


def seal(values: Mapping[str, Any]) -> tuple[Opening, ...]:
    """Return an opening for each field of `values`, with a salt of its own."""
    return tuple(
        sealing.seal(field, value, secrets.token_bytes(SALT_BYTES))
        for field, value in values.items()
    )


def commitments(openings: Iterable[Opening]) -> dict[str, str]:
    """Return what a statement says of sealed fields: each one's commitment (hex)."""
    return {one.field: one.commitment for one in openings}


def encode_all(openings: Iterable[Opening]) -> bytes:
    """Return openings as one JSON list, the form in which they are sent and kept."""
    return b"[%b]" % b",".join(one.encode() for one in openings)


def save(openings: Iterable[Opening], path: Path) -> None:
    """Write openings to a new file that only its owner may read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise OpeningsFileError(f"{path} 无法写入 / cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(encode_all(openings) + b"\n")
