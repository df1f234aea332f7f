"""The OpenAPI document: FastAPI's own, completed with the write door, events and states."""

from typing import Any

import msgspec
from fastapi import FastAPI

from dataexchange.registry.catalogue import catalogue

SIGNATURE = {
    "type": "object",
    "required": ["suite", "value"],
    "properties": {
        "suite": {"const": "ed25519"},
        "value": {"type": "string", "description": "base64 of the signature over DSSE PAE"},
        "batch": {"$ref": "#/components/schemas/BatchPosition"},
    },
}
BATCH_POSITION = {
    "type": "object",
    "required": ["path", "position", "size"],
    "properties": {
        "path": {"type": "array", "items": {"type": "string"}},
        "position": {"type": "integer"},
        "size": {"type": "integer"},
    },
}
RECEIPT = {
    "type": "object",
    "required": ["index", "leaf", "repeated"],
    "properties": {
        "entry": {"type": "object", "description": "the entry, in its exact bytes"},
        "index": {"type": "integer"},
        "leaf": {"type": "string", "description": "RFC 9162 leaf hash, hex"},
        "repeated": {"type": "boolean", "description": "the statement was in before"},
    },
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "zh", "en"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "stable; all are listed at /problems"},
        "clause": {"type": "string", "description": "the norm that the refusal rests on"},
        "zh": {"type": "string"},
        "en": {"type": "string"},
        "remedy": {
            "type": "object",
            "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
        },
    },
}
RESULTS = {
    "type": "object",
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "oneOf": [
                    {"$ref": "#/components/schemas/Receipt"},
                    {
                        "type": "object",
                        "properties": {"problem": {"$ref": "#/components/schemas/Problem"}},
                    },
                ]
            },
        }
    },
}
EXAMPLE = {
    "signature": {"suite": "ed25519", "value": "base64…"},
    "statement": {
        "actor": "party_01k9m3e3xkf2v8n5q7r1s4t6w8",
        "event": "party.left@1",
        "id": "evt_01k9m3e3xkf2v8n5q7r1s4t6w8",
        "key": "z6Mk…",
        "log": "localhost/dataexchange",
        "not_after": "2026-11-24T09:00:00.000000Z",
        "occurred_at": "2026-11-24T08:00:00.000000Z",
        "payload": {"party": "party_01k9m3e3xkf2v8n5q7r1s4t6w8"},
        "v": 1,
    },
}


def document(app: FastAPI, base: dict[str, Any]) -> dict[str, Any]:
    """Return `base` completed with what FastAPI cannot see."""
    components = base.setdefault("components", {}).setdefault("schemas", {})
    components.update(
        Signature=SIGNATURE,
        BatchPosition=BATCH_POSITION,
        Receipt=RECEIPT,
        Problem=PROBLEM,
        Statement=_statement(),
        **_states(),
    )
    for name, event in catalogue().events.items():
        schema = event.payload.model_json_schema(ref_template="#/components/schemas/{model}")
        components.update(schema.pop("$defs", {}))
        components[f"Event.{name}"] = schema
    base["paths"].update(_write_paths())
    base["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "from `dataexchange token`"}
    }
    for path in base["paths"].values():
        for operation in path.values():
            operation.get("responses", {}).pop("422", None)
            operation.setdefault("responses", {})["4XX"] = _json("Refused", "Problem", "problem+")
            operation.setdefault("security", [{}, {"token": []}])
    components.pop("HTTPValidationError", None)
    components.pop("ValidationError", None)
    return base


def _statement() -> dict[str, Any]:
    text = {"type": "string"}
    names = ("actor", "id", "key", "log", "not_after", "occurred_at")
    return {
        "type": "object",
        "description": "Canonical JSON (RFC 8785); its bytes are what is signed",
        "required": [*names, "event", "payload", "v"],
        "properties": {
            **dict.fromkeys(names, text),
            "event": {"enum": list(catalogue().events)},
            "payload": {
                "anyOf": [
                    {"$ref": f"#/components/schemas/Event.{name}"} for name in catalogue().events
                ]
            },
            "v": {"const": 1},
            "expects": {"type": "object", "additionalProperties": {"type": "integer"}},
            "linked": {"type": "array", "items": text},
            "sealed": {"type": "object", "additionalProperties": text},
        },
    }


def _states() -> dict[str, Any]:
    kinds = list(catalogue().states.items())
    schemas, definitions = msgspec.json.schema_components(
        [state for _, state in kinds], ref_template="#/components/schemas/State.{name}"
    )
    parts = {f"State.{name}": schema for name, schema in definitions.items()}
    named = {f"State.{kind}": schema for (kind, _), schema in zip(kinds, schemas, strict=True)}
    return {**parts, **named}


def _write_paths() -> dict[str, Any]:
    one = {
        "type": "object",
        "required": ["signature", "statement"],
        "properties": {
            "signature": {"$ref": "#/components/schemas/Signature"},
            "statement": {"$ref": "#/components/schemas/Statement"},
        },
    }
    statements = {"type": "array", "items": {"$ref": "#/components/schemas/Statement"}}
    batch = {
        "type": "object",
        "required": ["signature", "statements"],
        "properties": {**one["properties"], "statements": statements},  # type: ignore[dict-item]
    }
    batch["properties"].pop("statement")  # type: ignore[attr-defined]
    several = {
        "type": "object",
        "required": ["submissions"],
        "properties": {
            "linked": {"type": "boolean"},
            "submissions": {"type": "array", "items": one},
        },
    }
    accepted = {"201": _json("In the log", "Receipt"), "200": _json("In before", "Receipt")}
    many = {"200": {"description": "One answer each", **_content(RESULTS)}}
    return {
        "/v1/events": _post("提交 Submit one signed event", one, accepted, EXAMPLE),
        "/v1/events/batch": _post("批量 Submit a batch under one signature", batch, many),
        "/v1/events/several": _post("多条 Submit several, or linked ones", several, many),
    }


def _post(
    summary: str, body: dict[str, Any], responses: dict[str, Any], example: object = None
) -> dict[str, Any]:
    content = _content(body)
    if example is not None:
        content["content"]["application/json"]["example"] = example
    return {
        "post": {
            "tags": ["events"],
            "summary": summary,
            "operationId": summary.split(" ", 1)[1].lower().replace(" ", "_").replace(",", ""),
            "requestBody": {"required": True, **content},
            "responses": responses,
            "security": [],
        }
    }


def _json(description: str, schema: str, kind: str = "") -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {
        "description": description,
        "content": {f"application/{kind}json": {"schema": reference}},
    }


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
