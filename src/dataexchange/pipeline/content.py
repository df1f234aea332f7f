"""What an asset's content is, committed to before anything is said of it 内容承诺.

The root is that of RFC 9162 over one leaf per file, each leaf the canonical JSON of the file's
commitment. Where the files are listed, the rule computes the root; a longer list is kept in the
content store and named by the hash of its manifest.
"""

from typing import Annotated

from pydantic import Field

from dataexchange.asset.version import Version, version_key
from dataexchange.ledger import canonical
from dataexchange.ledger.merkle import leaf_hash, root
from dataexchange.pipeline.elements import CatalogueEntry
from dataexchange.pipeline.field import FIELDS_DIFFER, DataField, fields_hash, schema_hash
from dataexchange.rules import Payload, RefusalCode
from dataexchange.rules.payload import Code, Count, Hash, PositiveCount

ROOT_WRONG = RefusalCode(
    "version.root_wrong",
    clause="RFC 9162 section 2.1.1; domain: resource.version_added",
    zh="所列文件的默克尔根是 {computed}，陈述写的是 {named}",
    en="The files listed have the root {computed}; the event names {named}",
    remedy_zh="按文件顺序重新计算承诺。",
    remedy_en="Compute the commitment again, over the files in their order.",
    kind="malformed",
)
TOTALS_WRONG = RefusalCode(
    "version.totals_wrong",
    clause="domain: resource.version_added",
    zh="文件合计 {files} 个、{size_bytes} 字节、{rows} 行，与陈述不符",
    en="The files listed make {files} files, {size_bytes} bytes, {rows} rows; the event differs",
    kind="malformed",
)
SCHEMA_WRONG = RefusalCode(
    "version.schema_wrong",
    clause="domain: resource.version_added",
    zh="文件 {sha256} 的列与陈述的数据项（名称、类型、顺序）不符",
    en="The columns of file {sha256} are not the fields (name, type, order) that the event lists",
    remedy_zh="结构不同的文件登记为不同的资源。",
    remedy_en="Register files of another structure as another resource.",
    kind="malformed",
)
FILES_OR_MANIFEST = RefusalCode(
    "version.files_or_manifest",
    clause="domain: resource.version_added",
    zh="文件清单与清单哈希（manifest）须且只须给出一项",
    en="Give either the list of files or the hash of their manifest, and not both",
    kind="malformed",
)
NOT_NEXT = RefusalCode(
    "version.not_next",
    clause="domain: resource.version_added",
    zh="资产 {asset} 的下一版本号是 {needed}，而非 {number}",
    en="The next version of {asset} is {needed}, not {number}",
    kind="conflict",
)


class FileCommitment(Payload):
    """One file's commitment: its bytes, its chunks, its rows and columns."""

    chunk_bytes: PositiveCount
    chunk_count: Count
    chunk_root: Hash
    format: Code
    rows: Count
    schema_sha256: Hash
    sha256: Hash
    size_bytes: Count


class Content(Payload):
    """The commitment to one version's content; sizes in bytes."""

    root: Hash
    files: Annotated[tuple[FileCommitment, ...], Field(max_length=32)] = ()
    manifest: Annotated[Hash | None, Field(description="SHA-256 of the list of files")] = None
    file_count: PositiveCount
    size_bytes: Count
    rows: Count
    fields: Annotated[tuple[DataField, ...], Field(min_length=1, max_length=256)]


def committed_version(
    entry: CatalogueEntry, content: Content, *, number: int, latest: int, index: int
) -> Version:
    """Return version `number` of the entry's asset, its commitment checked."""
    if number != latest + 1:
        raise NOT_NEXT(asset=entry.asset, number=number, needed=latest + 1)
    _require_files(content)
    names = fields_hash(field.name for field in content.fields)
    if names != entry.fields_hash:
        raise FIELDS_DIFFER(asset=entry.asset, needed=entry.fields, given=len(content.fields))
    return Version(
        id=version_key(entry.asset, number),
        asset=entry.asset,
        number=number,
        content_root=content.root,
        size_bytes=content.size_bytes,
        rows=content.rows,
        schema_hash=schema_hash(content.fields),
        fields_hash=names,
        files=content.file_count,
        added_index=index,
        manifest=content.manifest,
    )


def files_root(files: tuple[FileCommitment, ...]) -> str:
    """Return the root (hex) over `files` in their order."""
    return root([leaf_hash(canonical.encode(file.model_dump())) for file in files]).hex()


def _require_files(content: Content) -> None:
    if bool(content.files) == (content.manifest is not None):
        raise FILES_OR_MANIFEST()
    if content.files:
        _require_root(content)
        _require_totals(content)
        _require_schema(content)


def _require_root(content: Content) -> None:
    computed = files_root(content.files)
    if computed != content.root:
        raise ROOT_WRONG(computed=computed, named=content.root)


def _require_totals(content: Content) -> None:
    files = len(content.files)
    size_bytes = sum(file.size_bytes for file in content.files)
    rows = sum(file.rows for file in content.files)
    if (files, size_bytes, rows) != (content.file_count, content.size_bytes, content.rows):
        raise TOTALS_WRONG(files=files, size_bytes=size_bytes, rows=rows)


def _require_schema(content: Content) -> None:
    schema = schema_hash(content.fields)
    for file in content.files:
        if file.schema_sha256 != schema:
            raise SCHEMA_WRONG(sha256=file.sha256)
