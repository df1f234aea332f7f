"""What opens the sealed fields of an entry, for the parties to it and regulators."""

import logging
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi import Path as PathParameter
from fastapi.responses import Response
from pydantic import BaseModel

from dataexchange.api.dependencies import Session, TheExchange, TheReader
from dataexchange.api.log import NO_ENTRY, Index
from dataexchange.api.openapi import answering
from dataexchange.database import openings, reading
from dataexchange.database.openings import Kept
from dataexchange.database.reading import Reader
from dataexchange.database.tables import EntryRow
from dataexchange.errors import RefusalCode, RefusedError
from dataexchange.exchange.opening_keys import OpeningKeyLostError
from dataexchange.exchange.service import Exchange
from dataexchange.exchange.vault import OpeningDamagedError
from dataexchange.ledger import canonical
from dataexchange.ledger.entry import Entry
from dataexchange.ledger.sealing import Opening
from dataexchange.registry.visibility import FOR_THE_OPERATOR
from dataexchange.rules import Role

_log = logging.getLogger(__name__)
router = APIRouter(prefix="/v1/entries/{index}/openings", tags=["log"])

NOT_YOURS = RefusalCode(
    "opening.not_yours",
    clause="docs/ledger-format.md, sealed fields",
    zh="第 {index} 条的密封内容只对其当事方和监管机构开放",
    en="What entry {index} seals is for the parties to it and regulators",
    remedy_zh="以当事方身份出示访问令牌。",
    remedy_en="Show an access token of a party to it.",
    kind="forbidden",
)
NOT_SEALED = RefusalCode(
    "opening.not_sealed",
    clause="docs/ledger-format.md, sealed fields",
    zh="第 {index} 条没有密封字段 {field}",
    en="Entry {index} has no sealed field {field}",
    kind="missing",
)
NOT_KEPT = RefusalCode(
    "opening.not_kept",
    clause="docs/ledger-format.md, sealed fields",
    zh="第 {index} 条的 {field} 由签名方自行保管",
    en="{field} of entry {index} is kept by its signer alone",
    remedy_zh="向签名方索取盐和值，再与承诺核对。",
    remedy_en="Ask the signer for salt and value, and check them against the commitment.",
    kind="missing",
)
ERASED = RefusalCode(
    "opening.erased",
    clause="个人信息保护法 art. 47",
    zh="第 {index} 条的 {field} 已依第 {by} 条删除；承诺和全部证明依然有效",
    en="{field} of entry {index} was erased by entry {by}; commitment and proofs still hold",
    kind="missing",
)
UNREADABLE = RefusalCode(
    "opening.unreadable",
    clause="docs/sealed.md",
    zh="第 {index} 条的 {field} 无法读取：其密钥不在此处，或内容已损坏；承诺和全部证明依然有效",
    en="{field} of entry {index} cannot be read: its key is not here, or it is damaged; commitment"
    " and proofs still hold",
    remedy_zh="恢复旧备份后，此前已删除的内容本应如此；否则请运营机构运行 dataexchange doctor。",
    remedy_en="After a backup was restored, what was erased since is just so; or else the operator"
    " runs `dataexchange doctor`.",
    kind="missing",
)
FieldName = Annotated[str, PathParameter(pattern="^[a-z_]{1,40}$")]


class FieldState(BaseModel):
    """One sealed field: `salt` (hex) and `value` where it is open, `erased_by` an entry's index.

    It is `unreadable` where its key is gone and the log orders no erasure.
    """

    field: str
    commitment: str
    status: Literal["open", "erased", "kept_by_signer", "unreadable"]
    salt: str | None = None
    value: Any = None
    erased_by: int | None = None


class Openings(BaseModel):
    """The sealed fields of one entry."""

    index: int
    fields: list[FieldState]


@router.get("", summary="密封内容 What an entry seals")
async def all_openings(
    index: Index, exchange: TheExchange, session: Session, reader: TheReader, response: Response
) -> Openings:
    """Every sealed field of the entry, opened as far as its opening is kept here."""
    row, sealed = await _entry(session, index, reader)
    response.headers["Cache-Control"] = "no-store"
    fields = [await _state(exchange, session, row, field) for field in sealed.items()]
    return Openings(index=index, fields=fields)


@router.get(
    "/{field}",
    summary="打开一个密封字段 Open one sealed field",
    response_class=Response,
    responses=answering("application/json", {"$ref": "#/components/schemas/Opening"}),
)
async def opening(
    index: Index, field: FieldName, exchange: TheExchange, session: Session, reader: TheReader
) -> Response:
    """The opening `{field, salt, value}` as canonical JSON; 410 where it was erased."""
    row, sealed = await _entry(session, index, reader)
    if field not in sealed:
        raise NOT_SEALED(index=index, field=field)
    found = await _find(exchange, session, row, (field, sealed[field]))
    if found is None:
        raise NOT_KEPT(index=index, field=field)
    if isinstance(found, Kept):
        raise ERASED(index=index, field=field, by=found.erased_by)
    return Response(
        found.encode(), media_type="application/json", headers={"Cache-Control": "no-store"}
    )


async def _state(
    exchange: Exchange, session: Session, row: EntryRow, sealed: tuple[str, str]
) -> FieldState:
    field, commitment = sealed
    try:
        found = await _find(exchange, session, row, sealed)
    except RefusedError:
        return FieldState(field=field, commitment=commitment, status="unreadable")
    if found is None:
        return FieldState(field=field, commitment=commitment, status="kept_by_signer")
    if isinstance(found, Kept):
        by = found.erased_by
        return FieldState(field=field, commitment=commitment, status="erased", erased_by=by)
    value = canonical.decode(bytes(found.value))
    return FieldState(
        field=field, commitment=commitment, status="open", salt=found.salt, value=value
    )


async def _find(
    exchange: Exchange, session: Session, row: EntryRow, sealed: tuple[str, str]
) -> Opening | Kept | None:
    """Return the opening of a field; what is left of it where it was erased; `None` for nothing."""
    field, commitment = sealed
    for is_last in (False, True):
        held = (await openings.of_entry(session, row)).get(field)
        await session.close()
        if held is None or held.erased_by is not None:
            return held
        try:
            return await exchange.vault.open(row, held, commitment)
        except (OpeningKeyLostError, OpeningDamagedError) as error:  # erased since it was read?
            if is_last:
                _log.error("what entry %d seals as %s: %s", row.index, field, error)
                raise UNREADABLE(index=row.index, field=field) from error
    raise AssertionError("unreachable")


async def _entry(session: Session, index: int, reader: Reader) -> tuple[EntryRow, dict[str, str]]:
    """Return an entry whose openings `reader` may see, and its commitments by field."""
    row = await session.get(EntryRow, index)
    if row is None:
        raise NO_ENTRY(index=index)
    said = Entry.parse(row.body).statement.fields
    reads = {Role.REGULATOR, Role.OPERATOR} if said.event in FOR_THE_OPERATOR else {Role.REGULATOR}
    if reads.isdisjoint(reader.roles) and not await reading.is_party_to(session, row, reader):
        raise NOT_YOURS(index=index)
    return row, said.sealed
