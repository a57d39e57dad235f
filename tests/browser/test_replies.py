"""Messages that answer others: whom they go to, what they show of those, and the way back there."""

import re

import pytest
from playwright.async_api import Locator, expect

from tests.browser.person import NARROW, Person
from tests.browser.test_changes import PRESS

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

GONE, EARLIER = "A deleted message", "An earlier message"
NOT_SHOWN = "A message that was deleted or is not shown to you"


def quote(person: Person, text: str) -> Locator:
    return person.message(text).locator(".quoted .said")


async def start_reply(person: Person, text: str) -> None:
    await person.message(text).hover()
    await person.message(text).get_by_role("button", name="Reply").click()


async def test_an_answer_shows_what_it_answers_as_it_reads_now_until_that_is_deleted(people):
    alice, bob = await people.meet("Alice", "Bob <b>")
    await bob.say("shall\nwe?")
    await start_reply(alice, "shall")
    await expect(alice.part("replying-what")).to_have_text("Reply to Bob <b>: shall we?")
    await expect(alice.part("message")).to_be_focused()
    await expect(alice.part("message")).to_have_accessible_description(re.compile(r"^Reply to Bob <b> ?: shall we\?"))
    await alice.page.keyboard.press("Escape")
    await expect(alice.part("replying")).to_be_hidden()
    await start_reply(alice, "shall")
    await alice.page.get_by_role("button", name="Cancel the reply").click()
    await alice.say("let us see")
    await start_reply(alice, "shall")
    await alice.say("yes")
    await expect(alice.part("replying")).to_be_hidden()
    for person in (alice, bob):
        await expect(person.message("let us see").locator(".quote")).to_have_count(0)
        await expect(quote(person, "yes")).to_have_text("Bob <b>: shall we?")

    await bob.part("message").press("ArrowUp")
    await expect(bob.part("editing")).to_be_visible()
    await bob.part("message").fill("shall we go?")
    await bob.part("message").press("Enter")
    await expect(quote(alice, "yes")).to_have_text("Bob <b>: shall we go?")
    await alice.message("yes").locator(".quoted").click()
    await expect(alice.part("log").locator(".message").first).to_be_focused()
    await start_reply(alice, "let us see")
    await alice.act_on_message("let us see", "Delete")
    await alice.agree()
    await expect(alice.part("toasts")).to_contain_text("The message that you were answering was deleted.")
    # One that is refused waits under the log, with what it answers.
    too_long = "hmsActions.sendBroadcastMessage('x'.repeat(1e4), undefined, { replyTo: value }).catch(() => {})"
    await alice.hms(too_long, await alice.message("shall we go?").first.get_attribute("data-id"))
    await expect(alice.part("outbox").locator(".quote")).to_contain_text("shall we go?")
    await bob.part("message").press("ArrowUp")
    await bob.part("message").fill("")
    await bob.part("message").press("Enter")
    await bob.agree()
    for person in (alice, bob):
        await expect(quote(person, "yes")).to_have_text(GONE)
        await expect(person.message("yes").locator("button.quoted")).to_have_count(0)
        assert "shall we" not in await person.page.locator("body").inner_text()
    await alice.page.reload()
    await alice.is_inside()
    await expect(quote(alice, "yes")).to_have_text(GONE)


async def test_one_answers_and_follows_answers_with_keys_alone(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.say("shall we?")
    await alice.sees("shall we?")
    keys = alice.page.keyboard
    await alice.part("to").focus()
    await keys.press("Shift+Tab")
    for _ in range(5):
        await keys.press("ArrowRight")
    await expect(alice.page.get_by_role("button", name="Reply")).to_be_focused()
    await keys.press("Enter")
    await keys.type("yes")
    await keys.press("Enter")
    await bob.sees("shall we?", "yes")
    await alice.sees("shall we?", "yes")
    await alice.part("to").focus()
    await keys.press("Shift+Tab")
    spoken = re.compile(r"^You, .*, In reply to Bob: shall we\?, yes$")
    await expect(alice.message("yes")).to_have_accessible_name(spoken)
    await keys.press("ArrowRight")
    await keys.press("Enter")
    await expect(alice.part("log").locator(".message").first).to_be_focused()

    await keys.press("Enter")  # to the button of its menu
    await keys.press("Enter")
    await expect(alice.page.get_by_role("menuitem", name="Reply")).to_be_focused()
    await keys.press("Enter")
    await expect(alice.part("replying")).to_be_visible()
    await alice.act_on("Bob", "Make viewer")
    await bob.message("shall we?").first.hover()
    await expect(bob.page.get_by_role("button", name="Actions for the message")).to_be_visible()
    await expect(bob.page.get_by_role("button", name="Reply", exact=True)).to_have_count(0)


async def test_one_answers_by_touch(people):
    alice = await people.person("Alice", has_touch=True, is_mobile=True, viewport=NARROW)
    await alice.make_room()
    await alice.say("hello " * 60)
    await alice.message("hello").locator(".text").evaluate(PRESS)
    toolbar = await alice.page.get_by_role("toolbar").bounding_box()
    assert toolbar and toolbar["x"] >= 0 and toolbar["x"] + toolbar["width"] <= NARROW["width"]
    await alice.page.get_by_role("button", name="Reply").tap()
    chip = await alice.part("replying").bounding_box()
    assert chip and chip["x"] + chip["width"] <= NARROW["width"]
    await alice.say("and again")
    line = alice.message("and again").locator("button.quoted")
    box = await line.bounding_box()
    assert box and box["height"] >= 44 and box["x"] >= 0 and box["x"] + box["width"] <= NARROW["width"]
    await line.tap()
    await expect(alice.part("log").locator(".message").first).to_be_focused()


async def test_an_answer_goes_to_those_for_whom_the_message_was(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    link = await alice.part("invite-link").input_value()
    bob.page = await bob.page.context.new_page()  # the same person, in another tab
    await bob.enter(link)
    await bob.say("psst", to="Alice")
    await alice.act_on_message("psst", "Answer privately")
    await expect(alice.part("to-name")).to_have_text("Only Bob")
    await alice.page.get_by_role("button", name="Write to everyone").click()

    await start_reply(alice, "psst")
    await expect(alice.part("to-name")).to_have_text("Only Bob")
    await alice.page.get_by_role("button", name="Write to everyone").click()
    await expect(alice.part("replying")).to_be_hidden()  # others would learn that there is something
    await expect(alice.part("message")).to_have_accessible_description(re.compile("^Enter sends"))
    await start_reply(alice, "psst")
    await alice.part("message").fill("what?")
    await alice.part("message").press("Enter")
    await expect(quote(bob, "what?")).to_have_text("Bob: psst")

    await carol.say("and all?")
    await alice.part("message").fill("for Bob")
    await start_reply(alice, "and all?")
    await expect(alice.part("to-name")).to_have_text("Only Bob")  # what is written for one is not told to all
    await alice.part("message").fill("")
    await start_reply(alice, "and all?")
    await expect(alice.part("to-chip")).to_be_hidden()
    await alice.part("message").fill("for all")
    await alice.part("message").press("Enter")
    await expect(quote(carol, "for all")).to_have_text("Carol: and all?")
    await carol.sees("and all?", "for all")


async def test_what_was_answered_long_ago_is_brought_and_what_is_not_shown_is_not(people):
    alice = await people.person("Alice")
    link = await alice.make_room()
    say = "for (let at = 0; at < 70; at += 1) await hms.hmsActions.sendBroadcastMessage(`no ${at}`);"
    await alice.hms(f"(async () => {{ {say} }})()")
    ids = await alice.hms("hmsStore.getState().messages.allIDs")
    await alice.hms("hmsActions.sendBroadcastMessage('at last', undefined, value)", {"replyTo": ids[0]})
    bob = await (await people.person("Bob")).enter(link)
    await expect(quote(bob, "at last")).to_have_text(EARLIER)
    await bob.message("at last").locator(".quoted").click()
    first = bob.part("log").locator(".message").first
    await expect(first).to_be_focused()
    await expect(first.locator(".text")).to_have_text("no 0")
    await bob.page.get_by_label("Message", exact=True).focus()
    await bob.part("log").locator(".message").last.focus()
    await expect(quote(bob, "at last")).to_have_text("Alice: no 0")

    await alice.hms("hmsActions.setRoom({ history: 1 })")
    carol = await (await people.person("Carol")).enter(link)
    await expect(quote(carol, "at last")).to_have_text(NOT_SHOWN)
    await expect(carol.message("at last").locator("button.quoted")).to_have_count(0)
