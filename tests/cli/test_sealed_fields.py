"""`submit --seal`, `show --openings`, `export --open`, `verify` and `erase`, as users run them."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dataexchange.identity.party import PartyKind
from dataexchange.rules import Role

if TYPE_CHECKING:
    from served import Served

Run = Callable[..., Any]
NAME = "张三 (sealed)"


class Person:
    """A natural person that applied with its name sealed, at entry 1."""

    def __init__(self, opened: "Served", run: Run) -> None:
        self.opened, self.run = opened, run
        world = opened.world
        self.actor = world.actor()
        self.key = opened.key_file(self.actor, "person")
        self.regulator = opened.key_file(world.regulator, "regulator")
        profile = world.profile(self.actor, Role.PROVIDER, kind=PartyKind.NATURAL_PERSON)
        del profile["name"], profile["credit_code"]
        self.payload = opened.folder / "apply.json"
        self.payload.write_text(json.dumps(profile))

    def apply(self, *options: object) -> Any:
        return self.ask("submit", "party.applied@1", self.payload, *options)

    def ask(self, *arguments: object, key: Path | None = None) -> Any:
        return self.run(*arguments, "--key", key or self.key, "--url", self.opened.url)

    def export(self, *options: object) -> Any:
        self.opened.until_checkpoint(2)
        out = self.opened.folder / "bundle.zip"
        return self.ask("export", "--out", out, *options, key=self.regulator)

    def verify(self) -> Any:
        policy = self.opened.folder / "policy"
        vkey = httpx.get(f"{self.opened.url}/v1/log").json()["vkeys"][0]
        policy.write_text(f"log {vkey}\nquorum none\n")
        return self.run("verify", self.opened.folder / "bundle.zip", "--policy", policy)


@pytest.fixture
def person(opened: "Served", run: Run) -> Person:
    return Person(opened, run)


def admit(person: Person) -> None:
    operator = person.opened.key_file(person.opened.world.operator, "operator")
    admission = person.opened.folder / "admit.json"
    admission.write_text(json.dumps({"party": person.actor.party, "roles": ["provider"]}))
    ran = person.ask("submit", "party.admitted@1", admission, key=operator)
    assert ran.status == 0, ran.err


def test_a_sealed_name_is_shown_exported_verified_and_erased(person: Person) -> None:
    address = person.opened.folder / "contact.json"
    address.write_text('{"street": "五一路"}')
    ran = person.apply("--seal", f"name={NAME}", "--seal", f"contact=@{address}")
    assert ran.status == 0, ran.err
    shown = json.loads(person.ask("show", "entry", 1, "--openings").out)
    values = {one["field"]: one["value"] for one in shown["fields"]}
    assert values == {"name": NAME, "contact": {"street": "五一路"}}
    assert NAME not in person.ask("show", "entry", 1, "--raw").out
    for options, count in (((), 0), (("--open", "1:name"), 1), (("--open-all",), 2)):
        assert person.export(*options).status == 0
        verified = person.verify()
        assert verified.status == 0, verified.err
        assert f"openings {count}" in " ".join(verified.out.split())
    admit(person)
    erased = person.ask("erase", "1:name")
    assert erased.status == 0, erased.err
    shown = json.loads(person.ask("show", "entry", 1, "--openings").out)
    assert {one["field"]: one["status"] for one in shown["fields"]} == {
        "name": "erased",
        "contact": "open",
    }
    again = person.ask("erase", "1:name")
    assert (again.status, "aggregate.exists" in again.err) == (1, True)
    assert person.export("--open-all").status == 0
    assert "openings 1" in " ".join(person.verify().out.split())
    ran = person.export("--open", "1:name")
    assert (ran.status, "name of entry 1" in ran.err) == (2, True)


def test_who_keeps_its_openings_has_them_in_a_file_of_its_own(person: Person) -> None:
    kept = person.opened.folder / "openings.json"
    ran = person.apply("--seal", f"name={NAME}", "--keep", kept)
    assert ran.status == 0, ran.err
    (opening,) = json.loads(kept.read_text())
    assert opening["value"] == NAME
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    shown = json.loads(person.ask("show", "entry", 1, "--openings").out)
    assert shown["fields"][0]["status"] == "kept_by_signer"
    assert person.export("--open", "1:name").status == 2
    again = person.apply("--seal", f"name={NAME}", "--keep", kept)
    assert (again.status, "openings.json" in again.err) == (2, True)


@pytest.mark.parametrize(
    "options",
    [
        ("--seal", "name"),
        ("--seal", "name=@absent.txt"),
        ("--seal", "terms=not for this event"),
        ("--seal", "=x"),
    ],
    ids=str,
)
def test_what_cannot_be_sealed_is_told_of(person: Person, options: tuple[str, ...]) -> None:
    ran = person.apply(*options)
    assert ran.status in (1, 2)
    assert ran.out == ""
    assert ran.err


@pytest.mark.parametrize(
    "arguments",
    [(), ("1",), ("name",), ("1:Name",), ("x:name",), ("1:name", "--content", "ab" * 32)],
    ids=str,
)
def test_an_erasure_names_an_entry_and_a_field_or_content(
    person: Person, arguments: tuple[str, ...]
) -> None:
    assert person.ask("erase", *arguments).status == 2


def test_an_erasure_of_what_was_never_sealed_is_not_put_into_the_log(person: Person) -> None:
    assert person.apply("--seal", f"name={NAME}").status == 0
    admit(person)
    size = json.loads(person.ask("show", "log").out)["size"]
    ran = person.ask("erase", "1:contact")
    assert (ran.status, "entry 1 seals no field contact" in ran.err) == (2, True)
    assert json.loads(person.ask("show", "log").out)["size"] == size


def test_the_operator_reads_who_applies_and_doctor_finds_lost_keys(
    person: Person, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert person.apply("--seal", f"name={NAME}").status == 0
    operator = person.opened.key_file(person.opened.world.operator, "operator")
    assert NAME in person.ask("show", "entry", 1, "--openings", key=operator).out
    for name, value in {
        "DATABASE_URL": person.opened.addresses.app,
        "OWNER_DATABASE_URL": person.opened.addresses.owner,
        "ORIGIN": person.actor.log,
    }.items():
        monkeypatch.setenv(f"DATAEXCHANGE_{name}", value)
    folder = person.opened.folder
    well = run("doctor", "--data-folder", folder)
    assert "keys of openings: 1/1" in well.out
    assert "1 " in run("rekey", "--data-folder", folder).out
    assert "keys of openings: 1/1" in run("doctor", "--data-folder", folder).out
    (key,) = (folder / "opening-keys").glob("*/*")
    key.unlink()
    ill = run("doctor", "--data-folder", folder)
    assert (ill.status, "keys of openings: 0/1" in ill.out) == (1, True)


def test_content_is_erased_by_its_hash(person: Person) -> None:
    admit_first = person.apply("--seal", f"name={NAME}")
    assert admit_first.status == 0
    admit(person)
    ran = person.ask("erase", "--content", "ab" * 32)
    assert ran.status == 0, ran.err
