"""A commitment says what a file is: its bytes, rows and columns."""

from pathlib import Path

import pytest

from dataexchange.content.chunks import digest_file
from dataexchange.content.commitment import commit_file, content_root
from dataexchange.content.reading import Declared
from dataexchange.ledger.canonical import decode, encode


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("编号,price\n1,2.5\n2,3\n", encoding="utf-8")
    return path


def test_a_commitment_holds_bytes_rows_and_columns(file: Path) -> None:
    commitment = commit_file(file)
    assert commitment.digest == digest_file(file)
    assert commitment.rows == 2
    assert commitment.schema() == [
        {"name": "编号", "type": "integer"},
        {"name": "price", "type": "number"},
    ]
    assert decode(encode(commitment.payload()))["rows"] == 2


def test_the_schema_hash_changes_with_a_name_a_type_or_the_order(
    file: Path, tmp_path: Path
) -> None:
    base = commit_file(file).schema_sha256()
    changed = tmp_path / "changed.csv"
    for text in ("编号,prize\n1,2.5\n", "编号,price\n1,2\n", "price,编号\n2.5,1\n"):
        changed.write_text(text, encoding="utf-8")
        assert commit_file(changed).schema_sha256() != base
    changed.write_text("编号,price\n7,0.5\n", encoding="utf-8")
    assert commit_file(changed).schema_sha256() == base


def test_the_declared_encoding_reaches_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "gbk.csv"
    path.write_bytes("名称\n鼓楼\n".encode("gbk"))
    assert commit_file(path, Declared("gbk")).schema() == [{"name": "名称", "type": "string"}]


def test_a_version_of_several_files_has_one_root_that_depends_on_each(
    file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")
    one, two = commit_file(file), commit_file(other)
    roots = {content_root(files) for files in ([one], [two], [one, two], [two, one])}
    assert len(roots) == 4
