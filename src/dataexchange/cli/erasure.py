"""`erase`: have what opens a sealed field, or content, destroyed; the log keeps that it was."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from dataexchange.cli.asking import asking
from dataexchange.cli.console import console
from dataexchange.cli.options import DEFAULT_URL, KeyFile, Url
from dataexchange.cli.sealed_fields import place
from dataexchange.client.exchange_client import ExchangeClient, ExchangeRefusedError
from dataexchange.errors import DataExchangeError

ERASE_EXAMPLES = """
Examples: [bold]dataexchange erase 12:name --key mine.key[/] ·
[bold]erase 12:document --ground consent_withdrawn --consent consent_01… --asset asset_01…[/] ·
[bold]erase 12:name --ground ordered --order 2026-7 --key regulator.key[/] ·
[bold]erase --content SHA256 --key mine.key[/]
"""
Ground = Literal["purpose_ended", "retention_ended", "consent_withdrawn", "unlawful", "ordered"]


class NotErasedError(DataExchangeError):
    """There is nothing to erase, or the exchange has not carried out yet what the log orders."""


def erase(
    key: KeyFile,
    what: Annotated[str | None, typer.Argument(help="INDEX:FIELD 条目与密封字段")] = None,
    content: Annotated[str | None, typer.Option(help="SHA-256 内容 Content by its hash.")] = None,
    ground: Annotated[Ground, typer.Option(help="理由 个保法 art. 47.")] = "purpose_ended",
    order: Annotated[str | None, typer.Option(help="监管文号 The regulator's order.")] = None,
    consent: Annotated[str | None, typer.Option(help="已撤回的授权 The withdrawn consent.")] = None,
    asset: Annotated[str | None, typer.Option(help="该授权的资产 The consent's asset.")] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """删除 Destroy what opens a sealed field, or content; every proof still verifies."""
    given = {"ground": ground, "order_number": order, "consent": consent, "asset": asset}
    payload = {name: value for name, value in given.items() if value is not None}
    if (what is None) == (content is None):
        raise typer.BadParameter("INDEX:FIELD / --content SHA256")
    if content is not None:
        index = asyncio.run(_erase_content(content, payload, key, url))
        done = "你存入的内容已删除 what you put in is erased"
    else:
        index = asyncio.run(_erase_opening(*place(what or ""), payload, key=key, url=url))
        done = "已删除 erased"
    console.print(f"[green]✓[/] {done}：第 {index} 条 entry {index}", highlight=False)


async def _erase_opening(
    index: int, field: str, payload: dict[str, Any], *, key: Path, url: str
) -> int:
    async with asking(url, key) as client:
        entry = json.loads(await client.fetch(f"/v1/entries/{index}"))
        if field not in entry["statement"].get("sealed", {}):
            # The log would keep such an order for ever, and it could never be carried out.
            raise NotErasedError(
                f"第 {index} 条没有密封字段 {field} / entry {index} seals no field {field}"
            )
        named = {"index": index, "field": field, "sealed_by": entry["statement"]["actor"]}
        accepted = await client.submit("opening.erased@1", {**payload, **named})
        await _require_gone(client, f"/v1/entries/{index}/openings/{field}", "opening.erased")
    return accepted.index


async def _erase_content(sha256: str, payload: dict[str, Any], key: Path, url: str) -> int:
    async with asking(url, key) as client:
        accepted = await client.submit("content.erased@1", {**payload, "content": sha256})
    return accepted.index


async def _require_gone(client: ExchangeClient, path: str, code: str) -> None:
    try:
        await client.fetch(path)
    except ExchangeRefusedError as refusal:
        if refusal.code == code:
            return
        raise
    raise NotErasedError("已记入账本，尚未执行 / in the log, and not carried out yet")


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(epilog=ERASE_EXAMPLES)(erase)
