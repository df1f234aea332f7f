"""The page that verifies a bundle, opened as a file in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Page, chromium

from bundles import POLICY, SIGNER, Members, bundle_of, checkpoint
from scripted import PROJECT, b64
from world import World

VERDICT = "document.getElementById('verdict')"
DROP = """
(files => {
  const data = new DataTransfer();
  for (const [name, base64] of files) {
    data.items.add(new File([Uint8Array.from(atob(base64), one => one.charCodeAt(0))], name));
  }
  document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true}));
})
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture(scope="module")
def members() -> Members:
    world = World(log_keys=[SIGNER.vkey])
    return bundle_of([entry.body for entry in world.entries])


def opened(browser: Page) -> Page:
    browser.open((PROJECT / "api" / "verify.html").as_uri())
    return browser


def dropped(page: Page, *paths: Path) -> str:
    files = [[path.name, b64(path.read_bytes())] for path in paths]
    page.evaluate(f"{DROP}({files!r})")
    page.wait(f"{VERDICT}.className !== ''")
    return str(page.evaluate(f"{VERDICT}.className + '\\n' + {VERDICT}.innerText"))


@pytest.fixture
def papers(members: Members, tmp_path: Path) -> tuple[Path, Path, Path]:
    """A bundle, a policy, a known checkpoint."""
    policy, known = tmp_path / "policy", tmp_path / "known"
    policy.write_bytes(POLICY)
    known.write_bytes(members.members["checkpoint"])
    return members.write(tmp_path / "bundle.zip"), policy, known


def test_what_is_dropped_in_any_order_is_judged(
    browser: Page, papers: tuple[Path, Path, Path]
) -> None:
    bundle, policy, known = papers
    said = dropped(opened(browser), known, bundle, policy)
    assert said.startswith("sound\n")
    assert SIGNER.name in said
    assert "business rules are not replayed" in said
    assert "dropped tail" not in said
    assert "dropped tail" in dropped(opened(browser), policy, bundle)


def test_a_chosen_bundle_that_is_unsound_is_said_to_be_so(
    browser: Page, papers: tuple[Path, Path, Path], members: Members
) -> None:
    bundle, policy, _ = papers
    members.having({"checkpoint": checkpoint([])}).write(bundle)
    page = opened(browser)
    page.choose("[name=policy]", policy)
    page.choose("[name=bundle]", bundle)
    page.wait(f"{VERDICT}.className === 'unsound'")
    assert "bundle.unknown_member" in page.evaluate(f"{VERDICT}.innerText")


def test_what_is_no_zip_cannot_be_judged(browser: Page, papers: tuple[Path, Path, Path]) -> None:
    bundle, policy, _ = papers
    bundle.write_bytes(b"PK and nothing of a zip")
    assert dropped(opened(browser), bundle, policy).startswith("unusable\n")


def test_a_browser_without_ed25519_comes_to_the_same_verdict_by_arithmetic(
    browser: Page, papers: tuple[Path, Path, Path]
) -> None:
    page = opened(browser)
    page.evaluate("delete SubtleCrypto.prototype.importKey")
    assert dropped(page, *papers).startswith("sound\n")


def test_the_page_may_connect_to_nowhere(browser: Page) -> None:
    page = opened(browser)
    sent = page.evaluate("fetch('data:,x').then(() => 'sent', () => 'refused')")
    assert sent == "refused"
