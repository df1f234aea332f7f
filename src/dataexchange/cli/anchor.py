"""`anchor`: put checkpoints on an EVM chain, see how that stands, and use what stands there."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataexchange.cli.console import console, error_console
from dataexchange.cli.options import DEFAULT_URL, Url
from dataexchange.errors import DataExchangeError
from dataexchange.verification.anchored import Anchored, Shown

if TYPE_CHECKING:
    from dataexchange.anchoring.status import AnchorStatus
    from dataexchange.verification.anchor_pass import AnchorJudge

app = typer.Typer(
    no_args_is_help=True,
    help="链上锚定 Anchor the log's checkpoints on an EVM chain. See docs/anchoring.md.",
)
DEFAULT_LOG = "localhost/dataexchange"
DEFAULT_FOLDER = Path(".dataexchange/anchors")

Rpc = Annotated[
    list[str],
    typer.Option(
        "--rpc",
        help="节点地址，可多个 The node's address; several are asked in turn.",
        envvar="DATAEXCHANGE_ANCHOR_RPC_URL",
    ),
]
Contract = Annotated[
    str,
    typer.Option(
        help="合约 The contract, as eip155:CHAIN:ADDRESS.", envvar="DATAEXCHANGE_ANCHOR_CONTRACT"
    ),
]
Log = Annotated[
    str, typer.Option("--log", help="账本名称 The log's name.", envvar="DATAEXCHANGE_ORIGIN")
]
AnchorKey = Annotated[
    Path,
    typer.Option(
        help="锚定密钥文件 The key file that authorises roots.",
        envvar="DATAEXCHANGE_ANCHOR_KEY_FILE",
    ),
]
PayerKey = Annotated[
    Path,
    typer.Option(
        help="付款密钥文件 The key file that pays for gas.",
        envvar="DATAEXCHANGE_ANCHOR_PAYER_KEY_FILE",
    ),
]
PolicyFile = Annotated[
    Path,
    typer.Option(help="验证策略 The policy that checkpoints must meet."),
]
Folder = Annotated[
    Path,
    typer.Option(
        help="状态与凭证目录 Where state and receipts are kept.",
        envvar="DATAEXCHANGE_ANCHORS_FOLDER",
    ),
]
MaxFee = Annotated[
    int, typer.Option(min=1, help="燃料价上限 The most to pay per gas, in gwei.", metavar="GWEI")
]
Confirmations = Annotated[
    int | None,
    typer.Option(min=1, help="多少区块后算最终 Depth that is final, on chains without that tag."),
]
SHOWN: Mapping[Shown, str] = {
    "compared": "根相符 root compared",
    "authorised": "已授权 authorised",
    "included": "区块含证 in a block",
    "confirmed": "链上确认 confirmed by the chain",
}
NOTE = """
Key files must be 0600. An encrypted keystore's passphrase comes from the environment:
[bold]DATAEXCHANGE_ANCHOR_PASSPHRASE[/].
"""


@app.command()
def keygen(to: Annotated[Path, typer.Argument(help="密钥文件 The key file to write.")]) -> None:
    """生成链上密钥 Make a key for anchoring or for paying; prints its address."""
    _require_evm()
    from dataexchange.anchoring.keyfile import create_key

    console.print_json(data={"address": create_key(to).address, "file": str(to)})


@app.command(epilog=NOTE)
def deploy(
    rpc: Rpc,
    chain_id: Annotated[int, typer.Option(min=1, help="链编号 The chain that is meant.")],
    anchor_key: AnchorKey,
    payer_key: PayerKey,
    log: Log = DEFAULT_LOG,
    max_fee: MaxFee = 100,
) -> None:
    """部署合约 Deploy the anchor contract of one log; prints what --contract asks for."""
    _require_evm()
    from dataexchange.cli import anchoring

    made = asyncio.run(
        anchoring.deploy(
            rpc, chain_id=chain_id, log=log, keys=(anchor_key, payer_key), max_fee_gwei=max_fee
        )
    )
    console.print_json(
        data={
            "contract": made.site.account,
            "log": log,
            "anchor_key": made.anchor_key,
            "transaction": made.transaction_hash.to_0x_hex(),
            "block": made.block_number,
            "gas_used": made.gas_used,
        }
    )


@app.command(epilog=NOTE)
def run(  # noqa: PLR0913 - its options
    rpc: Rpc,
    contract: Contract,
    policy: PolicyFile,
    anchor_key: AnchorKey,
    payer_key: PayerKey,
    log: Log = DEFAULT_LOG,
    url: Url = DEFAULT_URL,
    folder: Folder = DEFAULT_FOLDER,
    interval_minutes: Annotated[
        float, typer.Option(min=0, help="锚定间隔（分钟） Minutes between anchors.")
    ] = 60,
    poll_seconds: Annotated[
        float, typer.Option(min=0.05, help="查看间隔（秒） Seconds between looks at the chain.")
    ] = 12,
    max_fee: MaxFee = 100,
    confirmations: Confirmations = None,
    once: Annotated[
        bool, typer.Option("--once", help="锚定一次，最终确定后退出 Anchor, wait until final, end.")
    ] = False,
) -> None:
    """运行锚定 Anchor on a schedule until stopped; survives whatever the chain does meanwhile."""
    _require_evm()
    from dataexchange.anchoring.plan import Schedule
    from dataexchange.cli import anchoring

    schedule = Schedule(
        interval=timedelta(minutes=interval_minutes),
        poll=timedelta(seconds=poll_seconds),
        fees=anchoring.fee_policy(max_fee),
    )
    behind = asyncio.run(
        anchoring.run(
            anchoring.place(contract, log, rpc, confirmations),
            anchoring.log_address(url, policy),
            keys=(anchor_key, payer_key),
            folder=folder,
            schedule=schedule,
            once=once,
        )
    )
    if behind:
        error_console.print("✗ 账本比已锚定的短 the log is shorter than it was", style="red")
        raise typer.Exit(1)


@app.command()
def status(
    rpc: Rpc,
    contract: Contract,
    policy: PolicyFile,
    log: Log = DEFAULT_LOG,
    url: Url = DEFAULT_URL,
    folder: Folder = DEFAULT_FOLDER,
    confirmations: Confirmations = None,
    payer: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="付款地址 Whose balance to show; by default, who pays what is pending.",
        ),
    ] = None,
) -> None:
    """锚定状态 What is anchored, pending, exposed, and spent. Changes nothing. Exit 1: a fork."""
    _require_evm()
    from dataexchange.cli import anchoring

    found = asyncio.run(
        anchoring.status(
            anchoring.place(contract, log, rpc, confirmations),
            anchoring.log_address(url, policy),
            payer=payer,
            folder=folder,
        )
    )
    _show(found)
    if found.fork_count:
        raise typer.Exit(1)


@app.command()
def prove(
    index: Annotated[int, typer.Argument(min=0, help="条目序号 The entry's index.")],
    rpc: Rpc,
    contract: Contract,
    policy: PolicyFile,
    log: Log = DEFAULT_LOG,
    url: Url = DEFAULT_URL,
    entry: Annotated[
        Path | None,
        typer.Option(help="条目原文 The entry's exact bytes; without, its leaf hash is asked for."),
    ] = None,
) -> None:
    """链上证明 Ask the contract whether an entry is in the anchored log. Exit 1: it is not."""
    _require_evm()
    from dataexchange.cli import anchoring

    answer = asyncio.run(
        anchoring.prove(
            anchoring.place(contract, log, rpc),
            anchoring.log_address(url, policy),
            index,
            entry.read_bytes() if entry else None,
        )
    )
    console.print_json(data=answer)
    if not answer["included"]:
        raise typer.Exit(1)


@app.command("report-fork", epilog=NOTE)
def report_fork(
    a: Annotated[Path, typer.Argument(help="一份凭证 A receipt or signed root (JSON).")],
    b: Annotated[Path, typer.Argument(help="另一份 Another, of the same size.")],
    rpc: Rpc,
    contract: Contract,
    payer_key: PayerKey,
    log: Log = DEFAULT_LOG,
    max_fee: MaxFee = 100,
) -> None:
    """举报分叉 Put on record that the anchor key signed two roots for one size. Anyone may."""
    _require_evm()
    from dataexchange.cli import anchoring

    recorded = asyncio.run(
        anchoring.report_fork(
            anchoring.place(contract, log, rpc), (a, b), payer_key, max_fee_gwei=max_fee
        )
    )
    console.print_json(data=recorded)


@app.command("rotate-key", epilog=NOTE)
def rotate_key(
    new_key: Annotated[Path, typer.Argument(help="新密钥文件 The new anchor key's file.")],
    rpc: Rpc,
    contract: Contract,
    anchor_key: AnchorKey,
    payer_key: PayerKey,
    log: Log = DEFAULT_LOG,
    max_fee: MaxFee = 100,
) -> None:
    """轮换锚定密钥 Let a new key authorise roots; the old key and the new both sign."""
    _require_evm()
    from dataexchange.cli import anchoring

    rotated = asyncio.run(
        anchoring.rotate(
            anchoring.place(contract, log, rpc),
            new_key,
            keys=(anchor_key, payer_key),
            max_fee_gwei=max_fee,
        )
    )
    console.print_json(data=rotated)


def anchor_judge(
    contract: str | None, keys: Sequence[str], rpc: Sequence[str], confirmations: int | None
) -> "AnchorJudge | None":
    """Return who judges a bundle's anchor receipts; None in an install that knows no chain."""
    if not (contract or keys or rpc) and find_spec("web3") is None:
        return None
    _require_evm()
    from dataexchange.anchoring.authorisation import AnchorSite, read_address
    from dataexchange.anchoring.bundle_judge import ChainJudge, OfflineJudge

    try:
        addresses = [read_address(key) for key in keys]
        account = AnchorSite.parse(contract, "").account if contract else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if not rpc:
        return OfflineJudge(account, addresses)
    if account is None:
        raise typer.BadParameter("--rpc 须与 --anchor-contract 同用 --rpc needs --anchor-contract")
    return ChainJudge(account, rpc, addresses, confirmations)


def anchor_in_words(anchored: Anchored, shown: Shown) -> str:
    """Return how a verdict tells of an anchor: how far checked, where, in which block."""
    place = f"eip155:{anchored.chain_id}:{anchored.contract}"
    block = f"区块 block {anchored.block_number} {anchored.block_hash} {anchored.block_time}"
    return f"{SHOWN[shown]} · {place} · {block}"


def _show(found: "AnchorStatus") -> None:
    unknown = "— (账本无应答 the log does not answer)"

    def count(number: int | None) -> str:
        return unknown if number is None else str(number)

    signed, balance_wei = found.last_signed_at, found.payer_balance_wei
    rows = {
        "账本 log": found.site.origin,
        "合约 contract": found.site.account,
        "已锚定 anchored": f"{found.head.size}  {found.head.root.hex()}",
        "已最终 final": f"{found.final_head.size}  block ≤ {found.final_number}",
        "最近签署 last signed": "—" if signed is None else f"{signed:%Y-%m-%d %H:%M:%S}Z",
        "待确认 pending": str(found.outstanding_count),
        "未锚定 not anchored": count(found.log_ahead_count),
        "暴露 exposed (not final)": count(found.exposed_count),
        "凭证 receipts": str(found.receipt_count),
        "已耗 spent": f"{found.gas_used} gas · {found.spent_wei} wei",
        "余额 balance": "—" if balance_wei is None else f"{balance_wei} wei",
        "锚定密钥 anchor key": f"{found.anchor_key} (epoch {found.epoch})",
        "分叉 forks": str(found.fork_count),
    }
    for name, value in rows.items():
        console.print(f"{name}: {value}", markup=False, highlight=False)


def _require_evm() -> None:
    if find_spec("web3") is None:
        raise DataExchangeError(
            "缺少链上组件，请安装 / the chain's parts are missing; install:"
            " pip install 'dataexchange[evm]'"
        )


def add_commands(parent: typer.Typer) -> None:
    """Add this module's commands."""
    parent.add_typer(app, name="anchor")
