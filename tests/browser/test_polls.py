"""Polls that are made, shown and ended on the page."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.person import MARKUP, NARROW, Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_host_makes_a_poll_shows_it_and_ends_it(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.choose(alice.part("more"), "Make a poll")
    await expect(alice.part("new-poll")).to_be_visible()
    await alice.page.get_by_label("Question").fill(f"Tea? {MARKUP}")
    await alice.page.get_by_label("Answers").fill("Yes\n\n Yes ")
    await alice.part("new-poll-start").click()
    await expect(alice.part("new-poll-problem")).to_have_text("Write at least two answers, each on a line of its own.")
    await alice.page.get_by_label("Answers").fill("\n".join(str(number) for number in range(51)))
    await alice.part("new-poll-start").click()
    await expect(alice.part("new-poll-problem")).to_have_text("A poll has at most 50 answers.")
    await alice.page.get_by_label("Answers").fill(f"Yes\n\nNo {MARKUP}\n")
    await alice.part("new-poll-start").click()
    await expect(alice.part("new-poll")).to_be_hidden()
    await bob.page.get_by_role("button", name="Answer").click()
    for person in (alice, bob):
        await expect(person.part("polls").get_by_role("heading")).to_have_text(f"Tea? {MARKUP}")
        await expect(person.part("polls").get_by_role("radio")).to_have_count(2)
    await bob.part("polls").get_by_label("No").check()
    await bob.part("polls").get_by_role("button", name="Send the answer").click()
    await expect(alice.part("polls")).to_contain_text("1 person answered")
    await expect(bob.part("polls").get_by_role("button", name="End the poll")).to_have_count(0)

    await alice.part("polls").get_by_role("button", name="End the poll").click()
    for person in (alice, bob):
        await expect(person.part("polls")).to_contain_text("Ended")
        await expect(person.part("polls").locator(".votes")).to_have_text(["0 votes", "1 vote"])
    await expect(alice.part("polls").locator(".poll")).to_be_focused()
    await bob.part("more").click()
    await expect(bob.page.get_by_role("menuitem", name="Save the transcript")).to_be_visible()
    await expect(bob.page.get_by_role("menuitem", name="Make a poll")).to_have_count(0)


async def test_tab_leads_to_a_poll_that_was_started_also_from_what_is_being_written(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.part("message").focus()
    question = {"text": "Tea?", "type": "single-choice", "options": [{"text": "Yes"}, {"text": "No"}]}
    poll = {"title": "Tea?", "type": "poll", "questions": [question]}
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", poll)
    answer = bob.part("toasts").get_by_role("button", name="Answer")
    await expect(answer).to_be_visible()
    await bob.part("message").press_sequentially("so @al")
    await expect(bob.part("mentions")).to_be_visible()
    await bob.page.keyboard.press("Tab")  # is the name's
    await expect(bob.part("message")).to_have_value("so @Alice ")
    await bob.page.keyboard.press("Tab")
    await expect(answer).to_be_focused()
    await bob.page.keyboard.press("Enter")
    await expect(bob.part("polls").get_by_label("Yes")).to_be_visible()


async def test_a_poll_is_made_with_keys_alone(people):
    [alice] = await people.meet("Alice")
    keys = alice.page.keyboard
    await alice.part("more").focus()
    await keys.press("Enter")
    while await alice.page.evaluate("document.activeElement.textContent") != "Make a poll":
        await keys.press("ArrowDown")
    await keys.press("Enter")
    await expect(alice.part("new-poll-question")).to_be_focused()
    await keys.type("Which days?")
    await keys.press("Tab")
    await keys.type("Monday")
    await keys.press("Enter")  # a new line
    await keys.type("Friday")
    await keys.press("Tab")
    await keys.press("Space")
    for _ in range(2):
        await keys.press("Tab")
    await keys.press("Enter")
    await expect(alice.part("polls").get_by_role("checkbox")).to_have_count(2)


async def test_a_poll_is_made_and_ended_by_touch(people):
    alice: Person = await people.person("Alice", has_touch=True, is_mobile=True, viewport=NARROW)
    await alice.make_room()
    await alice.part("more").tap()
    await alice.page.get_by_role("menuitem", name="Make a poll").tap()
    box = await alice.part("new-poll").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= NARROW["width"]
    await alice.page.get_by_label("Question").fill("Tea?")
    await alice.page.get_by_label("Answers").fill("Yes\nNo")
    await alice.part("new-poll-start").tap()
    await alice.part("polls").get_by_label("Yes").tap()
    await alice.part("polls").get_by_role("button", name="Send the answer").tap()
    end = alice.part("polls").get_by_role("button", name="End the poll")
    box = await end.bounding_box()
    assert box and box["height"] >= 44
    await end.tap()
    await expect(alice.part("polls")).to_contain_text(re.compile("Ended · 1 person answered"))
