"""Writing: to whom, people completed after an @, emoji, the counter, and the draft."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.person import NARROW

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_composer_takes_little_height_and_grows_no_further_than_some_lines(people):
    [alice] = await people.meet("Alice")
    box = await alice.part("composer").bounding_box()
    assert box and box["height"] <= 66
    await alice.part("message").fill("\n" * 30)
    grown = await alice.part("composer").bounding_box()
    assert grown and 100 < grown["height"] < 200
    # Of whole lines, also where it is scrolled to: to the foot of the caret, above what is empty below letters.
    sizes = "(text) => [text.clientHeight, text.scrollTop, parseFloat(getComputedStyle(text).lineHeight)]"
    height, above, line = await alice.part("message").evaluate(sizes)
    assert height == 5 * line
    assert -above % line < 5


async def test_whom_a_message_is_for_is_said_in_a_chip_only_while_it_is_private(people):
    alice, bob = await people.meet("Alice", "Bob")
    await expect(alice.part("to-chip")).to_be_hidden()
    await alice.page.get_by_label("To", exact=True).select_option(label="Bob")
    await expect(alice.part("to-name")).to_have_text("Only Bob")
    await expect(alice.part("message")).to_be_focused()
    await expect(alice.part("message")).to_have_accessible_description(
        "Only Bob Enter sends, Shift + Enter makes a new line."
    )
    await alice.page.get_by_label("To", exact=True).select_option(label="host")
    await expect(alice.part("to-name")).to_have_text("Only the role host")
    await alice.page.get_by_role("button", name="Write to everyone").click()
    await expect(alice.part("to-chip")).to_be_hidden()
    await expect(alice.part("message")).to_be_focused()
    await alice.part("message").fill("to all")
    await alice.part("message").press("Enter")
    await bob.sees("to all")
    await expect(bob.message("to all").locator(".privately")).to_have_count(0)


async def test_people_are_completed_after_an_at_sign(people):
    alice, bob, _ = await people.meet("Alice", "Bob Brown", "Barbara")
    offered = alice.page.get_by_role("listbox", name="People").get_by_role("option")
    message = alice.part("message")
    await message.press_sequentially("mail me@b")
    await expect(offered).to_have_count(0)
    await message.fill("")
    await message.press_sequentially("hello @b")
    await expect(offered).to_have_count(2)
    await message.press_sequentially("ro")
    await expect(offered).to_have_count(1)
    await expect(offered.first).to_have_attribute("aria-selected", "true")
    await message.press("Enter")
    await expect(message).to_have_value("hello @Bob Brown ")
    await expect(offered).to_have_count(0)
    await message.press_sequentially("and @")
    await expect(offered).to_have_count(2)
    second = (await offered.all_inner_texts())[1]
    await message.press("ArrowDown")
    await message.press("Tab")
    assert (await message.input_value()).endswith(second.split("\n")[-1] + " ")
    await message.press_sequentially("@")
    await message.press("Escape")
    await expect(offered).to_have_count(0)
    await message.press_sequentially(" no")
    await message.press("Enter")
    await expect(bob.messages()).to_have_count(1)


async def test_who_is_mentioned_is_told_so_and_others_are_not(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Bob Brown")
    message = alice.part("message")
    await message.press_sequentially("so @bob")
    await expect(alice.part("mentions")).to_be_visible()
    await message.press("Tab")
    await message.press("Backspace")
    await message.press_sequentially("!")
    await alice.page.reload()  # the draft knows whom it is about
    await alice.is_inside()
    await message.press("Enter")
    mark = bob.message("so @Bob!").locator(".mentioned-mark")
    await expect(mark).to_have_text("@ Mentions you")
    await bob.message("so @Bob!").focus()
    await expect(bob.message("so @Bob!")).to_have_accessible_name(re.compile(r"^Alice, .*, so @Bob!, @ Mentions you$"))
    await carol.sees("so @Bob!")
    for person in (alice, carol):
        await expect(person.part("log").locator(".mentioned-mark")).to_have_count(0)

    await message.press("ArrowUp")
    await message.fill("or rather ")
    await message.press_sequentially("@bro")
    await message.press("Enter")
    await message.press("Enter")
    await carol.sees("or rather @Bob Brown (edited)")
    await expect(carol.part("log").locator(".mentioned-mark")).to_have_count(1)
    await expect(mark).to_have_count(0)
    told = "hmsStore.getState().messages.byID[hmsStore.getState().messages.allIDs[0]].mentions"
    assert await bob.hms(told) == [await carol.hms("hmsStore.getState().room.localPeer")]


async def test_people_are_mentioned_by_touch(people):
    alice = await people.person("Alice", has_touch=True, is_mobile=True, viewport=NARROW)
    bob = await (await people.person("Bob")).enter(await alice.make_room())
    await expect(alice.part("people-count")).to_have_text("2")
    await alice.part("message").press_sequentially("@")
    await alice.part("mentions").get_by_role("option").tap()
    await expect(alice.part("message")).to_have_value("@Bob ")
    await expect(alice.part("message")).to_be_focused()
    await alice.page.get_by_role("button", name="Send").tap()
    await expect(bob.part("log").locator(".mentioned-mark")).to_be_visible()


async def test_an_emoji_is_put_where_the_cursor_is(people):
    [alice] = await people.meet("Alice")
    message = alice.part("message")
    await message.fill("well done")
    await message.press("Home")
    await alice.page.get_by_role("button", name="Emoji").click()
    picker = alice.page.get_by_role("dialog", name="Emoji")
    await expect(picker.get_by_role("button", name="Thumbs up")).to_be_focused()
    await alice.page.keyboard.press("ArrowRight")
    await alice.page.keyboard.press("ArrowDown")
    await expect(picker.get_by_role("button", name="Tears of joy")).to_be_focused()
    await alice.page.keyboard.press("Escape")
    await expect(picker).to_have_count(0)
    await expect(alice.part("emoji")).to_be_focused()
    await alice.page.keyboard.press("Enter")
    await picker.get_by_role("button", name="Party").click()
    await expect(message).to_have_value("🎉well done")
    await expect(message).to_be_focused()


async def test_the_hint_shows_on_focus_and_the_counter_near_the_limit(people):
    [alice] = await people.meet("Alice")
    keys = alice.page.locator(".keys")
    await expect(keys).to_be_visible()  # the cursor is in the message at first
    await alice.part("hand").focus()
    await expect(keys).to_be_hidden()
    limit = int(await alice.page.locator("[data-page]").get_attribute("data-max-message") or 0)
    await alice.part("message").fill("x" * (limit - 201))
    await expect(alice.part("left")).to_have_text("")
    await alice.part("message").fill("x" * (limit - 7))
    await expect(alice.part("left")).to_have_text("7 characters left.")
    await alice.part("message").fill("x" * (limit + 1))
    await alice.part("message").press("Enter")
    await expect(alice.part("toasts")).to_contain_text(f"A message has at most {limit:,} characters.")
    await alice.sees()


async def test_a_draft_is_kept_for_its_room_when_the_page_is_closed(people):
    alice = await people.person("Alice")
    link = await alice.make_room("One")
    host_link = alice.page.url
    await alice.part("message").fill("half a thought")
    context = alice.page.context
    await alice.page.close()
    alice.page = await context.new_page()
    await alice.make_room("Another")
    await expect(alice.part("message")).to_have_value("")
    await alice.enter(host_link)
    await expect(alice.part("message")).to_have_value("half a thought")
    assert link != host_link


async def test_who_is_writing_is_told_to_those_whom_the_message_is_for_in_a_line_that_moves_nothing(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    line = alice.part("typing")
    scroller = await alice.part("scroller").bounding_box()
    await bob.part("message").press_sequentially("so")
    await expect(line).to_have_text("Bob is typing…")
    await carol.part("message").press_sequentially("and")
    await expect(line).to_have_text(re.compile("^(Bob and Carol|Carol and Bob) are typing…$"))
    assert await alice.part("scroller").bounding_box() == scroller
    assert await line.evaluate("(element) => element.closest('[aria-live], [role=status], [role=log]')") is None
    await bob.part("message").press("Enter")
    await alice.sees("so")
    await expect(line).to_have_text("Carol is typing…")
    await bob.part("message").press_sequentially("more")
    await expect(line).to_have_text(re.compile("are typing…$"))
    for person in (bob, carol):
        await person.part("message").fill("")
        await person.part("message").press("Backspace")
        await person.part("message").press_sequentially(" ")
    await expect(line).to_have_text("")

    await carol.page.get_by_label("To", exact=True).select_option(label="Alice")
    await carol.part("message").press_sequentially("psst")
    await expect(line).to_have_text("Carol is typing to you alone…")
    await expect(bob.part("typing")).to_have_text("")
