"""`export-tiles`: the log's immutable files, into a folder or a bucket."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dataexchange.cli.asking import asking
from dataexchange.cli.console import console
from dataexchange.cli.options import DEFAULT_URL, OptionalKeyFile, Url
from dataexchange.errors import DataExchangeError
from dataexchange.exchange.static_export import LogToExport, export_log
from dataexchange.exchange.static_files import open_files
from dataexchange.ledger.policy import Policy

EXAMPLES = """
Examples: [bold]dataexchange export-tiles /var/www/log --policy policy[/] ·
[bold]… s3://bucket/log --policy policy[/] (credentials from AWS_… variables).
Repeat it to bring the files up to date; each is written once, the checkpoint last.
"""


def export_tiles(
    to: Annotated[str, typer.Argument(help="目录或存储桶 A folder, or s3://bucket/prefix.")],
    policy: Annotated[
        Path, typer.Option(help="验证策略 The policy that the checkpoint must meet.")
    ],
    entries: Annotated[
        bool,
        typer.Option(
            "--entries", help="包括条目（不公开） Entry bundles too, which are not public."
        ),
    ] = False,
    key: OptionalKeyFile = None,
    url: Url = DEFAULT_URL,
) -> None:
    """导出瓦片 Write checkpoint and tiles as files (C2SP tlog-tiles) for a web server or a CDN."""
    if entries and key is None:
        raise DataExchangeError("--entries 需要 --key / needs --key: entries are not public")
    known = Policy.parse(policy.read_bytes())
    size, new = asyncio.run(_export(to, known, entries=entries, key=key, url=url))
    console.print(f"[green]✓[/] {escape(to)}：{size} 条 entries，新增 new {new}", highlight=False)


async def _export(
    to: str, policy: Policy, *, entries: bool, key: Path | None, url: str
) -> tuple[int, int]:
    async with asking(url, key) as client:
        note = await client.fetch("/checkpoint")
        size = policy.verify(note).checkpoint.size
        log = LogToExport(note, lambda name: client.fetch(f"/{name.path}"))
        return size, await export_log(log, open_files(to), entries=entries)


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(epilog=EXAMPLES)(export_tiles)
