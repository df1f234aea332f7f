"""The commitment that the rules check is the one that is measured from a file."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import steps_pipeline as steps
from dataexchange.asset.version import Version, version_key
from dataexchange.client.typeid import new_id
from dataexchange.content.commitment import commit_file, version_content
from dataexchange.pipeline.field import fields_hash
from dataexchange.rules import RefusedError
from world import World


def test_what_is_measured_from_files_is_what_the_rule_accepts(tmp_path: Path) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for number, path in enumerate(paths):
        path.write_text(f"road,speed\nR1,{number}\nR2,41\n", encoding="utf-8")
    measured = version_content([commit_file(path) for path in paths])
    world = World()
    provider = steps.government(world)
    asset = new_id("asset")
    fields = [(field.name, field.type) for field in measured.fields]
    entry = {"asset": asset, "level": "government", "elements": steps.elements(fields=fields)}
    world.do(provider, "resource.registered@1", **entry, sharing="unconditional")
    content = measured.model_dump(exclude_none=True)
    world.do(provider, "resource.version_added@1", asset=asset, number=1, content=content)
    version = world.state(Version, version_key(asset, 1))
    assert (version.rows, version.files, version.content_root) == (4, 2, measured.root)


# No name that a statement can carry holds NUL or half a surrogate pair.
letters = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
names = st.lists(st.text(letters, min_size=1, max_size=8), min_size=1, max_size=8, unique=True)


@given(names, st.randoms())
def test_the_hash_of_names_knows_no_order(given_names: list[str], random: Random) -> None:
    shuffled = list(given_names)
    random.shuffle(shuffled)
    assert fields_hash(shuffled) == fields_hash(given_names)


@given(names)
def test_the_hash_of_names_refuses_a_name_twice(given_names: list[str]) -> None:
    with pytest.raises(RefusedError, match="listed twice"):
        fields_hash([*given_names, given_names[0]])
