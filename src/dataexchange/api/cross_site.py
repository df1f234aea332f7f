"""What is public may be read by the pages of any site (Fetch standard, CORS protocol).

So a verifier in a browser reads checkpoints, tiles and proofs from the log itself. What depends on
who reads is not opened: entry bundles, and every address that takes a token.
"""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN = re.compile(
    r"/checkpoint"
    r"|/tile/(?!entries/).+"
    r"|/v1/log"
    r"|/v1/entries(?:/[0-9]+/proof)?"
    r"|/v1/proofs/consistency"
    r"|/v1/anchors(?:/[^/]+)?"
    r"|/v1/event-types(?:/[^/]+/schema)?"
    r"|/problems(?:/[^/]+)?"
)


class OpenToPages:
    """Adds the header to the answers of public addresses, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        if scope["type"] != "http" or not _OPEN.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def send_opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Access-Control-Allow-Origin"] = "*"
            await send(message)

        await self._app(scope, receive, send_opened)
