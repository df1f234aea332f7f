"""A commitment says what a file is: its bytes, rows and columns."""

from pathlib import Path

import pytest

from dataexchange.content.chunks import digest_file
from dataexchange.content.commitment import (
    SCHEMAS_DIFFER,
    ContentCommitment,
    commit_file,
    version_content,
)
from dataexchange.content.reading import Declared
from dataexchange.errors import RefusedError
from dataexchange.pipeline.content import files_root


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return _write(tmp_path, "编号,price\n1,2.5\n2,3\n")


def _write(folder: Path, text: str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _schema(commitment: ContentCommitment) -> list[tuple[str, str]]:
    return [(column.name, column.type) for column in commitment.columns]


def test_a_commitment_holds_bytes_rows_and_columns(file: Path) -> None:
    commitment = commit_file(file)
    assert commitment.digest == digest_file(file)
    assert commitment.rows == 2
    assert _schema(commitment) == [("编号", "integer"), ("price", "number")]


def test_the_event_carries_the_files_digest(file: Path) -> None:
    carried = commit_file(file).file_commitment()
    digest = digest_file(file)
    assert (carried.sha256, carried.chunk_root) == (digest.sha256, digest.chunk_root)
    assert (carried.size_bytes, carried.rows, carried.format) == (digest.size_bytes, 2, "csv")


@pytest.mark.parametrize(
    "text", ["编号,prize\n1,2.5\n", "编号,price\n1,2\n", "price,编号\n2.5,1\n"]
)
def test_the_schema_hash_changes_with_a_name_a_type_or_the_order(
    file: Path, tmp_path: Path, text: str
) -> None:
    base = commit_file(file).file_commitment().schema_sha256
    changed = commit_file(_write(tmp_path, text, "changed.csv"))
    assert changed.file_commitment().schema_sha256 != base


def test_the_schema_hash_does_not_change_with_the_rows(file: Path, tmp_path: Path) -> None:
    other = commit_file(_write(tmp_path, "编号,price\n7,0.5\n", "other.csv"))
    assert (
        other.file_commitment().schema_sha256 == commit_file(file).file_commitment().schema_sha256
    )


def test_the_declared_encoding_reaches_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "gbk.csv"
    path.write_bytes("名称\n鼓楼\n".encode("gbk"))
    assert _schema(commit_file(path, Declared("gbk"))) == [("名称", "string")]


def test_a_version_of_several_files_depends_on_each_and_on_their_order(
    file: Path, tmp_path: Path
) -> None:
    one = commit_file(file)
    two = commit_file(_write(tmp_path, "编号,price\n7,0.5\n", "two.csv"))
    roots = {version_content(files).root for files in ([one], [two], [one, two], [two, one])}
    assert len(roots) == 4


def test_a_versions_totals_and_root_are_those_the_rule_computes(file: Path, tmp_path: Path) -> None:
    two = _write(tmp_path, "编号,price\n7,0.5\n", "two.csv")
    content = version_content([commit_file(file), commit_file(two)])
    assert content.root == files_root(content.files)
    assert (content.file_count, content.rows) == (2, 3)
    assert content.size_bytes == file.stat().st_size + two.stat().st_size


def test_files_of_another_structure_are_another_resource(file: Path, tmp_path: Path) -> None:
    other = commit_file(_write(tmp_path, "a\n1\n", "other.csv"))
    with pytest.raises(RefusedError) as caught:
        version_content([commit_file(file), other])
    assert caught.value.refusal is SCHEMAS_DIFFER
