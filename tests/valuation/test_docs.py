"""The appraiser's page: its notebook comes out as printed."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "appraiser.md"


def test_the_notebook_of_the_appraisers_page_comes_out() -> None:
    tested = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert tested.attempted >= 8
    assert tested.failed == 0
