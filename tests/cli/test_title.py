"""`export --asset` and `verify` of a title, by the holder and a lender, at the command line."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dataexchange.cli.title import show_title
from dataexchange.verification.title import verify_title
from exchanges import POLICY_FILE
from titles import titled

if TYPE_CHECKING:
    from databases import Addresses

Run = Callable[..., Any]


@pytest.fixture
def title(migrated_database: "Addresses", tmp_path: Path) -> Path:
    """The zip of a mapped and confirmed title, with the guarantee that names its pledge."""

    async def make() -> bytes:
        async with titled(migrated_database, tmp_path) as title:
            await title.confirm_map(await title.commit_map(), title.names["regulator"])
            return await title.bundle(also=title.guarantee)

    (tmp_path / "policy").write_bytes(POLICY_FILE)
    path = tmp_path / "title.zip"
    path.write_bytes(asyncio.run(make()))
    return path


def test_a_title_is_recognised_and_told_to_people(title: Path, run: Run) -> None:
    ran = run("verify", title, "--policy", title.with_name("policy"))
    assert ran.status == 0, ran.err
    for words in (
        "可信 SOUND",
        "持有人 holder",
        "担保 liens",
        "价格评估 valuations",
        "质量 quality",
    ):
        assert words in ran.out
    for words in (
        "pledge_",
        "replayed by",
        "保证 guarantee",
        "is not covered",
        "另附 added",
    ):
        assert words in ran.out


def test_a_changed_title_is_unsound_and_one_without_a_policy_unusable(
    title: Path, run: Run
) -> None:
    assert run("verify", title).status == 2
    data = title.read_bytes()
    title.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
    ran = run("verify", title, "--policy", title.with_name("policy"))
    assert (ran.status, "UNSOUND" in ran.err) == (1, True)


def test_names_that_look_like_markup_are_shown_as_they_are(
    title: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = verify_title(title, title.with_name("policy").read_bytes())
    named = dict.fromkeys(verdict.names, "某[/]公司 [bold green]:warning:\x1b[2J")
    show_title(replace(verdict, names=named))
    shown = capsys.readouterr().out
    assert r"某[/]公司 [bold green]:warning:\u001b[2J" in shown
