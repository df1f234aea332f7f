"""What the check of one asset's title says, for people: holder, encumbrances, value, quality."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dataexchange.asset.title import Asset, Lien
from dataexchange.cli.anchor import anchor_in_words
from dataexchange.cli.console import console
from dataexchange.guarantee.pledge import Pledge
from dataexchange.guarantee.surety import Guarantee
from dataexchange.insurance.cover import Cover
from dataexchange.valuation.record import Valuation
from dataexchange.verification.title_verdict import TitleVerdict

Rows = Iterator[tuple[str, str]]


def show_title(verdict: TitleVerdict) -> None:
    """Print the title, who proves it, and what it does not show."""
    table = Table(show_header=False, box=None)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in (*_asset(verdict), *_encumbrances(verdict), *_worth(verdict)):
        table.add_row(Text(label), Text(text))
    table.add_section()
    for label, text in _proof(verdict):
        table.add_row(Text(label), Text(text))
    clean = not (verdict.asset.liens or verdict.asset.freezes or verdict.asset.objections_open)
    what = "无担保、冻结与异议 free of liens, freezes and objections" if clean else "权属如下 title"
    console.print(f"[bold green]✓ 可信 SOUND[/] {what}", highlight=False)
    console.print(table, highlight=False)
    for zh, en in verdict.warnings:
        console.print(f"[yellow]![/] {escape(zh)}\n  {escape(en)}", highlight=False)


def _asset(verdict: TitleVerdict) -> Rows:
    asset = verdict.asset
    yield "资产 asset", f"{asset.title} · {asset.id} ({asset.form.value}, {asset.status})"
    yield "持有人 holder", _party(verdict, asset.holder)
    for kind, right in asset.rights.items():
        held = f"{_party(verdict, right.holder)} · {right.certificate} → {right.until[:10]}"
        yield f"权利 right: {kind}", held


def _encumbrances(verdict: TitleVerdict) -> Rows:
    """What stands in the way of dealing in the asset; all of it, or 无."""
    asset = verdict.asset
    yield from _each("担保 liens", [_lien(verdict, lien) for lien in asset.liens])
    yield from _each("冻结 freezes", list(asset.freezes))
    yield "异议 open objections", str(asset.objections_open)
    yield "公示中 claim in its window", asset.claim_open or "无 none"
    yield from _each("安全事件 incidents", list(asset.incidents))
    yield "独占许可 exclusive licence", asset.exclusive_licence or "无 none"
    yield "生效许可 licences in force", str(asset.licences_active)


def _worth(verdict: TitleVerdict) -> Rows:
    states = verdict.states.values()
    valuations = [_valuation(verdict, one) for one in states if isinstance(one, Valuation)]
    yield from _each("价格评估 valuations", valuations)
    yield "质量 quality", _quality(verdict.asset)
    yield from _each(
        "保险 covers", [_cover(verdict, one) for one in states if isinstance(one, Cover)]
    )
    for one in states:
        if isinstance(one, Guarantee):
            amount = f"{_yuan(one.amount_fen)} {one.status}"
            yield "保证 guarantee", f"{_party(verdict, one.guarantor)} {amount}"


def _proof(verdict: TitleVerdict) -> Rows:
    yield "账本 log", verdict.origin
    as_of = f"前 {verdict.covers} 条 the first {verdict.covers} entries"
    yield "截至 as of", f"{as_of} (map at entry {verdict.map_index}, {verdict.mapped_at})"
    yield "检查点 checkpoint", f"{verdict.size} 条 entries"
    confirmed = [
        f"{verdict.names.get(one.regulator, one.regulator)} · entry {one.index}"
        for one in verdict.confirmed
    ]
    yield from _each("重放确认 replayed by", confirmed)
    yield "见证 witnesses", ", ".join(verdict.witnesses) or "无 none"
    for anchored, shown in verdict.anchors:
        yield f"锚定 anchor {anchored.size}", anchor_in_words(anchored, shown)
    yield "历史条目 entries proven", str(verdict.entries)
    if verdict.also:
        more = "（同类可能还有 there may be more of the kind）"
        yield "另附 added", ", ".join(verdict.also) + more


def _each(label: str, texts: list[str]) -> Rows:
    yield label, "\n".join(texts) or "无 none"


def _lien(verdict: TitleVerdict, lien: Lien) -> str:
    pledge = verdict.states.get(lien.by)
    status = pledge.status if isinstance(pledge, Pledge) else ""
    return f"{_party(verdict, lien.holder)} {_yuan(lien.secured_fen)} {status} · {lien.by}"


def _cover(verdict: TitleVerdict, one: Cover) -> str:
    insured = f"{_yuan(one.sum_insured_fen)} {one.status} → {_day(one.ends)}"
    return f"{_party(verdict, one.insurer)} {insured}"


def _valuation(verdict: TitleVerdict, one: Valuation) -> str:
    by = _party(verdict, one.appraiser)
    return f"{_yuan(one.value_fen)} {one.status} → {_day(one.valid_until)} · v{one.version} · {by}"


def _quality(asset: Asset) -> str:
    if asset.quality_score is None:
        return "未评估 not assessed"
    stale = " (旧版本 an older version)" if asset.assessed_version != asset.latest_version else ""
    grade = asset.grade or "—"
    return f"{asset.quality_score} · v{asset.assessed_version}{stale} · 分级 grade {grade}"


def _party(verdict: TitleVerdict, party: str) -> str:
    name = verdict.names.get(party)
    return f"{name} ({party})" if name else party


def _day(moment: str | None) -> str:
    return (moment or "—")[:10]


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d} 元"
