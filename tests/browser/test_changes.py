"""What is done to messages that were said: they are edited, deleted and reacted to."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.person import NARROW
from tests.support.axe import barriers

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PHONE = {"has_touch": True, "is_mobile": True, "viewport": NARROW}

PRESS = """(element) => {
  const { x, y } = element.getBoundingClientRect();
  const event = { bubbles: true, pointerType: 'touch', clientX: x + 5, clientY: y + 5 };
  element.dispatchEvent(new PointerEvent('pointerdown', event));
}"""


async def test_a_message_is_edited_with_the_mouse_and_its_pin_follows(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.say("teh plan")
    await bob.act_on_message("teh plan", "Pin for everyone")
    await alice.menu_of("teh plan")
    await (await alice.menu_of("teh plan")).click()
    await expect(alice.page.get_by_role("menuitem", name="Delete")).to_be_visible()
    await expect(alice.page.get_by_role("menuitem", name="Edit")).to_have_count(0)
    await alice.page.keyboard.press("Escape")
    for person in (alice, bob):
        await person.message("teh plan").focus()

    await bob.part("message").fill("half a thought")
    await bob.act_on_message("teh plan", "Edit")
    await expect(bob.part("editing-what")).to_have_text("Editing a message")
    await expect(bob.part("message")).to_be_focused()
    await expect(bob.part("message")).to_have_value("teh plan")
    await expect(bob.part("message")).to_have_accessible_description(re.compile("^Editing a message"))
    await bob.part("message").fill("the plan")
    await bob.page.get_by_role("button", name="Save").click()
    for person in (alice, bob):
        await person.sees("the plan (edited)")
        await expect(person.part("pin-text")).to_contain_text("the plan")
    await expect(alice.message("the plan")).to_have_accessible_name(re.compile("the plan, \\(edited\\)"))
    await expect(bob.message("the plan")).not_to_have_attribute("aria-label", re.compile("."))  # it reads as it is
    await expect(bob.part("editing")).to_be_hidden()
    await expect(bob.part("message")).to_have_value("half a thought")
    await bob.page.get_by_role("button", name="Send").click()
    await alice.sees("the plan (edited)", "half a thought")


async def test_the_last_message_is_edited_with_keys_alone(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("frist")
    await bob.sees("frist")
    await bob.say("another's")
    await alice.sees("frist", "another's")
    keys = alice.page.keyboard
    await keys.press("ArrowUp")
    await expect(alice.part("message")).to_have_value("frist")
    await keys.type("!")
    await keys.press("Escape")
    await expect(alice.part("message")).to_have_value("")
    await expect(alice.part("editing")).to_be_hidden()
    await keys.press("ArrowUp")
    await alice.part("message").fill("first")
    await keys.press("Enter")
    await bob.sees("first (edited)", "another's")
    await expect(alice.part("message")).to_have_value("")
    await alice.part("to").focus()
    await keys.press("Shift+Tab")
    await keys.press("Home")
    await expect(alice.message("first")).to_have_accessible_name(re.compile(r"^You, .*, first, \(edited\)$"))
    await alice.page.reload()
    await alice.is_inside()
    await alice.sees("first (edited)", "another's")


async def test_a_deleted_message_is_gone_for_everyone_with_its_pin(people):
    alice, bob = await people.meet("Alice", "Bob")
    for text in ("one", "two", "three"):
        await bob.say(text)
    await bob.act_on_message("one", "Pin for everyone")
    await expect(alice.part("pin-text")).to_contain_text("one")
    await bob.part("pin-list").click()
    await bob.page.keyboard.press("Escape")
    await alice.act_on_message("one", "Delete")  # as the host
    await expect(alice.part("confirm-text")).to_have_text(
        "What Bob said goes for everyone who sees it, and cannot be brought back."
    )
    await alice.part("confirm-no").click()
    await alice.sees("one", "two", "three")
    await alice.act_on_message("one", "Delete")
    await alice.agree()
    for person in (alice, bob):
        await person.sees("two", "three")
        await expect(person.part("pins")).to_be_hidden()
        for holder in ("pin-text", "pin-items"):
            await expect(person.part(holder)).to_be_empty()  # hidden they do not keep it either
        await expect(person.message("two").locator(".author")).to_be_visible()  # it stands first now
    await expect(alice.message("two")).to_be_focused()

    await bob.part("message").press("ArrowUp")
    await expect(bob.part("message")).to_have_value("three")
    await alice.act_on_message("three", "Delete")
    await alice.agree()
    await expect(bob.part("toasts")).to_contain_text("The message that you were editing was deleted.")
    await expect(bob.part("message")).to_have_value("")
    await bob.part("message").press("ArrowUp")
    await bob.part("message").fill("")
    await bob.part("message").press("Enter")
    await bob.agree()
    await bob.sees()
    await expect(bob.part("log").locator(".day")).to_have_count(0)
    await expect(bob.part("empty")).to_be_visible()  # and not blank; it says nothing of what was before


async def test_a_change_that_is_refused_is_told_in_words_and_loses_nothing(people):
    bob = await people.person("Bob")
    await bob.make_room()
    await bob.say("hello")
    await bob.sees("hello")
    await bob.part("message").press("ArrowUp")
    await expect(bob.part("editing")).to_be_visible()
    await bob.part("message").fill("\u200b")  # nothing to see
    await bob.part("message").press("Enter")
    await expect(bob.part("toasts")).to_contain_text("Not changed. Write something first.")
    await expect(bob.part("message")).to_have_value("\u200b")
    await expect(bob.part("editing")).to_be_visible()


async def test_a_message_is_edited_and_deleted_by_touch(people):
    alice = await people.person("Alice", **PHONE)
    await alice.make_room()
    await alice.say("to chnage")
    message = alice.message("to ch")
    await message.locator(".text").evaluate(PRESS)
    await message.get_by_role("button", name="Actions").tap()
    await alice.page.get_by_role("menuitem", name="Edit").tap()
    await alice.part("message").fill("to change")
    await alice.page.get_by_role("button", name="Save").tap()
    await alice.sees("to change (edited)")
    await message.locator(".text").evaluate(PRESS)
    await message.get_by_role("button", name="Actions").tap()
    await alice.page.get_by_role("menuitem", name="Delete").tap()
    await alice.part("confirm-yes").tap()
    await alice.sees()


async def test_reactions_stand_under_the_message_with_who_and_are_turned_by_a_click(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.say("well done?")
    await alice.message("well done?").hover()
    await alice.page.get_by_role("button", name="React with Thumbs up").click()
    chips = [person.message("well done?").locator(".reaction") for person in (alice, bob)]
    await expect(chips[0]).to_have_accessible_name("👍 1, by you")
    await expect(chips[0]).to_have_attribute("aria-pressed", "true")
    await expect(chips[1]).to_have_accessible_name("👍 1, by Alice")
    await expect(chips[1]).to_have_attribute("aria-pressed", "false")
    await chips[1].click()
    await expect(chips[0]).to_have_accessible_name("👍 2, by you and Bob")
    carol = await (await people.person("Carol")).enter(await alice.part("invite-link").input_value())
    await expect(carol.message("well done?").locator(".reaction")).to_have_accessible_name("👍 2, by Alice and Bob")
    await carol.leave()
    await chips[0].click()
    await expect(chips[1]).to_have_accessible_name("👍 1, by you")
    await chips[1].click()
    for chip in chips:
        await expect(chip).to_have_count(0)
    await expect(bob.message("well done?")).to_be_focused()


async def test_one_reacts_with_keys_alone(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.say("shall we?")
    await alice.sees("shall we?")
    keys = alice.page.keyboard
    await alice.part("to").focus()
    await keys.press("Shift+Tab")
    await expect(alice.message("shall we?")).to_be_focused()
    for _ in range(4):
        await keys.press("ArrowRight")
    await expect(alice.page.get_by_role("button", name="React with another emoji")).to_be_focused()
    await keys.press("Enter")
    await expect(alice.page.get_by_role("dialog", name="Emoji")).to_be_visible()
    await keys.press("End")
    await keys.press("Enter")
    chip = bob.message("shall we?").locator(".reaction")
    await expect(chip).to_have_accessible_name("☕ 1, by Alice")
    await keys.press("Escape")
    await expect(alice.message("shall we?")).to_be_focused()
    await expect(alice.message("shall we?")).to_have_accessible_name(re.compile(r"^Bob, .*, shall we\?, ☕ 1, by you$"))
    await keys.press("ArrowRight")
    await keys.press("Enter")
    await expect(chip).to_have_count(0)
    await alice.act_on("Bob", "Make viewer")
    await expect(bob.part("message")).to_be_hidden()
    await bob.message("shall we?").hover()
    await expect(bob.page.get_by_role("button", name="Actions for the message")).to_be_visible()
    await expect(bob.page.get_by_role("button", name="React with")).to_have_count(0)


async def test_one_reacts_by_touch(people):
    alice = await people.person("Alice", **PHONE)
    await alice.make_room()
    await alice.say("hello")
    message = alice.message("hello")
    await message.locator(".text").evaluate(PRESS)
    toolbar = await alice.page.get_by_role("toolbar").bounding_box()
    assert toolbar and toolbar["x"] >= 0 and toolbar["x"] + toolbar["width"] <= NARROW["width"]
    await alice.page.get_by_role("button", name="React with Heart").tap()
    chip = message.locator(".reaction")
    box = await chip.bounding_box()
    assert box and min(box["width"], box["height"]) >= 44
    await chip.tap()
    await expect(chip).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_that_changes_messages_keeps_anybody_out(people, theme):
    alice = await people.person("Alice", color_scheme=theme)
    bob = await (await people.person("Bob")).enter(await alice.make_room())
    await bob.say("hello")
    await alice.sees("hello")
    await alice.say("and hello")
    await alice.sees("hello", "and hello")
    await alice.message("and hello").hover()
    await alice.page.get_by_role("button", name="React with Heart").click()
    await bob.part("message").press_sequentially("x")
    await expect(alice.part("typing")).to_have_text("Bob is typing…")
    await alice.act_on_message("and hello", "Edit")
    assert await barriers(alice.page) == []
    await alice.part("message").fill("and goodbye")
    await alice.part("message").press("Enter")
    await alice.sees("hello", "and goodbye (edited)")
    await alice.message("and goodbye").hover()
    await alice.page.get_by_role("button", name="React with another emoji").click()
    await expect(alice.page.get_by_role("dialog", name="Emoji")).to_be_visible()
    assert await barriers(alice.page) == []
    await alice.page.keyboard.press("Escape")
    await alice.act_on_message("and goodbye", "Delete")
    await expect(alice.part("confirm-text")).to_be_visible()
    assert await barriers(alice.page) == []


async def test_who_reacted_is_told_by_keyboard_and_by_touch(people):
    alice = await people.person("Alice", **PHONE)
    bob = await (await people.person("Bob <b>")).enter(await alice.make_room())
    await bob.say("hello")
    await alice.sees("hello")
    for person, emoji in ((bob, "👍"), (alice, "👍"), (bob, "🎉")):
        await person.hms("hmsActions.reactToMessage(hmsStore.getState().messages.allIDs[0], value)", emoji)
    await expect(bob.message("hello").locator(".reaction")).to_have_count(2)
    await expect(alice.message("hello").locator(".reaction")).to_have_text(["👍 2", "🎉 1"])

    await alice.message("hello").locator(".text").evaluate(PRESS)
    await alice.page.get_by_role("button", name="Actions for the message").tap()
    await alice.page.get_by_role("menuitem", name="Who reacted").tap()
    await expect(alice.part("reacted-list").locator("li")).to_have_text(["👍 Bob <b> and you", "🎉 Bob <b>"])

    await bob.message("hello").focus()
    press = bob.page.keyboard.press
    await press("Enter")  # to the menu's button
    await press("Enter")
    while await bob.page.evaluate("document.activeElement.textContent") != "Who reacted":
        await press("ArrowDown")
    await press("Enter")
    await expect(bob.part("reacted-list").locator("li")).to_have_text(["👍 you and Alice", "🎉 you"])
    await press("Escape")
    await expect(bob.part("reacted")).to_be_hidden()
    await expect(bob.page.get_by_role("button", name="Actions for the message")).to_be_focused()
