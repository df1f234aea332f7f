"""Pages of other sites read what is public, and nothing that depends on who reads."""

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from dataexchange.api import content, dossier, log, market, openings, registers, tiles
from dataexchange.api.dependencies import reader_of
from exchanges import Door

HEADER = "access-control-allow-origin"
FILLED = {"index": "0", "name": "x", "code": "x", "path": "0/000", "key": "log", "field": "x"}


@pytest.mark.parametrize(
    "path",
    [
        *("/checkpoint", "/tile/0/000.p/1", "/tile/0/999", "/v1/log", "/v1/entries"),
        *("/v1/entries/0/proof", "/v1/proofs/consistency?old=0&new=1", "/v1/anchors"),
        *("/v1/anchors/none.json", "/v1/event-types", "/problems", "/problems/tile.not_found"),
    ],
)
async def test_what_is_public_is_open_to_the_pages_of_any_site(door: Door, path: str) -> None:
    assert (await door.get(path)).headers[HEADER] == "*"
    assert (await door.http.head(path)).headers[HEADER] == "*"


@pytest.mark.parametrize(
    "path",
    [
        *("/tile/entries/000.p/1", "/tile/entries/000", "/tile/%65ntries/000.p/1"),
        *("/v1/entries/0", "/v1/entries/0/openings", "/v1/parties", "/v1/aggregates/log"),
        *("/v1/market/evidence", "/nothing", "/checkpoints"),
    ],
)
async def test_what_depends_on_who_reads_is_not(door: Door, path: str) -> None:
    for reader in (None, door.world.operator):
        assert HEADER not in (await door.get(path, reader)).headers


async def test_no_address_that_takes_a_token_is_open_but_that_of_hash_tiles(door: Door) -> None:
    taking = [route for route in routes() if takes_a_token(route.dependant)]
    assert len(taking) > 20
    for route in taking:
        if route.path == "/tile/{path:path}" or "GET" not in route.methods:
            continue
        names = {field.name for field in route.dependant.path_params}
        path = route.path.replace(":path", "").format(
            **{name: FILLED.get(name, "0") for name in names}
        )
        assert HEADER not in (await door.get(path)).headers, path


def routes() -> Iterator[APIRoute]:
    parts = (content, dossier, log, market, openings, tiles)
    for router in (*(part.router for part in parts), registers.make_router()):
        yield from (route for route in router.routes if isinstance(route, APIRoute))


def takes_a_token(dependant: Dependant) -> bool:
    return dependant.call is reader_of or any(map(takes_a_token, dependant.dependencies))
