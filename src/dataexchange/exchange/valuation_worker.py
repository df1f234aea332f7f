"""A process that previews valuations, line by line: what it is asked must not cost the service.

Questions come on standard input and answers go to standard output, one JSON line each. Whoever
started it ends it, where an answer takes too long or too much memory; it ends with its input.
"""

import json
import resource
import sys
from collections.abc import Mapping
from typing import Any

from dataexchange.errors import RefusedError
from dataexchange.valuation.preview import preview

MEMORY_BYTES_MAX = 2 << 30


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{"result": …}`, or `{"refused": …}` with the texts of the refusal filled in."""
    cards = {sha256: content.encode() for sha256, content in question["cards"].items()}
    try:
        return {"result": preview(question["document"].encode(), cards)}
    except RefusedError as refused:
        return {"refused": _told(refused)}


def _told(refused: RefusedError) -> dict[str, str]:
    return {
        "code": refused.code,
        "clause": getattr(refused, "clause", refused.refusal.clause),
        "zh": refused.zh,
        "en": refused.en,
        "remedy_zh": refused.remedy_zh,
        "remedy_en": refused.remedy_en,
        "kind": refused.refusal.kind,
    }


def main() -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
