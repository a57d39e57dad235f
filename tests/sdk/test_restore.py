"""A copy of the database is put back under open pages, ours and those of the SDK: all come to the server's state.

A power cut that takes the last commits is the same, with a copy of moments ago.
"""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.person import People, Person
from tests.sdk.driver import WAIT, Peer, Room, make_rooms
from tests.support.proxy import Proxy
from tests.support.server import ROOT, RunningServer

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]

LATEST = "0.15.2"
SOON = 10
"""Seconds in which all have what the server has."""
GAP = "Some messages may be missing here."


def poll(title: str) -> dict[str, Any]:
    question = {"text": "Which?", "type": "single-choice", "options": [{"text": "A"}, {"text": "B"}]}
    return {"id": str(uuid.uuid4()), "title": title, "type": "poll", "questions": [question]}


def documented_loop() -> str:
    """The compare-and-set loop of the documentation, as an expression for a page."""
    text = (ROOT / "docs/session-metadata.md").read_text()
    [code] = re.findall(r"^export (const addTopic = .*)$", text, re.MULTILINE)
    return f"""(topic) => import("/static/rooms/hms.js").then(({{ hmsActions }}) => {{
        {code}
        return addTopic(topic);
    }})"""


class Meeting:
    """Alice, who hosts, and Carol by the SDK; Bob by our page. Bob and Carol come through a proxy."""

    def __init__(self, room: Room, people: People, proxy: Proxy) -> None:
        self.room, self.people, self.proxy = room, people, proxy
        self.far = f"http://127.0.0.1:{proxy.port}"
        self.alice: Peer
        self.carol: Peer
        self.bob: Person

    @property
    def apps(self) -> list[Peer]:
        return [self.alice, self.carol]

    async def enter(self, name: str, *, server: str | None = None) -> Person:
        person = await self.people.person(name)
        return await person.enter(f"{server or self.room.server}/r/{self.room.codes['guest']}/")

    async def open(self) -> None:
        self.alice = await self.room.join(LATEST, "Alice")
        self.carol = await self.room.join(LATEST, "Carol", "guest", server=self.far)
        for app in self.apps:
            await app.call("sessionStore.observe", ["topic", "gone", "pinnedMessages"])
        self.bob = await self.enter("Bob", server=self.far)
        await self.bob.hms("hmsActions.sessionStore.observe(['topic', 'gone', 'topics'])")
        await self.alice.sees(["Alice", "Bob", "Carol"], "names")

    async def set(self, key: str, value: Any) -> None:
        """Set a value, and wait until all show it."""
        await self.alice.call("sessionStore.set", key, value)
        await self.shows(key, value)

    async def shows(self, key: str, value: Any, *, timeout: float = WAIT) -> None:
        await asyncio.gather(
            *(app.sees(value, "key", key, timeout=timeout) for app in self.apps),
            self._bob_sees(key, value, timeout),
        )

    async def _bob_sees(self, key: str, value: Any, timeout: float) -> None:
        async with asyncio.timeout(timeout):
            while await self.bob.hms("hmsStore.getState(hms.selectSessionStore(value)) ?? null", key) != value:
                await asyncio.sleep(0.05)

    async def say(self, text: str) -> None:
        await self.alice.call("sendBroadcastMessage", text)
        await expect(self.bob.messages().last).to_have_text(text)

    async def start_poll(self, title: str) -> None:
        one = poll(title)
        await self.alice.call("interactivityCenter.createPoll", one)
        await self.alice.call("interactivityCenter.startPoll", one["id"])

    async def bob_sees_polls(self, *shown: str, timeout: float = 1000 * WAIT) -> None:
        polls = self.bob.part("polls").locator(".poll")
        await expect(polls).to_have_count(len(shown), timeout=timeout)
        for number, text in enumerate(shown):
            await expect(polls.nth(number)).to_contain_text(re.compile(text, re.DOTALL))


@pytest_asyncio.fixture(loop_scope="session")
async def meeting(browser: Browser, room_in: Any) -> AsyncIterator[Meeting]:
    with RunningServer(PEER_GRACE=60) as server:
        people = People(browser, server.url)
        people.forgive(r"WebSocket connection to|net::ERR_|Failed to load resource")
        async with Proxy(server.port) as proxy:
            made = Meeting(room_in(server, *make_rooms(server)[0]), people, proxy)
            await made.open()
            yield made
            await people.close()
        assert people.complaints == []


async def as_it_was(meeting: Meeting) -> None:
    """What there is when the copy is made."""
    await meeting.set("topic", "first")
    await meeting.say("before")
    await meeting.bob.act_on_message("before", "Pin for everyone")
    await expect(meeting.bob.part("pin-text")).to_have_text("Alice: before")
    await meeting.start_poll("Kept")
    await meeting.bob.part("polls-toggle").click()
    await meeting.bob_sees_polls("Kept")


async def go_on(meeting: Meeting) -> None:
    """What is lost: a change of each kind."""
    for number in range(4):
        await meeting.set("topic", f"lost {number}")
    await meeting.set("gone", "lost")
    await meeting.say("lost")
    await meeting.bob.part("unpin").click()
    await expect(meeting.bob.part("pins")).to_be_hidden()
    await meeting.alice.call("stopPoll", "Kept")
    await meeting.start_poll("Lost")
    await meeting.bob_sees_polls("Lost", "Kept.*Ended")
    await meeting.alice.call("changeRole", "Carol", "viewer", True)
    await meeting.alice.call("changeName", "Alicia")
    await meeting.alice.call("raiseLocalPeerHand")
    await expect(meeting.bob.part("hands-list")).to_contain_text("Alicia")


async def go_back(meeting: Meeting, copy: Path) -> None:
    """Kill the server, and start it with the copy."""
    server = meeting.room.running
    server.kill()
    server.put_back(copy)
    await asyncio.to_thread(server.start)


async def all_converge(meeting: Meeting, *names: str, within: float) -> None:
    everybody = sorted(["Alice", "Bob", "Carol", *names])
    roles = dict.fromkeys(everybody, "guest") | {"Alice": "host"}
    bob, end = meeting.bob, time.monotonic() + within

    def left() -> float:
        return max(0.1, end - time.monotonic())

    await meeting.shows("topic", "first", timeout=left())
    await meeting.shows("gone", None, timeout=left())
    for app in meeting.apps:
        await app.sees(everybody, "names", timeout=left())
        await app.sees(roles, "roles", timeout=left())
        await app.sees(dict.fromkeys(everybody, False), "hands", timeout=left())
        await app.sees({"state": "started", "type": "poll", "questions": ["Which?"]}, "poll", "Kept", timeout=left())
    await expect(bob.part("people-count")).to_have_text(str(len(everybody)), timeout=left() * 1000)
    await expect(bob.part("log").locator(".gap")).to_have_text(GAP, timeout=left() * 1000)
    await expect(bob.part("pin-text")).to_have_text("Alice: before", timeout=left() * 1000)
    await meeting.bob_sees_polls("Kept", timeout=left() * 1000)
    await expect(bob.part("polls")).not_to_contain_text("Ended", timeout=left() * 1000)
    people = await bob.hms("Object.values(hmsStore.getState().peers).map((peer) => [peer.name, peer.roleName])")
    assert dict(people) == roles


async def all_goes_on(meeting: Meeting) -> None:
    """What is changed now reaches everybody, though its versions and numbers were given before."""
    await meeting.set("topic", "second")
    await meeting.set("gone", "here")
    await meeting.say("after")
    for app in meeting.apps:
        await app.sees("after", "lastText")
    await meeting.carol.call("sendBroadcastMessage", "and from Carol")
    await expect(meeting.bob.messages().last).to_have_text("and from Carol")
    loop = documented_loop()
    await meeting.alice.call("sessionStore.set", "topics", [])
    async with asyncio.timeout(WAIT):
        await asyncio.gather(*(meeting.bob.page.evaluate(loop, f"topic {number}") for number in range(3)))
    held = await meeting.bob.hms("hmsStore.getState(hms.selectSessionStore('topics'))")
    assert sorted(held) == ["topic 0", "topic 1", "topic 2"]


async def test_after_a_copy_was_put_back_all_pages_show_what_the_server_has(meeting: Meeting, slack: float):
    await as_it_was(meeting)
    dora = await meeting.enter("Dora")
    await meeting.alice.sees(["Alice", "Bob", "Carol", "Dora"], "names")
    copy = meeting.room.running.back_up()
    await go_on(meeting)
    await dora.leave()
    await meeting.enter("Eve")
    frank = await meeting.room.join(LATEST, "Frank", "guest")
    await meeting.alice.sees(["Alicia", "Bob", "Carol", "Eve", "Frank"], "names")

    await go_back(meeting, copy)

    # The SDK does not join again: who came after the copy was made is told that it is in no session.
    await frank.sees("Disconnected", "state", timeout=SOON + slack)
    # Dora was there when the copy was made, Eve came later.
    await all_converge(meeting, "Dora", "Eve", within=SOON + slack)
    await all_goes_on(meeting)


async def test_after_a_power_cut_that_took_the_last_commits_all_pages_show_what_the_server_has(
    meeting: Meeting, slack: float
):
    await as_it_was(meeting)
    copy = meeting.room.running.back_up()
    await meeting.set("topic", "lost")
    await meeting.say("lost")

    await go_back(meeting, copy)

    await all_converge(meeting, within=SOON + slack)
    await all_goes_on(meeting)


async def test_pages_that_come_back_when_the_numbers_were_given_anew_converge_too(meeting: Meeting):
    """The server is back for others long before these: what they held is not ahead of it any more."""
    await as_it_was(meeting)
    copy = meeting.room.running.back_up()
    await go_on(meeting)

    meeting.proxy.block()
    await go_back(meeting, copy)
    await meeting.alice.sees("first", "key", "topic")
    for number in range(40):
        await meeting.alice.call("sendBroadcastMessage", f"new {number}")
    for number in range(6):
        await meeting.alice.call("sessionStore.set", "gone", f"new {number}")
    await meeting.alice.call("removeKey", "gone")
    meeting.proxy.unblock()
    await meeting.bob.part("banner-retry").click()

    await all_converge(meeting, within=WAIT)
    await all_goes_on(meeting)
