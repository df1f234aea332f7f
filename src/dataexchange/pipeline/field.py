"""Fields 数据项 of a data set: their names and types, and hashes that commit to them."""

from collections.abc import Iterable
from hashlib import sha256
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from dataexchange.ledger import canonical
from dataexchange.rules import Payload, RefusalCode
from dataexchange.rules.payload import Code, Line

FIELD_TWICE = RefusalCode(
    "field.twice",
    clause="GB/T 21063.3-2007",
    zh="数据项 {name} 出现了两次",
    en="Field {name} is listed twice",
    kind="malformed",
)
FIELDS_DIFFER = RefusalCode(
    "field.names_differ",
    clause="GB/T 21063.3-2007; architecture: named sets are checked",
    zh="所列数据项与资产 {asset} 目录登记的数据项不一致（应有 {needed} 项，所列 {given} 项）",
    en="The fields listed are not those in the catalogue of {asset} ({needed} there, {given} here)",
    remedy_zh="逐项列出目录中的全部数据项；数据结构已变的，先修订目录（resource.revised）。",
    remedy_en="List every field of the catalogue; if the structure changed, revise it first.",
    kind="conflict",
)


class DataField(Payload):
    """A field: its name as the content has it, and its type."""

    name: Annotated[Line, Field(description="As in the header of the content")]
    type: Code


def schema_hash(fields: Iterable[DataField]) -> str:
    """Return SHA-256 (hex) over the canonical JSON of the fields in their order."""
    return _hash([{"name": field.name, "type": field.type} for field in fields])


def fields_hash(names: Iterable[str]) -> str:
    """Return SHA-256 (hex) over the sorted names; refuse a name listed twice."""
    ordered = sorted(names)
    for one, other in pairwise(ordered):
        if one == other:
            raise FIELD_TWICE(name=one)
    return _hash(ordered)


def _hash(value: object) -> str:
    return sha256(canonical.encode(value)).hexdigest()
