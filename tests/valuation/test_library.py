"""The shelf: versions, hashes, publishing and succession."""

import shutil
from pathlib import Path

import pytest

from dataexchange.valuation import ValuationRefusedError, find_card, load_card, publish
from dataexchange.valuation.library import published_hashes

CARD = Path(__file__).parents[2] / "valuation" / "cost" / "1.0.0.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cost").mkdir()
    shutil.copy(CARD, tmp_path / "cost" / "1.0.0.yaml")
    assert publish(tmp_path) == ["cost/1.0.0.yaml"]
    return tmp_path


def successor(folder: Path, version: str, supersedes: str) -> Path:
    text = CARD.read_text("utf-8").replace("version: 1.0.0", f"version: {version}", 1)
    path = folder / "cost" / f"{version}.yaml"
    path.write_text(text.replace("supersedes: null", f"supersedes: {supersedes}", 1), "utf-8")
    return path


def code_of(refused: pytest.ExceptionInfo[ValuationRefusedError]) -> str:
    return refused.value.code


def test_a_published_card_is_found_by_method_by_version_and_by_path(folder: Path) -> None:
    first = load_card(CARD.read_bytes())
    assert find_card("cost", folder) == find_card("cost/1.0.0", folder) == find_card(CARD) == first


def test_an_edited_card_is_refused_when_found_and_when_published(folder: Path) -> None:
    path = folder / "cost" / "1.0.0.yaml"
    path.write_text(path.read_text("utf-8") + "# edited\n", "utf-8")
    for act in (lambda: find_card("cost", folder), lambda: publish(folder)):
        with pytest.raises(ValuationRefusedError) as refused:
            act()
        assert code_of(refused) == "valuation.card_invalid"


def test_a_successor_names_what_it_supersedes_and_becomes_the_newest(folder: Path) -> None:
    successor(folder, "1.10.0", published_hashes(folder)["cost/1.0.0.yaml"])
    assert publish(folder) == ["cost/1.10.0.yaml"]
    hash_of_ten = published_hashes(folder)["cost/1.10.0.yaml"]
    successor(folder, "1.9.0", hash_of_ten)
    publish(folder)
    assert find_card("cost", folder).sheet.version == "1.10.0"


@pytest.mark.parametrize("supersedes", ["null", "ab" * 32])
def test_a_successor_of_nothing_is_not_published(folder: Path, supersedes: str) -> None:
    successor(folder, "2.0.0", supersedes)
    with pytest.raises(ValuationRefusedError) as refused:
        publish(folder)
    assert code_of(refused) == "valuation.card_invalid"


def test_a_card_under_another_name_is_not_published(folder: Path) -> None:
    shutil.copy(CARD, folder / "cost" / "3.0.0.yaml")
    with pytest.raises(ValuationRefusedError) as refused:
        publish(folder)
    assert "own name" in refused.value.en


@pytest.mark.parametrize("name", ["luck", "cost/9.9.9", "no/such/file.yaml"])
def test_a_card_that_is_not_there_is_not_found(folder: Path, name: str) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        find_card(name, folder)
    assert code_of(refused) == "valuation.card_not_found"


def test_the_sums_are_in_the_form_that_sha256sum_checks(folder: Path) -> None:
    (line,) = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    digest, _, path = line.partition("  ")
    assert (len(digest), path) == (64, "cost/1.0.0.yaml")
