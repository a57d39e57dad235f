"""The README's examples run as they stand."""

import functools
import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.support.browser import running_browser
from tests.support.server import ACCESS_KEY, APP_SECRET, ROOT, RunningServer


def example(language: str) -> str:
    """The README's only block of code in a language."""
    [code] = re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    return str(code)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with RunningServer() as running:
        yield running


@pytest.fixture
def other_site(tmp_path: Path) -> Iterator[str]:
    """The origin of a site that serves the files of tmp_path."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()


@pytest.mark.browser
async def test_the_page_and_the_back_end_of_the_readme(server: RunningServer, other_site: str, tmp_path: Path) -> None:
    back_end: dict[str, Any] = {"ACCESS_KEY": ACCESS_KEY, "APP_SECRET": APP_SECRET}
    exec(example("python"), back_end)
    room = server.room("readme")
    for user in ("alice", "bob"):
        token = back_end["room_token"](room, "host", user)
        page = example("html").replace("TOKEN", json.dumps(token)).replace("http://127.0.0.1:8000", server.url)
        (tmp_path / f"{user}.html").write_text(page.replace('"tea"', f'"tea of {user}"'))

    async with running_browser() as browser:
        alice = await browser.new_page()
        await alice.goto(f"{other_site}/alice.html")
        await expect(alice.locator("#topic")).to_have_text("tea of alice")
        bob = await browser.new_page()
        await bob.goto(f"{other_site}/bob.html")

        await expect(bob.locator("#topic")).to_have_text("tea of bob")
        await expect(alice.locator("#topic")).to_have_text("tea of bob")
