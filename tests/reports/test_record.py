"""Reports made again from a log: what it holds, and the very file that was filed."""

import re
import zipfile
from html import unescape
from pathlib import Path

import pytest

from appraisal_bundle import PROOF_URL, Issued, issued
from bundles import Members
from dataexchange.reports import (
    Form,
    Language,
    NoSuchValuationError,
    dossier_of_record,
    filed_report,
    make_report,
    read_record,
)
from dataexchange.verification import UnsoundError, verify_bundle


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    return issued(tmp_path_factory.mktemp("issued"))


def words(story: Issued, language: Language) -> str:
    dossier = dossier_of_record(read_record(story.path, story.valuation), proof_url=PROOF_URL)
    made = make_report(dossier, language=language, form="html").decode()
    return unescape(re.sub(r"<[^>]+>", " ", made))


def test_the_bundle_is_sound_and_its_figures_are_computed_again(story: Issued) -> None:
    assert verify_bundle(story.path, story.policy).figures_recomputed == 3


def test_the_record_holds_who_did_what_in_order(story: Issued) -> None:
    record = read_record(story.path, story.valuation)
    acts = [act.event.removeprefix("valuation.").removesuffix("@1") for act in record.acts]
    assert acts == ["commissioned", "drafted", "countersigned", "issued"]
    assert record.valuation.status == "issued"
    assert record.acts[1].actor == record.valuation.appraiser
    assert record.acts[2].actor == record.draft.second
    assert [act.index for act in record.acts] == sorted(act.index for act in record.acts)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_report_of_the_record_names_signatures_hashes_and_the_checkpoint(
    story: Issued, language: Language
) -> None:
    record, text = read_record(story.path, story.valuation), words(story, language)
    stated = [record.origin, record.root, record.draft.report_sha256, story.valuation, PROOF_URL]
    stated += [act.leaf for act in record.acts] + [record.asset_title] * (language == "zh")
    stated += [line.card_sha256 for line in record.draft.methods] + ["1,189,102.19"]
    stated += [(record.valuation.valid_until or "?")[:10], *record.names.values()]
    assert [one for one in stated if one not in text] == []


@pytest.mark.parametrize("form", ["html", "pdf"])
def test_the_report_of_a_record_is_made_again_byte_for_byte(story: Issued, form: Form) -> None:
    made = [
        make_report(
            dossier_of_record(read_record(story.path, story.valuation)), language="zh", form=form
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(("language", "form"), [("zh", "pdf"), ("en", "html")])
def test_the_filed_report_is_made_again_from_the_log_byte_for_byte(
    tmp_path: Path, language: Language, form: Form
) -> None:
    story = issued(tmp_path, language=language, form=form)
    filed = filed_report(read_record(story.path, story.valuation), proof_url=PROOF_URL)
    assert filed is not None
    assert (filed.language, filed.form) == (language, form)
    assert filed.content == story.filed


def test_another_reference_does_not_give_the_filed_report(story: Issued) -> None:
    record = read_record(story.path, story.valuation)
    assert filed_report(record, proof_url="https://other.example/proof") is None


def test_what_is_withheld_is_named_and_the_rest_is_reported(tmp_path: Path) -> None:
    story = issued(tmp_path, form="html", withheld=("market",))
    text = words(story, "en")
    assert "The bundle holds no card or inputs for market/1.0.0" in text
    assert "1,162,737.34" in text
    assert filed_report(read_record(story.path, story.valuation), proof_url=PROOF_URL) is None


def test_an_unknown_valuation_is_told_of(story: Issued) -> None:
    with pytest.raises(NoSuchValuationError):
        read_record(story.path, "valuation_01h455vb4pex5vsknk084sn02q")


def test_a_changed_document_makes_no_report(story: Issued, tmp_path: Path) -> None:
    with zipfile.ZipFile(story.path) as archive:
        members = Members({name: archive.read(name) for name in archive.namelist()})
    name = next(one for one in members.members if members.members[one] == story.document)
    changed = members.having({name: story.document.replace(b"0.85", b"0.95")})
    with pytest.raises(UnsoundError, match=r"content\.differs"):
        read_record(changed.write(tmp_path / "bundle.zip"), story.valuation)
