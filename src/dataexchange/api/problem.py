"""Problems, RFC 9457: one form for every refusal, in Chinese and English."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from dataexchange.errors import RefusalCode, RefusedError, UnavailableError

MEDIA_TYPE = "application/problem+json"
STATUS = {
    "malformed": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "missing": 404,
    "conflict": 409,
    "rule": 422,
    "busy": 503,
}
# Where HTTP has a status of its own for a code.
STATUS_OF_CODE = {
    "content.erased": 410,
    "content.too_large": 413,
    "exchange.fault": 500,
    "opening.erased": 410,
    "request.method_not_allowed": 405,
    "request.too_large": 413,
    "valuation.preview_busy": 429,
}

UNAVAILABLE = RefusalCode(
    "exchange.unavailable",
    clause="docs/operator.md",
    zh="交易所暂不可用，结果未知时请以同一标识重试",
    en="The exchange is not available now; where the outcome is unknown, retry with the same id",
    remedy_zh="稍后重试。",
    remedy_en="Try again shortly.",
    kind="busy",
)
INTERNAL = RefusalCode(
    "exchange.fault",
    clause="docs/operator.md",
    zh="内部错误；此事件没有留下任何改变",
    en="A fault of ours; nothing of this was kept",
    remedy_zh="请把发生时间告知运营机构。",
    remedy_en="Please tell the operator when it happened.",
)


def refusal_of(error: Exception) -> RefusedError:
    """Return `error` as a refusal that may be shown; nothing of an inner error leaks."""
    if isinstance(error, RefusedError):
        return error
    return UNAVAILABLE() if isinstance(error, UnavailableError) else INTERNAL()


def status_of(error: Exception) -> int:
    """Return the HTTP status for `error`."""
    return status_of_code(refusal_of(error).refusal)


def status_of_code(code: RefusalCode) -> int:
    """Return the HTTP status that a refusal with `code` is answered with."""
    return STATUS_OF_CODE.get(code.code, STATUS[code.kind])


def problem(error: Exception) -> dict[str, Any]:
    """Return the members of the problem document for `error`."""
    refusal = refusal_of(error)
    return {
        "type": f"/problems/{refusal.code}",
        "title": refusal.code,
        "status": status_of(error),
        "detail": f"{refusal.zh} / {refusal.en}",
        "code": refusal.code,
        "clause": refusal.refusal.clause,
        "zh": refusal.zh,
        "en": refusal.en,
        "remedy": {"zh": refusal.remedy_zh, "en": refusal.remedy_en},
    }


def body_of(error: Exception) -> bytes:
    """Return the problem document for `error` as JSON."""
    return orjson.dumps(problem(error))


def response(error: Exception, headers: dict[str, str] | None = None) -> Response:
    """Return the HTTP response for `error`."""
    status = status_of(error)
    extra = dict(headers or {})
    if status in (429, 503):
        extra["Retry-After"] = "1"
    if status == 401:
        extra["WWW-Authenticate"] = "Bearer"
    return Response(body_of(error), status, extra, MEDIA_TYPE)


async def on_error(_request: Request, error: Exception) -> Response:
    """Answer with a problem; the handler of every error that this package raises."""
    return response(error)
