"""The examples of docs/session-metadata.md run as they stand, in pages of another origin."""

import asyncio
import functools
import http.server
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.support.server import ROOT, RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ADDRESS = "https://rooms.example.org"
TEXT = (ROOT / "docs/session-metadata.md").read_text()


def blocks(language: str) -> dict[str, list[str]]:
    """The examples in a language, by the heading that they stand under."""
    found = {}
    for section in TEXT.split("\n## ")[1:]:
        if codes := re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE):
            found[section.partition("\n")[0]] = codes
    return found


RUN: set[tuple[str, int]] = set()


def runs(heading: str, number: int = 1) -> Callable[[Any], Any]:
    """Have a test run an example, the first under the heading or a later one."""
    RUN.add((heading, number))
    return pytest.mark.parametrize("example", [blocks("js")[heading][number - 1]], ids=[f"{heading} {number}"])


class Reader:
    """A page with an example in it, which is called as ``example``, and the library, as ``hms``."""

    def __init__(self, page: Page, server: RunningServer, token: str) -> None:
        self.page, self.server, self.token = page, server, token

    async def run(self, script: str, argument: Any = None) -> Any:
        return await self.page.evaluate(script, argument)

    async def join(self, name: str, *keys: str) -> None:
        """Observe the keys, and come in."""
        script = """async ([userName, authToken, initEndpoint, keys]) => {
          await hms.hmsActions.sessionStore.observe(keys);
          await hms.hmsActions.join({ userName, authToken, initEndpoint });
        }"""
        await self.run(script, [name, self.token, self.server.url, list(keys)])

    async def has(self, key: str, value: Any) -> None:
        """Wait until the store holds the value under the key."""
        script = """([key, value]) => {
          const held = hms.hmsStore.getState(hms.selectSessionStore(key)) ?? null;
          return JSON.stringify(held) === JSON.stringify(value);
        }"""
        await self.page.wait_for_function(script, arg=[key, value], polling=10)

    async def refused(self, script: str) -> int | None:
        """The code of the error that the script rejects with."""
        code: int | None = await self.run(f"() => Promise.resolve(({script})()).then(() => null, ({{code}}) => code)")
        return code


class Site:
    """Serves examples, and opens them in browsers of people of one room."""

    def __init__(self, chromium: Browser, server: RunningServer, folder: Path, origin: str, room_id: str) -> None:
        self._chromium, self._server, self._folder, self._origin = chromium, server, folder, origin
        self._room = room_id
        self._pages: list[Page] = []
        self.complaints: list[str] = []

    async def open(self, example: str, user: str, role: str = "host") -> Reader:
        (self._folder / "index.html").write_text('<!doctype html><link rel="icon" href="data:,"><button>Pin</button>')
        (self._folder / "example.js").write_text(example.replace(ADDRESS, self._server.url))
        page = await (await self._chromium.new_context()).new_page()
        self._pages.append(page)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(f"{self._origin}/index.html")
        await page.evaluate(
            """async (address) => {
              globalThis.hms = await import(`${address}/static/rooms/hms.js`);
              globalThis.example = await import("/example.js");
            }""",
            self._server.url,
        )
        return Reader(page, self._server, self._server.sign(self._room, role, user))

    async def meet(self, example: str, *keys: str) -> tuple[Reader, Reader]:
        """Alice, a host, and Bob, a guest, who observe the keys."""
        alice, bob = await self.open(example, "alice"), await self.open(example, "bob", "guest")
        await alice.join("Alice", *keys)
        await bob.join("Bob", *keys)
        return alice, bob

    async def close(self) -> None:
        for page in self._pages:
            await page.context.close()


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def rooms(server: RunningServer) -> Iterator[str]:
    script = "from rooms.creation.rooms import create_room\nprint(*(create_room().id for _ in range(20)))"
    return iter(server.manage("shell", "--no-imports", "-c", script).split())


@pytest_asyncio.fixture(loop_scope="session")
async def site(chromium: Browser, server: RunningServer, rooms: Iterator[str], tmp_path: Path) -> AsyncIterator[Site]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(tmp_path))) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        opened = Site(chromium, server, tmp_path, f"http://127.0.0.1:{files.server_port}", next(rooms))
        yield opened
        await opened.close()
        files.shutdown()
    assert opened.complaints == []


@runs("Set and observe")
async def test_a_value_is_set_and_observed(site, example, server):
    with_endpoint = example.replace("authToken })", f'authToken, initEndpoint: "{server.url}" }})')
    alice, bob = await site.open(with_endpoint, "alice"), await site.open(with_endpoint, "bob", "guest")
    for reader in (alice, bob):
        await reader.run("(token) => example.enter(token)", reader.token)
    await alice.run("() => example.turnTo(7)")
    for reader in (alice, bob):
        await reader.page.wait_for_function("() => document.title === 'Slide 7'")


@runs("Change what others change too", 1)
async def test_what_two_add_at_once_is_kept(site, example):
    alice, bob = await site.meet(example, "topics")
    topics = [f"topic {number}" for number in range(10)]
    script = "(topic) => example.addTopic(topic)"
    await asyncio.gather(*((alice, bob)[number % 2].run(script, topic) for number, topic in enumerate(topics)))
    count = "() => hms.hmsStore.getState(hms.selectSessionStore('topics'))?.length === 10"
    await bob.page.wait_for_function(count)
    assert sorted(await bob.run("() => hms.hmsStore.getState(hms.selectSessionStore('topics'))")) == topics


@runs("Change what others change too", 2)
async def test_the_second_to_come_is_told(site, example):
    alice, bob = await site.meet(example)
    assert await alice.run("() => example.rename('Tea')") is None
    # Bob does not observe the key: what he knows of it is old.
    assert await bob.run("() => example.rename('Milk')") == "Tea stands; write over it?"
    await bob.has("title", "Tea")
    assert await bob.run("() => example.rename('Milk')") is None


@runs("Change a part")
async def test_a_part_is_changed(site, example):
    alice, bob = await site.meet(example, "agenda", "points", "claps")
    await alice.run("() => hms.hmsActions.sessionStore.set('agenda', { title: 'Q3', draft: true })")
    await alice.run("() => hms.hmsActions.sessionStore.set('points', ['past', 'future'])")
    await alice.run("() => example.setPlace('attic')")
    await bob.has("agenda", {"title": "Q3", "place": "attic"})
    await bob.run("() => example.crossOff(0, 'past')")
    await alice.has("points", ["future"])
    assert await alice.refused("() => example.crossOff(0, 'past')") == 422
    await asyncio.gather(*(reader.run("() => example.clap()") for reader in (alice, bob) for _ in range(5)))
    await alice.has("claps", 10)


@runs("Several keys at once")
async def test_several_keys_change_at_once(site, example):
    alice, bob = await site.meet(example, "question", "answers", "round")
    await bob.run("() => hms.hmsActions.sessionStore.set('answers', ['yes'])")
    await bob.run("""() => {
      globalThis.seen = [];
      const select = (key) => hms.hmsStore.getState(hms.selectSessionStore(key)) ?? null;
      hms.hmsStore.subscribe((question) => seen.push([question, select("answers"), select("round")]),
        hms.selectSessionStore("question"));
    }""")
    await alice.run("() => example.ask('Tea?', 0)")
    await bob.has("question", "Tea?")
    assert (await bob.run("() => seen"))[-1] == ["Tea?", None, 1]
    assert await bob.refused("() => example.ask('Milk?', 0)") == 409
    await alice.has("question", "Tea?")
    await alice.has("round", 1)


@runs("Values that end by themselves")
async def test_values_end_with_their_time_and_their_owner(site, example):
    alice, bob = await site.meet(example, "offer", "presenting", "spotlight")
    await alice.run("() => example.offer('tea')")
    await bob.has("offer", "tea")
    await bob.has("offer", None)
    await alice.run("() => example.offer('milk')")
    await alice.run("() => example.keepOffer()")
    await alice.run("() => example.present('Q3')")
    await alice.run("(id) => example.show(id)", await alice.run("() => hms.hmsStore.getState(hms.selectLocalPeerID)"))
    await bob.has("presenting", "Q3")
    await asyncio.sleep(2.5)
    await bob.has("offer", "milk")

    await bob.run("""() => {
      const select = (key) => hms.hmsStore.getState(hms.selectSessionStore(key)) ?? null;
      hms.hmsStore.subscribe((count) => { globalThis.left = [count, select("presenting"), select("spotlight")]; },
        hms.selectPeerCount);
    }""")
    await alice.run("() => hms.hmsActions.leave()")
    await bob.page.wait_for_function("() => globalThis.left?.[0] === 1")
    assert await bob.run("() => left") == [1, None, None]


async def test_the_rules_that_are_shown_are_rules(site):
    [rules] = blocks("json")["Rules"]
    alice, bob = await site.meet("", "vote", "billing")
    await alice.run(f"() => hms.hmsActions.setMetadataRules({rules})")
    assert await bob.refused("() => hms.hmsActions.sessionStore.set('spotlight', 'me')") == 403
    mine = "`cursor:${hms.hmsStore.getState(hms.selectLocalPeerID)}`"
    assert await bob.refused(f"() => hms.hmsActions.sessionStore.set({mine}, [1, 2])") is None
    assert await alice.refused("() => hms.hmsActions.sessionStore.set('billing', 1)") == 403


@runs("Rules")
async def test_a_page_offers_what_one_may(site, example):
    alice, bob = await site.meet(example, "pinnedMessages")
    button = "document.querySelector('button')"
    for reader in (alice, bob):
        await reader.run(f"() => example.offerPinning({button})")
        assert await reader.run(f"() => {button}.disabled") is False
    await alice.run("() => example.onlyHostsPin()")
    await bob.page.wait_for_function(f"() => {button}.disabled")
    assert await alice.run(f"() => {button}.disabled") is False


@runs("Limits")
async def test_a_page_knows_the_limits(site, example):
    alice, bob = await site.meet(example, "notes")
    assert await alice.run("() => example.save('x'.repeat(16_385 - 2))") == "1 bytes too long"
    # All calls that are allowed at once, and some more: the next is too fast.
    await alice.run("""() => Promise.allSettled(
      Array.from({ length: 40 }, () => hms.hmsActions.populateSessionMetadata()))""")
    assert await alice.run("() => example.save('x'.repeat(16_384 - 2))") is None
    await bob.has("notes", "x" * (16_384 - 2))


@runs("Locks")
async def test_of_two_under_a_lock_one_waits(site, example):
    alice, bob = await site.meet(example, "deck:0", "deck:1")
    await alice.run("() => hms.hmsActions.setMetadataRules([{ key: 'deck:*', lock: 'deck' }])")
    assert await bob.refused("() => hms.hmsActions.sessionStore.set('deck:0', 'mine')") == 409
    await alice.run("""() => {
      const finished = new Promise((resolve) => { globalThis.finish = resolve; });
      hms.hmsActions.withLock("deck", () => finished);
    }""")
    await bob.page.wait_for_function("() => example.whoIsAtIt() === 'Alice'")
    await bob.run("() => { globalThis.replaced = example.replaceDeck(['one', 'two']); }")
    await asyncio.sleep(0.3)
    await alice.has("deck:0", None)
    await alice.run("() => finish()")
    await bob.run("() => replaced")
    for reader in (alice, bob):
        await reader.has("deck:0", "one")
        await reader.has("deck:1", "two")
        await reader.page.wait_for_function("() => !example.whoIsAtIt()")


async def test_every_example_is_run():
    assert {(heading, number) for heading, codes in blocks("js").items() for number in range(1, len(codes) + 1)} == RUN
