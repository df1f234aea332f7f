"""A report in both languages and forms: what it discloses, and that it is made again alike."""

import re
import subprocess
import sys
from base64 import b64decode
from functools import cache
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest

from appraisal_documents import (
    CALCULATION,
    COST,
    ENGAGEMENT,
    ENGLISH,
    RECONCILIATION,
    chinese_report,
)
from dataexchange.reports import Form, Language, Reference, dossier_of, make_report

VALUATION = "valuation_01h455vb4pex5vsknk084sn02q"
URL = f"https://exchange.example/v1/aggregates/{VALUATION}/proof"
REFERENCE = Reference(VALUATION, URL)


@cache
def report(language: Language, form: Form = "html", document: bytes | None = None) -> bytes:
    dossier = dossier_of(RECONCILIATION, document or chinese_report(), reference=REFERENCE)
    return make_report(dossier, language=language, form=form)


def words(language: Language, document: bytes | None = None) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", report(language, document=document).decode()))


def test_a_report_states_everything_that_the_norms_ask_for() -> None:
    text = words("zh")
    stated = [ENGAGEMENT[name] for name in ("value_type", "scenario", "independence")]
    stated += [*ENGAGEMENT["assumptions"], *ENGAGEMENT["limits_of_use"], *ENGAGEMENT["signers"]]
    stated += [*ENGAGEMENT["permitted_users"], *ENGAGEMENT["quality_evaluation"].values()]
    stated += ["2026-06-30", "2027-06-29", "质押融资", "数据资源持有权", "数据加工使用权"]
    stated += ["数据产品经营权", "在手订单", "折现率一节，另加存续期短的风险溢价", "ab" * 32]
    stated += ["成本经审计且距基准日近，能够可靠归集", "不得作为会计入账依据", "P10", "P50", "P90"]
    stated += ["种子 7，400 次", "敏感性：龙卷风图", "敏感性表", "评估值分布", VALUATION, URL]
    assert [one for one in stated if one not in text] == []


def test_the_figures_are_the_methods_own_and_the_conclusion_is_in_words() -> None:
    text = words("zh")
    for amount in ("1,071,000.00", "1,320,386.81", "1,162,737.34", "1,189,102.19"):
        assert amount in text
    assert "人民币壹佰壹拾捌万玖仟壹佰零贰元壹角玖分" in text


def test_every_card_and_document_is_named_by_its_hash() -> None:
    import hashlib

    document = chinese_report()
    text = words("en", document)
    cards = [RECONCILIATION, COST]
    for content in (document, *cards):
        assert hashlib.sha256(content).hexdigest() in text


def test_both_languages_say_the_same_figures_and_the_english_labels_are_english() -> None:
    figures = [sorted(re.findall(r"\d[\d,]*\.\d\d\b", words(one))) for one in ("zh", "en")]
    assert figures[0] == figures[1]
    english = words("en", ENGLISH)
    assert "评估方法的选择" not in english
    assert re.findall(r"\d 元", english) == []


def test_a_rejected_approach_is_told_with_its_reason() -> None:
    text = words("en", ENGLISH)
    assert "no deal of comparable data was found within two years" in text
    assert "not used" in text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_calculation_says_that_it_is_none_and_what_it_does_not_state(language: Language) -> None:
    made = make_report(dossier_of(COST, CALCULATION), language=language, form="html").decode()
    says = {"zh": ("不是《资产评估法》所称评估报告", "未披露事项", "独立性与利益冲突")}
    says["en"] = ("not an appraisal report", "Not stated", "Independence and conflicts")
    assert all(one in made for one in says[language])


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("form", ["html", "pdf"])
def test_a_report_made_again_in_another_process_is_byte_identical(
    tmp_path: Path, language: Language, form: Form
) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        f"sys.path[:0] = {[str(Path(__file__).parents[1])]!r}\n"
        "from appraisal_documents import RECONCILIATION, chinese_report\n"
        "from dataexchange.reports import Reference, dossier_of, make_report\n"
        f"made = dossier_of(RECONCILIATION, chinese_report(), reference=Reference({VALUATION!r},"
        f" {URL!r}))\n"
        f"Path({str(tmp_path / 'again')!r}).write_bytes("
        f"make_report(made, language={language!r}, form={form!r}))\n"
    )
    environment = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Shanghai", "LANG": "C"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert (tmp_path / "again").read_bytes() == report(language, form)


def test_a_report_differs_with_its_document_and_its_reference() -> None:
    dossier = dossier_of(RECONCILIATION, chinese_report())
    assert make_report(dossier, language="zh", form="html") != report("zh")
    changed = chinese_report(engagement={**ENGAGEMENT, "scenario": "另一场景"})
    assert report("zh", document=changed) != report("zh")


def test_html_loads_nothing_and_runs_nothing() -> None:
    made = report("zh").decode()
    assert "<script" not in made
    links = re.findall(r"""(?:src|href)=["']?([^"'> ]*)""", made)
    assert set(links) == {URL}
    assert re.findall(r"url\((?!\"data:font/otf;base64,)", made) == []
    assert "@import" not in made


def test_the_font_inside_has_every_character_that_is_shown() -> None:
    from fontTools.ttLib import TTFont

    made = report("zh").decode()
    data = re.findall(r"data:font/otf;base64,([A-Za-z0-9+/=]+)", made)
    with TTFont(BytesIO(b64decode(data[0]))) as font:
        covered = set(map(chr, font.getBestCmap()))
    shown = unescape(re.sub(r"<[^>]+>", "", made.partition("<body>")[2]))
    assert {sign for sign in shown if sign.isprintable()} <= covered


@pytest.mark.parametrize("form", ["html", "pdf"])
def test_a_character_that_the_font_lacks_is_shown_by_its_number(form: Form) -> None:
    scenario = "emoji \U0001f600 and \x07"
    made = report("en", form, chinese_report(engagement={**ENGAGEMENT, "scenario": scenario}))
    if form == "html":
        assert "emoji 〔U+1F600〕 and 〔U+0007〕" in made.decode()
    else:
        assert made.startswith(b"%PDF-")


def test_what_the_appraiser_writes_is_shown_and_never_run() -> None:
    hostile = '<script>alert(1)</script> #eval("1") $x$ "</svg>" \\ & \u202e'
    document = chinese_report(engagement={**ENGAGEMENT, "scenario": hostile})
    assert "<script" not in report("en", document=document).decode()
    assert hostile.replace("\u202e", "〔U+202E〕") in words("en", document)
    assert report("en", "pdf", document).startswith(b"%PDF-")
