"""The OpenAPI document: valid, complete, and as the service behaves."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastapi.routing import APIRoute
from openapi_spec_validator import OpenAPIV31SpecValidator

from dataexchange.api import create_app
from dataexchange.registry.catalogue import catalogue
from dataexchange.settings import Settings
from exchanges import Door

APP = create_app(Settings(database_url="none"))
DOCUMENT: dict[str, Any] = json.loads(json.dumps(APP.openapi()))
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def test_the_document_is_valid() -> None:
    validator = OpenAPIV31SpecValidator(DOCUMENT)
    assert [error.message for error in validator.iter_errors()] == []


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_says_what_it_does_and_how_it_refuses(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert any("\u4e00" <= character <= "\u9fff" for character in operation["summary"])
    assert any(character.isascii() and character.isalpha() for character in operation["summary"])
    assert operation["tags"]
    for status in ("4XX", "5XX"):
        content = operation["responses"][status]["content"]
        assert content["application/problem+json"]["schema"]["$ref"].endswith("/Problem")
    assert any(status.startswith("2") for status in operation["responses"])
    if method in {"post", "put"}:
        assert operation["requestBody"]["content"]


def test_operations_have_names_of_their_own() -> None:
    names = [param.values[2]["operationId"] for param in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


def routed(app: Any) -> Iterator[APIRoute]:
    """Yield the routes of an application or a router, those of included routers as well."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from routed(route.original_router)


def test_every_route_is_in_the_document() -> None:
    routes = {
        (route.path.replace(":path", ""), method.lower())
        for route in routed(APP)
        for method in route.methods
    }
    assert len(routes) > 60
    written = {("/v1/events" + path, "post") for path in ("", "/batch", "/several")}
    documented = {(param.values[0], param.values[1]) for param in OPERATIONS}
    assert documented == routes | written


def test_every_event_and_every_state_has_a_schema() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for name in catalogue().events:
        assert f"Event.{name.replace('@', '.v')}" in schemas
    for kind in catalogue().states:
        assert f"State.{kind}" in schemas


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


@pytest.mark.asyncio(loop_scope="session")
async def test_what_the_registers_answer_fits_the_document(told: Door) -> None:
    for path, methods in DOCUMENT["paths"].items():
        if "{" in path or "get" not in methods or path == "/checkpoint":
            continue
        content = methods["get"]["responses"]["200"]["content"]["application/json"]
        query = "?old=1&new=2" if path.endswith("consistency") else ""
        response = await told.get(path + query, told.world.operator)
        assert response.status_code == 200, path
        validator(content["schema"]).validate(response.json())


@pytest.mark.asyncio(loop_scope="session")
async def test_what_aggregates_entries_and_refusals_answer_fits_the_document(told: Door) -> None:
    schemas = DOCUMENT["components"]["schemas"]
    operator = told.world.operator
    for key in told.world.held_states():
        response = await told.get(f"/v1/aggregates/{key}/proof", operator)
        validator(schemas["AggregateProof"]).validate(response.json())
        statement = response.json()["entry"]["statement"]
        validator(schemas["Statement"]).validate(statement)
        event = schemas[f"Event.{statement['event'].replace('@', '.v')}"]
        validator(event).validate(statement["payload"])
    refusal = await told.get("/v1/aggregates/nothing")
    validator(schemas["Problem"]).validate(refusal.json())
    assert (await told.get("/openapi.json")).json() == DOCUMENT
    assert (await told.get("/docs")).status_code == 200


@pytest.mark.asyncio(loop_scope="session")
async def test_every_code_and_event_is_described(told: Door) -> None:
    for one in (await told.get("/problems")).json():
        assert (await told.get(f"/problems/{one['code']}")).json() == one
    for one in (await told.get("/v1/event-types")).json():
        schema = (await told.get(f"/v1/event-types/{one['event']}/schema")).json()
        jsonschema.Draft202012Validator.check_schema(schema)
        assert one["zh"]
        assert one["en"]
        assert one["clause"]
        assert one["room"]
