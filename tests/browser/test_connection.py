"""Losing the connection, the server or the tab, and coming back."""

import asyncio
import json
import re

import pytest
from playwright.async_api import expect

from tests.browser.person import Person
from tests.support.proxy import Proxy
from tests.support.server import RunningServer

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
        await expect(bob.row("Alice").locator(".away")).to_have_text("reconnecting…")
        await bob.say("did you hear?")
        await alice.say("written meanwhile")
        await expect(alice.part("outbox")).to_contain_text("written meanwhile")
        await expect(alice.part("outbox").locator(".sending")).to_have_text("Will be sent when you are back.")
        proxy.unblock()
        # Without waiting for the pointer's way: it may come back by itself meanwhile.
        await alice.part("banner-retry").dispatch_event("click")
        await expect(alice.part("banner-text")).to_have_text("Back online")
        await alice.sees("did you hear?", "written meanwhile")
        await bob.sees("did you hear?", "written meanwhile")
        await expect(alice.part("log").locator(".new")).to_have_text("1 message while you were away")
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
            await expect(person.messages()).to_have_count(3)
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
                while b"Nobody is inside" not in own.request("GET", link.removeprefix(own.url)).body:
                    await asyncio.sleep(0.05)
            proxy.unblock()
            await expect(alice.part("log")).to_contain_text("the room begins anew")
            await expect(alice.part("pins")).to_be_hidden()
            await alice.say("after")
            await alice.sees("after")
            await expect(alice.part("people-count")).to_have_text("1")
            await alice.leave(is_last=True)


async def duplicate(person) -> Person:
    """A copy of the tab; a browser copies the session storage into it before its page loads."""
    kept = await person.page.evaluate("() => Object.entries(sessionStorage)")
    copy = await person.page.context.new_page()
    await copy.add_init_script(f"for (const [key, value] of {json.dumps(kept)}) sessionStorage.setItem(key, value)")
    await copy.goto(person.page.url)
    tab = Person(person.name, copy, person.people)
    await tab.is_inside()
    return tab


async def test_closing_a_duplicated_tab_leaves_the_person_present_and_complete_in_the_first(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("hello")
    await alice.sees("hello")
    copy = await duplicate(alice)
    await copy.sees("hello")
    await copy.say("from the copy")
    await bob.say("and back")
    for tab in (alice, copy, bob):
        await tab.sees("hello", "from the copy", "and back")
    await expect(bob.part("people-count")).to_have_text("2")
    await expect(bob.row("Alice")).to_contain_text("in 2 tabs")
    await copy.page.close()
    await alice.say("still here")
    await bob.sees("hello", "from the copy", "and back", "still here")
    await expect(bob.row("Alice")).to_have_count(1)
    await expect(bob.part("log")).not_to_contain_text("left")


async def test_the_same_link_in_two_tabs_of_a_browser_is_one_person(people):
    alice, bob = await people.meet("Alice", "Bob")
    second = await alice.page.context.new_page()
    await second.goto(alice.page.url)
    await second.get_by_role("button", name="Join the room").click()
    await expect(bob.row("Alice")).to_contain_text("in 2 tabs")
    await expect(bob.part("people-count")).to_have_text("2")


async def test_who_is_inside_a_room_that_was_closed_reloads_and_comes_back(people):
    people.forgive("Failed to load resource: the server responded with a status of 403")
    with RunningServer() as own:
        people.url = own.url
        alice = await people.person("Alice")
        link = await alice.make_room()
        await alice.say("before")
        await alice.sees("before")
        own.close_rooms()
        await alice.page.reload()
        await alice.is_inside()
        await alice.sees("before")
        bob = await people.person("Bob")
        answer = await bob.page.goto(link)
        assert answer is not None and answer.status == 403
        await expect(bob.part("end-heading")).to_have_text("This room is closed")

        await alice.leave(is_last=True)
        await alice.page.get_by_role("button", name="Join again").click()
        await alice.is_told("This room is closed")
        await expect(alice.part("end-text")).to_have_text(
            "Whoever runs the room has closed it. Ask them to open it again."
        )
        own.write("UPDATE rooms_room SET enabled = 1")
        await alice.page.get_by_role("button", name="Try again").click()
        await alice.is_inside()


async def test_a_network_that_is_gone_is_told_at_once(people):
    people.forgive(r"net::ERR_|Failed to load resource")
    alice = await people.person("Alice")
    await alice.make_room()
    await alice.page.context.set_offline(True)
    await expect(alice.part("banner-text")).to_contain_text("You are offline")
    await expect(alice.part("message")).to_be_editable()
    await alice.part("message").fill("half a thought")
    await alice.part("more").click()
    await expect(alice.part("toasts")).to_contain_text("Not loaded. You are offline. Try again when you are back.")
    await alice.page.context.set_offline(False)
    await alice.part("toasts").get_by_role("button", name="Try again").click()
    await expect(alice.page.get_by_role("menuitem").first).to_be_focused()
    await alice.page.keyboard.press("Escape")
    await expect(alice.part("banner")).not_to_have_class(re.compile("lost"))
    await expect(alice.part("banner")).to_be_hidden()
    await expect(alice.part("message")).to_have_value("half a thought")


async def test_what_is_chosen_without_a_network_is_refused_and_not_done_later(people):
    people.forgive(r"net::ERR_|Failed to load resource")
    alice = await people.person("Alice")
    await alice.make_room()
    await alice.say("hello")
    await alice.part("more").click()
    await expect(alice.page.get_by_role("menu")).to_be_visible()
    await alice.page.keyboard.press("Escape")
    await alice.page.context.set_offline(True)
    await expect(alice.part("banner-text")).to_contain_text("You are offline")
    why = "You are offline. Try again when you are back."
    await alice.part("hand").click()
    await expect(alice.part("toasts")).to_contain_text(f"Hand not changed. {why}")
    await alice.message("hello").hover()
    await alice.message("hello").get_by_role("button", name="React with Thumbs up").click()
    await expect(alice.part("toasts")).to_contain_text(f"Not changed. {why}")
    await alice.act_on_message("hello", "Delete")
    await alice.agree()
    await expect(alice.part("toasts")).to_contain_text(f"Not deleted. {why}")
    await alice.page.context.set_offline(False)
    await expect(alice.part("banner")).not_to_have_class(re.compile("lost"))
    await alice.say("back")
    await alice.sees("hello", "back")
    await expect(alice.part("hand")).to_have_attribute("aria-pressed", "false")
    await expect(alice.part("log").locator(".reaction")).to_have_count(0)


async def test_after_an_absence_longer_than_the_grace_all_is_there_with_what_was_said_meanwhile(people):
    people.forgive(r"WebSocket connection to|net::ERR_|Failed to load resource")
    with RunningServer(PEER_GRACE=0.2, REAPER_INTERVAL=0.2) as own:
        people.url = own.url
        bob = await people.person("Bob")
        link = await bob.make_room()
        async with Proxy(own.port) as proxy:
            alice = await people.person("Alice")
            await alice.enter(link.replace(str(own.port), str(proxy.port)))
            await bob.say("before")
            await bob.say("secret")
            await alice.sees("before", "secret")
            poll = {"title": "Old", "type": "poll", "questions": [QUESTION]}
            await bob.hms("hmsActions.interactivityCenter.startPoll(value)", poll)
            await expect(alice.part("polls-count")).to_have_text("1")
            proxy.block()
            await expect(bob.part("log")).to_contain_text("Alice left")
            await bob.say("missed")
            before, secret = await bob.hms("hmsStore.getState().messages.allIDs.slice(0, 2)")
            await bob.hms("hmsActions.editMessage(value, 'otherwise')", before)
            await bob.hms("hmsActions.deleteMessage(value)", secret)
            [old] = await bob.hms("Object.keys(hmsStore.getState().polls)")
            await bob.hms("hmsActions.interactivityCenter.stopPoll(value)", old)
            await bob.hms("hmsActions.interactivityCenter.startPoll(value)", {**poll, "title": "New"})
            await bob.part("hand").click()
            await bob.act_on_message("missed", "Pin for everyone")
            proxy.unblock()
            await expect(alice.messages()).to_have_text([re.compile("^otherwise"), "missed"])
            await expect(alice.part("log").locator(".gap")).to_have_count(0)
            await expect(alice.part("pin-text")).to_have_text("Bob: missed")
            await expect(alice.part("hands-list")).to_contain_text("Bob")
            await alice.part("polls-toggle").click()
            await expect(alice.part("polls").locator("h3")).to_have_text(["New", "Old"])
            await expect(alice.part("polls").locator(".poll").nth(1)).to_contain_text("Ended")
            await alice.leave()


QUESTION = {"text": "Which?", "type": "single-choice", "options": [{"text": "A"}, {"text": "B"}]}


async def test_a_kept_peer_id_that_is_refused_is_given_up_for_a_new_one(people):
    people.forgive("Failed to load resource: the server responded with a status of 403")
    alice, bob = await people.meet("Alice", "Bob")
    own, others = [await person.hms("hmsStore.getState().room.localPeer") for person in (alice, bob)]
    await alice.say("before")
    await bob.sees("before")
    await alice.page.add_init_script(
        "for (const [key, value] of Object.entries(sessionStorage))"
        f" sessionStorage.setItem(key, value.replaceAll({json.dumps(own)}, {json.dumps(others)}))"
    )
    await alice.page.reload()
    await alice.is_inside()
    assert await alice.hms("hmsStore.getState().room.localPeer") not in (own, others)
    await alice.say("after")
    await bob.say("both here")
    await bob.sees("before", "after", "both here")
    await expect(alice.message("both here")).to_be_visible()


async def test_a_browser_that_allows_no_socket_leaves_one_in_the_lobby_with_words(people):
    alice = await people.person("Alice")
    await alice.page.add_init_script(
        "globalThis.WebSocket = class { constructor() { throw new DOMException('The operation is insecure.') } }"
    )
    await alice.page.goto(people.url)
    await alice.page.get_by_label("What is it for?").fill("Team")
    await alice.page.get_by_role("button", name="Make a room").click()
    await alice.page.wait_for_url("**/r/**")
    await alice.page.get_by_label("Your name").fill("Alice")
    await alice.page.get_by_role("button", name="Join the room").click()
    await expect(alice.part("lobby-problem")).to_have_text(
        "You could not join. The browser does not let this page connect to the room. Ask whoever runs the server."
    )
    await expect(alice.page.get_by_role("button", name="Join the room")).to_be_enabled()


async def test_an_apps_subscriber_or_selector_that_throws_stops_nothing(people):
    people.forgive("of the app")
    alice, bob = await people.meet("Alice", "Bob")
    await alice.page.evaluate("""async () => {
      const { hmsNotifications, hmsStore } = await import("/static/rooms/hms.js");
      const fail = () => { throw new Error("of the app"); };
      hmsStore.subscribe(fail);
      let looked = 0;
      hmsStore.subscribe(() => {}, () => (looked++ ? fail() : 0));
      hmsNotifications.onNotification(fail);
    }""")
    await bob.say("hello")
    await alice.sees("hello")
    await alice.say("and back")
    await bob.act_on_message("hello", "Pin for everyone")
    await expect(alice.part("pin-text")).to_have_text("Bob: hello")
    await bob.leave()
    await expect(alice.part("people-count")).to_have_text("1")
