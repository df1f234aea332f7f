"""Payloads from YAML or JSON, with the traps of YAML 1.1 closed.

What is signed must be what was written: `0.50` stays that decimal string and becomes no float, days
and times stay text, `010` is no octal, `12:30` no sexagesimal number, `no` no boolean. A key given
twice and an alias are refused.
"""

import json
import re
import sys
from collections.abc import Hashable
from pathlib import Path
from typing import Any, NoReturn

import yaml

from dataexchange.errors import DataExchangeError


class PayloadError(DataExchangeError):
    """A payload that cannot be read."""


def read(payload: str) -> dict[str, Any]:
    """Return the payload in a file (UTF-8), or in standard input for `-`."""
    try:
        text = sys.stdin.read() if payload == "-" else Path(payload).read_text("utf-8")
        said = _parse(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise PayloadError(
            f"无法读取事件内容 / the payload cannot be read: {payload}: {error}"
        ) from error
    if not isinstance(said, dict):
        raise PayloadError("事件内容须为键值映射 / a payload is a mapping of names to values")
    return said


def read_value(given: str) -> Any:
    """Return a value that is to be sealed: a text, or what `@file` holds.

    A `.json` or `.yaml` file is read as such, any other as a text.
    """
    if not given.startswith("@"):
        return given
    path = Path(given[1:])
    try:
        text = path.read_text("utf-8")
        return _parse(text) if path.suffix in (".json", ".yaml", ".yml") else text
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise PayloadError(f"无法读取 / cannot be read: {path}: {error}") from error


def _parse(text: str) -> Any:
    """Return what `text` says as JSON, or else as YAML, whose escapes know no surrogate pairs."""
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_float=str, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 -- a SafeLoader


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _require_once([name for name, _ in pairs])
    return dict(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _require_once(names: list[Any]) -> None:
    if repeated := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"key {repeated[0]!r} is given twice")


class _Loader(yaml.SafeLoader):
    """A SafeLoader that knows text, whole numbers, true, false and null."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias (*)")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        _require_once([name.value for name, _ in node.value])
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
    ("null", r"null|~|", ["n", "~", ""]),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )
