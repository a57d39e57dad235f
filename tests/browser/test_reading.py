"""The log with keys alone, with a mouse and with a finger: one stop, one label a message, one toolbar."""

import re

import pytest
from playwright.async_api import Locator, expect

from tests.browser.person import NARROW
from tests.support.sockets import chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 360, "height": 740}}

HUES = """(all) => all.map((each) => [each.dataset.person, each.className])"""

LONG = "and a longer one, as far as the other side, " * 3

STOPS = """(log) => [...log.querySelectorAll('*')].filter((element) => element.tabIndex >= 0).length"""


async def test_the_log_is_one_stop_and_arrows_go_from_message_to_message(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.say("first")
    await alice.say("second, see https://example.org/")
    await bob.say("third")
    await alice.sees("first", "second, see https://example.org/", "third")
    assert await alice.part("log").evaluate(STOPS) == 1
    keys = alice.page.keyboard
    await alice.part("to").focus()
    await keys.press("Shift+Tab")
    await expect(alice.message("third")).to_be_focused()
    await keys.press("ArrowUp")
    await expect(alice.message("second")).to_be_focused()
    await expect(alice.message("second")).to_have_accessible_name(
        pattern(r"You, \d+:\d+.*, second, see https://example\.org/")
    )
    assert await alice.part("log").evaluate(STOPS) == 1
    await keys.press("ArrowRight")
    await expect(alice.message("second").get_by_role("link")).to_be_focused()
    toolbar = alice.page.get_by_role("toolbar")
    await keys.press("ArrowRight")
    await expect(toolbar.get_by_role("button", name="React with Thumbs up")).to_be_focused()
    for _ in range(5):
        await keys.press("ArrowRight")
    await expect(toolbar.get_by_role("button", name="Pin for everyone")).to_be_focused()
    await keys.press("Enter")
    await expect(bob.part("pin-text")).to_contain_text("second")
    await keys.press("Escape")
    await expect(alice.message("second")).to_be_focused()
    await expect(alice.message("second")).to_have_accessible_name(pattern("Pinned$"))
    await keys.press("Home")
    await expect(alice.message("first")).to_be_focused()
    await expect(alice.message("first")).to_have_accessible_name(pattern(r"Bob, \d+:\d+.*, first"))
    await keys.press("Tab")
    await expect(alice.part("to")).to_be_focused()
    await keys.press("Shift+Tab")
    await expect(alice.message("first")).to_be_focused()
    await keys.press("End")
    await expect(alice.message("third")).to_be_focused()
    await keys.press("Escape")
    await expect(alice.part("message")).to_be_focused()


def pattern(text: str):
    return re.compile(text)


async def test_a_finger_that_stays_on_a_message_asks_for_its_toolbar(people):
    alice = await people.person("Alice", **PHONE)
    await alice.make_room()
    await alice.part("message").fill("hello")
    await alice.page.get_by_role("button", name="Send").tap()
    await alice.sees("hello")
    message = alice.message("hello")
    press = """(element) => {
      const { x, y } = element.getBoundingClientRect();
      const event = { bubbles: true, pointerType: 'touch', clientX: x + 5, clientY: y + 5 };
      element.dispatchEvent(new PointerEvent('pointerdown', event));
    }"""
    await message.locator(".text").evaluate(press)
    actions = message.get_by_role("button", name="Actions")
    await expect(actions).to_be_visible()
    box = await actions.bounding_box()
    assert box and min(box["width"], box["height"]) >= 44
    await actions.tap()
    await alice.page.get_by_role("menuitem", name="Pin for everyone").tap()
    await expect(alice.part("pin-text")).to_contain_text("hello")


async def test_lifting_the_finger_that_asked_for_the_toolbar_chooses_nothing(people):
    alice = await people.person("Alice", **PHONE)
    await alice.make_room()
    await alice.say("hello")
    await alice.message("hello").focus()
    await alice.act_on_message("hello", "Reply")
    await alice.say(f"{alice.people.url}/elsewhere")
    message = alice.message("elsewhere")
    touch = await alice.page.context.new_cdp_session(alice.page)
    for pressed in (message.get_by_role("link"), message.locator(".quoted")):
        await alice.part("message").focus()
        await alice.page.keyboard.press("Escape")
        await expect(alice.page.get_by_role("toolbar")).to_have_count(0)
        box = await pressed.bounding_box()
        assert box
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        await expect(message.get_by_role("toolbar")).to_be_visible()
        await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        await expect(alice.page.get_by_role("menu")).to_have_count(0)
        await expect(alice.part("replying")).to_be_hidden()
        await expect(alice.message("hello").first).not_to_have_class(pattern("flash"))
    assert len(alice.page.context.pages) == 1
    await message.get_by_role("button", name="Reply", exact=True).tap()  # what is tapped then is chosen
    await expect(alice.part("replying")).to_be_visible()
    await expect(message.locator(".reaction")).to_have_count(0)


# Whether the toolbar of a message is in sight, of the height of a finger or a pointer, beside its bubble, and lies over
# nothing that is said in any message, nor by whom or when.
IN_THE_WAY = """(message) => {
  const toolbar = message.querySelector(".toolbar");
  const bar = toolbar.getBoundingClientRect();
  const seen = [...toolbar.querySelectorAll("button")].filter((button) => button.checkVisibility());
  const under = seen.filter((button) => {
    const { x, y, width, height } = button.getBoundingClientRect();
    return document.elementFromPoint(x + width / 2, y + height / 2)?.closest("button") !== button;
  });
  const hidden = [...document.querySelectorAll(".text, .author, .time, .privately")].filter((part) => {
    const range = document.createRange();
    range.selectNodeContents(part);
    const meets = (row) =>
      row.left < bar.right && row.right > bar.left && row.top < bar.bottom && row.bottom > bar.top;
    if (!part.closest(".message") || getComputedStyle(part).clipPath !== "none") return false;
    return [...range.getClientRects()].some(meets);
  });
  const bubble = message.querySelector(".bubble").getBoundingClientRect();
  const apart = Math.max(bar.left - bubble.right, bubble.left - bar.right, bubble.top - bar.bottom);
  const faults = message.matches(".own") && apart > 64 ? [`${apart} px apart`] : [];
  if (bar.height < 32) faults.push(`${bar.height} px high`);
  return [...faults, ...[...under, ...hidden].map((part) => part.outerHTML)];
}"""


# The last lines, too, go from one end of a message to the other.
FILL = "(log) => { for (const text of log.querySelectorAll('.text')) text.style.textAlignLast = 'justify'; }"


async def stands_well(message: Locator) -> None:
    """Wait until the toolbar does, at the end of what scrolls."""
    await expect(message.get_by_role("toolbar")).to_be_visible()
    faults = ["not looked at"]
    for _ in range(50):
        faults = await message.evaluate(IN_THE_WAY)
        if not faults:
            return
        await message.page.wait_for_timeout(50)
    assert faults == []


@pytest.mark.parametrize("options", [{}, {"viewport": NARROW}, PHONE], ids=["mouse", "narrow", "finger"])
async def test_the_toolbar_of_a_message_is_at_it_and_hides_nothing(people, options):
    alice, bob = [await people.person(name, **options) for name in ("Alice", "Bob")]
    await bob.enter(await alice.make_room())
    for number in range(8):
        for person in (alice, bob):
            for text in ("Yes", LONG, LONG):
                await person.hms("hmsActions.sendBroadcastMessage(value)", f"{text} {number}")
    await expect(alice.messages()).to_have_count(48)
    articles = alice.part("log").locator(".message")
    await alice.part("log").evaluate(FILL)
    for direction in ("rtl", "ltr"):
        await alice.page.locator("html").evaluate(f"(html) => {{ html.dir = '{direction}'; }}")
        for place in (47, 46, 45, 44, 1, 0):
            await articles.nth(place).focus()
            await stands_well(articles.nth(place))
    # At the upper edge of what is in sight.
    top = "(message) => message.scrollIntoView({ block: 'start' })"
    for place in (20, 21):
        await articles.nth(place).evaluate(f"(message) => {{ message.focus(); ({top})(message); }}")
        await stands_well(articles.nth(place))


async def test_the_toolbar_goes_with_the_mouse_that_asked_for_it_and_stays_for_keys(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.say("one")
    await alice.sees("one")
    toolbar = alice.page.get_by_role("toolbar")
    for away in (alice.page.mouse.move, alice.page.mouse.click):
        await alice.message("one").locator(".text").click()
        await expect(alice.message("one")).to_be_focused()
        await expect(toolbar).to_be_visible()
        await away(300, 30)
        await expect(toolbar).to_have_count(0)
    await alice.message("one").locator(".text").click()
    await alice.page.mouse.move(300, 30)
    await alice.page.keyboard.press("ArrowRight")  # in the message that was clicked
    await expect(toolbar.get_by_role("button").first).to_be_focused()
    await alice.message("one").hover()
    await alice.page.mouse.move(300, 30)
    await expect(toolbar.get_by_role("button").first).to_be_focused()


async def test_messages_stand_close_and_tell_their_time_in_the_gutter(people):
    alice, bob = await people.meet("Alice", "Bob")
    for text in ("first", "second", "third"):
        await bob.say(text)
    await alice.sees("first", "second", "third")
    articles = alice.part("log").locator(".message")
    heights = await articles.evaluate_all("(all) => all.map((each) => each.offsetHeight)")
    assert heights[0] <= 52
    assert max(heights[1:]) <= 28
    time = alice.message("second").locator(".time")
    assert await time.evaluate("(element) => getComputedStyle(element).opacity") == "0"
    await alice.message("second").hover()
    await expect(time).to_have_css("opacity", "1")
    text_box, time_box = await alice.message("second").locator(".text").bounding_box(), await time.bounding_box()
    assert text_box and time_box and time_box["x"] + time_box["width"] <= text_box["x"] + 1
    await expect(alice.message("second").locator(".bubble")).to_have_css("border-width", "0px")


async def test_a_message_of_thousands_of_lines_is_folded(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("\n".join(str(line) for line in range(700)))
    text = bob.part("log").locator(".text")
    await expect(text).to_have_class(pattern("folded"))
    assert await text.evaluate("(element) => element.offsetHeight") < 600
    await bob.part("log").get_by_role("button", name="Show all").click()
    assert await text.evaluate("(element) => element.offsetHeight") > 10_000
    await bob.part("log").get_by_role("button", name="Show less").click()
    assert await text.evaluate("(element) => element.offsetHeight") < 600


async def test_everybody_has_another_hue_and_badges_show_where_roles_differ(people):
    [alice] = await people.meet("Alice")
    await expect(alice.row("Alice").locator(".role")).to_be_hidden()
    link = await alice.part("invite-link").input_value()
    for name in ("Bob", "Carol", "Dave"):
        await (await people.person(name)).enter(link)
    await expect(alice.part("people-count")).to_have_text("4")
    await expect(alice.row("Bob").locator(".role")).to_have_text("guest")
    await expect(alice.row("Alice").locator(".role")).to_be_visible()
    hues = await alice.part("people-list").locator(".avatar").evaluate_all("(all) => all.map((each) => each.className)")
    assert len(set(hues)) == 4


async def test_a_person_has_one_hue_for_whoever_looks_and_whenever_they_came(people, server):
    early, late = [await people.person(name) for name in ("Early", "Late")]
    link = await early.make_room()
    room = await early.hms("hmsStore.getState().room.id")
    crowd = [await server.peer(server.sign(room, user=f"user-{number}"), f"Guest {number}") for number in range(9)]
    for peer in crowd:
        await chat(peer, "hello")
    for peer in crowd[:3]:  # whose hues others may have now
        await peer.leave()
    await late.enter(link)
    seen = []
    for person in (early, late):
        await person.open_people()
        await expect(person.part("people-list").locator(".avatar")).to_have_count(8)
        await expect(person.messages()).to_have_count(9)
        listed = await person.part("people-list").locator(".avatar").evaluate_all(HUES)
        assert len({hue for _, hue in listed}) == 8
        said = await person.part("log").locator(".message > .avatar").evaluate_all(HUES)
        seen.append({*map(tuple, listed + said)})
    assert seen[0] == seen[1]
    for peer in crowd[3:]:
        await peer.close()
