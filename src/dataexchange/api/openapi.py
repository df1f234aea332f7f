"""The OpenAPI document: FastAPI's own, completed with the write door, events and states."""

from typing import Any

import msgspec
from fastapi import FastAPI
from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from dataexchange.ledger.suites import SUITES
from dataexchange.registry.catalogue import catalogue
from dataexchange.valuation import Valuation

SIGNATURE = {
    "type": "object",
    "required": ["suite", "value"],
    "properties": {
        "suite": {"enum": list(SUITES)},
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
AGGREGATE = {
    "type": "object",
    "required": ["head", "index", "key", "kind", "seq", "state"],
    "properties": {
        "head": {"type": "string", "description": "leaf hash of the last entry about it, hex"},
        "index": {"type": "integer", "description": "index of that entry"},
        "key": {"type": "string"},
        "kind": {"type": "string"},
        "seq": {"type": "integer", "description": "count of the entries about it"},
        "state": {"type": "object"},
    },
}
AGGREGATE_PROOF = {
    "type": "object",
    "required": ["aggregate", "entry", "leaf", "proof"],
    "properties": {
        "aggregate": {"$ref": "#/components/schemas/Aggregate"},
        "entry": {
            "type": ["object", "null"],
            "description": "the last entry about it, in its exact bytes; null for those it does"
            " not name",
        },
        "leaf": {"type": "string", "description": "the entry's leaf hash, hex"},
        "proof": {"type": "string", "description": "C2SP tlog-proof of the entry"},
    },
}
_STATEMENT = {"$ref": "#/components/schemas/Statement"}
_SIGNATURE = {"$ref": "#/components/schemas/Signature"}
OPENING = {
    "type": "object",
    "description": "What opens a sealed field: its commitment is SHA-256(salt ‖ JCS(value))",
    "required": ["field", "salt", "value"],
    "properties": {
        "field": {"type": "string"},
        "salt": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "32 bytes, hex"},
        "value": {"description": "canonical JSON"},
    },
}
_OPENINGS = {"type": "array", "items": {"$ref": "#/components/schemas/Opening"}}
_KEEPS = {
    "type": "array",
    "items": {"type": "string"},
    "description": "sealed fields whose openings the actor keeps itself and does not send",
}
SUBMISSION = {
    "type": "object",
    "description": "A statement in its exact canonical bytes, with its signature, and an opening"
    " for each sealed field that `keeps` does not name",
    "required": ["signature", "statement"],
    "properties": {
        "signature": _SIGNATURE,
        "statement": _STATEMENT,
        "openings": _OPENINGS,
        "keeps": _KEEPS,
    },
}
BATCH = {
    "type": "object",
    "description": "Statements of one actor and key under one signature over their tree",
    "required": ["signature", "statements"],
    "properties": {
        "signature": _SIGNATURE,
        "statements": {"type": "array", "items": _STATEMENT, "minItems": 1, "maxItems": 1_000},
        "openings": {
            "type": "object",
            "description": "by statement id",
            "additionalProperties": _OPENINGS,
        },
        "keeps": {"type": "object", "additionalProperties": _KEEPS},
    },
}
SEVERAL = {
    "type": "object",
    "description": "Each under its own signature; all or none where `linked`",
    "required": ["submissions"],
    "properties": {
        "linked": {"type": "boolean", "default": False},
        "submissions": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Submission"},
            "minItems": 1,
            "maxItems": 1_000,
        },
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


BYTES = "application/octet-stream"


def answering(media_type: str, schema: dict[str, Any] | None = None) -> dict[int | str, Any]:
    """Return what a route that answers with bytes of its own says of them."""
    return {200: {"content": {media_type: {"schema": schema or {"type": "string"}}}}}


def taking(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a route that reads its body itself says of it."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def document(app: FastAPI, base: dict[str, Any]) -> dict[str, Any]:
    """Return `base` completed with what FastAPI cannot see."""
    components = base.setdefault("components", {}).setdefault("schemas", {})
    components.update(
        Signature=SIGNATURE,
        BatchPosition=BATCH_POSITION,
        Receipt=RECEIPT,
        Problem=PROBLEM,
        Results=RESULTS,
        Aggregate=AGGREGATE,
        AggregateProof=AGGREGATE_PROOF,
        Opening=OPENING,
        Submission=SUBMISSION,
        Batch=BATCH,
        Several=SEVERAL,
        Statement=_statement(),
        **_states(),
        **_valuation(),
    )
    components.update(_payloads())
    base["paths"].update(_write_paths())
    base["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "from `dataexchange token`"}
    }
    for path in base["paths"].values():
        for operation in path.values():
            operation.get("responses", {}).pop("422", None)
            for status, description in (("4XX", "Refused"), ("5XX", "Not available, or a fault")):
                operation["responses"][status] = _json(description, "Problem", "problem+")
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
                    {"$ref": f"#/components/schemas/{event_schema(name)}"}
                    for name in catalogue().events
                ]
            },
            "v": {"const": 1},
            "expects": {"type": "object", "additionalProperties": {"type": "integer"}},
            "linked": {"type": "array", "items": text},
            "sealed": {"type": "object", "additionalProperties": text},
        },
    }


def event_schema(name: str) -> str:
    """Return the name of the schema of an event's payload; `@` is not allowed in one."""
    return f"Event.{name.replace('@', '.v')}"


def _payloads() -> dict[str, Any]:
    """Return the schemas of all payloads and of their parts; parts of one name are kept apart."""
    models = {name: event.payload for name, event in catalogue().events.items()}
    references, definitions = models_json_schema(
        [(model, "validation") for model in models.values()],
        ref_template="#/components/schemas/Payload.{model}",
    )
    parts = {f"Payload.{name}": schema for name, schema in definitions["$defs"].items()}
    named = {event_schema(name): references[model, "validation"] for name, model in models.items()}
    return {**parts, **named}


def _states() -> dict[str, Any]:
    kinds = list(catalogue().states.items())
    schemas, definitions = msgspec.json.schema_components(
        [state for _, state in kinds], ref_template="#/components/schemas/StateType.{name}"
    )
    parts = {f"StateType.{name}": schema for name, schema in definitions.items()}
    named = {f"State.{kind}": schema for (kind, _), schema in zip(kinds, schemas, strict=True)}
    return {**parts, **named}


def _valuation() -> dict[str, Any]:
    """Return the schemas of what one card gives: `ValuationFigures` and its parts."""
    schema = TypeAdapter(Valuation).json_schema(
        ref_template="#/components/schemas/ValuationType.{model}", mode="serialization"
    )
    parts = {f"ValuationType.{name}": part for name, part in schema.pop("$defs").items()}
    return {**parts, "ValuationFigures": schema}


def _write_paths() -> dict[str, Any]:
    accepted = {"201": _json("In the log", "Receipt"), "200": _json("In before", "Receipt")}
    many = {"200": _json("One answer each, in order", "Results")}
    return {
        "/v1/events": _post(
            "提交 Submit one signed event", "submit_event", "Submission", accepted, EXAMPLE
        ),
        "/v1/events/batch": _post(
            "批量 Submit a batch under one signature", "submit_batch", "Batch", many
        ),
        "/v1/events/several": _post(
            "多条 Submit several, or linked ones", "submit_several", "Several", many
        ),
    }


def _post(
    summary: str, name: str, body: str, responses: dict[str, Any], example: object = None
) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{body}"}}
    if example is not None:
        content["example"] = example  # type: ignore[assignment]
    return {
        "post": {
            "tags": ["events"],
            "summary": summary,
            "operationId": name,
            "requestBody": {"required": True, "content": {"application/json": content}},
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
