"""The page that verifies a bundle in a browser: `api/verify.html`, with `api/verify.mjs` in it.

A page that is opened from a file may not load a module from another file; so the module is written
into the page, unchanged.
"""

from pathlib import Path

VERIFIER = "api/verify.mjs"
PAGE = "api/verify.html"

_BEGINS = "      // --- verify.mjs, as it is; scripts/contract writes it here\n"
_ENDS = "      // --- the page\n"


def verifier_page(project: Path) -> dict[str, str]:
    """Return the text of the page, by its path, with the verifier as it is now."""
    module = (project / VERIFIER).read_text("utf-8")
    head, rest = (project / PAGE).read_text("utf-8").split(_BEGINS)
    _, tail = rest.split(_ENDS)
    return {PAGE: f"{head}{_BEGINS}{module}{_ENDS}{tail}"}
