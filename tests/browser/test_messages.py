"""What is said, and how it is read."""

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_links_are_links(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("See https://example.org/a_(b)?c=d, or (http://example.org/e).")
    await bob.sees("See https://example.org/a_(b)?c=d, or (http://example.org/e).")
    links = bob.part("log").locator("a")
    assert [await link.get_attribute("href") for link in await links.all()] == [
        "https://example.org/a_(b)?c=d",
        "http://example.org/e",
    ]
    assert await links.first.get_attribute("rel") == "noopener noreferrer nofollow"


async def test_private_messages_reach_only_whom_they_are_for_and_are_marked(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")

    await alice.say("to Bob alone", to="Bob")
    await expect(alice.message("to Bob alone").locator(".privately")).to_have_text("Only to Bob")
    await alice.say("to guests", to="guest")
    await alice.say("to hosts", to="host")
    await alice.say("to all")

    await bob.sees("to Bob alone", "to guests", "to all")
    await carol.sees("to guests", "to all")
    await expect(bob.message("to Bob alone").locator(".privately")).to_have_text("Only to you")
    await expect(carol.message("to guests").locator(".privately")).to_have_text("Only to role guest")


async def test_a_private_draft_does_not_go_to_everyone_when_its_recipient_leaves(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await alice.page.get_by_label("To", exact=True).select_option(label="Bob")
    await alice.part("message").fill("a secret")
    await bob.leave()
    await expect(alice.part("people-count")).to_have_text("2")
    await alice.part("message").press("Enter")
    await expect(alice.part("toasts")).to_contain_text("Bob has left")
    await expect(alice.part("message")).to_have_value("a secret")
    await alice.say("in the open")
    await carol.sees("in the open")


async def test_reading_back_is_not_disturbed_by_what_arrives(people):
    alice, bob = await people.meet("Alice", "Bob")
    for number in range(25):
        await bob.say(f"message {number}")
    await expect(alice.messages()).to_have_count(25)
    await expect(alice.message("message 24")).to_be_in_viewport()
    await alice.part("scroller").evaluate("(element) => element.scrollTo(0, 0)")
    await expect(alice.message("message 0")).to_be_in_viewport()
    await bob.say("late one")
    await expect(alice.part("chip")).to_have_text("1 new message")
    await expect(alice.part("announcer")).to_have_text("1 new message")
    await expect(alice.message("message 0")).to_be_in_viewport()
    await alice.part("chip").click()
    await expect(alice.message("late one")).to_be_in_viewport()
    await expect(alice.part("chip")).to_be_hidden()


async def test_the_newest_message_stays_in_sight_when_other_things_take_space(people):
    alice, bob = await people.meet("Alice", "Bob")
    for number in range(15):
        await bob.say(f"message {number}")
    await bob.say("the last")
    await expect(alice.message("the last")).to_be_in_viewport(ratio=1)
    await bob.act_on_message("the last", "Pin for everyone")
    await bob.act_on("Alice", "Spotlight for everyone")
    await expect(alice.part("spotlight")).to_be_visible()
    await expect(alice.part("log")).to_contain_text("Bob pinned a message")
    await expect(alice.message("the last")).to_be_in_viewport(ratio=1)
    await alice.page.set_viewport_size({"width": 500, "height": 500})
    await expect(alice.part("panel")).to_be_hidden()  # it would cover the messages now
    await expect(alice.message("the last")).to_be_in_viewport(ratio=1)


async def test_a_message_that_is_refused_stays_and_can_be_sent_again(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.act_on("Bob", "Make viewer")
    await expect(bob.part("message")).to_be_hidden()
    for text in ("held up", "given up"):
        await bob.hms("hmsActions.sendBroadcastMessage(value).catch(() => {})", text)
    waiting = bob.part("outbox").locator(".message")
    await expect(waiting).to_have_count(2)
    await expect(waiting.first).to_contain_text("Not sent: the role viewer lacks the permission sendMessages")
    await waiting.filter(has_text="given up").get_by_role("button", name="Discard").click()
    await expect(waiting).to_have_count(1)

    await alice.act_on("Bob", "Make guest")
    await expect(bob.part("message")).to_be_visible()
    await waiting.get_by_role("button", name="Retry").click()
    await alice.sees("held up")
    await bob.sees("held up")
    await expect(waiting).to_have_count(0)
