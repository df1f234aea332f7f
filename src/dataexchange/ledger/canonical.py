"""Canonical JSON, RFC 8785 (JCS), over a strict kind of I-JSON.

What cannot be said in one way only is refused, never repaired: duplicate keys, floats, integers
beyond ±(2^53−1), lone surrogates, NUL, keys that are not ASCII. Within these bounds the form of
RFC 8785 is sorted keys, no white space and the shortest escapes. `jcs` is the whole of RFC 8785,
floats included, for documents that follow other specifications (DIDs, credentials).
"""

import re
from typing import Any, NoReturn

import msgspec
import orjson
import rfc8785

from dataexchange.errors import RefusalCode

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_DEPTH_MAX = 64

NOT_CANONICAL = RefusalCode(
    "json.not_canonical",
    clause="RFC 8785; RFC 7493",
    zh="JSON 不是规范形式：{reason}",
    en="The JSON is not in canonical form: {reason}",
    remedy_zh="按 RFC 8785 重新编码：键按序、无空白、无浮点数（比例写成十进制字符串）、无重复键。",
    remedy_en="Encode again by RFC 8785: sorted keys, no white space, no floats (ratios are decimal"
    " strings), no duplicate keys.",
    kind="malformed",
)


def encode(value: Any) -> bytes:
    """Return the canonical bytes of `value`; refuse what the strict profile does not hold."""
    _require_plain(value, _DEPTH_MAX)
    data = _encode_plain(value)
    # The escape may also be a backslash that is followed by the letters u0000, which is no NUL.
    if b"\\u0000" in data and _holds_nul(value):
        raise NOT_CANONICAL(reason="NUL")
    return data


def decode(data: bytes) -> Any:
    """Return what canonical `data` says; refuse any bytes that `encode` would not have made."""
    opened = _opened(data)
    if opened > _DEPTH_MAX:
        require_shallow(data)
    try:
        value = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise NOT_CANONICAL(reason=str(error)) from error
    # A key that is given twice, white space, another order or escape: all show here.
    is_plain = opened < _DEPTH_MAX and _is_surely_plain(data)
    if (_encode_plain(value) if is_plain else encode(value)) != data:
        raise NOT_CANONICAL(reason="the bytes differ from the canonical encoding")
    return value


def require_shallow(data: bytes, depth_max: int = _DEPTH_MAX) -> None:
    """Refuse bytes that open more than `depth_max` levels, before any parser sees them.

    Parsers recurse; their own guard is the interpreter's recursion limit, which others may raise.
    """
    if _opened(data) <= depth_max or _collapses(data, depth_max):
        return
    depth = 0
    for bracket in _STRINGS.sub(b"", data).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > depth_max:
            raise NOT_CANONICAL(reason=f"nested deeper than {depth_max}")


def _opened(data: bytes) -> int:
    """Return how many brackets open: no less than how deep the document is."""
    return data.count(b"[") + data.count(b"{")


def _collapses(data: bytes, depth_max: int) -> bool:
    """Tell whether nothing is left after taking out the innermost brackets `depth_max` times.

    Quick, and False only where in doubt: a bracket inside a string leaves a quote unpaired.
    """
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    left = data.translate(None, _NO_BRACKETS_OR_QUOTES).replace(b'""', b"")
    for _ in range(depth_max):
        if not left:
            return True
        left = left.replace(b"{}", b"").replace(b"[]", b"")
    return not left


def jcs(value: Any) -> bytes:
    """Return the RFC 8785 form of any JSON value, floats and non-ASCII keys included."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise NOT_CANONICAL(reason=str(error)) from error


def _encode_plain(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except (TypeError, ValueError) as error:
        raise NOT_CANONICAL(reason=str(error)) from error


def _is_surely_plain(data: bytes) -> bool:
    """Tell from the bytes alone that a parsed document needs no walk; when in doubt, say no.

    The parser has refused floats already, and it is not deep. What is left to find is NUL, and keys
    that are not ASCII: without escapes every quote ends a string, a colon follows only a key's.
    """
    if data.isascii():
        return b"\\u0000" not in data
    if b"\\" in data:
        return False
    outline = data.translate(_OUTLINE, _LEFT_OUT)
    return b'?":' not in outline and b"?:" not in outline


def _refuse_float(text: str) -> NoReturn:
    raise ValueError(f"a float: {text}")


def _require_plain(value: Any, depth: int) -> None:
    """Refuse keys that are not ASCII, floats, and nesting beyond `_DEPTH_MAX`."""
    if depth == 0:
        raise NOT_CANONICAL(reason=f"nested deeper than {_DEPTH_MAX}")
    kind = type(value)
    if kind is dict:
        for key, member in value.items():
            if not (type(key) is str and key.isascii()):
                raise NOT_CANONICAL(reason=f"a key is not ASCII: {str(key)[:40]!r}")
            if type(member) not in _LEAVES:
                _require_plain(member, depth - 1)
    elif kind is list or kind is tuple:
        for member in value:
            if type(member) not in _LEAVES:
                _require_plain(member, depth - 1)
    elif kind not in _LEAVES:
        raise NOT_CANONICAL(reason=f"a value of type {kind.__name__}")


def _holds_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any("\0" in key or _holds_nul(member) for key, member in value.items())
    if isinstance(value, list | tuple):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value


_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NO_BRACKETS_OR_QUOTES = bytes(set(range(256)) - set(b'[]{}"'))
# Of a document: its quotes and colons, and a question mark for each character that is not ASCII,
# which in UTF-8 is one byte from C0 up and then some below.
_OUTLINE = bytes(range(128)) + b"?" * 128
_LEFT_OUT = bytes(set(range(0xC0)) - set(b'":'))
_LEAVES = frozenset({str, int, bool, type(None)})
_DECODER = msgspec.json.Decoder(float_hook=_refuse_float)
