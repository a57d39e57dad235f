"""What a back end and an administrator do in a room is seen on its page."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, Request

from tests.browser.person import People, Person
from tests.support.back_end import back_end
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


SAID = "(text) => document.querySelector('[data-part=log]').textContent.includes(text)"
ENDED = "(text) => document.querySelector('[data-part=end-heading]').textContent === text"
ROLE = "([id, role]) => hms.hmsStore.getState(hms.selectPeerByID(id))?.roleName === role"
VALUE = "([key, text]) => JSON.stringify(hms.hmsStore.getState(hms.selectSessionStore(key)) ?? null) === text"
LOCKED = "(names) => Object.keys(hms.hmsStore.getState(hms.selectLocks)).join() === names"

KEEPER = "from django.contrib.auth.models import User; User.objects.create_superuser('olga', password='quite secret')"


class BackEnd:
    """Acts by the REST API. ``asked_at`` is when the last act was asked for."""

    def __init__(self, rest: httpx.AsyncClient, room_id: str) -> None:
        self.asked_at = 0.0
        self._rest, self._room = rest, f"active-rooms/{room_id}"

    async def _ask(self, method: str, path: str, **options: Any) -> None:
        self.asked_at = time.monotonic()
        answer = await self._rest.request(method, f"{self._room}{path}", **options)
        assert answer.is_success, answer.text

    async def say(self, text: str) -> None:
        await self._ask("POST", "/send-message", json={"message": text})

    async def give(self, name: str, peer_id: str, role: str) -> None:
        await self._ask("POST", f"/peers/{peer_id}", json={"role": role})

    async def write(self, key: str, value: Any) -> None:
        await self._ask("PUT", f"/metadata/{key}", json={"data": value})

    async def clear(self, key: str) -> None:
        await self._ask("DELETE", f"/metadata/{key}")

    async def patch(self, key: str, patch: Any) -> None:
        kind = {"content-type": "application/merge-patch+json"}
        await self._ask("PATCH", f"/metadata/{key}", json=patch, headers=kind)

    async def write_for(self, key: str, value: Any, seconds: int) -> None:
        await self._ask("PUT", f"/metadata/{key}", json={"data": value, "expires_in": seconds})

    async def release(self, lock: str) -> None:
        await self._ask("DELETE", f"/locks/{lock}")

    async def remove(self, name: str, peer_id: str) -> None:
        await self._ask("POST", "/remove-peers", json={"peerId": peer_id})

    async def end(self) -> None:
        await self._ask("POST", "/end-room", json={})


class Keeper:
    """Acts on the session's page of the admin."""

    def __init__(self, tab: Page, address: str) -> None:
        self.asked_at = 0.0
        self._tab, self._address = tab, address
        tab.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.method == "POST":
            self.asked_at = time.monotonic()

    async def _press(self, row: str, button: str) -> None:
        await self._tab.locator("#live tr", has_text=row).get_by_role("button", name=button).click()

    async def say(self, text: str) -> None:
        await self._tab.get_by_label("Say to the room").fill(text)
        await self._tab.locator("#notice").get_by_role("button", name="Send").click()

    async def give(self, name: str, peer_id: str, role: str) -> None:
        await self._tab.locator("#live tr", has_text=name).get_by_label("Role").select_option(role)
        await self._press(name, "Give")

    async def write(self, key: str, value: Any) -> None:
        await self._tab.goto(f"{self._address}entry/?key={key}")
        await self._tab.get_by_label("Value").fill(str(value))
        await self._tab.get_by_role("button", name="Set").click()

    async def clear(self, key: str) -> None:
        await self._tab.locator("#entries tr", has_text=key).get_by_text("Clear…").click()
        await self._press(key, f"Clear {key}")

    async def release(self, lock: str) -> None:
        await self._press(lock, "Release")

    async def remove(self, name: str, peer_id: str) -> None:
        await self._tab.locator("#people tr", has_text=name).get_by_text("Remove…").click()
        await self._press(name, f"Remove {name}")

    async def end(self) -> None:
        await self._tab.get_by_text("End the session…").click()
        await self._tab.get_by_text("Yes, end it").click()


@asynccontextmanager
async def acting(by: str, people: People, server: RunningServer, room_id: str) -> AsyncIterator[BackEnd | Keeper]:
    if by == "rest":
        async with back_end(server) as rest:
            yield BackEnd(rest, room_id)
        return
    await asyncio.to_thread(server.manage, "shell", "--no-imports", "-c", KEEPER)
    [(session,)] = server.select(f"SELECT id FROM rooms_session WHERE room_id = '{room_id}' AND ended_at IS NULL")
    address = f"{server.url}/admin/rooms/session/{session}/"
    tab = (await people.person("Olga")).page
    await tab.goto(f"{server.url}/admin/login/?next=/admin/rooms/session/{session}/change/")
    await tab.get_by_label("Username").fill("olga")
    await tab.get_by_label("Password").fill("quite secret")
    await tab.get_by_role("button", name="Log in").click()
    yield Keeper(tab, address)


async def holds(person: Person, condition: str, value: Any) -> float:
    """Wait until something is so on somebody's page; when it was."""
    until = time.monotonic() + 60
    # Asked from here, for the page's policy lets no function be made of text there.
    while not await person.page.evaluate(condition, value):
        assert time.monotonic() < until, f"{person.name}: never {condition} of {value}"
        await asyncio.sleep(0.01)
    return time.monotonic()


@pytest.mark.parametrize("by", ["rest", "admin"])
async def test_each_act_is_seen_on_the_page(people: People, server: RunningServer, by: str):
    alice, bob = await people.meet("Alice", "Bob")
    for person in (alice, bob):
        await person.hms("void (globalThis.hms = hms)")
        await person.hms("hmsActions.sessionStore.observe(value)", ["agenda"])
    peer_id = await bob.hms("hmsStore.getState(hms.selectLocalPeerID)")
    room_id = await bob.hms("hmsStore.getState(hms.selectRoom).id")

    late: list[float] = []

    async with acting(by, people, server, room_id) as actor:

        async def seen(act: Awaitable[None], condition: str, value: Any, *who: Person) -> None:
            """Something comes to be so on the pages; how long after the act was asked for is noted."""
            moments, _ = await asyncio.gather(asyncio.gather(*(holds(person, condition, value) for person in who)), act)
            late.append(round(max(moments) - actor.asked_at, 2))

        await seen(actor.say("Closing soon"), SAID, "Closing soon", alice, bob)
        await seen(actor.give("Bob", peer_id, "viewer"), ROLE, [peer_id, "viewer"], alice, bob)
        await seen(actor.write("agenda", 1), VALUE, ["agenda", "1"], alice, bob)
        await seen(actor.clear("agenda"), VALUE, ["agenda", "null"], alice, bob)
        if isinstance(actor, BackEnd):
            await seen(actor.write("agenda", {"a": 1}), VALUE, ["agenda", '{"a":1}'], alice, bob)
            await seen(actor.patch("agenda", {"b": 2}), VALUE, ["agenda", '{"a":1,"b":2}'], alice, bob)
            await seen(actor.write_for("agenda", 3, 1), VALUE, ["agenda", "3"], alice, bob)
            actor.asked_at += 1
            await seen(asyncio.sleep(0), VALUE, ["agenda", "null"], alice, bob)

        hold = "({ signal }) => new Promise((done) => signal.addEventListener('abort', done))"
        await alice.hms(f"void hmsActions.withLock('board', {hold}).catch(() => {{}})")
        await holds(bob, LOCKED, "board")
        await seen(actor.release("board"), LOCKED, "", alice, bob)

        await seen(actor.remove("Bob", peer_id), ENDED, "You were removed from the room", bob)
        await seen(actor.end(), ENDED, "The room was ended", alice)
    print(f"seconds until each was seen: {late}")
