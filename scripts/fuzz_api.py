"""Serve an exchange that was told a story, and let schemathesis at all of its addresses.

Every answer must be one that the OpenAPI document allows, in status, media type, headers and form,
and none a 5xx. Statements that schemathesis makes carry no valid signature, so whether good ones
are accepted is for the other tests.
"""

import argparse
import asyncio
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path[:0] = [str(PROJECT / "src"), str(PROJECT / "tests")]

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,unsupported_method,"
    "allow_header_conformance"
)
# Covering every combination is for reads: a statement's payload has hundreds of forms.
PHASES = (["--phases=examples,fuzzing"], ["--phases=coverage", "--exclude-path-regex=^/v1/events"])


def main() -> int:
    """Run both campaigns; return 0 where nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-examples", type=int, default=30)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.max_examples} examples for each operation", flush=True)
    ready, done = threading.Event(), threading.Event()
    found: dict[str, Any] = {}
    server = threading.Thread(target=lambda: asyncio.run(_serve(found, ready, done)))
    server.start()
    ready.wait()
    try:
        if "url" not in found:
            return 2
        return max(
            _campaign(found, options, [*phase, *headers])
            for headers in ([], ["--header", found["bearer"]])
            for phase in PHASES
        )
    finally:
        done.set()
        server.join()


async def _serve(found: dict[str, Any], ready: threading.Event, done: threading.Event) -> None:
    import uvicorn

    from databases import migrated_template, new_database
    from dataexchange.database.embedded import EmbeddedPostgres
    from exchanges import opened_door, told_world

    try:
        with tempfile.TemporaryDirectory() as name, EmbeddedPostgres(Path(name) / "pg") as postgres:
            world, names = told_world()
            template = await migrated_template(postgres)
            async with (
                new_database(postgres, template=template) as addresses,
                opened_door(addresses, Path(name), world) as door,
            ):
                await door.tell()
                listener = socket.create_server(("127.0.0.1", 0))
                config = uvicorn.Config(door.app, log_level="warning", lifespan="off", ws="none")
                serving = uvicorn.Server(config)
                task = asyncio.create_task(serving.serve(sockets=[listener]))
                authorization = door.bearer(names["regulator"])["Authorization"]
                found["bearer"] = f"Authorization:{authorization}"
                found["url"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
                ready.set()
                await asyncio.to_thread(done.wait)
                serving.should_exit = True
                await task
    finally:
        ready.set()


def _campaign(found: dict[str, Any], options: argparse.Namespace, chosen: list[str]) -> int:
    command = [
        str(PROJECT / ".venv/bin/schemathesis"),
        "run",
        f"{found['url']}/openapi.json",
        f"--checks={CHECKS}",
        f"--max-examples={options.max_examples}",
        f"--seed={options.seed}",
        "--continue-on-failure",
        "--suppress-health-check=all",
        "--warnings=off",
        "--request-timeout=10",
        *chosen,
    ]
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
