"""Rights and places that end while somebody is inside. How else a stay ends is played with what brings it about."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from playwright.async_api import Route, expect

from rooms.access.tokens import LEEWAY
from tests.browser.person import Person
from tests.support.proxy import Proxy
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TOKENS = "**/v2/token"


async def change_tokens(person: Person, server: RunningServer, claims: Callable[[], dict[str, Any]]) -> None:
    """From now on the link gives somebody tokens with other claims than the server's."""

    async def answer(route: Route) -> None:
        given = await route.fetch()
        told = await given.json()
        usual = jwt.decode(told["token"], options={"verify_signature": False})
        signed = server.sign(usual["room_id"], usual["role"], usual["user_id"], owner=usual["owner"], **claims())
        await route.fulfill(response=given, json=told | {"token": signed})

    await person.page.unroute(TOKENS)
    await person.page.route(TOKENS, answer)


async def test_a_right_that_runs_out_is_renewed_unseen_and_where_it_cannot_be_one_is_told(people, server):
    people.forgive("Failed to load resource: the server responded with a status of 401")
    alice = await people.person("Alice")
    await change_tokens(alice, server, lambda: {"exp": int(time.time()) - LEEWAY + 6})
    await alice.make_room()
    async with alice.page.expect_response(TOKENS, timeout=60_000):
        pass  # the first one ran out
    await alice.say("still here")
    await alice.sees("still here")
    await expect(alice.part("end-heading")).to_be_hidden()

    await change_tokens(alice, server, lambda: {"exp": int(time.time()) - 2 * LEEWAY})
    await alice.is_told("Your time in the room is over")
    await expect(alice.part("end-text")).to_have_text("The right to be here has expired.")
    await alice.page.unroute(TOKENS)
    await alice.page.get_by_role("button", name="Join again").click()
    await alice.is_inside()
    await alice.sees("still here")


async def test_who_came_by_a_key_that_is_revoked_is_told_and_comes_back_by_the_link(people, server):
    people.forgive("Failed to load resource: the server responded with a status of 401")
    printed = await asyncio.to_thread(server.manage, "access_key", "create", "a page around the room")
    pair = dict(line.split("=", 1) for line in printed.splitlines())
    alice = await people.person("Alice")
    await change_tokens(alice, server, lambda: {"access_key": pair["ACCESS_KEY"], "secret": pair["APP_SECRET"]})
    await alice.make_room()
    await asyncio.to_thread(server.manage, "access_key", "revoke", pair["ACCESS_KEY"])
    await expect(alice.part("end-heading")).to_have_text("Your access was taken back", timeout=60_000)
    await expect(alice.part("end-heading")).to_be_focused()
    await expect(alice.part("end-text")).to_contain_text("Ask whoever invited you")
    await alice.page.unroute(TOKENS)
    await alice.page.get_by_role("button", name="Try again").click()
    await alice.is_inside()


async def test_whose_place_was_taken_meanwhile_is_told_that_the_room_is_full(people):
    people.forgive(r"WebSocket connection to|net::ERR_|Failed to load resource")
    with RunningServer(MAX_ROOM_PEERS=1, PEER_GRACE=0.2, REAPER_INTERVAL=0.2) as own:
        people.url = own.url
        bob = await people.person("Bob")
        link = await bob.make_room()
        await bob.leave(is_last=True)
        async with Proxy(own.port) as proxy:
            alice = await people.person("Alice")
            await alice.enter(link.replace(str(own.port), str(proxy.port)))
            proxy.block()
            async with asyncio.timeout(30):
                while b"Nobody is inside" not in own.request("GET", link.removeprefix(own.url)).body:
                    await asyncio.sleep(0.05)
            await bob.page.get_by_role("button", name="Join again").click()
            await bob.is_inside()
            proxy.unblock()
            await alice.is_told("You cannot enter now")
            await expect(alice.part("end-text")).to_have_text("The room is full. Try again when somebody has left.")
            await bob.leave(is_last=True)
            await alice.page.get_by_role("button", name="Try again").click()
            await alice.is_inside()
            await alice.leave(is_last=True)
