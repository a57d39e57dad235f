"""Pinned messages, and whatever else may stand under their keys."""

import re
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
        if text == "four":
            await expect(bob.part("confirm-title")).to_have_text("Replace the oldest pin, by Bob?")
            await expect(bob.part("confirm-text")).to_have_text("Alice: one")
            await bob.agree()
        await expect(alice.part("pin-text")).to_have_text(f"Alice: {text}")
    await bob.part("toasts").get_by_role("button", name="Undo").click()
    await expect(alice.part("pin-text")).to_have_text("Alice: one")
    await expect(alice.part("pin-place")).to_have_text("3/3")
    await bob.act_on_message("four", "Pin for everyone")
    await bob.agree()
    await expect(alice.part("pin-text")).to_have_text("Alice: four")
    await expect(alice.part("pin-place")).to_have_text("1/3")
    await alice.part("pin-next").click()
    await expect(alice.part("pin-text")).to_have_text("Alice: three")
    await alice.part("pin").click()
    await expect(alice.message("three")).to_be_focused()

    await alice.part("pin-list").click()
    listed = alice.part("pin-items").locator(".pin-text")
    await expect(listed).to_have_text(["Alice: four", "Alice: three", "Alice: two"])
    two = await alice.message("two").get_attribute("data-id")
    await alice.hms("hmsActions.editMessage(value, 'second')", two)
    await expect(listed).to_have_text(["Alice: four", "Alice: three", "Alice: second"])
    await alice.part("pin-items").get_by_role("button", name="Unpin").nth(1).click()
    await expect(listed).to_have_text(["Alice: four", "Alice: second"])
    await alice.page.keyboard.press("Escape")
    await alice.page.get_by_role("button", name="Undo").click()
    await expect(bob.part("pin-text")).to_have_text("Alice: three")


async def test_no_pin_of_a_guest_takes_the_place_of_a_hosts(people):
    alice, bob = await people.meet("Alice", "Bob")
    for pinner, text in ((alice, "one"), (bob, "two"), (alice, "three")):
        await pinner.say(text)
        await pinner.act_on_message(text, "Pin for everyone")
        await expect(bob.part("pin-text")).to_contain_text(text)
    await bob.say("four")
    await bob.act_on_message("four", "Pin for everyone")
    await expect(bob.part("confirm-title")).to_have_text("Replace the pin by Bob?")
    await bob.page.keyboard.press("Escape")
    await expect(bob.part("pin-text")).to_have_text("Alice: three")
    await alice.act_on_message("four", "Pin for everyone")
    await alice.page.keyboard.press("Escape")
    await alice.act_on_message("two", "Unpin")
    await alice.act_on_message("four", "Pin for everyone")
    await expect(bob.part("pin-text")).to_have_text("Bob: four")
    await bob.act_on_message("two", "Pin for everyone")
    await expect(bob.part("toasts")).to_contain_text("There is no room for another pin: Alice can unpin one.")
    await expect(bob.part("confirm")).to_be_hidden()


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
    await expect(late.message("the end")).to_be_focused()
    await late.part("pin-list").click()
    whole = late.part("pin-items").locator(".pin-text")
    await expect(whole).to_have_text(f"Alice: {text}")
    assert await whole.evaluate("(element) => element.scrollHeight > element.clientHeight + 4")
    await late.part("pin-items").get_by_role("button", name="Show all").click()
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


ONLY_HOSTS = "Only hosts pin messages"
WHY_NOT = "Only people with the role host can pin messages here."


async def pin_action(person, text):
    """How a message's menu offers to pin it."""
    # Not by the pointer, under which another message may come to lie when a line is added.
    await person.page.mouse.move(0, 0)
    await person.message(text).focus()
    await person.message(text).get_by_role("button", name="Actions").press("Enter")
    return person.page.get_by_role("menuitem", name=re.compile("^(Pin for everyone|Unpin)"))


async def test_a_host_keeps_pinning_to_hosts_and_gives_it_back(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("first")
    await alice.say("second")
    await bob.act_on_message("first", "Pin for everyone")
    await expect(bob.part("unpin")).to_be_visible()
    await bob.part("unpin").focus()
    other = {"key": "deck", "write": ["guest"]}
    await alice.hms("hmsActions.setMetadataRules(value)", [other])

    await alice.choose_switch(ONLY_HOSTS)
    for person in (alice, bob):
        await expect(person.part("toasts")).to_contain_text("Only hosts can pin messages now.")
    await expect(bob.part("unpin")).to_be_hidden()
    await expect(bob.part("pin")).to_be_focused()
    await expect(alice.part("unpin")).to_be_visible()
    for text, label in (("first", "Unpin"), ("second", "Pin for everyone")):
        offered = await pin_action(bob, text)
        await expect(offered).to_have_text(f"{label} {WHY_NOT}")
        await expect(offered).to_have_attribute("aria-disabled", "true")
        await offered.click(force=True)
        await expect(offered).to_be_visible()
        await bob.page.keyboard.press("Escape")
    await bob.part("pin-list").click()
    await expect(bob.part("pins-why")).to_have_text(WHY_NOT)
    await expect(bob.part("pin-items").get_by_role("button", name="Unpin")).to_have_count(0)

    # In a dialog that is open, too, and the other rules stand.
    await alice.choose_switch(ONLY_HOSTS)
    await expect(bob.part("pin-items").get_by_role("button", name="Unpin")).to_have_count(1)
    await expect(bob.part("pins-why")).to_be_hidden()
    await bob.page.keyboard.press("Escape")
    await bob.act_on_message("second", "Pin for everyone")
    await expect(alice.part("pin-text")).to_have_text("Alice: second")
    rules = await alice.hms("hmsStore.getState(hms.selectMetadataRules)")
    assert rules == {"room": [other], "template": []}


async def test_late_joiners_and_those_who_reload_find_the_switch_as_it_is(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("hello")
    await alice.act_on_message("hello", "Pin for everyone")
    await alice.choose_switch(ONLY_HOSTS)
    await expect(bob.part("unpin")).to_be_hidden()
    await alice.page.reload()
    await alice.is_inside()
    await alice.open_settings()
    await expect(alice.part("settings").get_by_label(ONLY_HOSTS)).to_be_checked()
    await alice.page.keyboard.press("Escape")
    late = await (await people.person("Carol")).enter(await alice.part("invite-link").input_value())
    await expect(late.part("pin-text")).to_have_text("Alice: hello")
    await expect(late.part("unpin")).to_be_hidden()
    await expect(late.part("toasts")).not_to_contain_text("pin messages")
    await late.part("more").click()
    await expect(late.page.get_by_role("menuitem", name="Room settings")).to_have_count(0)
    await late.page.keyboard.press("Escape")

    await alice.act_on("Carol", "Make host")
    await alice.agree()
    await expect(late.part("unpin")).to_be_visible()


async def test_a_pin_that_is_refused_after_all_says_who_may(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("hello")
    await pin_action(bob, "hello")
    await alice.choose_switch(ONLY_HOSTS)
    await expect(bob.part("toasts")).to_contain_text("Only hosts can pin messages now.")
    await bob.page.get_by_role("menuitem", name="Pin for everyone").click()
    refusal = "Not pinned. Only people with the role host can do this here."
    await expect(bob.part("toasts")).to_contain_text(refusal)


async def test_the_switch_keeps_what_a_rule_says_beside_who_may_pin(people):
    [alice] = await people.meet("Alice")
    everything = {"key": "*", "write": ["host"], "max_bytes": 5000}
    await alice.hms("hmsActions.setMetadataRules(value)", [everything])
    pins = {"key": "pinnedMessages", "max_bytes": 5000}
    for expected in ([pins, everything], [{**pins, "write": ["host"]}, everything], [pins, everything]):
        await alice.choose_switch(ONLY_HOSTS)
        await alice.page.wait_for_function(
            """async (wanted) => {
                const hms = await import("/static/rooms/hms.js");
                const sorted = (rules) => JSON.stringify(rules.map((rule) => Object.entries(rule).sort()));
                return sorted(hms.hmsStore.getState(hms.selectMetadataRules).room) === sorted(wanted);
            }""",
            arg=expected,
        )


async def test_nothing_that_is_read_moves_when_pins_and_the_spotlight_come_and_go(people):
    alice, bob = await people.meet("Alice", "Bob")
    for number in range(40):
        await bob.hms("hmsActions.sendBroadcastMessage(value)", f"number {number:02}")
    await expect(alice.messages()).to_have_count(40)
    await alice.part("scroller").evaluate("(scroller) => scroller.scrollBy(0, -300)")
    place = "(message) => message.getBoundingClientRect().top"
    read = alice.message("number 25")
    await expect(read).to_be_in_viewport(ratio=1)
    before = await read.evaluate(place)

    await bob.hms("hmsActions.pinMessage(hmsStore.getState().messages.allIDs[0])")
    await alice.hms("hmsActions.sessionStore.set('spotlight', hmsStore.getState().room.localPeer)")
    for name in ("pins", "spotlight"):
        await expect(alice.part(name)).to_be_visible()
    assert await read.evaluate(place) == pytest.approx(before, abs=1)
    await bob.hms("hmsActions.unpinMessage(hmsStore.getState().messages.allIDs[0])")
    await alice.hms("hmsActions.sessionStore.set('spotlight', null)")
    for name in ("pins", "spotlight"):
        await expect(alice.part(name)).to_be_hidden()
    assert await read.evaluate(place) == pytest.approx(before, abs=1)


async def test_the_focus_in_the_bars_scrolls_nothing(people):
    alice, bob = await people.meet("Alice", "Bob")
    for number in range(40):
        await bob.hms("hmsActions.sendBroadcastMessage(value)", f"number {number:02}")
    await expect(alice.messages()).to_have_count(40)
    await bob.hms("hmsActions.pinMessage(hmsStore.getState().messages.allIDs[0])")
    await alice.hms("hmsActions.sessionStore.set('spotlight', hmsStore.getState().room.localPeer)")
    for name in ("pins", "spotlight"):
        await expect(alice.part(name)).to_be_visible()
    await expect(alice.message("number 39")).to_be_in_viewport(ratio=1)
    await alice.message("number 39").focus()
    at = "(scroller) => scroller.scrollTop"
    before = await alice.part("scroller").evaluate(at)
    for name in ("spotlight-hide", "spotlight-end", "pin-hide", "pin-list", "unpin", "pin"):
        await alice.page.keyboard.press("Shift+Tab")
        await expect(alice.part(name)).to_be_focused()
        assert await alice.part("scroller").evaluate(at) == pytest.approx(before, abs=1), name
    await bob.say("the newest")
    await expect(alice.message("the newest")).to_be_in_viewport(ratio=1)
