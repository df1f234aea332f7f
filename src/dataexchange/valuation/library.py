"""The shelf of published cards: found by method and version, held to their published hashes.

`valuation/SHA256SUMS` lists every published card in the form that `sha256sum -c` checks. A listed
card is never edited; a correction is a new version that names the hash it supersedes.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataexchange.valuation.card import Card, load_card
from dataexchange.valuation.evaluation import evaluate
from dataexchange.valuation.refusal import CARD_INVALID, CARD_NOT_FOUND
from dataexchange.valuation.result import Valuation

SUMS = "SHA256SUMS"
_VERSION = re.compile(r"^\d+\.\d+\.\d+$")
_NAME = re.compile(r"^([a-z][a-z0-9_]*)(?:/(\d+\.\d+\.\d+))?$")


def shelf() -> Path:
    """Return the folder of the published cards: beside the code, or the project's `valuation/`."""
    packed = Path(__file__).parent / "cards"
    return packed if packed.is_dir() else Path(__file__).parents[3] / "valuation"


def find_card(name: str | Path, folder: Path | None = None) -> Card:
    """Return the card called `name`: a path, `cost/1.0.0`, or `cost` for its newest version.

    A card of the shelf must have its published hash. Raises `valuation.card_not_found` and
    `valuation.card_invalid`.
    """
    on_shelf = _NAME.match(str(name))
    path = _path(on_shelf, folder or shelf()) if on_shelf else Path(name)
    if path is None or not path.is_file():
        raise CARD_NOT_FOUND(card=name)
    content = path.read_bytes()
    if on_shelf:
        _hold_to_sums(content, path, folder or shelf())
    return load_card(content)


def shelf_card(name: str) -> Card:
    """Return the published card called `name`, as `find_card` does; a path is no name here."""
    if not _NAME.match(name):
        raise CARD_NOT_FOUND(card=name)
    return find_card(name)


def _path(name: re.Match[str], folder: Path) -> Path | None:
    method, version = name.groups()
    if version:
        return folder / method / f"{version}.yaml"
    found = (folder / method).glob("*.yaml")
    return max((one for one in found if _VERSION.match(one.stem)), key=_version, default=None)


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.stem.split("."))


def _hold_to_sums(content: bytes, path: Path, folder: Path) -> None:
    key = path.relative_to(folder).as_posix()
    published = published_hashes(folder).get(key)
    if published is not None and published != hashlib.sha256(content).hexdigest():
        raise CARD_INVALID(
            why=f"{key} was edited after it was published", why_zh=f"{key} 发布后被改动"
        )


def published_hashes(folder: Path) -> dict[str, str]:
    """Return the published SHA-256 of each card by its path under `folder`."""
    sums = folder / SUMS
    lines = sums.read_text("utf-8").splitlines() if sums.is_file() else []
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}


def card_paths(folder: Path) -> list[Path]:
    """Return the paths of all cards under `folder`, by method and version."""
    found = (path for path in folder.glob("*/*.yaml") if _VERSION.match(path.stem))
    return sorted(found, key=lambda path: (path.parent.name, _version(path)))


def publish(folder: Path) -> list[str]:
    """Add the hashes of new cards to `SHA256SUMS` and return their names.

    Refuses an edited card, and a successor that does not name the hash it supersedes
    (`valuation.card_invalid`).
    """
    known, added = published_hashes(folder), []
    for path in card_paths(folder):
        key, content = path.relative_to(folder).as_posix(), path.read_bytes()
        _hold_to_sums(content, path, folder)
        if key not in known:
            _check_succession(load_card(content), path, known)
            known[key] = hashlib.sha256(content).hexdigest()
            added.append(key)
    lines = [f"{known[key]}  {key}\n" for key in sorted(known)]
    (folder / SUMS).write_text("".join(lines), "utf-8")
    return added


def _check_succession(card: Card, path: Path, known: Mapping[str, str]) -> None:
    if f"{card.sheet.method}/{card.sheet.version}" != f"{path.parent.name}/{path.stem}":
        raise CARD_INVALID(
            why=f"{path.parent.name}/{path.name} does not bear its own name",
            why_zh=f"{path.parent.name}/{path.name} 与卡内名称不符",
        )
    before = {digest for key, digest in known.items() if key.startswith(f"{card.sheet.method}/")}
    if before and card.sheet.supersedes not in before:
        raise CARD_INVALID(
            why=f"{path.parent.name}/{path.name} does not name what it supersedes",
            why_zh=f"{path.parent.name}/{path.name} 没有写明所取代的规则卡",
        )


def value(
    card: str | Path | Card,
    inputs: Mapping[str, Any],
    *,
    engagement: Mapping[str, Any] | None = None,
    sources: Mapping[str, Any] | None = None,
) -> Valuation:
    """Value `inputs` by a card, its name (`"cost"`, `"cost/1.0.0"`) or its path.

    >>> value("cost", {"costs": [{"item": "direct", "amount": 1200000}], "adjustment": "0.85"}).yuan
    '1020000.00'
    """
    found = card if isinstance(card, Card) else find_card(card)
    return evaluate(found, inputs, engagement=engagement, sources=sources)
