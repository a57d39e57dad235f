"""A telephone: one row on top, one line of pins, sheets that cover everything else."""

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 360, "height": 740}}


async def height(person, name: str) -> float:
    box = await person.part(name).bounding_box()
    assert box
    return float(box["height"])


async def test_little_of_a_telephone_is_taken_by_what_is_no_message(people):
    alice = await people.person("Alice", **PHONE)
    link = await alice.make_room("A room with a title that does not fit into the width of a telephone")
    bob = await (await people.person("Bob")).enter(link)
    await bob.say("to pin")
    await bob.act_on_message("to pin", "Pin for everyone")
    await expect(alice.part("pins")).to_be_visible()
    assert await height(alice, "bar") <= 53
    assert await height(alice, "pins") <= 41
    assert await height(alice, "composer") <= 66
    assert await height(alice, "scroller") >= 740 - 160


async def test_the_row_on_top_holds_people_the_hand_and_a_menu_with_the_rest(people):
    alice = await people.person("Alice", **PHONE)
    await alice.make_room()
    title = await alice.part("title").bounding_box()
    assert title
    await alice.page.touchscreen.tap(title["x"] + title["width"] / 2, title["y"] + title["height"] / 2)
    await expect(alice.part("panel-title")).to_have_text("People")
    await alice.part("panel-close").tap()
    await alice.part("more").tap()
    items = alice.page.locator("[role^=menuitem]")
    switches = ["Theme: system", "Language", "Sound for new messages", "Notify me of new messages"]
    of_hosts = ["Make a poll", "Room settings", "Clear the chat", "End the room for everyone"]
    await expect(items).to_have_text(["Share", *switches, "Save the transcript", *of_hosts, "Leave"])
    await items.filter(has_text="Share").tap()
    await alice.part("share").get_by_role("button", name="Copy the link for guest").tap()
    await expect(alice.part("toasts")).to_contain_text("Link copied")
    await alice.part("share").get_by_role("button", name="Close").tap()
    await alice.leave(is_last=True)


async def test_a_sheet_is_modal(people):
    alice = await people.person("Alice", **PHONE)
    await alice.make_room()
    await alice.part("people-toggle").tap()
    sheet = alice.page.get_by_role("dialog", name="People and polls")
    await expect(sheet).to_be_visible()
    box = "(element) => [element.offsetLeft, element.offsetTop, element.offsetWidth, element.offsetHeight]"
    assert await sheet.evaluate(box) == [0, 0, 360, 740]
    for name in ("bar", "chat"):
        assert await alice.part(name).evaluate("(element) => element.inert")
    reached = set()
    for _ in range(12):
        await alice.page.keyboard.press("Tab")
        reached.add(await alice.page.evaluate("document.activeElement.closest('[data-part=panel], body').id"))
    assert reached <= {"panel", ""}
    assert "panel" in reached
    await alice.part("panel-title").focus()
    await alice.page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await expect(alice.part("people-toggle")).to_be_focused()
    await expect(alice.part("chat")).to_have_js_property("inert", False)
    await alice.part("people-toggle").tap()
    await alice.page.set_viewport_size({"width": 1200, "height": 740})  # turned, or unfolded
    await expect(alice.part("chat")).to_have_js_property("inert", False)
