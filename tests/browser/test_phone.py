"""A telephone: one row on top, one line of pins, sheets that cover everything else."""

import pytest
from playwright.async_api import expect

from tests.browser.person import NARROW
from tests.browser.test_languages import meet, say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 360, "height": 740}}


async def height(person, name: str) -> float:
    box = await person.part(name).bounding_box()
    assert box
    return float(box["height"])


async def test_little_of_a_telephone_is_taken_by_what_is_no_message(people):
    alice = await people.person("Alice", **PHONE)
    link = await alice.make_room("A room with a title that does not fit into the width of a telephone")
    bob = await (await people.person("Bob Fürstenberg")).enter(link)
    await bob.say("to pin")
    await bob.act_on_message("to pin", "Pin for everyone")
    await expect(alice.part("pins")).to_be_visible()
    assert await height(alice, "bar") <= 53
    assert await height(alice, "pins") <= 41
    assert await alice.part("pin-text").locator("bdi").first.evaluate("(name) => name.scrollWidth <= name.clientWidth")
    assert await height(alice, "composer") <= 66
    assert await height(alice, "scroller") >= 740 - 160
    people.forgive(r"net::ERR_|Failed to load resource")
    await alice.page.context.set_offline(True)
    await expect(alice.part("banner-text")).to_contain_text("You are offline")
    assert await height(alice, "banner") <= 30  # one line
    await alice.page.context.set_offline(False)
    await bob.act_on("Bob", "Spotlight for everyone")
    await expect(alice.part("spotlight-end")).to_be_visible()
    assert await height(alice, "spotlight") <= 101


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
    end = ["Leave", "Clear the chat", "End the room for everyone"]  # what is easily undone apart from what is not
    texts = ["Share", *switches, "Save the transcript", "Make a poll", "Room settings", *end]
    await expect(items).to_have_text(texts)
    await items.filter(has_text="Share").tap()
    await alice.part("share").get_by_role("button", name="Copy the link for guest").tap()
    await expect(alice.part("toasts")).to_contain_text("Link copied")
    await alice.part("share").get_by_role("button", name="Close").tap()
    await alice.open_settings()
    await expect(alice.part("settings-save")).to_be_in_viewport(ratio=1)  # without scrolling to it
    await alice.page.keyboard.press("Escape")
    await alice.leave(is_last=True)
    tops = "(all) => all.map((one) => one.getBoundingClientRect().top)"
    rows = await alice.page.locator("[data-screen=end] .languages button").evaluate_all(tops)
    assert min(rows.count(top) for top in rows) > 1  # none has a line of its own


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


INSETS = {"top": 47, "right": 24, "bottom": 34, "left": 40}
# What is read or pressed, in sight, and nearer to a side of the screen than so many pixels.
UNDER = """(insets) => {
  const found = [];
  const read = "h1, h2, p, span, button, input, textarea, select, a, .menu, .dialog, .toast";
  for (const element of document.querySelectorAll(read)) {
    const box = element.getBoundingClientRect();
    const frame = element.parentElement.closest(".menu, .dialog, .panel-body, .scroller") ?? document.documentElement;
    const { top, bottom } = frame.getBoundingClientRect();
    if (!element.checkVisibility() || element.closest("[inert], .unseen, .skip") || box.width <= 1) continue;
    if (box.bottom <= top || box.top >= bottom) continue; // scrolled away
    const sides = {
      top: Math.max(box.top, top) < insets.top,
      right: box.right > innerWidth - insets.right,
      bottom: Math.min(box.bottom, bottom) > innerHeight - insets.bottom,
      left: box.left < insets.left,
    };
    for (const [side, is] of Object.entries(sides)) if (is) found.push(`${side}: ${element.outerHTML.slice(0, 90)}`);
  }
  return found;
}"""


@pytest.mark.parametrize(
    ("language", "screen"), [("en", NARROW), ("ar", {"width": 740, "height": 360})], ids=["upright", "lying-mirrored"]
)
async def test_nothing_lies_under_a_notch_or_the_bar_for_gestures(people, language, screen):
    host, guest, _ = await meet(people, language, NARROW["width"])
    await host.page.set_viewport_size(screen)
    session = await host.page.context.new_cdp_session(host.page)
    await session.send("Emulation.setSafeAreaInsetsOverride", {"insets": INSETS})

    async def is_clear() -> None:
        assert await host.page.evaluate(UNDER, INSETS) == []

    await say(guest, "111")
    await host.sees("111")
    await host.hms("hmsActions.pinMessage(hmsStore.getState().messages.allIDs[0])")
    await expect(host.part("pins")).to_be_visible()
    await guest.part("hand").click()
    await expect(host.part("toasts").locator(".toast")).to_be_visible()
    await is_clear()
    await host.part("more").click()
    await is_clear()
    await host.page.keyboard.press("Escape")
    await host.hms("document.querySelector('[data-part=copy-invite]').click()")  # where the menu has it, too
    await expect(host.part("share")).to_be_visible()
    await is_clear()
    await host.page.keyboard.press("Escape")
    await host.part("people-toggle").click()
    await host.row(guest.name).locator("button").click()
    await is_clear()
    await host.page.keyboard.press("Escape")
    await host.part("panel-close").click()
    await host.page.evaluate("dispatchEvent(new Event('offline'))")
    await expect(host.part("banner")).to_be_visible()
    await is_clear()
    await guest.hms("void hmsActions.leave()")
    await host.page.evaluate("sessionStorage.clear()")
    await host.page.reload()
    await expect(host.part("lobby-join")).to_be_visible()
    await host.page.evaluate("scrollTo(0, document.scrollingElement.scrollHeight)")
    assert [each for each in await host.page.evaluate(UNDER, INSETS) if not each.startswith("top")] == []
