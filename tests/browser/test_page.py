"""What people expect of the page."""

import json

import pytest
from playwright.async_api import expect

from tests.browser.person import NARROW
from tests.proxy import Proxy
from tests.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"


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

    await set_status(bob, MARKUP)
    await expect(alice.row("Bob").locator(".person-status")).to_have_text(MARKUP)
    await expect(alice.part("spotlight-status")).to_have_text(MARKUP)
    await alice.act_on("Bob", "Remove from the room")
    await expect(alice.part("confirm-title")).to_have_text(f"Remove Bob{MARKUP}?")
    await alice.agree()
    await expect(bob.part("end-text")).to_contain_text(f"By <b>Alice</b>{MARKUP}")
    for person in (alice, bob):
        assert await person.page.locator("img, i, .message b b, [data-page] script").count() == 0


async def test_metadata_of_any_form_breaks_nothing(people):
    alice, bob = await people.meet("Alice", "Bob")
    odd_pins = [None, 3, {"text": ["x"]}, {"text": "  "}]
    for value in [{"a": 1}, odd_pins, 7, "text", None, [{"text": MARKUP, "pinnedBy": {}}]]:
        for key in ("pinnedMessages", "spotlight", "default", "__proto__", "constructor"):
            await bob.hms("hmsActions.sessionStore.set(...value)", [key, value])
    await expect(alice.part("pin-text")).to_have_text(MARKUP)
    for text in ('["no object"]', "null", "{"):
        await bob.hms("hmsActions.changeMetadata(value)", text)
    await bob.say("Still here")
    await alice.sees("Still here")


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


async def test_hands_go_up_in_order_and_the_host_lowers_them(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await carol.part("hand").click()
    await expect(alice.part("toasts")).to_contain_text("Carol raised a hand")
    await bob.part("hand").click()
    hands = alice.part("hands-list").locator(".person-name")
    await expect(hands).to_have_text(["Carol", "Bob"])
    await expect(bob.part("hand")).to_have_attribute("aria-pressed", "true")

    await alice.choose(alice.part("hands-list").get_by_role("button", name="Actions for Carol"), "Lower hand")
    await expect(hands).to_have_text(["Bob"])
    await expect(carol.part("hand")).to_have_attribute("aria-pressed", "false")
    await alice.part("lower-all").click()
    await expect(alice.part("hands")).to_be_hidden()
    await expect(bob.part("hand")).to_have_attribute("aria-pressed", "false")
    await expect(bob.part("lower-all")).to_be_hidden()


async def test_name_and_status_are_everybodys_to_see(people):
    alice, bob = await people.meet("Alice", "Bob")
    await set_status(bob, "Back at noon", name="Robert")
    await expect(alice.row("Robert").locator(".person-status")).to_have_text("Back at noon")
    carol = await (await people.person("Carol")).enter(await alice.part("invite-link").input_value())
    await expect(carol.row("Robert").locator(".person-status")).to_have_text("Back at noon")
    await set_status(bob, "")
    await expect(alice.row("Robert").locator(".person-status")).to_be_hidden()


async def set_status(person, status: str, *, name: str | None = None) -> None:
    await person.act_on(f"{person.name} (you)" if name else "(you)", "Change name or status")
    await person.part("self-status").fill(status)
    if name:
        await person.part("self-name").fill(name)
    await person.page.get_by_role("button", name="Save").click()


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


async def test_the_host_removes_a_person_and_ends_the_room(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await expect(bob.row("Carol").get_by_role("button", name="Actions")).to_be_visible()
    await bob.row("Carol").get_by_role("button", name="Actions").click()
    await expect(bob.page.get_by_role("menuitem", name="Remove from the room")).to_have_count(0)
    await bob.page.keyboard.press("Escape")

    await alice.act_on("Bob", "Remove from the room")
    await alice.agree()
    await bob.is_told("You were removed from the room")
    await expect(bob.part("end-text")).to_have_text("By Alice: removed by the host")
    await expect(carol.part("log")).to_contain_text("Bob left")

    await alice.choose(alice.part("more"), "End the room for everyone")
    await alice.agree()
    await carol.is_told("The room was ended")
    await alice.is_told("The room was ended")
    await carol.page.get_by_role("button", name="Open it again").click()
    await carol.is_inside()
    await expect(carol.part("people-count")).to_have_text("1")


async def test_a_role_changes_while_one_is_inside(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.act_on("Bob", "Make viewer")
    await expect(bob.part("read-only")).to_be_visible()
    await expect(bob.part("message")).to_be_hidden()
    await expect(alice.row("Bob").locator(".role")).to_have_text("viewer")
    await alice.act_on("Bob", "Make host")
    await expect(bob.part("message")).to_be_visible()
    await bob.act_on("Alice", "Make guest")
    await expect(alice.row("Alice").locator(".role")).to_have_text("guest")


async def test_a_poll_made_elsewhere_is_answered_and_its_result_shown(people):
    alice, bob = await people.meet("Alice", "Bob")
    poll = {
        "title": "Tea or coffee?",
        "type": "poll",
        "questions": [
            {"text": "Which?", "type": "single-choice", "options": [{"text": "Tea"}, {"text": "Coffee"}]},
            {"text": "With?", "type": "multiple-choice", "options": [{"text": "Milk"}, {"text": "Sugar"}]},
        ],
    }
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", poll)

    await bob.page.get_by_role("button", name="Answer").click()
    polls = bob.part("polls")
    await polls.get_by_label("Coffee").check()
    await polls.get_by_label("Milk").check()
    await polls.get_by_label("Sugar").check()
    await polls.get_by_role("button", name="Send the answer").click()
    await expect(polls.locator(".bar-row").filter(has_text="Coffee")).to_contain_text("your answer")
    await alice.part("polls-toggle").click()
    await alice.part("polls").get_by_label("Tea").check()
    await alice.part("polls").get_by_role("button", name="Send the answer").click()
    for person in (alice, bob):
        await expect(person.part("polls").locator(".votes")).to_have_text(["1 vote", "1 vote", "1 vote", "1 vote"])

    late = await (await people.person("Carol")).enter(await alice.part("invite-link").input_value())
    await late.part("polls-toggle").click()
    await expect(late.part("polls").get_by_role("button", name="Send the answer")).to_be_visible()
    [poll_id] = await alice.hms("Object.keys(hmsStore.getState().polls)")
    await alice.hms("hmsActions.interactivityCenter.stopPoll(value)", poll_id)
    await expect(late.part("polls")).to_contain_text("Ended")
    await expect(late.part("polls").locator(".votes")).to_have_text(["1 vote", "1 vote", "1 vote", "1 vote"])


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

    await alice.message("first").get_by_role("button", name="Actions").focus()
    await keys.press("Enter")
    await expect(alice.page.get_by_role("menuitem").first).to_be_focused()
    await keys.press("ArrowUp")
    await expect(alice.page.get_by_role("menuitem").last).to_be_focused()
    await keys.press("Escape")
    await expect(alice.page.get_by_role("menu")).to_have_count(0)
    await expect(alice.message("first").get_by_role("button", name="Actions")).to_be_focused()
    await keys.press("Enter")
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


@pytest.mark.parametrize("width", [320, 360])
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
    for name in ("hand", "copy-invite", "people-toggle", "more", "leave", "message"):
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
    await expect(alice.message("the last")).to_be_in_viewport(ratio=1)


async def test_a_duplicated_tab_takes_over_and_gives_back(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("hello")
    await alice.sees("hello")
    kept = await alice.page.evaluate("() => Object.entries(sessionStorage)")
    copy = await alice.page.context.new_page()
    # A browser copies the session storage into the duplicate before its page loads.
    await copy.add_init_script(f"for (const [key, value] of {json.dumps(kept)}) sessionStorage.setItem(key, value)")
    await copy.goto(alice.page.url)
    await expect(copy.locator('[data-part="leave"]')).to_be_visible()
    await expect(copy.locator(".message .text")).to_have_text(["hello"])

    await alice.is_told("Opened in another tab")
    await expect(bob.part("people-count")).to_have_text("2")
    await expect(bob.part("log")).not_to_contain_text("left")

    await alice.page.get_by_role("button", name="Use it here").click()
    await alice.is_inside()
    await expect(copy.locator('[data-part="end-heading"]')).to_have_text("Opened in another tab")
    await alice.say("back again")
    await bob.sees("hello", "back again")


async def test_the_same_link_twice_is_two_people(people):
    alice, bob = await people.meet("Alice", "Bob")
    second = await alice.page.context.new_page()
    await second.goto(alice.page.url)
    await second.get_by_role("button", name="Join the room").click()
    await expect(bob.part("people-count")).to_have_text("3")


async def test_the_connection_comes_back_with_what_was_missed_and_what_was_written(people, server):
    people.forgive(r"WebSocket connection to|net::ERR_|Failed to load resource")
    bob = await people.person("Bob")
    link = await bob.make_room()
    async with Proxy(server.port) as proxy:
        alice = await people.person("Alice")
        await alice.enter(link.replace(str(server.port), str(proxy.port)))
        await expect(bob.part("people-count")).to_have_text("2")
        proxy.block()
        await expect(alice.part("banner-text")).to_contain_text("Reconnecting")
        await expect(bob.row("Alice").locator(".away")).to_be_visible()
        await bob.say("did you hear?")
        await alice.say("written meanwhile")
        await expect(alice.part("outbox")).to_contain_text("written meanwhile")
        proxy.unblock()
        await alice.part("banner-retry").click()
        await expect(alice.part("banner-text")).to_have_text("Back online")
        await alice.sees("did you hear?", "written meanwhile")
        await bob.sees("did you hear?", "written meanwhile")
        await expect(bob.row("Alice").locator(".away")).to_be_hidden()
        await expect(bob.part("log")).not_to_contain_text("left")
        await alice.leave()


async def test_i11_a_restart_of_the_server_is_survived_with_everything_kept(people):
    people.forgive(r"WebSocket connection to|net::ERR_|Failed to load resource")
    with RunningServer() as own:
        people.url = own.url
        alice, bob = await people.meet("Alice", "Bob")
        await alice.say("before")
        await bob.act_on_message("before", "Pin for everyone")
        await expect(alice.part("pin-text")).to_have_text("Alice: before")
        own.restart()
        for person, text in ((alice, "after"), (bob, "and after")):
            await person.say(text)
        for person in (alice, bob):
            await expect(person.messages()).to_have_count(3, timeout=30_000)
            await expect(person.part("people-count")).to_have_text("2")
            await expect(person.part("pin-text")).to_have_text("Alice: before")
            await expect(person.part("log")).not_to_contain_text("left")


async def test_a_message_that_is_refused_stays_and_can_be_sent_again(people):
    with RunningServer(RATE_LIMIT="0.2", RATE_BURST="1") as strict:
        people.url = strict.url
        alice = await people.person("Alice")
        await alice.make_room()
        burst = "{ for (let n = 0; n < 5; n += 1) hmsActions.sendBroadcastMessage(`burst ${n}`).catch(() => {}); }"
        await alice.hms(burst)
        retry = alice.part("outbox").get_by_role("button", name="Retry").first
        await expect(retry).to_be_visible(timeout=30_000)
        await alice.part("outbox").get_by_role("button", name="Discard").first.click()


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
