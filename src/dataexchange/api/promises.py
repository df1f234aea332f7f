"""Write what the doors promise: the OpenAPI document, and the page of all refusals.

`python -m dataexchange.api.promises` writes both into the project.
"""

import sys
from collections.abc import Iterator, Mapping

from dataexchange.api.app import create_app
from dataexchange.api.problem import status_of_code
from dataexchange.api.refusals import all_refusals
from dataexchange.errors import RefusalCode
from dataexchange.registry.promises import GENERATED, as_json, cell, project, write
from dataexchange.settings import Settings


def promises() -> dict[str, str]:
    """Return the text of every promised file, by its path in the project."""
    return {
        "api/openapi.json": as_json(create_app(Settings(database_url="none")).openapi()),
        "docs/refusals.md": refusals_page(all_refusals()),
    }


def refusals_page(codes: Mapping[str, RefusalCode]) -> str:
    """Return `docs/refusals.md`: every code with its status, its norm, its words and its remedy."""
    about = (
        f"{len(codes)} codes. A refusal is an RFC 9457 problem; its `type` leads to"
        " `/problems/CODE`, and `dataexchange show refusals CODE` prints it."
        " `{…}` are the facts of a case.\n"
    )
    parts = [
        "# Refusals 拒绝理由\n",
        f"{GENERATED}\n",
        about,
        *(line for code in codes.values() for line in _refusal(code)),
    ]
    return "\n".join(parts)


def _refusal(code: RefusalCode) -> Iterator[str]:
    yield f"### `{code.code}`\n"
    yield f"HTTP {status_of_code(code)} · {cell(code.clause)}\n"
    yield f"- {cell(code.zh)}"
    yield f"- {cell(code.en)}"
    if code.remedy_zh or code.remedy_en:
        yield f"- ⇒ {cell(code.remedy_zh)} {cell(code.remedy_en)}".rstrip()
    yield ""


if __name__ == "__main__":
    for changed in write(promises(), project()):
        sys.stdout.write(f"wrote {changed}\n")
