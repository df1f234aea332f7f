"""A version is named by its asset and number, and its state stays small."""

from dataexchange.asset.title import Asset, AssetForm, Lien, RegisteredRight, Source
from dataexchange.asset.version import Version, version_key
from dataexchange.client.typeid import new_id
from dataexchange.rules.reference import kind_of
from dataexchange.rules.state import STATE_SIZE_MAX, decode


def test_the_key_names_the_asset_and_the_number() -> None:
    assert version_key("asset_1", 12) == "version/asset_1/12"
    assert kind_of(version_key("asset_1", 12)) == Version.KIND


def test_an_asset_with_all_that_it_may_hold_stays_small_and_is_read_back() -> None:
    hash_hex = "a" * 64
    right = RegisteredRight("C" * 100, new_id("party"), new_id("registration"), "2" * 27)
    asset = Asset(
        id=new_id("asset"),
        form=AssetForm.PRODUCT,
        holder=new_id("party"),
        title="数" * 200,
        title_en="é" * 200,
        status="registered",
        theme="T" * 100,
        level="public_institution",
        quality_score="0." + "9" * 18,
        classified_fields=hash_hex,
        rights={"holding": right, "processing": right, "operating": right},
        incidents=tuple(new_id("incident") for _ in range(8)),
        sources=tuple(Source(new_id("asset"), 10**9, "0." + "1" * 18) for _ in range(16)),
        liens=tuple(Lien(new_id("pledge"), new_id("party"), 2**53, 10**9) for _ in range(16)),
        freezes=tuple(new_id("order") for _ in range(8)),
    )
    assert len(asset.encode()) < STATE_SIZE_MAX
    assert decode(Asset, asset.encode()) == asset
