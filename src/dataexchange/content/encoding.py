"""Find out how a text file is encoded, by reading all of it.

Chinese files are UTF-8 or GBK about as often as they say so. The order of belief: a byte order
mark, the declared encoding, UTF-8, then GB 18030 (which holds GBK and GB 2312). What nothing
decodes is read as UTF-8 with U+FFFD in place of each broken sequence, and counted.
"""

import codecs
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, TypeAlias

EncodingName: TypeAlias = Literal["utf-8", "gb18030", "gbk", "gb2312", "big5", "utf-16"]
OpenStream: TypeAlias = Callable[[], BinaryIO]

REPLACEMENT: Final = "\ufffd"
_BLOCK_BYTES: Final = 1 << 20
_UTF8_MARK: Final = codecs.BOM_UTF8
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class TextEncoding:
    """How a file is decoded: the encoding, whether it opens with a mark, what would not decode.

    `as_declared` tells whether it decodes by the declared encoding; None where none was declared.
    """

    name: EncodingName
    mark: bool
    undecodable_count: int
    as_declared: bool | None


def find_encoding(open_stream: OpenStream, declared: EncodingName | None = None) -> TextEncoding:
    """Return the encoding of the text that `open_stream` opens, from its first byte to its last."""
    marked = _marked(open_stream)
    if marked is not None:
        as_declared = None if declared is None else declared == marked
        return _read_as(open_stream, marked, mark=True, as_declared=as_declared)
    if declared is not None and _decodes(open_stream, declared):
        return TextEncoding(declared, False, 0, True)
    as_declared = None if declared is None else False
    for name in _CANDIDATES:
        if _decodes(open_stream, name):
            return TextEncoding(name, False, 0, as_declared)
        if name == "utf-8" and _is_damaged_utf8(open_stream):
            break
    return _read_as(open_stream, "utf-8", mark=False, as_declared=as_declared)


def open_text(stream: BinaryIO, encoding: TextEncoding) -> io.TextIOWrapper:
    """Return the decoded text, line ends untouched, the mark taken off."""
    # The utf-16 codec takes the mark off by itself; utf-8-sig also reads text without one.
    codec = "utf-8-sig" if encoding.name == "utf-8" else encoding.name
    return io.TextIOWrapper(stream, encoding=codec, errors="replace", newline="")


_CANDIDATES: Final[tuple[EncodingName, ...]] = ("utf-8", "gb18030")


def _marked(open_stream: OpenStream) -> EncodingName | None:
    with open_stream() as stream:
        head = stream.read(3)
    if head.startswith(_UTF8_MARK):
        return "utf-8"
    return "utf-16" if head.startswith(_UTF16_MARKS) else None


def _blocks(open_stream: OpenStream) -> Iterator[bytes]:
    with open_stream() as stream:
        while block := stream.read(_BLOCK_BYTES):
            yield block


def _decodes(open_stream: OpenStream, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)("strict")
    try:
        for block in _blocks(open_stream):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _read_as(
    open_stream: OpenStream, name: EncodingName, *, mark: bool, as_declared: bool | None
) -> TextEncoding:
    undecodable, _ = _replacements(open_stream, name)
    return TextEncoding(name, mark, undecodable, as_declared)


def _is_damaged_utf8(open_stream: OpenStream) -> bool:
    """Tell UTF-8 with a few broken bytes from another encoding: most of it must still decode.

    GB 18030 accepts nearly any bytes; without this, one broken byte would turn a whole file of
    UTF-8 into nonsense that counts as sound.
    """
    undecodable, multibyte = _replacements(open_stream, "utf-8")
    return undecodable * 10 <= multibyte


def _replacements(open_stream: OpenStream, name: str) -> tuple[int, int]:
    """Return how many U+FFFD decoding gives, and how many bytes beyond one a character takes."""
    decoder = codecs.getincrementaldecoder(name)("replace")
    undecodable = beyond = 0
    for block in _blocks(open_stream):
        text = decoder.decode(block)
        undecodable += text.count(REPLACEMENT)
        beyond += len(block) - len(text)
    undecodable += decoder.decode(b"", final=True).count(REPLACEMENT)
    return undecodable, beyond
