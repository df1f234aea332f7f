"""Steps of one asset through the pipeline, for the tests of every room from here up.

    ready = steps_pipeline.ready_product(world)
    ready.asset, ready.version, ready.provider

Each step asks for little and returns what later steps name. Content is real: CSV bytes, hashed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from dataexchange.asset.version import Version, version_key
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.content.chunks import CHUNK_BYTES, digest_bytes
from dataexchange.identity.party import PartyKind
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.content import FileCommitment, files_root
from dataexchange.pipeline.field import DataField, schema_hash
from dataexchange.rules import Role
from world import World

FIELDS = (("road", "string"), ("measured_at", "datetime"), ("speed", "number"))
RIGHTS = ("holding", "processing", "operating")
SCORE = "0.9"


@dataclass(frozen=True)
class Resource:
    """A resource (or product) with one version, and its holder."""

    asset: str
    version: int
    provider: Actor
    level: str


@dataclass(frozen=True)
class Ready:
    """A product that may be listed: its holder, its source, and the scenario it serves."""

    asset: str
    version: int
    provider: Actor
    source: str
    source_version: int
    source_provider: Actor
    scenario: str


_STAFF: "WeakKeyDictionary[World, dict[Role, Actor]]" = WeakKeyDictionary()


def staff(world: World, role: Role) -> Actor:
    """Return this world's one party of `role`, admitted when first asked for."""
    members = _STAFF.setdefault(world, {})
    if role not in members:
        members[role] = world.join(role)
    return members[role]


def elements(
    title: str = "路段车速数据", fields: Sequence[Any] = FIELDS, **changes: Any
) -> dict[str, Any]:
    """Return catalogue elements."""
    return {
        "title": {"zh": title, "en": "Speeds by road"},
        "abstract": "全市路段逐时平均车速，按日更新。",
        "theme": "transport",
        "format": "csv",
        "fields": [{"name": name, "type": kind} for name, kind in fields],
        "spatial": "350100",
        "temporal_start": "2025-01-01",
        "update_cycle": "daily",
        **changes,
    }


def content(
    number: int = 1, fields: Sequence[Any] = FIELDS, files: int = 1, rows: int = 3
) -> dict[str, Any]:
    """Return the commitment to CSV files that differ by `number`."""
    columns = [DataField(name=name, type=kind) for name, kind in fields]
    committed = [_file(number, part, rows, schema_hash(columns)) for part in range(files)]
    return {
        "root": files_root(tuple(committed)),
        "files": [file.model_dump() for file in committed],
        "file_count": files,
        "size_bytes": sum(file.size_bytes for file in committed),
        "rows": files * rows,
        "fields": [column.model_dump() for column in columns],
    }


def file_bytes(number: int = 1, part: int = 0, rows: int = 3) -> bytes:
    """Return the bytes of a file that `content` commits to."""
    lines = [f"R{number:03d}{part},2026-01-01T{row % 24:02d}:00:00Z,{row}" for row in range(rows)]
    return "\n".join(["road,measured_at,speed", *lines]).encode()


def _file(number: int, part: int, rows: int, schema: str) -> FileCommitment:
    digest = digest_bytes(file_bytes(number, part, rows))
    return FileCommitment(
        chunk_bytes=CHUNK_BYTES,
        chunk_count=digest.chunk_count,
        chunk_root=digest.chunk_root,
        format="csv",
        rows=rows,
        schema_sha256=schema,
        sha256=digest.sha256,
        size_bytes=digest.size_bytes,
    )


@cache
def digest(text: str) -> str:
    """Return the SHA-256 (hex) of a document that only its hash matters of."""
    return digest_bytes(text.encode()).sha256


def government(world: World) -> Actor:
    """Return a government body that provides data."""
    return world.join(Role.PROVIDER, kind=PartyKind.GOVERNMENT)


def registered_resource(
    world: World, provider: Actor | None = None, *, level: str = "government", **changes: Any
) -> Resource:
    """Register a resource and its version 1."""
    holder = provider or government(world)
    asset = new_id("asset")
    public = level != "enterprise"
    world.do(
        holder,
        "resource.registered@1",
        asset=asset,
        level=level,
        elements=elements(**changes),
        **({"sharing": "unconditional"} if public else {}),
    )
    world.do(holder, "resource.version_added@1", asset=asset, number=1, content=content())
    commission(world, asset, holder)
    return Resource(asset, 1, holder, level)


def commission(world: World, asset: str, holder: Actor) -> None:
    """Let this world's data service assess, review and de-identify the asset for ten years."""
    world.do(
        holder,
        "service.commissioned@1",
        asset=asset,
        party=staff(world, Role.DATA_SERVICE).party,
        services=["quality", "compliance", "deidentification"],
        until=format_time(world.now + timedelta(days=3_650)),
    )


def assess(
    world: World, asset: str, version: int = 1, *, score: str = SCORE, by: Actor | None = None
) -> None:
    """Have the assessor measure `version`."""
    actor = by or staff(world, Role.DATA_SERVICE)
    world.do(actor, "quality.assessed@1", **assessment(world, asset, version, score))


def assessment(world: World, asset: str, version: int = 1, score: str = SCORE) -> dict[str, Any]:
    """Return the payload of an assessment of `version`."""
    held = world.state(Version, version_key(asset, version))
    return {
        "asset": asset,
        "version": version,
        "dimensions": {"completeness": score, "timeliness": score},
        "score": score,
        "report": digest(f"report {asset} {version}"),
        "content_root": held.content_root,
        "as_of": format_time(world.now),
    }


def grading(
    resource: Resource, grade: str = "general", fields: Sequence[Any] = FIELDS, **changes: Any
) -> dict[str, Any]:
    """Return the payload of a classification: the first field has `grade`, the others general."""
    grades = [grade, *["general"] * (len(fields) - 1)]
    return {
        "asset": resource.asset,
        "version": resource.version,
        "category": "transport",
        "fields": [
            {"name": name, "grade": given} for (name, _), given in zip(fields, grades, strict=True)
        ],
        **({"public_level": "L1"} if resource.level != "enterprise" else {}),
        "basis": "GB/T 43697-2024",
        **changes,
    }


def classify(world: World, resource: Resource, grade: str = "general", **changes: Any) -> None:
    """Have the holder grade every field."""
    world.do(resource.provider, "classification.assigned@1", **grading(resource, grade, **changes))


def review(world: World, asset: str, version: int = 1, outcome: str = "passed") -> None:
    """Have compliance reviewed."""
    world.do(
        staff(world, Role.DATA_SERVICE),
        "compliance.reviewed@1",
        asset=asset,
        version=version,
        outcome=outcome,
        report=digest(f"compliance {asset} {version}"),
    )


def deidentify(world: World, asset: Resource) -> None:
    """Record that the holder de-identified the version."""
    world.do(
        asset.provider,
        "deidentification.recorded@1",
        asset=asset.asset,
        version=asset.version,
        methods=["aggregation", "suppression"],
        reidentification_risk="0.01",
        report=digest(f"deidentification {asset.asset}"),
    )


def set_controls(world: World, asset: Resource, level: int = 3) -> None:
    """Set security controls of the asset."""
    world.do(
        asset.provider,
        "security.control_set@1",
        asset=asset.asset,
        level=level,
        controls=["access_control", "audit_log", "encryption_at_rest"],
        evidence=digest("evaluation"),
    )


def governed_resource(world: World, provider: Actor | None = None, **changes: Any) -> Resource:
    """Return a resource with version 1 assessed and classified."""
    resource = registered_resource(world, provider, **changes)
    assess(world, resource.asset)
    classify(world, resource)
    return resource


def claim(resource: Resource, rights: Sequence[str] = RIGHTS, **changes: Any) -> dict[str, Any]:
    """Return the payload of a claim of rights."""
    return {
        "registration": new_id("registration"),
        "asset": resource.asset,
        "version": resource.version,
        "rights": list(rights),
        "basis": "依法履职采集",
        "evidence": [digest("evidence")],
        **changes,
    }


def register_rights(world: World, resource: Resource, rights: Sequence[str] = RIGHTS) -> str:
    """Claim rights, let the objection window pass, and have them registered."""
    claimed = claim(resource, rights)
    world.do(resource.provider, "rights.claimed@1", **claimed)
    world.advance(days=7)
    registration: str = claimed["registration"]
    world.do(
        staff(world, Role.REGISTRAR),
        "rights.registered@1",
        registration=registration,
        asset=resource.asset,
        version=resource.version,
        certificate=f"FJ{len(world.entries):06d}",
    )
    return registration


def open_resource(world: World, resource: Resource, opening: str = "unconditional") -> None:
    """Publish the opening of a resource."""
    terms = {} if opening == "unconditional" else {"terms": "限科研用途"}
    world.do(
        resource.provider,
        "opening.published@1",
        asset=resource.asset,
        version=resource.version,
        opening=opening,
        **terms,
    )


def open_scenario(world: World, owner: Actor) -> str:
    """Register a scenario."""
    scenario = new_id("scenario")
    world.do(
        owner,
        "scenario.registered@1",
        scenario=scenario,
        title={"zh": "城市配送线路优化", "en": "Planning city deliveries"},
        description="以路段车速，优化城市配送线路。",
        sector="G54",
        purposes=["route_planning"],
        beneficiaries="城市配送企业",
    )
    return scenario


def authorise(world: World, resource: Resource, party: Actor, **changes: Any) -> str:
    """Authorise `party` to operate the resource for 300 days; `party` accepts."""
    operation = new_id("operation")
    offered: dict[str, Any] = {
        "operation": operation,
        "party": party.party,
        "assets": [{"asset": resource.asset, "version": resource.version}],
        "mode": "delivered",
        "scope": "开发交通类数据产品",
        "until": format_time(world.now + timedelta(days=300)),
        "agreement": digest("agreement"),
        **changes,
    }
    world.do(resource.provider, "operation.authorised@1", **offered)
    world.do(party, "operation.accepted@1", operation=operation, proposal=world.head(operation))
    return operation


def development(
    sources: Sequence[dict[str, Any]], scenario: str, *, level: str = "enterprise", **changes: Any
) -> dict[str, Any]:
    """Return the payload of a product of `sources`."""
    return {
        "asset": new_id("asset"),
        "level": level,
        "product_type": "dataset",
        "elements": elements("路段车速指数"),
        "scenario": scenario,
        "sources": list(sources),
        "content": content(),
        **changes,
    }


def source(resource: Resource, weight: str = "1", **grant: str) -> dict[str, Any]:
    """Return a source of a product."""
    return {"asset": resource.asset, "version": resource.version, "weight": weight, **grant}


def developed_product(
    world: World, resources: Sequence[Resource] = (), developer: Actor | None = None
) -> tuple[Resource, str]:
    """Develop a product of open (or held) resources, in equal parts; return it and its scenario."""
    maker = developer or world.join(Role.PROVIDER)
    made_of = list(resources) or [opened_resource(world)]
    scenario = open_scenario(world, maker)
    weights = _equal_weights(len(made_of))
    payload = development(
        [source(one, weight) for one, weight in zip(made_of, weights, strict=True)], scenario
    )
    world.do(maker, "product.developed@1", **payload)
    commission(world, payload["asset"], maker)
    return Resource(payload["asset"], 1, maker, "enterprise"), scenario


def report_incident(world: World, reporter: Actor, *assets: str, **changes: Any) -> str:
    """Report a leak that happened an hour ago."""
    incident = new_id("incident")
    world.do(
        reporter,
        "incident.reported@1",
        incident=incident,
        assets=list(assets),
        cause="leak",
        severity="serious",
        happened_at=format_time(world.now - timedelta(hours=1)),
        description="访问日志显示异常批量下载。",
        **changes,
    )
    return incident


def operated_product(world: World, resource: Resource, operator: Actor, operation: str) -> Resource:
    """Develop a product of a resource under an authorised operation."""
    payload = development([source(resource, operation=operation)], open_scenario(world, operator))
    world.do(operator, "product.developed@1", **payload)
    commission(world, payload["asset"], operator)
    return Resource(payload["asset"], 1, operator, "enterprise")


def _equal_weights(count: int) -> list[str]:
    hundredths = [100 // count] * count
    hundredths[0] += 100 - sum(hundredths)
    return ["1" if share == 100 else f"0.{share:02d}" for share in hundredths]


def opened_resource(world: World, provider: Actor | None = None) -> Resource:
    """Return a governed resource that is open without conditions."""
    resource = governed_resource(world, provider)
    open_resource(world, resource)
    return resource


def ready_product(
    world: World,
    developer: Actor | None = None,
    *,
    source_provider: Actor | None = None,
    score: str = SCORE,
    registered: bool = True,
) -> Ready:
    """Return a product that passed every gate up to listing.

    Its source is an open government resource. Where `registered`, the product's three rights are
    registered too (a week passes).
    """
    resource = opened_resource(world, source_provider)
    product, scenario = developed_product(world, [resource], developer)
    assess(world, product.asset, score=score)
    classify(world, product, sources=[resource.asset])
    review(world, product.asset)
    if registered:
        register_rights(world, product)
    return Ready(
        asset=product.asset,
        version=product.version,
        provider=product.provider,
        source=resource.asset,
        source_version=resource.version,
        source_provider=resource.provider,
        scenario=scenario,
    )
