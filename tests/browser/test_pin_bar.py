"""Pins that somebody puts out of the bar for themselves, and pins that are put back after they were unpinned."""

import pytest
from playwright.async_api import Locator, expect

from tests.browser.person import NARROW, Person
from tests.browser.test_tabs import in_another_tab
from tests.support.axe import barriers

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Width and height of the place where a finger meets an element.
REACH = """(element) => {
  const box = element.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const reach = (dx, dy) => {
    let steps = 0;
    while (element.contains(document.elementFromPoint(x + steps * dx, y + steps * dy))) steps += 0.5;
    return steps;
  };
  return [reach(-1, 0) + reach(1, 0), reach(0, -1) + reach(0, 1)];
}"""


async def pin(person: Person, *texts: str) -> None:
    """Say and pin them one after the other."""
    for text in texts:
        await person.say(text)
        await person.act_on_message(text, "Pin for everyone")
        await expect(person.part("pin-text")).to_have_text(f"{person.name}: {text}")


def listed(person: Person) -> Locator:
    return person.part("pin-items").locator(".pin-text")


async def test_a_pin_is_hidden_for_oneself_until_another_comes_or_it_changes(people):
    alice, bob = await people.meet("Alice", "Bob")
    await pin(alice, "one", "two")
    await expect(bob.part("pin-place")).to_have_text("1/2")
    await bob.part("pin-hide").click()
    await expect(bob.part("pin-text")).to_have_text("Alice: one")
    await expect(bob.part("pin-next")).to_be_hidden()
    await bob.part("pin-hide").click()
    await expect(bob.part("pins")).to_be_hidden()
    await expect(alice.part("pin-place")).to_have_text("1/2")

    await bob.page.reload()
    await bob.is_inside()
    await bob.choose(bob.part("more"), "Pinned messages")
    await expect(listed(bob)).to_have_text(["Alice: two", "Alice: one"])
    await expect(bob.part("pins")).to_be_hidden()
    show = bob.part("pin-items").get_by_role("button", name="Show in the bar")
    await show.first.click()
    await expect(show).to_have_count(1)
    await bob.page.keyboard.press("Escape")
    await expect(bob.part("more")).to_be_focused()
    await expect(bob.part("pin-text")).to_have_text("Alice: two")

    await alice.hms("hmsActions.editMessage(hmsStore.getState().messages.allIDs[0], 'one more')")
    await expect(bob.part("pin-place")).to_have_text("1/2")
    await bob.part("pin-next").click()
    await expect(bob.part("pin-text")).to_have_text("Alice: one more")
    for _ in range(2):
        await bob.part("pin-hide").click()
    await pin(alice, "three")
    await expect(bob.part("pin-text")).to_have_text("Alice: three")
    await expect(bob.part("pin-next")).to_be_hidden()
    await alice.part("unpin").click()
    await expect(bob.part("pins")).to_be_hidden()
    await alice.act_on_message("two", "Unpin")
    await alice.act_on_message("two", "Pin for everyone")
    await expect(bob.part("pin-text")).to_have_text("Alice: two")

    await bob.part("pin-hide").click()
    await bob.leave()
    await bob.page.get_by_role("button", name="Join again").click()
    await bob.is_inside()
    await bob.choose(bob.part("more"), "Pinned messages")
    await expect(show).to_have_count(2)
    await expect(bob.part("pins")).to_be_hidden()
    await expect(bob.part("log")).not_to_contain_text("pinned a message")


async def test_a_pin_is_hidden_in_all_tabs_of_a_browser_until_the_session_ends(people):
    alice, bob = await people.meet("Alice", "Bob")
    await pin(alice, "one", "two")
    other = await in_another_tab(bob)
    await expect(other.part("pin-place")).to_have_text("1/2")
    await bob.part("pin-hide").click()
    for tab in (bob, other):
        await expect(tab.part("pin-text")).to_have_text("Alice: one")
        await expect(tab.part("pin-next")).to_be_hidden()
    await expect(alice.part("pin-place")).to_have_text("1/2")
    await bob.page.close()
    later = await in_another_tab(other)
    await expect(later.part("pin-text")).to_have_text("Alice: one")
    await expect(later.part("pin-next")).to_be_hidden()
    await later.choose(later.part("more"), "Pinned messages")
    await later.part("pin-items").get_by_role("button", name="Show in the bar").click()
    await expect(other.part("pin-next")).to_be_visible()

    await other.part("pin-hide").click()
    kept = "localStorage.getItem('hmsroom:hidden-pins')"
    assert "one" not in await other.page.evaluate(kept)  # what was said goes with the room
    await alice.hms("hmsActions.endRoom()")
    await other.is_told("The room was ended")
    assert await other.page.evaluate(kept) == "[]"


async def test_a_pin_is_hidden_with_keys_alone_and_by_touch(people):
    bob = await people.person("Bob", color_scheme="dark", reduced_motion="reduce")
    link = await bob.make_room()
    alice = await people.person("Alice", has_touch=True, is_mobile=True, viewport=NARROW, reduced_motion="reduce")
    await alice.enter(link)
    await pin(bob, "one", "two")
    await expect(alice.part("pin-next")).to_be_visible()
    for width, names in ((480, ("pin", "pin-next", "unpin")), (320, ("pin", "pin-next"))):
        await alice.page.set_viewport_size({**NARROW, "width": width})
        for name in (*names, "pin-list", "pin-hide"):
            reach = await alice.part(name).evaluate(REACH)
            assert min(reach) >= 44, (width, name, reach)
    await expect(alice.part("unpin")).to_be_hidden()  # the list has it, too
    assert await barriers(alice.page) == []
    await alice.part("pin-hide").tap()
    await expect(alice.part("pin-text")).to_have_text("Bob: one")
    await alice.part("more").tap()
    await alice.page.get_by_role("menuitem", name="Pinned messages").tap()
    show = alice.part("pin-items").get_by_role("button", name="Show in the bar")
    assert await barriers(alice.page) == []
    await show.tap()
    await expect(alice.part("pins-title")).to_be_focused()
    await expect(show).to_have_count(0)

    await bob.part("pin-list").focus()
    for _ in range(2):
        await bob.page.keyboard.press("Tab")
        await expect(bob.part("pin-hide")).to_be_focused()
        await bob.page.keyboard.press("Enter")
        await bob.page.keyboard.press("Shift+Tab")
    await expect(bob.part("pins")).to_be_hidden()
    await expect(bob.part("toasts")).to_contain_text("Hidden for you. All pins are in the menu.")
    await bob.part("toasts").get_by_role("button", name="Undo").last.press("Enter")
    await expect(bob.part("pin-text")).to_have_text("Bob: one")


async def test_a_pin_is_put_back_where_it_was_and_over_nothing_newer(people):
    alice, bob = await people.meet("Alice", "Bob")
    undo = alice.part("toasts").get_by_role("button", name="Undo").last
    await pin(alice, "one", "two", "three")
    await bob.part("pin-list").click()
    await bob.hms("hmsActions.pinMessage(hmsStore.getState().messages.allIDs[0])")  # is pinned, and stays where it is
    await alice.part("pin-next").click()
    await alice.part("unpin").click()
    await expect(listed(bob)).to_have_text(["Alice: three", "Alice: one"])
    await undo.click()
    await expect(listed(bob)).to_have_text(["Alice: three", "Alice: two", "Alice: one"])
    await expect(alice.part("pin-text")).to_have_text("Alice: two")

    await alice.part("unpin").click()
    await expect(listed(bob)).to_have_text(["Alice: three", "Alice: one"])
    await bob.hms("hmsActions.sendBroadcastMessage('four')")
    await bob.hms("hmsActions.pinMessage(hmsStore.getState().messages.allIDs.at(-1))")
    await expect(alice.part("pin-text")).to_have_text("Bob: four")
    await undo.click()
    full = "Not pinned. Somebody pinned another message meanwhile, and there is no room for more."
    await expect(alice.part("toasts")).to_contain_text(full)
    await expect(listed(bob)).to_have_text(["Bob: four", "Alice: three", "Alice: one"])

    await bob.page.keyboard.press("Escape")
    await alice.part("unpin").click()
    await expect(bob.part("pin-text")).to_have_text("Alice: three")
    await bob.hms("hmsActions.deleteMessage(hmsStore.getState().messages.allIDs.at(-1))")
    await expect(alice.message("four")).to_have_count(0)
    await undo.click()
    await expect(alice.part("toasts")).to_contain_text("Not pinned. The message was deleted.")


async def test_a_note_of_an_app_is_put_back_unless_there_is_another(people):
    alice, bob = await people.meet("Alice", "Bob")
    undo = alice.part("toasts").get_by_role("button", name="Undo").last
    await bob.hms("hmsActions.setSessionMetadata('Bob: old way')")
    await expect(alice.part("pin-text")).to_have_text("Bob: old way")
    await alice.part("unpin").click()
    await expect(bob.part("pins")).to_be_hidden()
    await undo.click()
    await expect(bob.part("pin-text")).to_have_text("Bob: old way")
    await alice.part("unpin").click()
    await expect(bob.part("pins")).to_be_hidden()
    await bob.hms("hmsActions.setSessionMetadata('Bob: newer')")
    await expect(alice.part("pin-text")).to_have_text("Bob: newer")
    await undo.click()
    await expect(alice.part("toasts")).to_contain_text("Not pinned. Somebody else changed it at the same time.")
    await expect(bob.part("pin-text")).to_have_text("Bob: newer")


IS_ON_TOP = """(element) => {
  const box = element.getBoundingClientRect();
  return element.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
}"""
LONG = "Copy this link: https://example.org/with/a/path/that/is/long/and/runs/over/the/whole/of/the/chat/to/its/end/where/Send/is"


@pytest.mark.parametrize("width", [360, 768, 1440])
async def test_notices_lie_over_no_controls_and_never_over_what_was_said_last(people, width):
    alice, _ = await people.meet("Alice", "Bob")
    await alice.page.set_viewport_size({"width": width, "height": 640})
    await alice.hms("Promise.all(Array.from({ length: 20 }, (_, at) => hmsActions.sendBroadcastMessage(`${at}`)))")
    await expect(alice.messages()).to_have_count(20)
    last = alice.part("log").locator(".message").last
    await alice.part("message").fill("one\ntwo\nthree\nfour")
    for text in (LONG, f"{LONG}er", f"{LONG}est"):
        await alice.page.evaluate("(text) => import('/static/rooms/page/toasts.js').then((m) => m.toast(text))", text)
    notices = alice.part("toasts").locator(".toast")
    await expect(notices).to_have_count(3)
    for shown in (alice.part("send"), alice.part("emoji"), alice.part("message"), last):
        assert await shown.evaluate(IS_ON_TOP)
    await alice.hms("hmsActions.sendBroadcastMessage(value)", "line\n" * 12)  # which leaves space for fewer of them
    await expect(alice.messages()).to_have_count(21)
    await expect(notices).not_to_have_count(3)
    below, above = await last.bounding_box(), await alice.part("toasts").bounding_box()
    assert above["y"] + above["height"] <= below["y"]


async def test_an_unpinning_is_taken_back_where_a_dialog_is_open_by_pointer_and_by_keys(people):
    alice, bob = await people.meet("Alice", "Bob")
    undo = alice.part("toasts").get_by_role("button", name="Undo").last
    await pin(alice, "one", "two")
    for person in (alice, bob):
        await person.part("pin-list").click()
    unpin = alice.part("pin-items").get_by_role("button", name="Unpin")
    await unpin.first.click()
    await expect(listed(bob)).to_have_text(["Alice: one"])
    await undo.click()
    await expect(listed(bob)).to_have_text(["Alice: two", "Alice: one"])
    await unpin.first.press("Enter")
    await expect(undo).to_be_visible()
    await alice.page.keyboard.press("Tab")
    await expect(undo).to_be_focused()
    await alice.page.keyboard.press("Enter")
    await expect(listed(bob)).to_have_text(["Alice: two", "Alice: one"])
    await expect(alice.part("all-pins").locator(":focus")).to_have_count(1)
    await alice.page.keyboard.press("Escape")

    await alice.part("unpin").press("Enter")
    await expect(undo).to_be_visible()
    await alice.part("pin-list").click()  # a dialog that opens takes it along
    await undo.click()
    await expect(listed(bob)).to_have_text(["Alice: two", "Alice: one"])
    await alice.page.keyboard.press("Escape")
    await alice.part("unpin").press("Enter")
    await expect(undo).to_be_visible()
    await alice.page.keyboard.press("Tab")
    await alice.page.keyboard.press("Enter")
    await expect(listed(bob)).to_have_text(["Alice: two", "Alice: one"])
    assert await alice.page.evaluate("document.activeElement !== document.body")
