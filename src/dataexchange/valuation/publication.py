"""Write what the valuation room promises: the card schema and the hashes of the cards.

`python -m dataexchange.valuation.publication` writes both into the project's `valuation/`.
"""

import json
import sys
from pathlib import Path

from dataexchange.valuation.card import card_schema
from dataexchange.valuation.library import publish, shelf


def write_promises(folder: Path) -> list[str]:
    """Write `card.schema.json` and `SHA256SUMS` into `folder`; return the newly published cards."""
    text = json.dumps(card_schema(), ensure_ascii=False, indent=2, sort_keys=True)
    (folder / "card.schema.json").write_text(text + "\n", "utf-8")
    return publish(folder)


if __name__ == "__main__":
    sys.stdout.write("".join(f"published {name}\n" for name in write_promises(shelf())))
