"""Run the demonstration and leave its papers behind."""

import asyncio
import shutil
import subprocess
import sys
import time
from pathlib import Path

from rich.markup import escape

from dataexchange.cli.console import console
from dataexchange.client.exchange_client import ExchangeRefusedError
from dataexchange.client.export import export
from dataexchange.demo import forgery
from dataexchange.demo.appraisal import appraise
from dataexchange.demo.cast import Cast, assemble
from dataexchange.demo.finance import Financed, finance
from dataexchange.demo.market import Deal, trade
from dataexchange.demo.pipeline import Made, make
from dataexchange.demo.stage import ORIGIN, DemoFailedError, Stage, stage
from dataexchange.demo.summary import write_summary
from dataexchange.demo.supervision import supervise
from dataexchange.demo.title import prove_title
from dataexchange.exchange.log_key import load

CONTENT_BYTES_MAX = 1_000_000
OURS = ("exchange", "forged", "keys", "witness")  # what an earlier run left in the output folder


def run(data: Path | None, out: Path) -> None:
    """Tell the story with `data` (or the sample), and leave bundle, policy and summary in `out`."""
    if data is not None and not data.is_file():
        raise DemoFailedError(f"没有文件 {data} / there is no file {data}")
    for name in OURS:
        shutil.rmtree(out / name, ignore_errors=True)
    (out / "keys").mkdir(parents=True, exist_ok=True)
    asyncio.run(_run(data, out))


async def _run(data: Path | None, out: Path) -> None:
    console.print(
        "[bold]dataexchange 演示 demo[/] — 演示时钟：公示期等以模拟时间经过", highlight=False
    )
    console.print("启动嵌入式 PostgreSQL 与服务… starting the database and the service…")
    async with stage(out) as on:
        cast = await assemble(on)
        made = await make(on, cast, data)
        deal = await trade(on, cast, made)
        appraised = await appraise(on, cast, made)
        await prove_title(on, cast, made, appraised)
        financed = await finance(on, cast, made, appraised)
        await supervise(on, cast, made)
        size = await _carry_away(on, cast)
    _verify(on, size)
    _show(on, size, made, deal, financed)


async def _carry_away(on: Stage, cast: Cast) -> int:
    """Export the bundle as the regulator does, and keep the checkpoint."""
    on.chapter("监管离线验证", "The regulator's check, offline")
    await on.until_published()
    client = on.client(cast.regulator)

    async def content(sha256: str) -> bytes | None:
        try:
            kept = await client.fetch(f"/v1/content/{sha256}")
        except ExchangeRefusedError:
            return None
        return kept if len(kept) <= CONTENT_BYTES_MAX else None

    size = await export(client.fetch, on.folder / "bundle.zip", content)
    (on.folder / "checkpoint").write_bytes(await client.fetch("/checkpoint"))
    on.say(f"监管机构导出证据包：{size} 条", f"{size} entries exported")
    exposed = (await on.http.get("/health/witnesses")).json()
    on.say(
        f"见证机构已共签 {exposed['cosigned']} 条，未共签 {exposed['uncosigned']} 条",
        "cosigned by a witness that trusts nobody here",
    )
    return size


def _verify(on: Stage, size: int) -> None:
    """Verify in a process of its own, then show three forgeries caught."""
    bundle, known = on.folder / "bundle.zip", ["--known-checkpoint", str(on.folder / "checkpoint")]
    _expect(on, bundle, 0, "原包 the bundle as exported", *known)
    witnessed = ["--policy", str(on.folder / "witnessed-policy")]
    _expect(on, bundle, 0, "原包，须有见证共签 as exported, a witness required", *witnessed)
    title = on.folder / "title.zip"
    _expect(on, title, 0, "放款前的权属证明 the title before the loan", *witnessed)
    forged = on.folder / "forged"
    forged.mkdir(exist_ok=True)
    signer = load(on.folder / "exchange" / "log.key", ORIGIN)
    forgery.with_a_flipped_bit(bundle, forged / "bit.zip", size // 2)
    _expect(on, forged / "bit.zip", 1, "翻转一个比特 one bit flipped", *known)
    index = forgery.with_an_amount_rewritten(bundle, forged / "amount.zip", signer)
    what = f"改写第 {index} 条的金额并重算全部哈希、重签检查点 an amount rewritten"
    _expect(on, forged / "amount.zip", 1, what)
    forgery.with_the_tail_dropped(bundle, forged / "tail.zip", signer, 5)
    _expect(on, forged / "tail.zip", 1, "删去末尾 5 条并重签 the tail dropped", *known)
    what = "删去末尾并重签，无已知检查点，须有见证 the same, with nothing but a witness required"
    _expect(on, forged / "tail.zip", 1, what, *witnessed)


def _expect(on: Stage, bundle: Path, status: int, what: str, *options: str) -> None:
    policy = [] if "--policy" in options else ["--policy", str(on.folder / "policy")]
    program = "from dataexchange.cli import main; main()"
    command = [sys.executable, "-c", program, "verify", str(bundle), *policy, *options]
    # Our own interpreter and our own files; nothing of it comes from outside.
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    told = (done.stdout if status == 0 else done.stderr).strip().splitlines()
    on.refusals.append((f"verify: {what}", f"exit {done.returncode}", told[0] if told else ""))
    mark = "[green]✓[/]" if done.returncode == status else "[red]✗[/]"
    console.print(f"        {mark} {what} → exit {done.returncode}", highlight=False)
    for line in told[:3]:
        console.print(f"          [dim]{escape(line)}[/]", highlight=False)
    if done.returncode != status:
        raise DemoFailedError(f"{what}: exit {done.returncode}, {status} expected\n{done.stderr}")


def _show(on: Stage, size: int, made: Made, deal: Deal, financed: Financed) -> None:
    ids = {
        "resource": made.resource,
        "product": made.product,
        "listing": deal.listing,
        "licence": deal.licence,
        "pledge": financed.pledge,
        "guarantee": financed.guarantee,
        "cover": financed.cover,
        "claim": financed.claim,
    }
    write_summary(on, size, ids)
    seconds = time.monotonic() - on.started
    console.print(
        f"\n[bold green]✓ 演示完成 done[/]：{size} 条，{seconds:.0f} 秒。"
        f" {on.folder}/：bundle.zip · title.zip · checkpoint · policy ·"
        " summary.md",
        highlight=False,
    )
    console.print(
        f"  再验证一次 check it again: dataexchange verify {on.folder}/bundle.zip"
        f" --policy {on.folder}/policy --known-checkpoint {on.folder}/checkpoint",
        highlight=False,
    )
