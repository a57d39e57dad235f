"""The Prebuilt UI of examples/prebuilt and our own room page in one room."""

import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.support.server import RunningServer

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]

EXAMPLE = Path(__file__).parents[2] / "examples" / "prebuilt"
ANALYTICS = "event.100ms.live"  # the SDK's own, which cannot be turned off


@pytest.fixture(scope="module")
def example(server: RunningServer) -> Iterator[str]:
    """The origin of the example's pages."""
    subprocess.run(["node", "build.mjs"], cwd=EXAMPLE, check=True)
    with subprocess.Popen(
        ["node", "serve.mjs", server.url, "0"], cwd=EXAMPLE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        said = run.stdout.readline()
        origin = re.search(r"http://[\d.:]+", said)
        assert origin, said
        yield origin[0]
        run.terminate()


@pytest_asyncio.fixture(loop_scope="session")
async def prebuilt(
    browser: Browser, example: str, server: RunningServer
) -> AsyncIterator[Callable[[str], Awaitable[Page]]]:
    """Opens Prebuilt at an address of the example; no page may ask a host that is not ours for anything."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    asked: list[str] = []
    failures: list[str] = []

    async def open_page(address: str) -> Page:
        page = await context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.on("pageerror", lambda error: failures.append(str(error)))
        await page.goto(f"{example}{address}")
        await page.get_by_role("button", name="Join", exact=True).click()
        await expect(page.get_by_test_id("participant_list")).to_be_visible()
        return page

    yield open_page
    await context.close()
    assert failures == []
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts - {ANALYTICS} == {urlsplit(example).netloc, urlsplit(server.url).netloc}


async def test_prebuilt_by_code_chats_pins_and_raises_hands_with_our_page(prebuilt, room, bob):
    alice = await prebuilt(f"/prebuilt/{room.codes['host']}/?name=Alice")
    await expect(alice.get_by_test_id("participant_list")).to_have_text("2")
    await expect(bob.part("people-count")).to_have_text("2")

    await alice.get_by_test_id("chat_btn").click()
    await bob.say("hello from our page")
    message = alice.get_by_test_id("chat_msg").filter(has_text="hello from our page")
    await expect(message).to_contain_text("Bob")
    await alice.get_by_placeholder("Send a message").fill("hello from Prebuilt")
    await alice.get_by_placeholder("Send a message").press("Enter")
    await bob.sees("hello from our page", "hello from Prebuilt")

    await message.hover()
    await message.get_by_test_id("pin_message_btn").click()
    await expect(bob.part("pin-text")).to_have_text("Bob: hello from our page")
    await expect(bob.part("pin-by")).to_contain_text("Pinned by Alice")
    await bob.act_on_message("hello from Prebuilt", "Pin for everyone")
    own = alice.get_by_test_id("chat_msg").filter(has_text="hello from Prebuilt")
    await expect(own).to_contain_text("Pinned by Bob")
    await bob.part("unpin").click()
    await expect(own).not_to_contain_text("Pinned by Bob")
    await expect(message).to_contain_text("Pinned by you")
    await alice.get_by_title("Unpin Message").click()
    await expect(bob.part("pins")).to_be_hidden()

    await alice.get_by_test_id("hand_raise_btn").click()
    await bob.open_people()
    await expect(bob.part("hands-list")).to_contain_text("Alice")
    await bob.part("hand").click()
    await alice.get_by_test_id("participant_list").click()
    await expect(alice.get_by_role("button", name="Hand Raised (2)")).to_be_visible()
    await alice.get_by_role("button", name="Guest (1)").click()
    await expect(alice.get_by_test_id("participant_Bob")).to_be_visible()


async def test_a_poll_made_in_prebuilt_is_answered_in_our_page(prebuilt, room, bob):
    alice = await prebuilt(f"/prebuilt/?name=Alice#{room.token('host')}")
    await expect(bob.part("people-count")).to_have_text("2")

    await alice.get_by_test_id("polls_btn").click()
    await alice.get_by_placeholder("Enter a name to continue").fill("Lunch")
    await alice.get_by_role("button", name="Create Poll").click()
    await alice.get_by_placeholder("Ask a question").fill("Soup?")
    await alice.get_by_placeholder("Option 1").fill("yes")
    await alice.get_by_placeholder("Option 2").fill("no")
    await alice.get_by_role("button", name="Save").click()
    await alice.get_by_role("button", name="Launch poll").click()

    await bob.part("polls-toggle").click()
    await bob.part("polls").get_by_label("yes").check()
    await bob.part("polls").get_by_role("button", name="Send the answer").click()
    await expect(bob.part("polls")).to_contain_text("your answer")
    await alice.get_by_role("radio").last.click()
    await alice.get_by_role("button", name="Vote").click()
    for page in (alice.locator("body"), bob.part("polls")):
        await expect(page.get_by_text("1 vote", exact=True)).to_have_count(2)

    await alice.get_by_role("button", name="End poll").click()
    await expect(alice.get_by_text("ENDED")).to_be_visible()
    await expect(bob.part("polls")).to_contain_text("Ended · 2 people answered")
