"""Losing the connection, the server or the tab, and coming back."""

import asyncio
import json

import pytest
from playwright.async_api import expect

from tests.proxy import Proxy
from tests.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_connection_comes_back_with_what_was_missed_and_what_was_written(people, server):
    people.forgive(r"WebSocket connection to|net::ERR_|Failed to load resource")
    bob = await people.person("Bob")
    link = await bob.make_room()
    async with Proxy(server.port) as proxy:
        alice = await people.person("Alice")
        await alice.enter(link.replace(str(server.port), str(proxy.port)))
        await expect(bob.part("people-count")).to_have_text("2")
        proxy.block()
        await expect(alice.part("banner-text")).to_contain_text("Reconnecting")
        await expect(bob.row("Alice").locator(".away")).to_be_visible()
        await bob.say("did you hear?")
        await alice.say("written meanwhile")
        await expect(alice.part("outbox")).to_contain_text("written meanwhile")
        proxy.unblock()
        await alice.part("banner-retry").click()
        await expect(alice.part("banner-text")).to_have_text("Back online")
        await alice.sees("did you hear?", "written meanwhile")
        await bob.sees("did you hear?", "written meanwhile")
        await expect(bob.row("Alice").locator(".away")).to_be_hidden()
        await expect(bob.part("log")).not_to_contain_text("left")
        await alice.leave()


async def test_i11_a_restart_of_the_server_is_survived_with_everything_kept(people):
    people.forgive(r"WebSocket connection to|net::ERR_|Failed to load resource")
    with RunningServer() as own:
        people.url = own.url
        alice, bob = await people.meet("Alice", "Bob")
        await alice.say("before")
        await bob.act_on_message("before", "Pin for everyone")
        await expect(alice.part("pin-text")).to_have_text("Alice: before")
        own.restart()
        for person, text in ((alice, "after"), (bob, "and after")):
            await person.say(text)
        for person in (alice, bob):
            await expect(person.messages()).to_have_count(3, timeout=30_000)
            await expect(person.part("people-count")).to_have_text("2")
            await expect(person.part("pin-text")).to_have_text("Alice: before")
            await expect(person.part("log")).not_to_contain_text("left")


async def test_a_session_that_ended_meanwhile_begins_anew(people):
    people.forgive(r"WebSocket connection to|net::ERR_|Failed to load resource")
    with RunningServer(PEER_GRACE=0.2, REAPER_INTERVAL=0.2) as own:
        people.url = own.url
        alice = await people.person("Alice")
        async with Proxy(own.port) as proxy:
            bob = await people.person("Bob")
            link = await bob.make_room()
            await bob.leave(is_last=True)
            await alice.enter(link.replace(str(own.port), str(proxy.port)))
            await alice.say("before")
            await alice.act_on_message("before", "Pin for everyone")
            await expect(alice.part("pins")).to_be_visible()
            proxy.block()
            async with asyncio.timeout(30):
                while b"Nobody is here yet" not in own.request("GET", link.removeprefix(own.url)).body:
                    await asyncio.sleep(0.05)
            proxy.unblock()
            await expect(alice.part("log")).to_contain_text("the room begins anew")
            await expect(alice.part("pins")).to_be_hidden()
            await alice.say("after")
            await alice.sees("after")
            await expect(alice.part("people-count")).to_have_text("1")
            await alice.leave(is_last=True)


async def test_a_duplicated_tab_takes_over_and_gives_back(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("hello")
    await alice.sees("hello")
    kept = await alice.page.evaluate("() => Object.entries(sessionStorage)")
    copy = await alice.page.context.new_page()
    # A browser copies the session storage into the duplicate before its page loads.
    await copy.add_init_script(f"for (const [key, value] of {json.dumps(kept)}) sessionStorage.setItem(key, value)")
    await copy.goto(alice.page.url)
    await expect(copy.locator('[data-part="leave"]')).to_be_visible()
    await expect(copy.locator(".message .text")).to_have_text(["hello"])

    await alice.is_told("Opened in another tab")
    await expect(bob.part("people-count")).to_have_text("2")
    await expect(bob.part("log")).not_to_contain_text("left")

    await alice.page.get_by_role("button", name="Use it here").click()
    await alice.is_inside()
    await expect(copy.locator('[data-part="end-heading"]')).to_have_text("Opened in another tab")
    await alice.say("back again")
    await bob.sees("hello", "back again")


async def test_the_same_link_twice_is_two_people(people):
    alice, bob = await people.meet("Alice", "Bob")
    second = await alice.page.context.new_page()
    await second.goto(alice.page.url)
    await second.get_by_role("button", name="Join the room").click()
    await expect(bob.part("people-count")).to_have_text("3")
