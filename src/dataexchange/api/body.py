"""Request bodies, read as they come and no further than their limit."""

from starlette.types import Receive, Scope

from dataexchange.errors import DataExchangeError, RefusalCode

BODY_TOO_LARGE = RefusalCode(
    "request.too_large",
    clause="docs/developer.md, limits",
    zh="请求体超过 {limit} 字节",
    en="The request body has more than {limit} bytes",
    remedy_zh="拆成更小的批次；大的内容放入内容库。",
    remedy_en="Send smaller batches; put large content into the content store.",
    kind="malformed",
)


class DisconnectedError(DataExchangeError):
    """The client went away before its request was whole; nobody waits for an answer."""


async def read_body(scope: Scope, receive: Receive, bytes_max: int) -> bytes:
    """Return a request's body; refuse one of more than `bytes_max` before reading all of it."""
    if _declared(scope) > bytes_max:
        raise BODY_TOO_LARGE(limit=bytes_max)
    parts: list[bytes] = []
    count = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            # What came so far may look whole, but it is not what the client meant to send.
            raise DisconnectedError("the client went away")
        parts.append(message.get("body", b""))
        count += len(parts[-1])
        if count > bytes_max:
            raise BODY_TOO_LARGE(limit=bytes_max)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _declared(scope: Scope) -> int:
    """Return what Content-Length says; 0 where it is absent or says nothing."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
