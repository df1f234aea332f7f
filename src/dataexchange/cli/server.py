"""`serve`, `rebuild`, `doctor`: for the operator. Server libraries load only when these run."""

import asyncio
import gc
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer
from rich.markup import escape

from dataexchange.cli.console import console, error_console
from dataexchange.errors import DataExchangeError

DataFolder = Annotated[
    Path | None,
    typer.Option(help="数据目录 The data folder.", envvar="DATAEXCHANGE_DATA_FOLDER"),
]
# Imports and requests make few cycles, and looking for them costs an eighth of the start.
GC_THRESHOLD = (100_000, 50, 50)
SERVE_EXAMPLES = """
With no configuration an embedded PostgreSQL runs in the data folder;
[bold]DATAEXCHANGE_DATABASE_URL[/] names any PostgreSQL 14+ instead. See docs/operator.md.
"""


def serve(
    host: Annotated[str | None, typer.Option(help="监听地址 Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="端口 Port.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="进程数 Processes.")] = 1,
    data_folder: DataFolder = None,
    origin: Annotated[str | None, typer.Option(help="账本名称 The log's name.")] = None,
) -> None:
    """运行交易所 Run the exchange: API, sequencer, publisher."""
    require_server()
    gc.set_threshold(*GC_THRESHOLD)
    from dataexchange.settings import Settings

    settings = Settings()
    if settings.database_url is None:
        folder = data_folder or settings.data_folder
        Thread(target=_prepare_database, args=[folder / "postgres"], daemon=True).start()
    from dataexchange.cli.serving import run

    run(host=host, port=port, workers=workers, data_folder=data_folder, origin=origin)


def _prepare_database(folder: Path) -> None:
    """Make an embedded database on the first start, while the application is imported.

    Where that fails, the application's own start fails as well, and says why.
    """
    from dataexchange.database.embedded import EmbeddedPostgres, EmbeddedPostgresError

    with suppress(EmbeddedPostgresError):
        EmbeddedPostgres(folder).prepare()


def rebuild(
    write: Annotated[
        bool, typer.Option(help="用重放结果替换状态 Replace the states by what comes out.")
    ] = False,
    data_folder: DataFolder = None,
) -> None:
    """重建状态 Replay the log and compare every state, byte for byte, with the one kept."""
    require_server()
    from dataexchange.cli.serving import rebuild as run

    result = asyncio.run(run(data_folder, write=write))
    console.print(f"{result.entries} 条 entries → {result.states} 个状态 states")
    if not result.differing:
        console.print("[green]✓[/] 全部一致 all equal")
        return
    for key in result.differing[:20]:
        error_console.print(f"[red]≠[/] {escape(key)}", highlight=False)
    if not write:
        raise typer.Exit(1)
    console.print(f"[yellow]✓[/] 已替换 replaced: {len(result.differing)}")


def rekey(data_folder: DataFolder = None) -> None:
    """更换密钥 Wrap the keys of sealed fields anew; old copies of them then open nothing.

    先停止服务 Stop the service first.
    """
    require_server()
    from dataexchange.cli.serving import rekey as run

    count = run(data_folder)
    console.print(f"[green]✓[/] 已重新包装 {count} 个密钥 keys wrapped anew")


def doctor(data_folder: DataFolder = None) -> None:
    """体检 Check this machine and this configuration, and say what would help."""
    require_server()
    from dataexchange.cli.examination import examine

    findings = asyncio.run(examine(data_folder))
    for finding in findings:
        mark = "[green]✓[/]" if finding.well else "[red]✗[/]"
        console.print(f"{mark} {escape(finding.what)}", highlight=False)
        if not finding.well and finding.remedy:
            console.print(f"    {finding.remedy}", markup=False, highlight=False)
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def demo(
    data: Annotated[
        Path | None, typer.Option(help="自己的数据 Your own .csv, .csv.gz or .parquet file.")
    ] = None,
    out: Annotated[Path, typer.Option(help="输出目录 Output folder.")] = Path("demo-output"),
) -> None:
    """演示 One real data asset, from collection to insured, pledged, licensed and verified."""
    require_server()
    from dataexchange.demo import run

    run(data, out)


def require_server() -> None:
    """Refuse where only the base install is there, which verifies but does not serve."""
    if find_spec("uvicorn") is None or find_spec("asyncpg") is None:
        raise DataExchangeError(
            "缺少服务组件，请安装 / the server's parts are missing; install:"
            " pip install 'dataexchange[server]'"
        )


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(epilog=SERVE_EXAMPLES)(serve)
    app.command()(demo)
    app.command()(rebuild)
    app.command()(doctor)
    app.command()(rekey)
