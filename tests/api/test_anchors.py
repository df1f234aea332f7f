"""Anchor receipts over HTTP: the worker's files, for all, page by page."""

from pathlib import Path

from exchanges import Door
from problems import assert_problem


def name(size: int) -> str:
    return f"{size:020d}-{'ab' * 8}.json"


def receipts(door: Door, *sizes: int) -> Path:
    folder = Path(door.app.state.settings.anchors_path) / "receipts"
    folder.mkdir(parents=True)
    for size in sizes:
        (folder / name(size)).write_bytes(b'{"size": %d}' % size)
    return folder


async def test_without_a_worker_there_are_none(door: Door) -> None:
    assert (await door.get("/v1/anchors")).json() == {"items": [], "next": None}


async def test_receipts_are_public_and_paged_by_size(door: Door) -> None:
    folder = receipts(door, 10, 9, 300)
    (folder / f".{name(11)}.draft").write_bytes(b"cut")
    (folder / "notes.json").write_bytes(b"{}")
    page = (await door.get("/v1/anchors?limit=2")).json()
    assert [item["size"] for item in page["items"]] == [9, 10]
    rest = (await door.get(f"/v1/anchors?limit=2&cursor={page['next']}")).json()
    assert rest == {"items": [{"name": name(300), "size": 300}], "next": None}
    assert [one.size async for one in door.client().anchors()] == [9, 10, 300]


async def test_a_receipt_comes_as_it_was_written_and_may_be_kept(door: Door) -> None:
    receipts(door, 9)
    response = await door.get(f"/v1/anchors/{name(9)}")
    assert response.content == b'{"size": 9}'
    assert response.headers["content-type"] == "application/json"
    assert "immutable" in response.headers["cache-control"]


async def test_nothing_else_can_be_fetched(door: Door) -> None:
    receipts(door, 9)
    assert_problem(await door.get(f"/v1/anchors/{name(8)}"), 404, "anchor.not_found")
    for other in ("state.json", "..%2Fstate.json", f"{name(9)}%0a", f"x{name(9)}"):
        response = await door.get(f"/v1/anchors/{other}")
        assert response.status_code in (400, 404), response.text
    assert_problem(await door.get("/v1/anchors?cursor=../x"), 400, "request.invalid")
