"""Receipts of the log's anchors on an EVM chain, as the worker's folder holds them; for all."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import Response
from pydantic import BaseModel

from dataexchange.api.openapi import answering
from dataexchange.errors import RefusalCode
from dataexchange.settings import Settings
from dataexchange.verification.anchored import RECEIPT_NAME, anchored_size

router = APIRouter(prefix="/v1/anchors", tags=["anchors"])

NO_RECEIPT = RefusalCode(
    "anchor.not_found",
    clause="docs/anchoring.md, receipts",
    zh="没有此锚定凭证：{name}",
    en="There is no such anchor receipt: {name}",
    kind="missing",
)
# A receipt never changes; one whose block left the chain after all is no longer listed.
IMMUTABLE = "max-age=604800, immutable"
PATTERN = f"^{RECEIPT_NAME.pattern}$"


def receipts_folder(request: Request) -> Path:
    """Return where the worker keeps the receipts that stand."""
    settings: Settings = request.app.state.settings
    return settings.anchors_path / "receipts"


Name = Annotated[str, PathParameter(pattern=PATTERN)]
ReceiptsFolder = Annotated[Path, Depends(receipts_folder)]


class AnchorItem(BaseModel):
    """A receipt: `size` is the number of entries that were anchored."""

    name: str
    size: int


class AnchorPage(BaseModel):
    """Receipts by size; `next` is the cursor of the next page."""

    items: list[AnchorItem]
    next: str | None


@router.get("", summary="锚定凭证列表 Anchor receipts")
def anchor_list(
    folder: ReceiptsFolder,
    cursor: Annotated[str, Query(pattern=f"^$|{PATTERN}")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AnchorPage:
    """Receipts of final anchors, by size, after the one that `cursor` names."""
    found = (path.name for path in folder.glob("*.json") if RECEIPT_NAME.fullmatch(path.name))
    names = sorted(name for name in found if name > cursor)
    items = [AnchorItem(name=name, size=anchored_size(name)) for name in names[:limit]]
    return AnchorPage(items=items, next=names[limit - 1] if len(names) > limit else None)


@router.get(
    "/{name}",
    summary="锚定凭证 An anchor receipt",
    response_class=Response,
    responses=answering("application/json", {"type": "object"}),
)
def anchor_receipt(
    name: Annotated[str, PathParameter(pattern=PATTERN)], folder: ReceiptsFolder
) -> Response:
    """A receipt as the worker wrote it, to be checked by `dataexchange verify`."""
    try:
        data = (folder / name).read_bytes()
    except FileNotFoundError:
        raise NO_RECEIPT(name=name) from None
    return Response(data, media_type="application/json", headers={"Cache-Control": IMMUTABLE})
