"""Every published card: its form, its hash, and each of its worked cases."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from dataexchange.valuation.card import card_schema, load_card
from dataexchange.valuation.checking import check_card
from dataexchange.valuation.library import card_paths, published_hashes
from dataexchange.valuation.methods import METHODS

SHELF = Path(__file__).parents[2] / "valuation"
PATHS = card_paths(SHELF)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_published_card_is_good_and_its_worked_cases_come_out(path: Path) -> None:
    assert check_card(load_card(path.read_bytes())) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_published_card_meets_the_published_schema(path: Path) -> None:
    schema = json.loads((SHELF / "card.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(_as_json(path))


def _as_json(path: Path) -> object:
    return json.loads(json.dumps(yaml.safe_load(path.read_text("utf-8")), default=str))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_published_card_still_has_the_hash_it_was_published_under(path: Path) -> None:
    key = path.relative_to(SHELF).as_posix()
    assert published_hashes(SHELF)[key] == load_card(path.read_bytes()).sha256


def test_the_committed_schema_is_the_one_the_code_gives() -> None:
    assert json.loads((SHELF / "card.schema.json").read_text("utf-8")) == card_schema()


def test_every_method_has_a_card() -> None:
    assert {path.parent.name for path in PATHS} == set(METHODS)
