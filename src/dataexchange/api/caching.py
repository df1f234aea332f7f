"""Conditional requests (RFC 9110 section 13): an answer that the client holds is not sent again.

And content codings (section 12.5.3): what the client takes compressed is sent so.
"""

import re

from starlette.requests import Request
from starlette.responses import Response

# With no weight, or one above zero.
_GZIP = re.compile(
    r"(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0{0,3})?$)[01](?:\.[0-9]{0,3})?)?", re.IGNORECASE
)


def answer(request: Request, tag: str, body: bytes, cache_control: str) -> Response:
    """Return `body` as JSON under the entity tag `tag`, or 304 where the client holds it.

    What is read depends on who reads, so no shared cache may mix readers up.
    """
    headers = {"ETag": tag, "Cache-Control": cache_control, "Vary": "Authorization"}
    if holds(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def takes_gzip(request: Request) -> bool:
    """Tell whether Accept-Encoding names gzip, and not to refuse it."""
    named = request.headers.get("accept-encoding", "")
    return any(_GZIP.fullmatch(one.strip()) for one in named.split(","))


def holds(request: Request, tag: str) -> bool:
    """Tell whether If-None-Match names `tag`, compared weakly as the RFC asks."""
    named = request.headers.get("if-none-match", "")
    if named.strip() == "*":
        return True
    return tag.removeprefix("W/") in {
        one.strip().removeprefix("W/") for one in named.split(",") if one.strip()
    }
