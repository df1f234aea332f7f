"""Ask a witness over HTTP. What it answers is checked before it is believed."""

from collections.abc import Sequence

import httpx

from dataexchange.ledger.checkpoint import parse_decimal
from dataexchange.ledger.note import Note, NoteError, Signature, Verifier, parse_signatures
from dataexchange.witness.protocol import (
    SIZE_TYPE,
    AddCheckpoint,
    InconsistentError,
    SizeConflictError,
    WitnessError,
    checkpoint_path,
)

ANSWER_BYTES_MAX = 256 * 1024


class WitnessUnreachableError(WitnessError):
    """No answer, or one that is none of the protocol's."""


async def add_checkpoint(
    http: httpx.AsyncClient, url: str, request: AddCheckpoint, keys: Sequence[Verifier]
) -> tuple[Signature, ...]:
    """Return the cosignatures by `keys` that the witness at `url` gave, each verified.

    `SizeConflictError` with the size to start from, `InconsistentError` where the witness holds
    another history, `WitnessUnreachableError` for anything else.
    """
    status, kind, body = await _exchange(
        http, "POST", f"{url.rstrip('/')}/add-checkpoint", request.encode()
    )
    if status == 409 and kind == SIZE_TYPE:
        raise _conflict(body, request.old_size)
    # An equal size with another root was 409 in the first version of the text, is 422 in the next.
    if status in (409, 422):
        raise InconsistentError(_told(body))
    if status != 200:
        raise WitnessUnreachableError(f"status {status}: {_told(body)}")
    return _verified(request.checkpoint, body, keys)


async def last_checkpoint(http: httpx.AsyncClient, url: str, origin: str) -> bytes | None:
    """Return the note that the witness shows for `origin`, not checked; `None` where it has none.

    Not every witness shows its checkpoints, and then this is `None` too.
    """
    status, _, body = await _exchange(http, "GET", url.rstrip("/") + checkpoint_path(origin), b"")
    return body if status == 200 else None


async def _exchange(
    http: httpx.AsyncClient, method: str, url: str, content: bytes
) -> tuple[int, str, bytes]:
    """Return an answer's status, media type and body."""
    body = b""
    try:
        async with http.stream(method, url, content=content) as response:
            async for part in response.aiter_bytes():
                body += part
                if len(body) > ANSWER_BYTES_MAX:
                    raise WitnessUnreachableError(f"more than {ANSWER_BYTES_MAX} bytes")
            kind = response.headers.get("content-type", "").partition(";")[0].strip()
            return response.status_code, kind, body
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise WitnessUnreachableError(f"{type(error).__name__}: {error}") from error


def _conflict(body: bytes, old_size: int) -> WitnessError:
    try:
        size = parse_decimal(body.decode("ascii").removesuffix("\n"))
    except ValueError:
        return WitnessUnreachableError("a conflict that names no size")
    if size == old_size:
        return InconsistentError(f"another root of size {size} was cosigned")
    return SizeConflictError(size)


def _verified(note: bytes, lines: bytes, keys: Sequence[Verifier]) -> tuple[Signature, ...]:
    text = Note.parse(note).text
    known = {(one.key.name, one.key.key_id): one for one in keys}
    try:
        signatures = parse_signatures(lines)
    except NoteError as error:
        raise WitnessUnreachableError(f"the answer is no signature line: {error}") from error
    kept = []
    for signature in signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            continue
        if not verifier.verify(text, signature.value):
            raise WitnessUnreachableError(f"the cosignature of {signature.name} does not verify")
        kept.append(signature)
    if not kept:
        raise WitnessUnreachableError("no cosignature by the key that the policy names")
    return tuple(kept)


def _told(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace").strip()
