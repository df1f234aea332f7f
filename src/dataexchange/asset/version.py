"""A version of an asset's content: what was committed to, and what was measured of it."""

from dataexchange.rules import State


class Version(State, frozen=True, kw_only=True):
    """One version; its key is `version/<asset>/<number>`. Hashes in hex, size in bytes.

    `assessor` is the party that measured the quality; a score that the holder gave itself is
    marked `self_assessed`. `compliance` is `passed` or `failed` once it was reviewed.
    """

    KIND = "version"

    asset: str
    number: int
    content_root: str
    size_bytes: int
    rows: int
    schema_hash: str
    fields_hash: str
    files: int
    added_index: int
    manifest: str | None = None
    quality_report: str | None = None
    quality_score: str | None = None
    assessor: str | None = None
    self_assessed: bool = False
    assessed_index: int | None = None
    deidentification_report: str | None = None
    compliance: str | None = None
    compliance_report: str | None = None


def version_key(asset: str, number: int) -> str:
    """Return the key of version `number` of `asset`."""
    return f"version/{asset}/{number}"
