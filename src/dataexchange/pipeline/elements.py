"""The catalogue elements of a data resource 目录元数据, after GB/T 21063.3-2007.

Mandatory there are title, abstract, provider, theme, and the two identifiers; the provider is the
asset's holder, the identifiers are the asset's id and the entry's key.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dataexchange.identity.party import PartyKind
from dataexchange.pipeline.field import DataField
from dataexchange.rules import Payload, State, Text
from dataexchange.rules.payload import Code, Day, Line, Prose

__all__ = ["CatalogueEntry", "Elements", "Level", "Library", "SharingType", "UpdateCycle"]


class Level(StrEnum):
    """Whose catalogue an asset stands in, before the city's takes it up."""

    GOVERNMENT = "government"  # 政务数据
    PUBLIC_INSTITUTION = "public_institution"  # 事业单位数据
    PUBLIC_UTILITY = "public_utility"  # 公用企业数据
    ENTERPRISE = "enterprise"  # 企业数据

    @property
    def is_public(self) -> bool:
        """Whether the data are public data 公共数据."""
        return self is not Level.ENTERPRISE


LEVELS_OF = {
    PartyKind.GOVERNMENT: {Level.GOVERNMENT},
    PartyKind.PUBLIC_INSTITUTION: {Level.PUBLIC_INSTITUTION},
    PartyKind.PUBLIC_UTILITY: {Level.PUBLIC_UTILITY, Level.ENTERPRISE},
    PartyKind.STATE_OWNED: {Level.PUBLIC_UTILITY, Level.ENTERPRISE},
    PartyKind.PRIVATE: {Level.PUBLIC_UTILITY, Level.ENTERPRISE},
    PartyKind.NATURAL_PERSON: {Level.ENTERPRISE},
}


class Library(StrEnum):
    """The library that a resource is collected into."""

    BASIC = "basic"  # 基础库
    KEY = "key"  # 重点库
    THEMATIC = "thematic"  # 主题库


class SharingType(StrEnum):
    """Whether government bodies may share a resource (政务数据共享条例)."""

    UNCONDITIONAL = "unconditional"  # 无条件共享
    CONDITIONAL = "conditional"  # 有条件共享
    REFUSED = "refused"  # 不予共享


class UpdateCycle(StrEnum):
    """How often a resource is renewed."""

    REAL_TIME = "real_time"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"
    IRREGULAR = "irregular"


class Elements(Payload):
    """What a catalogue says of a resource or a product."""

    title: Text
    abstract: Annotated[Prose, Field(description="摘要")]
    theme: Annotated[Code, Field(description="A code of GB/T 21063.4 or of a local theme list")]
    keywords: Annotated[tuple[Line, ...], Field(max_length=16)] = ()
    format: Annotated[Code, Field(description="e.g. csv, parquet, json, api")]
    fields: Annotated[tuple[DataField, ...], Field(min_length=1, max_length=256)]
    spatial: Annotated[Line, Field(description="Area covered, e.g. a GB/T 2260 code")]
    temporal_start: Day
    temporal_end: Annotated[Day | None, Field(description="Left out while it runs on")] = None
    update_cycle: UpdateCycle
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$", description="GB/T 4880.1")] = "zh"


class CatalogueEntry(State, frozen=True, kw_only=True):
    """The entry of an asset; its key is `catalogue/<asset>`. The fields stand in the log.

    `fields_hash` commits to the fields' names in any order, `revision` counts the revisions.
    """

    KIND = "catalogue"

    asset: str
    revision: int
    title: str
    title_en: str | None
    theme: str
    keywords: tuple[str, ...]
    format: str
    fields: int
    fields_hash: str
    spatial: str
    temporal_start: str
    temporal_end: str | None
    update_cycle: UpdateCycle
    sharing: SharingType | None = None
    sharing_basis: str | None = None
    library: Library | None = None
    product_type: str | None = None


def catalogue_key(asset: str) -> str:
    """Return the key of the catalogue entry of `asset`."""
    return f"catalogue/{asset}"
