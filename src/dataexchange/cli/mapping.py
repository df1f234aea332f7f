"""`map`: the operator commits the map of the whole ledger, regulators confirm it after a replay."""

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dataexchange.cli.asking import UnreachableError, asking
from dataexchange.cli.bundle import KnownCheckpoint, PolicyFile, judged
from dataexchange.cli.console import console, error_console
from dataexchange.cli.options import DEFAULT_URL, KeyFile, Url
from dataexchange.cli.server import DataFolder, require_server
from dataexchange.client.exchange_client import Accepted
from dataexchange.errors import DataExchangeError, UnavailableError

NICENESS = 5
REST = 6.0

Rest = Annotated[
    float, typer.Option(min=0, help="休息倍数 Rest so many times as long as it works.")
]
app = typer.Typer(no_args_is_help=True, help="全账本状态映射 The map of the whole ledger.")


@app.command()
def commit(
    key: KeyFile, url: Url = DEFAULT_URL, rest: Rest = REST, data_folder: DataFolder = None
) -> None:
    """提交映射 Make the map of the ledger as it is now, and commit its root.

    Runs beside the exchange, on its database; the key stays here.
    """
    require_server()
    _commit(key, url, data_folder, rest)


@app.command()
def run(
    key: KeyFile,
    url: Url = DEFAULT_URL,
    every: Annotated[float, typer.Option(min=1, help="间隔秒数 Seconds between maps.")] = 60,
    rest: Rest = REST,
    data_folder: DataFolder = None,
) -> None:
    """持续提交映射 Keep committing maps, out of the way of appends, until stopped."""
    require_server()
    os.nice(NICENESS)
    while True:
        started = time.monotonic()
        try:
            _commit(key, url, data_folder, rest)
        except (UnreachableError, UnavailableError) as error:
            error_console.print(f"[yellow]![/] {escape(str(error))}", highlight=False)
        except typer.Exit:
            pass  # refused, and told; another mapper may have been first
        time.sleep(max(1.0, every - (time.monotonic() - started)))


@app.command()
def confirm(
    bundle: Annotated[Path, typer.Argument(help="证据包 A bundle of the whole log.")],
    key: KeyFile,
    policy: PolicyFile = None,
    known_checkpoint: KnownCheckpoint = None,
    url: Url = DEFAULT_URL,
) -> None:
    """确认映射 Replay a bundle and, as a regulator, confirm the newest map that came out again."""
    maps = judged(bundle, policy, known_checkpoint).maps
    if not maps:
        raise DataExchangeError("证据包里没有状态映射 / the bundle holds no committed map")
    newest = maps[-1]
    said = {"covers": newest.covers, "map": newest.leaf, "root": newest.root}
    accepted = asyncio.run(_submit(key, url, "map.confirmed@1", said))
    console.print(
        f"[green]✓[/] 已确认前 {newest.covers} 条的映射 confirmed: covers {newest.covers},"
        f" entry {accepted.index}",
        highlight=False,
    )


def _commit(key: Path, url: str, data_folder: Path | None, rest: float) -> None:
    from dataexchange.cli.serving import make_map

    started = time.monotonic()
    made = asyncio.run(make_map(data_folder, rest=rest))
    if made is None:
        console.print("映射已覆盖全部条目 the newest map covers every entry")
        return
    accepted = asyncio.run(_submit(key, url, "map.committed@1", made.payload))
    console.print(
        f"[green]✓[/] 已提交映射 committed: covers {made.covers}, {made.touched} touched,"
        f" {time.monotonic() - started:.1f}s → entry {accepted.index}",
        highlight=False,
    )


async def _submit(key: Path, url: str, event: str, payload: dict[str, object]) -> Accepted:
    async with asking(url, key) as client:
        return await client.submit(event, payload)


def add_commands(to: typer.Typer) -> None:
    """Add this module's commands."""
    to.add_typer(app, name="map")
