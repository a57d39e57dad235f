"""One person who has the room open in two tabs of a browser."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.person import Person
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

POLL = {
    "title": "Drinks",
    "type": "poll",
    "questions": [{"text": "Which?", "type": "single-choice", "options": [{"text": "Tea"}, {"text": "Coffee"}]}],
}


async def in_another_tab(person: Person) -> Person:
    page = await person.page.context.new_page()
    return await Person(person.name, page, person.people).enter(person.page.url)


async def test_what_is_answered_in_one_tab_is_answered_in_the_other(people):
    alice, bob = await people.meet("Alice", "Bob")
    tabs = [bob, await in_another_tab(bob)]
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", POLL)
    for tab in tabs:
        await tab.part("polls-toggle").click()
        await expect(tab.part("polls").get_by_label("Tea")).to_be_visible()
    await bob.part("polls").get_by_label("Tea").check()
    await bob.part("polls").get_by_role("button", name="Send the answer").click()
    for tab in tabs:
        answered = tab.part("polls").locator(".bar-row").filter(has_text="your answer")
        await expect(answered).to_have_text(re.compile("Tea.*1 vote"))
    [poll_id] = await bob.hms("Object.keys(hmsStore.getState().polls)")
    changed = [poll_id, [{"questionIndex": 1, "option": 2}]]
    await tabs[1].hms("hmsActions.interactivityCenter.addResponsesToPoll(...value)", changed)
    for tab in tabs:
        answered = tab.part("polls").locator(".bar-row").filter(has_text="your answer")
        await expect(answered).to_have_text(re.compile("Coffee.*1 vote"))


async def test_a_person_in_two_tabs_has_one_hand_and_one_voice(people):
    alice, bob = await people.meet("Alice", "Bob")
    tabs = [bob, other] = [bob, await in_another_tab(bob)]
    await alice.hms(
        "hmsActions.sessionStore.set('spotlight', value)", await bob.hms("hmsStore.getState().room.localPeer")
    )
    for tab in tabs:
        await expect(tab.part("spotlight-name")).to_have_text("Bob (you)")
    await other.part("hand").click()
    await expect(alice.part("spotlight-hand")).to_be_visible()
    for tab in tabs:
        await expect(tab.part("hand")).to_have_attribute("aria-pressed", "true")
        await expect(tab.part("hands-list").locator(".person-name")).to_have_text(["Bob (you)"])
        await expect(tab.part("toasts")).not_to_contain_text("raised")
    await bob.hms("hmsActions.raiseLocalPeerHand()")
    await expect(alice.part("hands-list").locator(".person-name")).to_have_text(["Bob"])
    await expect(alice.part("toasts").get_by_text("Bob raised a hand.")).to_have_count(1)
    await bob.part("hand").click()
    for tab in tabs:
        await expect(tab.part("hand")).to_have_attribute("aria-pressed", "false")
        await expect(tab.part("toasts").get_by_text("Your hand is down.")).to_have_count(1)
    await expect(alice.part("hands")).to_be_hidden()

    await bob.say("from the one")
    await other.say("from the other")
    for person in (alice, bob, other):
        await expect(person.message("from the other")).to_have_class(re.compile("continued"))


async def test_a_hand_and_the_spotlight_stay_until_the_last_tab_is_gone(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    other = await in_another_tab(bob)
    await alice.act_on("Bob", "Spotlight for everyone")
    await bob.part("hand").click()
    await expect(alice.part("hands-list").locator(".person-name")).to_have_text(["Bob"])
    await carol.part("hand").click()
    await expect(alice.part("toasts")).to_have_text("Carol raised a hand. Hands up: 2")

    await bob.leave()
    await expect(alice.part("hands-list").locator(".person-name")).to_have_text(["Bob", "Carol"])
    await expect(alice.part("spotlight-name").locator("bdi")).to_have_text("Bob")
    await expect(alice.part("toasts")).not_to_contain_text("Bob raised")
    await expect(other.part("hand")).to_have_attribute("aria-pressed", "true")
    await expect(other.part("spotlight-name")).to_have_text("Bob (you)")
    await expect(other.part("toasts")).not_to_contain_text("Your hand is down")
    await expect(alice.part("people-count")).to_have_text("3")

    await other.leave()
    await expect(alice.part("hands-list").locator(".person-name")).to_have_text(["Carol"])
    await expect(alice.part("spotlight")).to_be_hidden()


async def test_a_tab_that_was_closed_while_the_server_was_dead_is_soon_counted_no_more(people):
    people.forgive(r"WebSocket connection to|net::ERR_|Failed to load resource")
    with RunningServer() as own:
        people.url = own.url
        alice, bob = await people.meet("Alice", "Bob")
        other = await in_another_tab(bob)
        await expect(alice.row("Bob")).to_contain_text("in 2 tabs")
        own.kill()
        await other.page.close()
        own.start()
        await expect(alice.row("Bob")).not_to_contain_text("in 2 tabs")
        await expect(alice.row("Bob").locator(".away")).to_be_hidden()
        assert await alice.hms("hmsStore.getState().room.peers.length") == 3
