"""Promises: what is committed is what the code says, and each says all that it should."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from dataexchange.registry import promises
from dataexchange.registry.catalogue import ROOMS, catalogue
from dataexchange.registry.verifier_page import verifier_page
from dataexchange.rules import Role

PROJECT = Path(__file__).parents[2]


def differing(promised: dict[str, str]) -> list[str]:
    return [path for path, text in promised.items() if (PROJECT / path).read_text("utf-8") != text]


def test_committed_schemas_and_pages_are_what_the_catalogue_says() -> None:
    promised = promises.promises(catalogue())
    assert differing(promised) == []
    committed = {f"api/events/{path.name}" for path in (PROJECT / "api/events").iterdir()}
    assert committed == {path for path in promised if path.startswith("api/events/")}


def test_the_committed_page_holds_the_verifier_as_it_is() -> None:
    assert differing(verifier_page(PROJECT)) == []
    module = (PROJECT / "api/verify.mjs").read_text("utf-8")
    assert module in (PROJECT / "api/verify.html").read_text("utf-8")
    assert "</script" not in module


def test_committed_openapi_and_refusals_are_what_the_doors_say() -> None:
    from dataexchange.api.promises import promises as doors

    assert differing(doors()) == []


def test_the_text_does_not_depend_on_the_order_of_hashes() -> None:
    script = (
        "import hashlib\n"
        "from dataexchange.registry import promises as p\n"
        "from dataexchange.api.promises import promises as doors\n"
        "files = {**p.promises(p.catalogue()), **doors()}\n"
        "print(hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest())\n"
    )
    path = os.pathsep.join(sys.path)
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


@pytest.mark.parametrize("name", sorted(catalogue().events))
def test_every_schema_is_a_json_schema_that_takes_no_unknown_member(name: str) -> None:
    schema = json.loads((PROJECT / f"api/events/{name}.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert not jsonschema.Draft202012Validator(schema).is_valid({"no such member": 1})


def test_the_page_of_events_names_each_event_with_signers_norm_and_fields() -> None:
    page = promises.events_page(catalogue())
    for name, event in catalogue().events.items():
        section = page.split(f"### `{name}` {event.zh} {event.en}\n")[1].split("\n#")[0]
        assert promises.cell(event.clause) in section
        assert all(role.value in section for role in event.by)
        assert all(f"`{field}`" in section for field in event.payload.model_fields)


def test_the_page_of_events_tells_every_form_that_a_field_names() -> None:
    page = promises.events_page(catalogue())
    for name, event in catalogue().events.items():
        section = page.split(f"### `{name}` ")[1].split("\n#")[0]
        parts = catalogue().schema(event).get("$defs", {})
        assert all(f"\n- {part}: " in section for part in parts), name


def test_the_matrix_of_access_is_what_the_events_declare() -> None:
    rows = promises.access_page(catalogue()).split("\n|---")[1].split("\n")[1:-1]
    assert len(rows) == len(catalogue().events)
    for row in rows:
        name, anyone, *marks = (part.strip() for part in row.strip("|").split("|"))
        event = catalogue().event(name.strip("`"))
        assert {role for role, mark in zip(Role, marks, strict=True) if mark} == event.by
        assert bool(anyone) == (not event.by)


def test_every_room_that_declares_events_stands_on_the_page() -> None:
    page = promises.events_page(catalogue())
    rooms = {catalogue().room_of(event) for event in catalogue().events.values()}
    assert {room for room in ROOMS if f"\n## {room}\n" in page} == rooms


def test_a_file_that_is_promised_no_more_is_removed(tmp_path: Path) -> None:
    files = {"api/events/a.json": "{}\n", "docs/events.md": "x\n"}
    assert promises.write(files, tmp_path, whole=["api/events"]) == list(files)
    assert promises.write(files, tmp_path, whole=["api/events"]) == []
    (tmp_path / "api/events/old.json").write_text("{}")
    (tmp_path / "docs/kept.md").write_text("mine")
    assert promises.write(files, tmp_path, whole=["api/events"]) == ["api/events/old.json"]
    assert not (tmp_path / "api/events/old.json").exists()
    assert (tmp_path / "docs/kept.md").exists()


def test_every_refusal_has_a_norm_and_words_in_both_languages() -> None:
    from dataexchange.api.refusals import all_refusals

    for code in all_refusals().values():
        assert code.clause, code.code
        assert code.zh, code.code
        assert code.en, code.code
        assert bool(code.remedy_zh) == bool(code.remedy_en), code.code


def test_the_committed_vectors_are_the_files_promised() -> None:
    promised = promises.promises(catalogue())
    committed = {f"api/vectors/{path.name}" for path in (PROJECT / "api/vectors").iterdir()}
    assert committed == {path for path in promised if path.startswith("api/vectors/")}
    assert len(committed) > 5


def test_openapi_has_every_register_and_every_reference_leads_somewhere() -> None:
    from dataexchange.api.registers import plural

    text = (PROJECT / "api/openapi.json").read_text("utf-8")
    document = json.loads(text)
    registers = {f"/v1/{plural(kind)}" for kind in catalogue().states}
    writing = {f"/v1/events{path}" for path in ("", "/batch", "/several", "/dry-run")}
    reading = {"/checkpoint", "/tile/{path}", "/v1/log", "/v1/entries/{index}/proof", "/problems"}
    assert registers | writing | reading <= set(document["paths"])
    schemas = document["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text)) <= set(schemas)
    assert {f"Event.{name}".replace("@", ".v") for name in catalogue().events} <= set(schemas)
    assert {f"State.{kind}" for kind in catalogue().states} <= set(schemas)
