"""PDFs: fonts embedded, no missing character, nothing over the edge of the page."""

import re
import subprocess
from pathlib import Path
from shutil import which

import pytest

from appraisal_documents import CALCULATION, COST, RECONCILIATION, chinese_report
from dataexchange.reports import Language, Reference, dossier_of, make_report

REFERENCE = Reference("valuation_01h455vb4pex5vsknk084sn02q", "https://exchange.example/proof")
A4_POINTS = (595, 842)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pdf")
    for language in ("zh", "en"):
        full = dossier_of(RECONCILIATION, chinese_report(), reference=REFERENCE)
        (out / f"full-{language}.pdf").write_bytes(make_report(full, language=language, form="pdf"))
        alone = dossier_of(COST, CALCULATION)
        (out / f"cost-{language}.pdf").write_bytes(
            make_report(alone, language=language, form="pdf")
        )
    return out


NAMES = ["full-zh", "full-en", "cost-zh", "cost-en"]


def poppler(program: str, *arguments: str) -> str:
    """Return what a program of poppler says; the test is skipped where it is not installed."""
    if which(program) is None:
        pytest.skip(f"{program} (poppler-utils) is not installed")
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", NAMES)
def test_a_pdf_is_archival_and_dated_by_its_base_date(folder: Path, name: str) -> None:
    data = (folder / f"{name}.pdf").read_bytes()
    assert data.startswith(b"%PDF-1.7")
    assert b"D:20260630000000" in data
    assert b'pdfaid:part="2"' in data or b"<pdfaid:part>2</pdfaid:part>" in data


@pytest.mark.parametrize("name", NAMES)
def test_every_font_is_embedded(folder: Path, name: str) -> None:
    lines = poppler("pdffonts", str(folder / f"{name}.pdf")).splitlines()[2:]
    assert lines
    assert all(re.search(r"\byes yes yes\b", line) for line in lines), lines


@pytest.mark.parametrize("name", NAMES)
def test_no_character_is_missing_from_the_font(folder: Path, name: str) -> None:
    text = poppler("pdftotext", str(folder / f"{name}.pdf"), "-")
    assert "\ufffd" not in text
    assert "\x00" not in text


@pytest.mark.parametrize("name", NAMES)
def test_no_word_runs_over_the_margins(folder: Path, name: str) -> None:
    boxes = poppler("pdftotext", "-bbox", str(folder / f"{name}.pdf"), "-")
    found = re.findall(
        r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)', boxes
    )
    assert len(found) > 100
    width, height = A4_POINTS
    for left, top, right, bottom in ([float(one) for one in box] for box in found):
        assert left > 50
        assert right < width - 50
        assert top > 40
        assert bottom < height - 30


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_conclusion_can_be_read_by_a_machine(folder: Path, language: Language) -> None:
    text = poppler("pdftotext", str(folder / f"full-{language}.pdf"), "-")
    assert "1,189,102.19" in text
    assert {"zh": "人民币壹佰壹拾捌万玖仟壹佰零贰元壹角玖分", "en": "Appraisal"}[
        language
    ].casefold() in (text.casefold())
