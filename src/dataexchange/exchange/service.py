"""The exchange as one thing that is started and stopped: database, sequencer, publisher."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from dataexchange.content.store import FolderStore
from dataexchange.database.engine import connect, reading_engine, require_address
from dataexchange.database.migrate import migrate
from dataexchange.errors import UnavailableError
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.continuity import (
    AnchorContract,
    PublishedFiles,
    PublishedHead,
    SignedCheckpoints,
    SignedLast,
    compare,
)
from dataexchange.exchange.eraser import Eraser
from dataexchange.exchange.log_key import load_or_make
from dataexchange.exchange.opening_keys import OpeningKeys
from dataexchange.exchange.publisher import Publisher
from dataexchange.exchange.reception import Reception
from dataexchange.exchange.sequencer import Sequencer
from dataexchange.exchange.static_files import open_files
from dataexchange.exchange.static_publisher import Place, StaticPublisher
from dataexchange.exchange.valuer import Valuer
from dataexchange.exchange.vault import Vault
from dataexchange.exchange.witnessing import Witnessing
from dataexchange.exchange.write_guard import WriteGuard
from dataexchange.ledger.policy import Policy, PolicyError
from dataexchange.ledger.signature import PublicKey
from dataexchange.registry.catalogue import catalogue
from dataexchange.settings import Settings
from dataexchange.signer.client import SocketSigner
from dataexchange.signer.signer import CheckpointSigner, LocalSigner


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the doors work with."""

    origin: str
    dsn: str
    clock: Clock
    engine: AsyncEngine
    sequencer: Sequencer
    publisher: Publisher
    signer: CheckpointSigner
    content: FolderStore
    valuer: Valuer
    guard: WriteGuard
    policy: Policy | None
    witnessing: Witnessing | None
    vault: Vault
    reception: Reception


def require_addresses(settings: Settings) -> None:
    """Refuse settings that name a database by what is no address; `DatabaseAddressError`."""
    for name in ("database_url", "owner_database_url"):
        if (url := getattr(settings, name)) is not None:
            require_address(url, f"DATAEXCHANGE_{name.upper()}")


@asynccontextmanager
async def database(settings: Settings, *, existing: bool = False) -> AsyncIterator[tuple[str, str]]:
    """Provide the (owner, app) DSNs of the configured database, or of an embedded one.

    With `existing` an embedded one is not made: `UnavailableError` where there is none.
    """
    if settings.database_url is not None:
        require_addresses(settings)
        yield settings.owner_database_url or settings.database_url, settings.database_url
        return
    from dataexchange.database.embedded import OWNER_ROLE, EmbeddedPostgres

    embedded = EmbeddedPostgres(settings.data_folder / "postgres")
    if existing and not embedded.is_made:
        raise UnavailableError(
            f"{settings.data_folder} 中没有账本，请先运行 serve"
            " / holds no log; run `dataexchange serve` first, or name its data folder"
        )
    first = [] if embedded.is_made else [asyncio.to_thread(_get_ready_to_open)]
    await asyncio.gather(asyncio.to_thread(embedded.start), *first)
    try:
        yield embedded.dsn(OWNER_ROLE), embedded.dsn()
    finally:
        await asyncio.to_thread(embedded.stop)


def _get_ready_to_open() -> str:
    """Get what only a first start needs, while its database is made; return the rules' hash."""
    import_module("dataexchange.database.schema")
    return catalogue().rules_hash


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Exchange]:
    """Run an exchange for as long as the context lasts, on the system's clock or a given one."""
    async with AsyncExitStack() as stack:
        owner_dsn, app_dsn = await stack.enter_async_context(database(settings))
        await migrate(owner_dsn)
        clock = clock or Clock()
        engine = reading_engine(app_dsn)
        stack.push_async_callback(engine.dispose)
        if settings.operator_key is not None:
            PublicKey.parse(settings.operator_key)
        guard = WriteGuard(needs_confirmation=settings.confirm_before_writing)
        signer = await _signer(settings)
        policy = _policy(settings, signer)
        sequencer = Sequencer(
            lambda: connect(app_dsn),
            settings.origin,
            clock,
            guard=guard,
            operator_key=settings.operator_key,
        )
        publisher = Publisher(engine, signer, guard=guard)
        await sequencer.start()
        stack.push_async_callback(publisher.stop)
        stack.push_async_callback(sequencer.stop)
        # Before anything is signed or written: does the log continue what others hold of it?
        await compare(engine, _published_heads(settings, engine, signer), guard)
        await publisher.start()
        witnessing = None
        if policy is not None:
            witnessing = Witnessing(
                engine, lambda: connect(app_dsn), policy, guard=guard, clock=clock
            )
            await witnessing.start()
            stack.push_async_callback(witnessing.stop)
        static = StaticPublisher(
            engine,
            policy,
            _places(settings),
            guard=guard,
            period_seconds=settings.publish_period_seconds,
        )
        await static.start()
        stack.push_async_callback(static.stop)
        content = FolderStore(_content_folder(settings))
        valuer = Valuer(settings.preview_seconds_max)
        stack.push_async_callback(valuer.close)
        keys = OpeningKeys.under(settings.opening_key_path, settings.opening_keys_path)
        vault = Vault(engine, keys, settings.origin)
        eraser = Eraser(engine, keys, content)
        await eraser.start()
        stack.push_async_callback(eraser.stop)
        yield Exchange(
            origin=settings.origin,
            dsn=app_dsn,
            clock=clock,
            engine=engine,
            sequencer=sequencer,
            publisher=publisher,
            signer=signer,
            content=content,
            valuer=valuer,
            guard=guard,
            policy=policy,
            witnessing=witnessing,
            vault=vault,
            reception=Reception(sequencer, vault, eraser),
        )


def _policy(settings: Settings, signer: CheckpointSigner) -> Policy | None:
    """Return the policy of this log's readers, which must not name other keys alone for it."""
    if settings.policy_file is None:
        return None
    policy = Policy.parse(settings.policy_file.read_bytes())
    if policy.logs and {key.vkey for key in policy.logs}.isdisjoint(signer.vkeys):
        raise PolicyError(f"{settings.policy_file} does not name this log's key {signer.vkeys[0]}")
    return policy


def _published_heads(
    settings: Settings, engine: AsyncEngine, signer: CheckpointSigner
) -> list[PublishedHead]:
    """Return all who hold a head of this log, besides its witnesses."""
    heads: list[PublishedHead] = [SignedCheckpoints(engine)]
    heads += [PublishedFiles(place.files, signer.vkeys) for place in _places(settings)]
    if settings.anchor_contract and settings.anchor_rpc_url:
        nodes = settings.anchor_rpc_url.split()
        heads.append(AnchorContract(settings.anchor_contract, settings.origin, nodes))
    if isinstance(signer, SocketSigner):
        heads.append(SignedLast(signer))
    return heads


def _places(settings: Settings) -> list[Place]:
    """Return where the log's files are published: for all, and for who may read entries."""
    targets = {False: settings.publish_to, True: settings.publish_entries_to}
    return [Place(open_files(target), entries) for entries, target in targets.items() if target]


async def _signer(settings: Settings) -> CheckpointSigner:
    """Return the signer process where one is named, or the keys in their files."""
    if settings.signer_socket is not None:
        return await SocketSigner.connect(settings.signer_socket, settings.origin)
    return LocalSigner(load_or_make(settings.log_key_paths, settings.origin))


def _content_folder(settings: Settings) -> Path:
    folder = settings.data_folder / "content"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
