"""The README of the cards: its first line, its examples, its commands' files."""

import doctest
from pathlib import Path

SHELF = Path(__file__).parents[2] / "valuation"


def test_the_examples_of_the_readme_come_out() -> None:
    tested = doctest.testfile(str(SHELF / "README.md"), module_relative=False, encoding="utf-8")
    assert tested.attempted >= 9
    assert tested.failed == 0


def test_the_first_line_links_the_code() -> None:
    first = (SHELF / "README.md").read_text("utf-8").splitlines()[0]
    target = first.partition("(")[2].rstrip(").")
    assert (SHELF / target / "cost.py").is_file()


def test_every_card_is_named_in_the_readme() -> None:
    text = (SHELF / "README.md").read_text("utf-8")
    assert all(f"`{path.parent.name}`" in text for path in SHELF.glob("*/1.0.0.yaml"))
