"""Preview a valuation 试评: the document that `dataexchange value` reads, asked of a service.

The document names its own card (`card: cost`, or each of its sections does): one that the project
ships, or one that is handed in by its SHA-256. No path is ever opened, so that a stranger may ask.
"""

from collections.abc import Mapping
from typing import Any

from dataexchange.valuation.appraisal import as_json, run_loaded, run_report
from dataexchange.valuation.card import Card, load_card
from dataexchange.valuation.document import read_document
from dataexchange.valuation.library import shelf_card
from dataexchange.valuation.refusal import INPUT_MISSING


def preview(document: bytes, cards: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the result of `document` (JSON or YAML) as `dataexchange value --json` prints it.

    `cards` holds the content of cards by their SHA-256. Raises `ValuationRefusedError`.
    """

    def find(name: str) -> Card:
        return load_card(cards[name]) if name in cards else shelf_card(name)

    found = read_document(document)
    if "sections" in found:
        return as_json(run_report(document, find=find))
    name = found.get("card")
    if not isinstance(name, str):
        raise INPUT_MISSING(input="card")
    return as_json(run_loaded(find(name), document))
