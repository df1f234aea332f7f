"""`evidence` and `prices`: what data sold for, with proofs, and the price history of an asset."""

import asyncio
import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import typer
import yaml
from rich.table import Table
from rich.text import Text

from dataexchange.cli.asking import asking
from dataexchange.cli.console import console, error_console
from dataexchange.cli.options import DEFAULT_URL, KeyFile, OptionalKeyFile, Url
from dataexchange.ledger.policy import Policy

Kind: TypeAlias = Literal["licence", "exclusive_licence", "title"]
DayOption: TypeAlias = datetime | None

EVIDENCE_EXAMPLES = """
Examples: [bold]dataexchange evidence --category transport --key mine.key --policy policy[/] ·
[bold]… --base-date 2026-06-30 --as comparables > comparables.yaml[/] (for the card market) ·
[bold]… --as json > evidence.json[/] (with the proofs, to attach)
"""
_DAY = ["%Y-%m-%d"]
_KINDS = {"licence": "许可 licence", "exclusive_licence": "独占 exclusive", "title": "权属 title"}


def evidence(
    key: KeyFile,
    category: Annotated[str | None, typer.Option(help="主题分类 Theme of the asset.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="交易类别 What was sold.")] = None,
    since: Annotated[DayOption, typer.Option(formats=_DAY, help="起 From this day on.")] = None,
    base_date: Annotated[
        DayOption,
        typer.Option(formats=_DAY, help="评估基准日：只留可用案例 Keep what may be compared then."),
    ] = None,
    form: Annotated[
        Literal["table", "json", "comparables"], typer.Option("--as", help="输出形式 Output.")
    ] = "table",
    policy: Annotated[
        Path | None, typer.Option(help="验证策略 Check every proof by this policy.")
    ] = None,
    url: Url = DEFAULT_URL,
) -> None:
    """可比案例 Closed deals of the ledger as market evidence, each with its proof."""
    asked = {"category": category, "kind": kind, "since": _day(since)}
    trusted = _policy(policy) if policy else None
    items = asyncio.run(_evidence(key, url, trusted, asked))
    if base_date is not None:
        items = _usable(items, base_date.date())
    if form == "json":
        typer.echo(json.dumps(items, ensure_ascii=False, indent=2))
    elif form == "comparables":
        typer.echo(_comparables(items), nl=False)
    else:
        console.print(_evidence_table(items))
    if trusted is not None:
        error_console.print(f"[green]✓[/] {len(items)} 项包含证明均成立 inclusion proofs hold")


def prices(
    asset: Annotated[str, typer.Argument(help="资产标识 The asset.")],
    key: OptionalKeyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON 输出 Print JSON.")] = False,
    url: Url = DEFAULT_URL,
) -> None:
    """价格历史 What was asked, paid and found for an asset, the newest first."""
    items = asyncio.run(_prices(asset, key, url))
    if as_json:
        typer.echo(json.dumps(items, ensure_ascii=False, indent=2))
    else:
        console.print(_price_table(items))


async def _evidence(
    key: Path, url: str, policy: Policy | None, asked: dict[str, str | None]
) -> list[dict[str, Any]]:
    async with asking(url, key) as client:
        named = {name: value for name, value in asked.items() if value is not None}
        return await client.evidence(policy, **named)


async def _prices(asset: str, key: Path | None, url: str) -> list[dict[str, Any]]:
    async with asking(url, key) as client:
        return await client.prices(asset)


def _usable(items: list[dict[str, Any]], base_date: date) -> list[dict[str, Any]]:
    from dataexchange.valuation import deals_from_evidence, usable_deals

    deals = deals_from_evidence(items)
    usable = {
        deal.entry_index
        for category in {deal.category for deal in deals}
        for deal in usable_deals(deals, category=category, base_date=base_date)
    }
    return [item for item in items if item["entry_index"] in usable]


def _comparables(items: list[dict[str, Any]]) -> str:
    """Return YAML for a data set of the market card; the factors are for the appraiser to set."""
    from dataexchange.valuation import comparables_from_deals, deals_from_evidence

    comparables = comparables_from_deals(deals_from_evidence(items), base_date=date.max)
    return yaml.safe_dump({"comparables": comparables}, sort_keys=False, allow_unicode=True)


def _evidence_table(items: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold")
    for title in ("条目 entry", "日期 closed", "类别 kind", "分类 category"):
        table.add_column(title)
    table.add_column("价格 price, 元", justify="right")
    table.add_column("资产 asset", overflow="fold")
    table.add_column("")
    for item in items:
        cells = (
            str(item["entry_index"]),
            item["closed_on"],
            _KINDS[item["kind"]],
            item["category"],
            _yuan(item["price_fen"]),
            item["asset"],
            _marks(item),
        )
        table.add_row(*map(Text, cells))
    return table


def _marks(item: dict[str, Any]) -> str:
    related = [] if item["arms_length"] else ["关联 related"]
    return " · ".join(related + (["争议 disputed"] if item["disputed"] else []))


def _price_table(items: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold")
    for title in ("条目 entry", "时间 time", "事项 what"):
        table.add_column(title)
    table.add_column("金额 元", justify="right")
    table.add_column("依据 of", overflow="fold")
    for item in items:
        price = item["price_fen"]
        shown = _yuan(price) if price is not None else item["price"].get("model", "—")
        time = item["recorded_at"][:16].replace("T", " ")
        cells = (str(item["entry_index"]), time, item["what"], shown, item["key"])
        table.add_row(*map(Text, cells))
    return table


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"


def _day(moment: datetime | None) -> str | None:
    return moment.date().isoformat() if moment else None


def _policy(path: Path) -> Policy:
    try:
        return Policy.parse(path.read_bytes())
    except OSError as error:
        raise typer.BadParameter(str(error)) from error


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(epilog=EVIDENCE_EXAMPLES)(evidence)
    app.command()(prices)
