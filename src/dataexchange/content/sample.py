"""Real sample data for demonstrations: data sets that come with an installed Python package.

Nothing is copied into this project and nothing is made up. The file is found through the
package's own record, unpacked where needed, and used only if it has the pinned SHA-256.
"""

import csv
import io
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from dataexchange.content.chunks import digest_file
from dataexchange.content.rules import RuleSet, rules_from
from dataexchange.errors import IntegrityError, RefusalCode
from dataexchange.rules.payload import Text

SAMPLES: Final = ("flights", "weather")

NOT_INSTALLED = RefusalCode(
    "sample.not_installed",
    clause="",
    zh="未安装示范数据包 {package}。",
    en="The sample data package {package} is not installed.",
    remedy_zh="安装 dataexchange[demo]。",
    remedy_en="Install dataexchange[demo].",
    kind="missing",
)


class SampleChangedError(IntegrityError):
    """The installed package holds other bytes than those that were described."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample data set as a provider would declare it. `temporal` is [start, until) by day."""

    name: str
    package: str
    version: str
    sha256: str
    title: Text
    abstract: Text
    source: Text
    licence: str
    licence_note: Text
    theme: Text
    keywords: tuple[str, ...]
    spatial: Text
    temporal: tuple[str, str]
    update_cycle: str
    rules: RuleSet

    def fields(self) -> tuple[dict[str, str], ...]:
        """Return name, type, unit (where there is one) and both titles of every column."""
        return tuple(
            {
                "name": column.name,
                "type": column.type,
                **({"unit": column.unit} if column.unit else {}),
                **({"zh": column.title.zh, "en": column.title.en or ""} if column.title else {}),
            }
            for column in self.rules.columns
        )


def load_sample(name: str = "flights") -> Sample:
    """Return a sample's description and rule set; `sample.not_installed` without its package."""
    described = _described(name)
    return Sample(
        name=name,
        package=described["package"],
        version=described["version"],
        sha256=described["sha256"],
        licence=described["licence"],
        keywords=tuple(described["keywords"]),
        temporal=(str(described["temporal"]["start"]), str(described["temporal"]["until"])),
        update_cycle=described["update_cycle"],
        rules=rules_from(_with_lists(described)),
        **{
            field: Text(**described[field])
            for field in ("title", "abstract", "source", "licence_note", "theme", "spatial")
        },
    )


def sample_file(name: str = "flights", *, into: Path) -> Path:
    """Put the sample's CSV file into the folder `into` and return its path.

    `SampleChangedError` where the package holds other bytes than the description pins.
    """
    described = _described(name)
    target = into / f"{name}.csv"
    installed = _installed(described["package"], described["file"])
    _unpack(installed, described.get("member"), target)
    if digest_file(target).sha256 != described["sha256"]:
        target.unlink()
        raise SampleChangedError(f"{described['package']}: {described['file']}")
    return target


def _described(name: str) -> dict[str, Any]:
    if name not in SAMPLES:
        raise KeyError(name)
    text = (files("dataexchange.content") / "samples" / f"{name}.yaml").read_text("utf-8")
    described: dict[str, Any] = yaml.safe_load(text)
    return described


def _installed(package: str, file: str) -> Path:
    """Return a file of an installed package, without importing the package (it loads pandas)."""
    try:
        path = Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError as error:
        raise NOT_INSTALLED(package=package) from error
    if not path.is_file():
        raise NOT_INSTALLED(package=package)
    return path


def _unpack(installed: Path, member: str | None, target: Path) -> None:
    if member is None:
        shutil.copyfile(installed, target)
        return
    with (
        zipfile.ZipFile(installed) as archive,
        archive.open(member) as source,
        target.open("wb") as unpacked,
    ):
        shutil.copyfileobj(source, unpacked)


def _with_lists(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules with reference lists read from the tables that the package ships."""
    rules = dict(described["rules"])
    rules["columns"] = [_with_list(described["package"], column) for column in rules["columns"]]
    return rules


def _with_list(package: str, column: Mapping[str, Any]) -> dict[str, Any]:
    listed = {key: value for key, value in column.items() if key != "values_from"}
    if "values_from" in column:
        source = column["values_from"]
        text = _installed(package, source["file"]).read_text("utf-8")
        rows = csv.DictReader(io.StringIO(text))
        listed["values"] = sorted({row[source["column"]] for row in rows})
    return listed
