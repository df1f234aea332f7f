"""`export` and `verify`: carry a log away, and check it with nothing but a policy."""

import asyncio
import gc
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from dataexchange.cli.anchor import Confirmations, anchor_in_words, anchor_judge
from dataexchange.cli.asking import asking
from dataexchange.cli.console import console, error_console
from dataexchange.cli.options import DEFAULT_URL, KeyFile, Url
from dataexchange.cli.sealed_fields import Shown
from dataexchange.cli.title import show_title
from dataexchange.client.anchors import read_folder
from dataexchange.client.exchange_client import ExchangeRefusedError
from dataexchange.client.export import export as write_bundle
from dataexchange.ledger.sealing import Opening
from dataexchange.verification import UnsoundError, UnusableError, Verdict, verify_bundle
from dataexchange.verification.anchor_pass import AnchorJudge
from dataexchange.verification.part import processes
from dataexchange.verification.title import verify_title
from dataexchange.verification.title_members import is_title_bundle

PARALLEL_BYTES_MIN = 16 * 1024 * 1024
NOT_REPLAYED_STATUS = 3
CONTENT_BYTES_MAX = 16 * 1024 * 1024

VERIFY_EXAMPLES = """
The policy is a C2SP tlog-policy file: a [bold]log <vkey>[/] line and a [bold]quorum[/] line.
It never comes from the bundle. Exit status: 0 sound, 1 unsound, 2 unusable; 3 where
[bold]--no-rules[/] found no fault, which is no verdict that the log is sound.
"""
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="验证策略 The policy file.")]
KnownCheckpoint = Annotated[
    Path | None, typer.Option(help="先前取得的检查点 A checkpoint from earlier or elsewhere.")
]


def export(  # noqa: PLR0913 -- an option each
    key: KeyFile,
    out: Annotated[Path | None, typer.Option(help="证据包 The bundle to write.")] = None,
    asset: Annotated[
        str | None, typer.Option(help="只导出该资产的权属证明 The proven title of one asset.")
    ] = None,
    also: Annotated[
        list[str], typer.Option(help="一并证明 With it: a valuation, a guarantee that names it.")
    ] = [],  # noqa: B006 -- typer copies it
    confirmed: Annotated[
        bool, typer.Option(help="截至监管确认过的映射 As of a map that a regulator confirmed.")
    ] = False,
    anchors: Annotated[
        Path | None,
        typer.Option(help="锚定凭证目录 Take receipts from this folder, not from the exchange."),
    ] = None,
    opened: Annotated[
        list[str],
        typer.Option("--open", metavar="INDEX:FIELD", help="附密封内容 Show a sealed field."),
    ] = [],  # noqa: B006 -- typer copies it
    open_all: Annotated[
        bool, typer.Option("--open-all", help="附全部可读的密封内容 Show all you may read.")
    ] = False,
    url: Url = DEFAULT_URL,
) -> None:
    """导出证据包 Fetch the whole log as a bundle (regulators, operator), or one asset's title."""
    to = out or Path("bundle.zip" if asset is None else "title.zip")
    try:
        if asset is not None:
            title = asyncio.run(_title(key, url, asset, also=also, confirmed=confirmed))
            to.write_bytes(title)
            console.print(f"[green]✓[/] {escape(str(to))}：{asset}", highlight=False)
            return
        shown = Shown.parse(opened, is_all=open_all)
        size = asyncio.run(_export(key, to, url, anchors=anchors, shown=shown))
    except OSError as error:
        raise typer.BadParameter(str(error)) from error
    console.print(f"[green]✓[/] {escape(str(to))}：{size} 条 entries")


def verify(  # noqa: PLR0913 -- one for each option
    bundle: Annotated[Path, typer.Argument(help="证据包 The bundle.")],
    policy: PolicyFile = None,
    known_checkpoint: KnownCheckpoint = None,
    regulator: Annotated[
        list[str], typer.Option(help="监管机构的密钥标识 A regulator's key id, for a title.")
    ] = [],  # noqa: B006 -- typer copies it
    anchor_contract: Annotated[
        str | None, typer.Option(help="锚定合约 The anchor contract, eip155:CHAIN:ADDRESS.")
    ] = None,
    anchor_key: Annotated[
        list[str], typer.Option(help="锚定地址 The anchor key's address, one per epoch.")
    ] = [],  # noqa: B006 -- typer copies it
    rpc: Annotated[
        list[str], typer.Option(help="节点地址 Ask the chain too, through this node.")
    ] = [],  # noqa: B006 -- typer copies it
    confirmations: Confirmations = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="续验文件 Your own file of what was verified before; made where it is missing."
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="并行进程数 Processes to use for a large bundle.")
    ] = os.cpu_count() or 1,
    rules: Annotated[
        bool,
        typer.Option(
            "--rules/--no-rules",
            help="重放规则 Replay every rule; or a first look at bytes, chain and root only.",
        ),
    ] = True,
) -> None:
    """离线验证 Check a bundle: bytes, chains, root, signatures, and every rule replayed.

    The title of one asset is checked by its proofs: who holds it, what is on it, who replayed.
    """
    judge = anchor_judge(anchor_contract, anchor_key, rpc, confirmations)
    with _judging():
        if is_title_bundle(bundle):
            title = verify_title(
                bundle,
                _read(policy),
                known_checkpoint=_read(known_checkpoint),
                regulator_keys=regulator,
                anchors=judge,
            )
            show_title(title)
            return
    if resume and not rules:
        raise typer.BadParameter("--resume 需要重放规则 / --resume needs the rules")
    verdict = judged(
        bundle,
        policy,
        known_checkpoint,
        anchors=judge,
        resume=resume,
        workers=workers,
        rules=rules,
    )
    _show_verdict(verdict)
    if not rules:
        raise typer.Exit(NOT_REPLAYED_STATUS)


def judged(
    bundle: Path,
    policy: Path | None,
    known_checkpoint: Path | None,
    *,
    anchors: AnchorJudge | None = None,
    resume: Path | None = None,
    workers: int = 1,
    rules: bool = True,
) -> Verdict:
    """Return the verdict on a bundle of the log; where it is not sound, say why and exit."""
    gc.freeze()
    gc.set_threshold(100_000)
    with (
        _judging(),
        _working(bundle, workers, rules=rules) as executor,
        Progress(console=error_console, transient=True) as bar,
    ):
        task = bar.add_task("验证 verifying", total=None)
        return verify_bundle(
            bundle,
            _read(policy),
            known_checkpoint=_read(known_checkpoint),
            anchors=anchors,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            executor=executor,
            resume=resume,
            rules=rules,
        )


def _working(bundle: Path, count: int, *, rules: bool) -> AbstractContextManager[Executor | None]:
    """Provide `count` processes, this one among them where it replays, if that is worth it."""
    is_large = bundle.is_file() and bundle.stat().st_size >= PARALLEL_BYTES_MIN
    return processes(count - rules if is_large and count > 1 else 0)


@contextmanager
def _judging() -> Iterator[None]:
    """Tell why a bundle is not sound, or cannot be judged, and exit."""
    try:
        yield
    except UnsoundError as fault:
        _show_fault(fault)
        raise typer.Exit(1) from fault
    except (UnusableError, OSError) as error:
        error_console.print(
            f"[bold yellow]? 无法验证 unusable[/] {escape(str(error))}", highlight=False
        )
        raise typer.Exit(2) from error


async def _export(key: Path, out: Path, url: str, *, anchors: Path | None, shown: Shown) -> int:
    async with asking(url, key, timeout_seconds=120) as client:

        async def content(sha256: str) -> bytes | None:
            try:
                return await client.fetch_within(f"/v1/content/{sha256}", CONTENT_BYTES_MAX)
            except ExchangeRefusedError as refusal:
                # Many hashes stand for what was never put into the store.
                if refusal.code not in ("content.not_found", "content.erased"):
                    raise
                return None

        async def openings(index: int) -> list[Opening]:
            return await shown.of(client, index)

        receipts = client.anchors() if anchors is None else read_folder(anchors)
        size = await write_bundle(
            client.fetch, out, content, receipts=receipts, fetch_openings=openings
        )
    shown.require_all()
    return size


async def _title(key: Path, url: str, asset: str, *, also: list[str], confirmed: bool) -> bytes:
    async with asking(url, key, timeout_seconds=120) as client:
        return await client.title(asset, also=also, confirmed=confirmed)


def _read(path: Path | None) -> bytes | None:
    return path.read_bytes() if path is not None else None


def _show_fault(fault: UnsoundError) -> None:
    place = "" if fault.index is None else f"第 {fault.index} 条 entry {fault.index} · "
    error_console.print(f"[bold red]✗ 不可信 UNSOUND[/] {place}{fault.code}", highlight=False)
    error_console.print(f"  {fault.zh}\n  {fault.en}", markup=False, highlight=False)


def _show_verdict(verdict: Verdict) -> None:
    table = Table(show_header=False, box=None)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("账本 log", Text(verdict.origin))
    table.add_row("条目 entries", str(verdict.size))
    table.add_row("根 root", verdict.root.hex())
    witnesses = [f"{name} {_utc(seconds)}" for name, seconds in verdict.witnesses.items()]
    table.add_row("见证 witnesses", Text(", ".join(witnesses) or "—"))
    known = "—" if verdict.known_size is None else str(verdict.known_size)
    table.add_row("已知检查点 known checkpoint", known)
    table.add_row("内容 contents", str(verdict.contents))
    if verdict.rules_replayed:
        table.add_row("密封内容 openings", str(verdict.openings))
        table.add_row("状态映射 maps", str(len(verdict.maps)))
        table.add_row("账户合计 accounts sum", f"{verdict.balance_fen} 分")
    if verdict.figures_recomputed or verdict.figures_not_disclosed:
        table.add_row("估值 valuations", _valued(verdict))
    for anchored, shown in verdict.anchors:
        table.add_row(f"锚定 anchor {anchored.size}", Text(anchor_in_words(anchored, shown)))
    if verdict.rules_replayed:
        console.print("[bold green]✓ 可信 SOUND[/]")
    else:
        console.print("[bold yellow]… 仅初查，未判可信 FIRST LOOK ONLY, not found sound[/]")
    console.print(table)
    for zh, en in verdict.warnings:
        console.print(f"[yellow]![/] {escape(zh)}\n  {escape(en)}")


def _valued(verdict: Verdict) -> str:
    return (
        f"复算 {verdict.figures_recomputed} 项 recomputed"
        f" · P10/P90 {verdict.intervals_recomputed}"
        f" · 可比案例 comparables {verdict.comparables_checked}"
        f" · 未披露 not disclosed {verdict.figures_not_disclosed}"
    )


def _utc(seconds: int) -> str:
    """Return a cosignature's time; one beyond the calendar is shown as its number."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%F %TZ}"
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(export)
    app.command(epilog=VERIFY_EXAMPLES)(verify)
