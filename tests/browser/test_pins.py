"""Pinned messages, and whatever else may stand under their keys."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.person import MARKUP

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_three_pins_one_shown_and_the_rest_a_step_away(people):
    alice, bob = await people.meet("Alice", "Bob")
    for text in ("one", "two", "three", "four"):
        await alice.say(text)
        await bob.act_on_message(text, "Pin for everyone")
        await expect(alice.part("pin-text")).to_have_text(f"Alice: {text}")
    await expect(alice.part("pin-place")).to_have_text("1/3")
    await alice.part("pin-next").click()
    await expect(alice.part("pin-text")).to_have_text("Alice: three")
    await alice.part("pin").click()
    await expect(alice.message("three")).to_be_focused()

    await alice.part("pin-list").click()
    listed = alice.part("pin-items").locator(".pin-text")
    await expect(listed).to_have_text(["Alice: four", "Alice: three", "Alice: two"])
    await alice.part("pin-items").get_by_role("button", name="Unpin").nth(1).click()
    await expect(listed).to_have_text(["Alice: four", "Alice: two"])
    await alice.page.keyboard.press("Escape")
    await alice.page.get_by_role("button", name="Undo").click()
    await expect(bob.part("pin-text")).to_have_text("Alice: three")


async def test_a_pin_of_an_app_that_knows_only_session_metadata_is_shown(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.hms("hmsActions.setSessionMetadata(value)", "Bob: old way")
    await expect(alice.part("pin-text")).to_have_text("Bob: old way")
    await alice.part("unpin").click()
    await expect(bob.part("pins")).to_be_hidden()


async def test_metadata_of_any_form_breaks_nothing(people):
    alice, bob = await people.meet("Alice", "Bob")
    odd_pins: list[Any] = [None, 3, {"text": ["x"]}, {"text": "  "}]
    thrower: Any = {"toString": 1, "valueOf": 1}
    odd_pins += [{"text": "x", "id": thrower, "pinnedBy": thrower}, {"text": thrower}, thrower, [thrower]]
    for value in [{"a": 1}, thrower, odd_pins, 7, "text", None, [{"text": MARKUP, "pinnedBy": {}}]]:
        for key in ("pinnedMessages", "spotlight", "default", "__proto__", "constructor"):
            # Pins that name no message are refused.
            await bob.hms("hmsActions.sessionStore.set(...value).catch(() => {})", [key, value])
    for text in ('["no object"]', "null", "{", '{"status": {"toString": 1}}', '{"__proto__": {"status": "x"}}'):
        await bob.hms("hmsActions.changeMetadata(value)", text)
    await bob.say("Still here")
    await alice.sees("Still here")


async def test_a_late_joiner_reads_the_only_pin_whole(people):
    [alice] = await people.meet("Alice")
    text = " ".join(f"word{number}" for number in range(400)) + " the end"
    await alice.say(text)
    await alice.act_on_message("the end", "Pin for everyone")
    late = await (await people.person("Carol")).enter(await alice.part("invite-link").input_value())
    await late.part("pin").click()
    whole = late.part("pin-items").locator(".pin-text")
    await expect(whole).to_have_text(f"Alice: {text}")
    assert await whole.evaluate("(element) => element.scrollHeight <= element.clientHeight + 4")


async def test_values_of_any_form_meet_a_late_joiner_as_well(people):
    [alice] = await people.meet("Alice")
    link = await alice.part("invite-link").input_value()
    thrower: Any = {"toString": 1, "valueOf": 1, "length": -1, "then": 1}
    nested: Any = thrower
    for _ in range(12):
        nested = [{"text": nested, "id": thrower}] if isinstance(nested, dict) else {"text": nested}
    huge = "W" * 16_000
    pins = [{"text": huge, "id": "x", "pinnedBy": huge}, {"text": "x", "id": thrower, "pinnedBy": nested}, thrower]
    cases = [
        {"pinnedMessages": thrower, "spotlight": thrower, "default": thrower},
        {"pinnedMessages": nested, "spotlight": nested, "default": nested},
        {"pinnedMessages": [{"text": huge[:5000], "id": "x", "pinnedBy": huge[:5000]}, *pins[1:]], "spotlight": huge},
        {"pinnedMessages": [], "spotlight": "__proto__", "default": huge},
    ]
    for number, values in enumerate(cases):
        for key, value in values.items():
            await alice.hms("hmsActions.sessionStore.set(...value).catch(() => {})", [key, value])
        late = await (await people.person(f"Late {number}")).enter(link)
        await expect(late.part("spotlight")).to_be_hidden()
        await late.say(f"here {number}")
        await expect(alice.message(f"here {number}")).to_be_visible()
    await expect(late.part("pin-text")).to_contain_text(huge)
