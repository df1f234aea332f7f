"""Read YAML or JSON exactly: a decimal stays the decimal that was written.

The YAML 1.1 traps are closed: `0.15` becomes a `Decimal` and not a float, `010` is no octal,
`1:30` no sexagesimal, `yes` no boolean; a key twice, an anchor or a tag is refused. JSON is YAML,
but its own parser is a hundred times faster.
"""

import json
import re
from collections.abc import Hashable
from datetime import date
from decimal import Decimal
from typing import Any

import rfc8785
import yaml

from dataexchange.valuation.arithmetic import plain
from dataexchange.valuation.refusal import DOCUMENT_MALFORMED

SIZE_BYTES_MAX = 1 << 20
DEPTH_MAX = 40


class _ExactLoader(yaml.SafeLoader):
    """A SafeLoader without floats, octals, aliases and repeated keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(None, None, "aliases are not accepted")
        if self.depth >= DEPTH_MAX:
            raise yaml.constructor.ConstructorError(None, None, "nested too deep")
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value]
        if len(set(map(str, names))) != len(names):
            raise yaml.constructor.ConstructorError(None, None, "a key is given twice")
        return super().construct_mapping(node, deep)


def _construct_int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    return int(loader.construct_scalar(node))


def _construct_decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(loader.construct_scalar(node))


_PATTERNS = {
    "bool": (r"true|false", "tf"),
    "int": (r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    "float": (r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?", "-+0123456789"),
    "null": (r"~|null|", ["~", "n", ""]),
    "timestamp": (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789"),
}
for _name, (_pattern, _first) in _PATTERNS.items():
    _ExactLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )
_ExactLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_ExactLoader.add_constructor("tag:yaml.org,2002:float", _construct_decimal)


def read_document(content: bytes) -> dict[str, Any]:
    """Return the mapping that YAML or JSON `content` (UTF-8, at most 1 MiB) holds.

    Raises `valuation.document_malformed`.
    """
    if len(content) > SIZE_BYTES_MAX:
        raise DOCUMENT_MALFORMED(
            why=f"larger than {SIZE_BYTES_MAX} bytes", why_zh=f"超过 {SIZE_BYTES_MAX} 字节"
        )
    try:
        found = _read(content.decode("utf-8"))
        _check(found)
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        raise DOCUMENT_MALFORMED(why=" ".join(str(error).split())) from error
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise DOCUMENT_MALFORMED(
            why="expects a mapping with text keys", why_zh="应为以文本为键的映射"
        )
    return found


def _read(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return _JSON.decode(text)
        except (ValueError, RecursionError):
            pass  # YAML in braces, perhaps; what is wrong with it is for the other parser to say
    return yaml.load(text, Loader=_ExactLoader)  # noqa: S506  # a SafeLoader


def _check(found: object, depth: int = 0) -> None:
    """Raise `ValueError` where `found` is nested too deep, or holds half a character."""
    if depth > DEPTH_MAX:
        raise ValueError("nested too deep")
    if isinstance(found, str):
        found.encode()
    elif isinstance(found, dict):
        for key, value in found.items():
            _check(key, depth)
            _check(value, depth + 1)
    elif isinstance(found, list):
        for value in found:
            _check(value, depth + 1)


def _decimal(text: str) -> Decimal:
    if not _FLOAT.fullmatch(text):
        raise ValueError("the exponent is too large")
    return Decimal(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no figure")


_FLOAT = re.compile(_PATTERNS["float"][0])
_JSON = json.JSONDecoder(parse_float=_decimal, parse_constant=_no_constant, object_pairs_hook=_once)


def canonical(found: object) -> bytes:
    """Return RFC 8785 JSON of a document, numbers and days as text: equal inputs, equal bytes."""
    return rfc8785.dumps(_as_text(found))  # type: ignore[arg-type]  # _as_text leaves JSON only


def _as_text(found: object) -> object:
    if isinstance(found, dict):
        return {str(key): _as_text(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [_as_text(value) for value in found]
    if isinstance(found, bool | str) or found is None:
        return found
    if isinstance(found, Decimal):
        return plain(found) if found.is_finite() else str(found)
    return found.isoformat() if isinstance(found, date) else str(found)
