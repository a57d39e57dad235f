"""Keys alone, narrow screens, both themes, markup as text, refusals."""

import pytest
from playwright.async_api import expect

from tests.browser.person import MARKUP, NARROW
from tests.support.sampling import sampled

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
    p { margin-bottom: 2em !important }`);
  document.adoptedStyleSheets.push(sheet);
}"""
# What is written and cut off: by as much as a pixel of rounding, and where no dots say so.
CUT = """() => {
  const isCut = (element) => {
    const { overflowY, textOverflow } = getComputedStyle(element);
    if (!["hidden", "clip"].includes(overflowY) || textOverflow === "ellipsis") return false;
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = element;
    return scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + 2;
  };
  return [...document.querySelectorAll(".text, .author, button, label:not(.unseen), h1, h2, h3")]
    .filter((element) => element.checkVisibility() && element.clientWidth && isCut(element))
    .map((element) => element.outerHTML.slice(0, 90));
}"""


async def test_i34_markup_is_text_everywhere(people):
    alice, bob = await people.meet(f"<b>Alice</b>{MARKUP}", f"Bob{MARKUP}", title=f"<i>Room</i>{MARKUP}")

    await expect(bob.part("title")).to_have_text(f"<i>Room</i>{MARKUP}")
    await alice.say(f"Look: {MARKUP} javascript:alert(3) data:text/html,x")
    await bob.sees(f"Look: {MARKUP} javascript:alert(3) data:text/html,x")
    await expect(bob.part("log").locator("a")).to_have_count(0)
    await expect(bob.message("Look").locator(".author")).to_have_text(f"<b>Alice</b>{MARKUP}")

    await alice.act_on_message("Look", "Pin for everyone")
    await expect(bob.part("pin-text")).to_contain_text(MARKUP)
    await expect(bob.part("pin-by")).to_contain_text(f"Pinned by <b>Alice</b>{MARKUP}")
    await alice.act_on("Bob", "Spotlight for everyone")
    await expect(bob.part("spotlight-name")).to_have_text(f"Bob{MARKUP} (you)")

    await bob.set_status(MARKUP)
    await expect(alice.row("Bob").locator(".person-status")).to_have_text(MARKUP)
    await expect(alice.part("spotlight-status")).to_have_text(MARKUP)
    question = {"text": f"Which? {MARKUP}", "type": "single-choice", "options": [{"text": MARKUP}, {"text": "none"}]}
    poll = {"title": f"Poll {MARKUP}", "type": "poll", "questions": [question]}
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", poll)
    await bob.page.get_by_role("button", name="Answer").click()
    for text in (f"Poll {MARKUP}", f"Which? {MARKUP}"):
        await expect(bob.part("polls")).to_contain_text(text)
    await expect(bob.part("polls").get_by_label(MARKUP)).to_be_visible()
    await alice.act_on("Bob", "Remove from the room")
    await expect(alice.part("confirm-title")).to_have_text(f"Remove Bob{MARKUP}?")
    await alice.agree()
    await expect(bob.part("end-text")).to_contain_text(f"By <b>Alice</b>{MARKUP}")
    for person in (alice, bob):
        assert await person.page.locator("img, i, .message b b, [data-page] script").count() == 0


async def test_all_by_keyboard(people):
    alice = await people.person("Alice")
    await alice.page.goto(people.url)
    keys = alice.page.keyboard
    await alice.page.get_by_label("What is it for?").focus()
    await keys.type("Keys only")
    await keys.press("Enter")
    await alice.page.wait_for_url("**/r/**")
    await expect(alice.part("lobby-name")).to_be_focused()
    await keys.type("Alice")
    await keys.press("Enter")
    await expect(alice.part("message")).to_be_focused()
    await keys.type("first")
    await keys.press("Shift+Enter")
    await keys.type("second")
    await keys.press("Enter")
    await alice.sees("first\nsecond")
    await expect(alice.part("message")).to_be_focused()
    await keys.press("Enter")
    await alice.sees("first\nsecond")

    await alice.message("first").focus()
    await keys.press("Enter")
    await expect(alice.message("first").get_by_role("button", name="Actions")).to_be_focused()
    await keys.press("Enter")
    await expect(alice.page.get_by_role("menuitem").first).to_be_focused()
    await keys.press("ArrowUp")
    await expect(alice.page.get_by_role("menuitem").last).to_be_focused()
    await keys.press("Escape")
    await expect(alice.page.get_by_role("menu")).to_have_count(0)
    await expect(alice.message("first").get_by_role("button", name="Actions")).to_be_focused()
    await keys.press("Enter")
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await expect(alice.part("pin-text")).to_have_text("Alice: first second")

    await alice.part("people-toggle").focus()
    await keys.press("Enter")
    await expect(alice.part("panel")).to_be_hidden()
    await keys.press("Enter")
    await expect(alice.part("panel-title")).to_be_focused()
    await alice.part("leave").focus()
    await keys.press("Enter")
    await expect(alice.part("confirm")).to_be_visible()
    await keys.press("Escape")
    await expect(alice.part("leave")).to_be_focused()


HAS_FOCUS = "(element) => element.contains(document.activeElement)"


async def keeps_focus(person, part):
    """The focus is within a part after what it was on has gone, and not at the beginning of the page."""
    handle = await person.part(part).element_handle()
    await person.page.wait_for_function(HAS_FOCUS, arg=handle)


async def test_the_focus_stays_near_what_goes_away(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    hands, removed = alice.part("hands-list"), alice.part("removed-list")
    keys = alice.page.keyboard
    for one in (bob, carol):
        await one.part("hand").click()
    await expect(hands.locator(".person")).to_have_count(2)
    await alice.choose(hands.get_by_role("button", name="Actions for Bob"), "Lower hand")
    await expect(hands.get_by_role("button", name="Actions for Carol")).to_be_focused()
    await alice.part("lower-all").focus()
    await keys.press("Enter")
    await expect(alice.part("hands")).to_be_hidden()
    await keeps_focus(alice, "panel")

    await alice.act_on("Carol", "Remove from the room")
    await alice.agree()
    await expect(alice.row("Carol")).to_have_count(0)
    await keeps_focus(alice, "panel")
    await removed.get_by_role("button", name="Let in again").focus()
    await keys.press("Enter")
    await expect(alice.part("removed")).to_be_hidden()
    await keeps_focus(alice, "panel")

    await alice.say("Stays")
    await alice.message("Stays").hover()
    await alice.act_on_message("Stays", "Delete")
    await keys.press("Escape")
    await expect(alice.part("confirm")).to_be_hidden()
    await keeps_focus(alice, "log")

    question = {"text": "Tea?", "type": "single-choice", "options": [{"text": "Yes"}, {"text": "No"}]}
    poll = {"title": "Tea?", "type": "poll", "questions": [question]}
    await bob.page.evaluate("document.activeElement.blur()")
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", poll)
    await bob.page.get_by_role("button", name="Answer").click()
    await bob.part("polls").get_by_label("Yes").check()
    await bob.part("polls").get_by_role("button", name="Send the answer").focus()
    await bob.page.keyboard.press("Enter")
    await expect(bob.part("polls")).to_contain_text("1 person answered")
    await expect(bob.part("polls").get_by_role("button", name="Send the answer")).to_have_count(0)
    await keeps_focus(bob, "panel")


@pytest.mark.parametrize("width", sampled([320, 360], [320]))
async def test_a_narrow_screen_needs_no_sideways_scrolling(people, width):
    alice = await people.person(
        "Alice with quite a long name, as some people have", viewport={**NARROW, "width": width}
    )
    await alice.page.goto(people.url)
    await fits(alice, width)
    link = await alice.make_room("A room with a title that does not fit into the width of a telephone")
    bob = await (await people.person("Bob")).enter(link)
    await bob.say("https://example.org/" + "long" * 60)
    await bob.say("word" * 80)
    await expect(alice.messages()).to_have_count(2)
    await bob.act_on_message("wordword", "Pin for everyone")
    await bob.act_on("Alice", "Spotlight for everyone")
    await expect(alice.part("spotlight")).to_be_visible()
    await fits(alice, width)
    for name in ("hand", "people-toggle", "more", "message", "emoji"):
        box = await alice.part(name).bounding_box()
        assert box
        assert (box["x"] >= 0, box["x"] + box["width"] <= width) == (True, True), name
        assert min(box["width"], box["height"]) >= 24, name
    await alice.part("people-toggle").click()
    await fits(alice, width)
    await alice.page.keyboard.press("Escape")
    await expect(alice.part("panel")).to_be_hidden()
    await expect(alice.part("people-toggle")).to_be_focused()


async def fits(person, width: int) -> None:
    script = "() => [...document.querySelectorAll('html, body, .scroller')].map((element) => element.scrollWidth)"
    assert max(await person.page.evaluate(script)) <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_is_readable_in_both_themes(people, scheme):
    alice = await people.person("Alice", color_scheme=scheme)
    link = await alice.make_room()
    bob = await (await people.person("Bob", color_scheme=scheme)).enter(link)
    await bob.say("to read")
    await bob.say("between us", to="Alice")
    await alice.act_on_message("to read", "Pin for everyone")
    await alice.act_on("Bob", "Spotlight for everyone")
    await expect(alice.part("spotlight")).to_be_visible()
    assert await alice.page.evaluate(CONTRASTS) == []
    await alice.choose(alice.part("more"), "Theme: system")
    await expect(alice.page.locator("html")).to_have_attribute("data-theme", "light")


# Texts whose contrast with what is behind them is below 4.5, as [text, ratio].
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const part = (value) => ((value /= 255), value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba("white");
  };
  const found = [];
  for (const element of document.querySelectorAll("[data-screen='room'] *")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
    if (!text || !element.checkVisibility({ opacityProperty: true })) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push([text, ratio]);
  }
  return found;
}"""


async def test_refusals_have_pages_of_their_own(people, server):
    people.forgive("Failed to load resource: the server responded with a status of 40")
    alice = await people.person("Alice")
    await alice.page.goto(f"{server.url}/r/abc-defg-hij/")
    await expect(alice.page.get_by_role("heading")).to_have_text("No such room")
    await alice.page.get_by_role("link", name="Go to the start page").click()
    await alice.page.get_by_label("Its link or code").fill("nothing")
    await alice.page.get_by_role("button", name="Open").click()
    await expect(alice.page.get_by_role("alert")).to_contain_text("No room has this code")
    link = await alice.make_room()
    await alice.leave(is_last=True)
    await alice.page.goto(server.url)
    await alice.page.get_by_label("Its link or code").fill(f"  {link}  ")
    await alice.page.keyboard.press("Enter")
    await alice.page.wait_for_url(link)
    await expect(alice.part("lobby-name")).to_have_value("Alice")


async def test_the_chat_is_cleared_by_keyboard_alone(people):
    alice = await people.person("Alice")
    await alice.make_room()
    await alice.say("hello")
    await alice.sees("hello")
    press = alice.page.keyboard.press

    async def choose() -> None:
        await press("Enter")
        for _ in range(500):
            if await alice.page.evaluate("document.activeElement.textContent") == "Clear the chat":
                break
            await press("ArrowDown")
        await press("Enter")
        await expect(alice.part("confirm-no")).to_be_focused()  # what deletes nothing comes first

    await alice.part("more").focus()
    await choose()
    await press("Escape")
    await expect(alice.part("more")).to_be_focused()
    await alice.sees("hello")
    await choose()
    await press("Tab")
    await press("Enter")
    await alice.sees()
    await expect(alice.part("more")).to_be_focused()


async def test_escape_takes_away_the_toolbar_of_a_message_under_the_pointer(people):
    alice = await people.person("Alice")
    await alice.make_room()
    for text in ("one", "two", "three"):
        await alice.say(text)
    await alice.sees("one", "two", "three")
    toolbar = alice.page.get_by_role("toolbar")
    await alice.message("two").hover(position={"x": 5, "y": 10})  # beside every toolbar
    await expect(alice.message("two").get_by_role("toolbar")).to_be_visible()
    await alice.page.keyboard.press("Escape")
    await expect(toolbar).to_have_count(0)

    # A pointer that only lies there takes it from nobody who goes from message to message by keys.
    await alice.message("one").focus()
    for text in ("four", "five"):  # they move what is under the pointer
        await alice.hms("hmsActions.sendBroadcastMessage(value)", text)
        await expect(alice.message(text)).to_be_visible()
    await expect(alice.message("one").get_by_role("toolbar")).to_be_visible()


async def test_the_focus_is_seen_and_nothing_lies_over_it(people):
    alice, bob = await people.meet("Alice", "Bob")
    for number in range(30):
        await bob.hms("hmsActions.sendBroadcastMessage(value)", f"number {number:02}")
    await expect(alice.messages()).to_have_count(30)
    await alice.hms("hmsActions.pinMessage(hmsStore.getState().messages.allIDs[0])")
    await alice.hms("hmsActions.sessionStore.set('spotlight', hmsStore.getState().room.localPeer)")
    await expect(alice.part("spotlight")).to_be_visible()
    await alice.message("number 29").focus()
    for number in reversed(range(29)):
        await alice.page.keyboard.press("ArrowUp")
        message = alice.message(f"number {number:02}")
        await expect(message).to_be_focused()
        top = await message.locator(".text").evaluate("(text) => text.getBoundingClientRect().top")
        bottom = await alice.part("over-log").evaluate("(bar) => bar.getBoundingClientRect().bottom")
        assert top >= bottom, number
    outline = "(element) => parseFloat(getComputedStyle(element).outlineWidth)"
    assert await alice.message("number 00").locator(".bubble").evaluate(outline) >= 2
    for name in ("pin", "people-toggle", "message"):
        await alice.part(name).focus()
        around = "(element) => parseFloat(getComputedStyle(element.closest('.write') ?? element).borderWidth)"
        seen = await alice.part(name).evaluate(outline) or await alice.part(name).evaluate(around)
        assert seen >= 1, name


async def test_text_may_be_spaced_out(people):
    """As WCAG 1.4.12 has it: nothing that is written is cut off."""
    alice, bob = await people.meet("Alice", "Bob")
    await bob.say("Notes are here: https://wiki.example.org/release, and two paragraphs are still open.")
    await alice.sees("Notes are here: https://wiki.example.org/release, and two paragraphs are still open.")
    await alice.page.evaluate(SPACED)
    assert await alice.page.evaluate(CUT) == []
    await alice.choose(alice.part("more"), "Room settings")
    assert await alice.page.evaluate(CUT) == []
