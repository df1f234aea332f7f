"""What every refusal over HTTP must look like."""

import re
from typing import Any

import httpx

_LEAK = re.compile(
    r"Traceback|File \"|asyncpg|sqlalchemy|psycopg|pydantic|msgspec|starlette|SELECT |\.py\b"
    r"|object at 0x"
)


def assert_problem(
    response: httpx.Response, status: int, code: str | None = None
) -> dict[str, Any]:
    """Assert that `response` is an RFC 9457 problem in both languages that gives nothing away."""
    said: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json", response.text
    assert response.status_code == said["status"] == status, said
    assert code is None or said["code"] == code, said
    assert said["type"] == f"/problems/{said['code']}"
    assert said["zh"]
    assert said["en"]
    assert set(said["remedy"]) == {"zh", "en"}
    assert not re.search(r"\{[a-z_]+\}", said["zh"] + said["en"]), said
    assert not _LEAK.search(response.text), response.text
    return said
