"""The readable summary that the demonstration leaves."""

from dataexchange.demo.stage import Stage


def write_summary(stage: Stage, size: int, ids: dict[str, str]) -> None:
    """Write `summary.md` into the output folder."""
    facts = stage.facts
    lines = [
        "# 演示摘要 Summary of the demonstration",
        "",
        f"账本 {size} 条 entries. 金额单位：元。",
        "",
        "## 数据质量（实测）Quality, measured",
        "",
    ]
    for title, scores in facts.get("quality", {}).items():
        shown = ", ".join(f"{name} {score}" for name, score in scores.items() if score)
        lines.append(f"- {title}: {shown}")
    lines += ["", "## 金额 Amounts", ""]
    lines += [f"- {name}: {fen / 100:,.2f}" for name, fen in facts["settlement_fen"].items()]
    for label, key in (
        ("评估值 value", "value_fen"),
        ("贷款 loan", "loan_fen"),
        ("赔付 claim paid", "claim_paid_fen"),
    ):
        lines.append(f"- {label}: {facts[key] / 100:,.2f}")
    lines += ["", "## 标识 Ids", ""]
    lines += [f"- {name}: `{key}`" for name, key in ids.items()]
    lines += ["", "## 被拒绝的与被发现的 What was refused, what was caught", ""]
    lines += [f"- {what} → `{code}` {text}" for what, code, text in stage.refusals]
    if report := facts.get("indicators"):
        lines += ["", "## 季度评估 Quarterly evaluation", "", report]
    (stage.folder / "summary.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
