"""How the log stands, as metrics: read from the database and a folder at the time of asking.

Every process gives the same figures, so nothing need be added up.
"""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import cosignature_store, reading
from dataexchange.database.engine import DATABASE_ERRORS
from dataexchange.exchange import exposure
from dataexchange.exchange.exposure import Exposure
from dataexchange.exchange.service import Exchange
from dataexchange.verification.anchored import RECEIPT_NAME, anchored_size


async def standing(exchange: Exchange, receipts: Path) -> list[Metric]:
    """Return the state; where the database does not answer, that it does not."""
    found = [_writing(exchange), *await asyncio.to_thread(lambda: list(_anchors(receipts)))]
    try:
        async with AsyncSession(exchange.engine) as session:
            found += await _of_log(session, exchange)
    except DATABASE_ERRORS:
        return [*found, _one("database_up", "Whether the database answers", 0)]
    return [*found, _one("database_up", "Whether the database answers", 1)]


async def _of_log(session: AsyncSession, exchange: Exchange) -> list[Metric]:
    now = exchange.clock.now()
    head = await reading.head(session)
    found = [_one("log_entries", "Entries of the log", head.size)]
    if (latest := await reading.latest_checkpoint(session)) is not None:
        age = (now - latest.signed_at).total_seconds()
        found.append(_one("checkpoint_entries", "Entries that the newest covers", latest.size))
        found.append(_one("checkpoint_age_seconds", "Since the newest was signed", age))
    published = await cosignature_store.published_checkpoint(session, exchange.policy)
    size = published.size if published is not None else 0
    found.append(_one("published_entries", "Entries of the newest that met the quorum", size))
    if exchange.witnessing is not None:
        found += _exposure(await exposure.measure(session, now))
        found += await _witnesses(session, exchange)
    return found


def _exposure(measured: Exposure) -> Iterator[Metric]:
    yield _one("uncosigned_entries", "Entries that no witness has cosigned", measured.uncosigned)
    yield _one("uncosigned_seconds", "Age of the oldest of them", measured.waiting_seconds)
    windows = {"p50": measured.p50_seconds, "max": measured.max_seconds}
    known = {name: value for name, value in windows.items() if value is not None}
    text = "From an entry to its first cosignature, of the last steps"
    yield _labelled("exposure_seconds", text, "of", known)


async def _witnesses(session: AsyncSession, exchange: Exchange) -> list[Metric]:
    sizes, times = {}, {}
    for site in exchange.witnessing.sites if exchange.witnessing is not None else ():
        last = await cosignature_store.last_of(session, site.vkey)
        sizes[site.name] = last.size if last is not None else 0
        if last is not None:
            times[site.name] = last.received_at.timestamp()
    text = "When it cosigned last"
    return [
        _labelled("witness_entries", "Entries that it cosigned last", "witness", sizes),
        _labelled("witness_cosigned_timestamp_seconds", text, "witness", times),
    ]


def _writing(exchange: Exchange) -> Metric:
    refusal = exchange.guard.refusal
    codes = {refusal.code: 1} if refusal is not None else {}
    return _labelled("writes_refused", "Why nothing is written", "code", codes)


def _anchors(folder: Path) -> Iterator[Metric]:
    """Yield how many receipts there are, and of the newest how much it covers and since when."""
    paths = sorted(path for path in folder.glob("*.json") if RECEIPT_NAME.fullmatch(path.name))
    yield _one("anchor_receipts", "Receipts of anchors", len(paths))
    if paths:
        newest = paths[-1]
        yield _one("anchor_entries", "Entries that the newest covers", anchored_size(newest.name))
        written = newest.stat().st_mtime
        yield _one("anchor_timestamp_seconds", "When its receipt was written", written)


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"dataexchange_{name}", text, value=value)


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"dataexchange_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
