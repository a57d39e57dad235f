"""Who is here, what they say of themselves, and what a host may do about them."""

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_hands_go_up_in_order_and_the_host_lowers_them(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await carol.part("hand").click()
    await expect(alice.part("toasts")).to_contain_text("Carol raised a hand")
    await bob.part("hand").click()
    hands = alice.part("hands-list").locator(".person-name")
    await expect(hands).to_have_text(["Carol", "Bob"])
    await expect(bob.part("hand")).to_have_attribute("aria-pressed", "true")

    await alice.choose(alice.part("hands-list").get_by_role("button", name="Actions for Carol"), "Lower hand")
    await expect(hands).to_have_text(["Bob"])
    await expect(carol.part("hand")).to_have_attribute("aria-pressed", "false")
    await alice.part("lower-all").click()
    await expect(alice.part("hands")).to_be_hidden()
    await expect(bob.part("hand")).to_have_attribute("aria-pressed", "false")
    await expect(bob.part("lower-all")).to_be_hidden()


async def test_name_and_status_are_everybodys_to_see(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.set_status("Back at noon", name="Robert")
    await expect(alice.row("Robert").locator(".person-status")).to_have_text("Back at noon")
    carol = await (await people.person("Carol")).enter(await alice.part("invite-link").input_value())
    await expect(carol.row("Robert").locator(".person-status")).to_have_text("Back at noon")
    await bob.set_status("")
    await expect(alice.row("Robert").locator(".person-status")).to_be_hidden()


async def test_the_host_removes_a_person_and_ends_the_room(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await expect(bob.row("Carol").get_by_role("button", name="Actions")).to_be_visible()
    await bob.row("Carol").get_by_role("button", name="Actions").click()
    await expect(bob.page.get_by_role("menuitem", name="Remove from the room")).to_have_count(0)
    await bob.page.keyboard.press("Escape")

    await alice.act_on("Bob", "Remove from the room")
    await alice.agree()
    await bob.is_told("You were removed from the room")
    await expect(bob.part("end-text")).to_have_text("By Alice: removed by the host")
    await expect(carol.part("log")).to_contain_text("Bob left")

    await alice.choose(alice.part("more"), "End the room for everyone")
    await alice.agree()
    await carol.is_told("The room was ended")
    await alice.is_told("The room was ended")
    await carol.page.get_by_role("button", name="Open it again").click()
    await carol.is_inside()
    await expect(carol.part("people-count")).to_have_text("1")


async def test_a_role_changes_while_one_is_inside(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.act_on("Bob", "Make viewer")
    await expect(bob.part("read-only")).to_be_visible()
    await expect(bob.part("message")).to_be_hidden()
    await expect(alice.row("Bob").locator(".role")).to_have_text("viewer")
    await alice.act_on("Bob", "Make host")
    await expect(bob.part("message")).to_be_visible()
    await bob.act_on("Alice", "Make guest")
    await expect(alice.row("Alice").locator(".role")).to_have_text("guest")


async def test_a_poll_made_elsewhere_is_answered_and_its_result_shown(people):
    alice, bob = await people.meet("Alice", "Bob")
    poll = {
        "title": "Tea or coffee?",
        "type": "poll",
        "questions": [
            {"text": "Which?", "type": "single-choice", "options": [{"text": "Tea"}, {"text": "Coffee"}]},
            {"text": "With?", "type": "multiple-choice", "options": [{"text": "Milk"}, {"text": "Sugar"}]},
        ],
    }
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", poll)

    await bob.page.get_by_role("button", name="Answer").click()
    polls = bob.part("polls")
    await polls.get_by_label("Coffee").check()
    await polls.get_by_label("Milk").check()
    await polls.get_by_label("Sugar").check()
    await polls.get_by_role("button", name="Send the answer").click()
    await expect(polls.locator(".bar-row").filter(has_text="Coffee")).to_contain_text("your answer")
    await alice.part("polls-toggle").click()
    await alice.part("polls").get_by_label("Tea").check()
    await alice.part("polls").get_by_role("button", name="Send the answer").click()
    for person in (alice, bob):
        await expect(person.part("polls").locator(".votes")).to_have_text(["1 vote", "1 vote", "1 vote", "1 vote"])

    late = await (await people.person("Carol")).enter(await alice.part("invite-link").input_value())
    await late.part("polls-toggle").click()
    await expect(late.part("polls").get_by_role("button", name="Send the answer")).to_be_visible()
    [poll_id] = await alice.hms("Object.keys(hmsStore.getState().polls)")
    await alice.hms("hmsActions.interactivityCenter.stopPoll(value)", poll_id)
    await expect(late.part("polls")).to_contain_text("Ended")
    await expect(late.part("polls").locator(".votes")).to_have_text(["1 vote", "1 vote", "1 vote", "1 vote"])
