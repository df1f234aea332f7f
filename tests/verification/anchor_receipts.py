"""Anchor receipts for tests, as far as the log can be asked about them, and ways to spoil them."""

from collections.abc import Sequence
from typing import Any

from dataexchange.ledger import merkle
from world import ORIGIN

BLOCK = "ab" * 32
# The code of the fault, and what makes it.
SPOILED: Sequence[tuple[str, dict[str, Any]]] = [
    ("anchor.site", {"origin": "example.test/other"}),
    ("anchor.root", {"root": "0x" + "01" * 32}),
    ("anchor.root", {"root": "0x" + "00" * 32}),
    ("anchor.consistency", {"previous_root": "0x" + "01" * 32}),
    ("anchor.consistency", {"previous_size": 3}),
    ("anchor.consistency", {"previous_size": 5}),
    ("anchor.name", {"block_hash": "0x" + "cd" * 32}),
    ("anchor.form", {"root": "0x" + "AB" * 32}),
    ("anchor.form", {"previous_size": -1}),
    ("anchor.form", {"contract": "nowhere"}),
    ("anchor.form", {"chain_id": "1"}),
]


def root(bodies: list[bytes], size: int) -> str:
    return "0x" + merkle.root(merkle.leaf_hash(body) for body in bodies[:size]).hex()


def receipt(bodies: list[bytes], size: int = 5, **changes: Any) -> dict[str, Any]:
    """What a worker would write, as far as the log can be asked about it."""
    return {
        "origin": ORIGIN,
        "chain_id": 1,
        "contract": "0x" + "11" * 20,
        "size": size,
        "root": root(bodies, size),
        "previous_size": 2,
        "previous_root": root(bodies, 2),
        "block_number": 9,
        "block_hash": "0x" + BLOCK,
        "block_time": "2026-01-01T00:00:00Z",
        "signature": "0x00",
        **changes,
    }
