"""Where the command line prints: results to standard output, the rest to standard error.

What a bundle, a ledger or a server says is somebody else's text. A control character in it could
move the cursor and write a verdict of its own, so each is spelt as JSON spells it; and what goes
into a sentence with markup passes through `rich.markup.escape` first, or into a table as `Text`.
"""

import re

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

# C0 without tab and newline, DEL, C1; the marks that turn the direction of text around.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class _Harmless:
    """What is printed, the characters spelt out that could steer a terminal."""

    def __init__(self, inner: ConsoleRenderable) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the segments of what is inside; those that rich itself steers with are kept."""
        for segment in console.render(self._inner, options):
            if segment.control:
                yield segment
            else:
                yield Segment(_UNPRINTABLE.sub(_spelt, segment.text), segment.style)


class _Hook(RenderHook):
    """Wraps all that a console prints."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Return the same, harmless."""
        return [_Harmless(one) for one in renderables]


def _spelt(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _made(*, is_error: bool) -> Console:
    made = Console(stderr=is_error, soft_wrap=True, emoji=False)
    made.push_render_hook(_Hook())
    return made


console = _made(is_error=False)
error_console = _made(is_error=True)
