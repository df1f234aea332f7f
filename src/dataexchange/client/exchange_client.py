"""The exchange over HTTP, for one actor: signed events in, receipts, registers and proofs out."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import msgspec

from dataexchange.client import sealing
from dataexchange.client.anchors import AnchorFile
from dataexchange.client.signing import Actor
from dataexchange.errors import DataExchangeError, IntegrityError
from dataexchange.identity import access
from dataexchange.ledger import canonical
from dataexchange.ledger.entry import Entry, encode_signature
from dataexchange.ledger.merkle import ProofError
from dataexchange.ledger.policy import Policy
from dataexchange.ledger.proof import ProvenEntry, verify_entry, verify_leaf
from dataexchange.ledger.sealing import Opening
from dataexchange.ledger.signature import pre_authentication
from dataexchange.ledger.statement import Statement

JSON = "application/json"
BYTES = "application/octet-stream"
TOKEN_LIFE = timedelta(minutes=30)
RETRY_SECONDS = (0.2, 1.0)
BUSY = ("exchange.busy", "exchange.unavailable")


class ExchangeRefusedError(DataExchangeError):
    """The exchange refused: `problem` is its RFC 9457 document."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        self.problem = dict(problem)
        self.code: str = self.problem.get("code", "unknown")
        super().__init__(f"{self.code}: {self.problem.get('zh')} / {self.problem.get('en')}")


class ContentDiffersError(IntegrityError):
    """The exchange handed out something else than the content that was asked for by its hash."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Where a statement stands in the log; `leaf` in hex; `repeated` if it was in before."""

    index: int
    leaf: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement with its actor's signature, in the form in which it is sent."""

    body: bytes
    id: str


def signed(
    actor: Actor,
    statement: Statement,
    openings: Sequence[Opening] = (),
    keeps: Iterable[str] = (),
) -> Signed:
    """Return `statement` signed by `actor`, with the openings that go to the exchange.

    `keeps` names the sealed fields whose openings do not.
    """
    parts = [
        b'"signature":' + encode_signature(actor.sign(statement)),
        b'"statement":' + statement.body,
    ]
    if openings:
        parts.append(b'"openings":' + sealing.encode_all(openings))
    if kept := list(keeps):
        parts.append(b'"keeps":' + canonical.encode(kept))
    return Signed(b"{%b}" % b",".join(parts), statement.fields.id)


def access_token(actor: Actor, now: datetime | None = None, life: timedelta = TOKEN_LIFE) -> str:
    """Return a token with which the bearer reads in `actor`'s name for `life`, an hour at most."""
    issued_at = now or datetime.now(UTC)
    body = access.body(actor.party, actor.key.id, actor.log, issued_at=issued_at, life=life)
    return access.join(body, actor.key.sign(pre_authentication(access.TOKEN_TYPE, body)))


class ExchangeClient:
    """One actor's client; without an actor it reads what is public."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        actor: Actor | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._http = http
        self._actor = actor
        self._now = now
        self._token: tuple[str, datetime] | None = None

    async def submit(self, event: str, payload: Mapping[str, Any], **options: Any) -> Accepted:
        """Sign and send one event; `options` as in `sign`. Safe to repeat with its id."""
        return await self.send(self.sign(event, payload, **options))

    def sign(
        self,
        event: str,
        payload: Mapping[str, Any],
        *,
        sealed: Mapping[str, Any] | Sequence[Opening] = (),
        keep: bool = False,
        **options: Any,
    ) -> Signed:
        """Return one event, signed; `options` as in `Actor.state`.

        `sealed` has the values of fields that the log only commits to, or their openings. The
        exchange keeps those for the parties to the entry, unless you `keep` them yourself.
        """
        openings = sealing.seal(sealed) if isinstance(sealed, Mapping) else tuple(sealed)
        committed = sealing.commitments(openings)
        options.setdefault("at", self._now())
        stated = self._signer.state(event, payload, sealed=committed, **options)
        if keep:
            return signed(self._signer, stated, keeps=committed)
        return signed(self._signer, stated, openings)

    async def send(self, one: Signed) -> Accepted:
        """Send a signed statement; while its fate is unknown, send the same bytes again."""
        for pause_seconds in (*RETRY_SECONDS, None):
            try:
                answer = await self._json("POST", "/v1/events", content=one.body)
            except (httpx.TransportError, ExchangeRefusedError) as error:
                busy = not isinstance(error, ExchangeRefusedError) or error.code in BUSY
                if pause_seconds is None or not busy:
                    raise
                await asyncio.sleep(pause_seconds)
            else:
                return Accepted(answer["index"], answer["leaf"], answer["repeated"])
        raise AssertionError("unreachable")

    async def submit_batch(
        self,
        statements: Sequence[Statement],
        openings: Mapping[str, Iterable[Opening]] = MappingProxyType({}),
    ) -> list[dict[str, Any]]:
        """Send statements of this actor under one signature; return each one's answer.

        `openings` has what opens their sealed fields, by statement id.
        """
        signature = encode_signature(self._signer.sign_whole(statements))
        bodies = b",".join(one.body for one in statements)
        opened = b",".join(
            b'"%b":%b' % (statement_id.encode(), sealing.encode_all(of_one))
            for statement_id, of_one in openings.items()
        )
        body = b'{"openings":{%b},"signature":%b,"statements":[%b]}' % (opened, signature, bodies)
        answer = await self._json("POST", "/v1/events/batch", content=body)
        return list(answer["results"])

    async def send_linked(self, parts: Iterable[Signed]) -> list[Accepted]:
        """Send linked statements, of one or several actors; all get in, or none does."""
        body = b'{"linked":true,"submissions":[%b]}' % b",".join(part.body for part in parts)
        answer = await self._json("POST", "/v1/events/several", content=body)
        for one in answer["results"]:
            if "problem" in one:
                raise ExchangeRefusedError(one["problem"])
        return [Accepted(one["index"], one["leaf"], one["repeated"]) for one in answer["results"]]

    async def dry_run(self, event: str, payload: Mapping[str, Any], **options: Any) -> Any:
        """Return the states that the event would leave; a refusal is raised; nothing is kept."""
        sent = self.sign(event, payload, **options)
        return (await self._json("POST", "/v1/events/dry-run", content=sent.body))["states"]

    async def state(self, key: str) -> dict[str, Any]:
        """Return the state of an aggregate."""
        return dict((await self._json("GET", f"/v1/aggregates/{key}"))["state"])

    async def head(self, key: str) -> str:
        """Return the leaf hash (hex) of the last entry about an aggregate: what a consent names."""
        return str((await self._json("GET", f"/v1/aggregates/{key}"))["head"])

    async def register(self, name: str, **query: Any) -> AsyncIterator[dict[str, Any]]:
        """Yield all items of a register, page by page, as of its size at the first page."""
        cursor: str | None = None
        while True:
            chosen = {**query, **({"cursor": cursor} if cursor else {})}
            page = await self._json("GET", f"/v1/{name}", params=chosen)
            for item in page["items"]:
                yield item
            cursor = page["next"]
            if cursor is None:
                return

    async def anchors(self) -> AsyncIterator[AnchorFile]:
        """Yield the anchor receipts that the exchange has, by size; not checked."""
        async for item in self.register("anchors"):
            yield AnchorFile(item["name"], await self.fetch(f"/v1/anchors/{item['name']}"))

    async def proven(self, index: int, policy: Policy, origin: str) -> ProvenEntry:
        """Return entry `index`, proven to be in the log whose checkpoint meets `policy`."""
        entry = await self.fetch(f"/v1/entries/{index}")
        proof = await self.fetch(f"/v1/entries/{index}/proof")
        proven = verify_entry(entry, proof, policy, origin=origin)
        if proven.index != index:
            raise ProofError(f"asked for entry {index}, got a proof of entry {proven.index}")
        return proven

    async def evidence(self, policy: Policy | None = None, **asked: Any) -> list[dict[str, Any]]:
        """Return closed deals (`category`, `kind`, `since`, …), the newest first.

        With a `policy`, each must prove that its entry is in the log: a `ProofError` otherwise.
        What the entry says is not for everyone to read, and is proven by `verify` on a bundle.
        """
        items = [item async for item in self._pages("/v1/market/evidence", asked)]
        if policy is not None:
            for item in items:
                _require_proven(item, policy)
        return items

    async def prices(self, asset: str) -> list[dict[str, Any]]:
        """Return the price history of `asset`, the newest first."""
        return [item async for item in self._pages(f"/v1/assets/{asset}/prices", {})]

    async def _pages(self, path: str, asked: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        before: dict[str, int] = {}
        while True:
            page = await self._json("GET", path, params={**asked, **before})
            for item in page["items"]:
                yield item
            if page["next"] is None:
                return
            before = {"before": page["next"]}

    async def openings(self, index: int) -> list[Opening]:
        """Return what opens the sealed fields of an entry, each checked against its commitment.

        Fields that were erased, or that their signer keeps, are left out.
        """
        committed = Entry.parse(await self.fetch(f"/v1/entries/{index}")).statement.fields.sealed
        said = await self._json("GET", f"/v1/entries/{index}/openings")
        opened = [
            Opening(one["field"], one["salt"], msgspec.Raw(canonical.encode(one["value"])))
            for one in said["fields"]
            if one["status"] == "open"
        ]
        for one in opened:
            one.require_opens(committed.get(one.field, ""))
        return opened

    async def put_content(self, path: Path, sha256: str) -> None:
        """Put a file into the content store, streamed."""

        async def parts() -> AsyncIterator[bytes]:
            with path.open("rb") as file:
                while part := file.read(1 << 20):
                    yield part

        await self._json("PUT", f"/v1/content/{sha256}", BYTES, content=parts())

    async def get_delivered(self, sha256: str, delivery: str, to: Path) -> int:
        """Fetch a delivered file, checked against its hash; return its size in bytes."""
        return await self._download(f"/v1/content/{sha256}/delivered/{delivery}", sha256, to)

    async def get_content(self, sha256: str, key: str, to: Path) -> int:
        """Fetch content that the aggregate `key` names, checked against its hash; return its size.

        `to` is written whole or not at all.
        """
        return await self._download(f"/v1/content/{sha256}/of/{key}", sha256, to)

    async def _download(self, url: str, sha256: str, to: Path) -> int:
        temporary = to.with_name(f"{to.name}.part")
        size, digest = 0, hashlib.sha256()
        try:
            async with self._http.stream("GET", url, headers=self._headers()) as response:
                if response.status_code >= 400:
                    await response.aread()
                    _raise(response)
                with temporary.open("wb") as file:
                    async for part in response.aiter_bytes():
                        digest.update(part)
                        size += file.write(part)
            if digest.hexdigest() != sha256:
                raise ContentDiffersError(f"asked for {sha256}, got {digest.hexdigest()}")
            temporary.replace(to)
        finally:
            temporary.unlink(missing_ok=True)
        return size

    async def title(
        self, asset: str, *, also: Sequence[str] = (), confirmed: bool = False
    ) -> bytes:
        """Return the proven title of an asset as a zip, to be judged by `verify_title`.

        `also` are keys of more that names the asset; with `confirmed` it is as of the newest map
        that a regulator confirmed.
        """
        query = {"also": list(also), "confirmed": str(confirmed).lower()}
        return await self.fetch(f"/v1/assets/{asset}/dossier.zip", query)

    async def fetch(self, path: str, query: Mapping[str, Any] | None = None) -> bytes:
        """Return the bytes at a path of the exchange."""
        response = await self._http.get(path, params=query, headers=self._headers())
        if response.status_code >= 400:
            _raise(response)
        return response.content

    async def fetch_within(self, path: str, bytes_max: int) -> bytes | None:
        """Return the bytes at a path, or `None`, and stop reading, where there are more."""
        parts: list[bytes] = []
        size = 0
        async with self._http.stream("GET", path, headers=self._headers()) as response:
            if response.status_code >= 400:
                await response.aread()
                _raise(response)
            async for part in response.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size > bytes_max:
                    return None
        return b"".join(parts)

    @property
    def _signer(self) -> Actor:
        if self._actor is None:
            raise DataExchangeError("写入需要签名主体 / writing needs an actor that signs")
        return self._actor

    def _headers(self) -> dict[str, str]:
        if self._actor is None:
            return {}
        now = self._now()
        if self._token is None or now > self._token[1]:
            self._token = (access_token(self._actor, now), now + TOKEN_LIFE / 2)
        return {"Authorization": f"Bearer {self._token[0]}"}

    async def _json(self, method: str, path: str, sent: str = JSON, **request: Any) -> Any:
        headers = {"Content-Type": sent}
        if not (method == "POST" and path.startswith("/v1/events")):
            headers.update(self._headers())
        response = await self._http.request(method, path, headers=headers, **request)
        if response.status_code >= 400:
            _raise(response)
        return response.json()


def _require_proven(item: Mapping[str, Any], policy: Policy) -> None:
    index, _ = verify_leaf(bytes.fromhex(item["leaf_hash"]), item["proof"].encode(), policy)
    if index != item["entry_index"]:
        raise ProofError(f"a proof of entry {index} came with {item['entry_index']}")


def _raise(response: httpx.Response) -> None:
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):  # not of the exchange: a proxy's, perhaps
        said = f"HTTP {response.status_code}: {response.text[:200]}"
        problem = {"code": f"http.{response.status_code}", "zh": said, "en": said}
    raise ExchangeRefusedError(problem)
