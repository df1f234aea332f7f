"""What the room promises is written from the code."""

import json
from pathlib import Path

from dataexchange.valuation import card_schema
from dataexchange.valuation.publication import write_promises


def test_the_schema_and_the_sums_are_written(tmp_path: Path) -> None:
    assert write_promises(tmp_path) == []
    assert json.loads((tmp_path / "card.schema.json").read_text("utf-8")) == card_schema()
    assert (tmp_path / "SHA256SUMS").read_text("utf-8") == ""
