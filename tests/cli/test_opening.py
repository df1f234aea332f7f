"""The first entry of a log, as the operator's page shows it: filled in, it opens one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from served import Served

Run = Callable[..., Any]
TEMPLATE = Path(__file__).parents[2] / "docs" / "opening.yaml"


def test_the_template_of_the_first_entry_opens_a_log(served: "Served", run: Run) -> None:
    log = httpx.get(f"{served.url}/v1/log").json()
    opening: dict[str, Any] = served.opening
    values = {
        "ORIGIN": log["origin"],
        "VKEY": log["vkeys"][0],
        "RULES_VERSION": log["rules_version"],
        "RULES_HASH": log["rules_hash"],
    }
    parties = {"OPERATOR": opening["operator"], "REGULATOR": opening["regulators"][0]}
    for role, profile in parties.items():
        values |= {f"{role}_{name.upper()}": profile[name] for name in ("party", "key", "name")}
        values[f"{role}_CODE"] = profile["credit_code"]
    lines = [line for line in TEMPLATE.read_text().splitlines() if not line.startswith("#")]
    text = re.sub(r"\b[A-Z]+(_[A-Z]+)*\b", lambda found: values[found[0]], "\n".join(lines))
    path = served.folder / "opening.yaml"
    path.write_text(text)
    key = served.key_file(served.world.operator, "operator")
    ran = run("submit", "log.opened@1", path, "--key", key, "--url", served.url)
    assert ran.status == 0, ran.err
    assert httpx.get(f"{served.url}/v1/log").json()["size"] == 1
