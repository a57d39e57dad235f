"""What people expect of a chat's page, as far as no test of one of its parts plays it."""

import re

import pytest
from playwright.async_api import Locator, expect

from tests.browser.person import NARROW, Person
from tests.browser.test_connection import duplicate
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_door_tells_what_is_behind_it_and_why_it_stays_shut(people):
    people.forgive("Failed to load resource: the server responded with a status of 40")
    with RunningServer(MAX_ROOM_PEERS=1) as own:
        people.url = own.url
        alice = await people.person("Alice")
        link = await alice.make_room("Monday planning")
        await expect(alice.part("empty-alone")).to_contain_text("You are the only one here.")
        await alice.part("empty-copy").click()
        await expect(alice.part("toasts")).to_contain_text("Link copied")
        bob = await people.person("Bob")
        await bob.page.goto(link)
        await expect(bob.page.get_by_role("heading", name="Monday planning")).to_be_visible()
        await expect(bob.page.locator(".inside")).to_have_text("One person is inside.")
        await expect(bob.page.locator(".lobby .hint")).to_contain_text("are gone when the last person leaves")
        await bob.part("lobby-copy").click()
        await expect(bob.part("toasts")).to_contain_text("Link copied")
        assert await bob.page.evaluate("navigator.clipboard.readText()") == link
        await bob.page.get_by_label("Your name").fill("Bob")
        await bob.page.get_by_role("button", name="Join the room").click()
        await expect(bob.part("lobby-problem")).to_have_text(re.compile("You could not join. The room is full"))
        await bob.page.reload()
        await expect(bob.part("lobby-name")).to_have_value("Bob")


async def test_many_come_and_go_in_one_line_and_are_found_by_their_names(people, server):
    alice = await people.person("Alice")
    await alice.make_room()
    room = await alice.hms("hmsStore.getState().room.id")
    crowd = [await server.peer(server.sign(room, user=f"user-{n}"), f"Peer {n:02}") for n in range(20)]
    await expect(alice.part("people-count")).to_have_text("21")
    line = alice.part("log").locator(".line")
    await expect(line).to_have_text(["20 people joined"])
    await alice.part("people-search").fill("peer 17")
    await expect(alice.part("people-list").locator(".person-name")).to_have_text(["Peer 17"])
    await alice.part("people-search").fill("peer 99")
    await expect(alice.part("people-more")).to_have_text("Nobody here has that name.")
    for peer in crowd[:3]:
        await peer.leave()
    await expect(line).to_have_text(["20 people joined · 3 people left"])
    await expect(alice.part("people-search")).to_be_hidden()
    await expect(alice.part("people-list").locator(".person")).to_have_count(18)
    for peer in crowd[3:]:
        await peer.close()


async def test_who_writes_stays_in_the_box_and_sees_what_was_sent(people):
    [alice] = await people.meet("Alice")
    for number in range(25):
        await alice.hms("hmsActions.sendBroadcastMessage(value)", f"number {number:02}")
    await expect(alice.messages()).to_have_count(25)
    await alice.part("scroller").evaluate("(scroller) => scroller.scrollTo(0, 0)")
    await expect(alice.message("number 00")).to_be_in_viewport()
    await alice.part("message").fill("  \n ")
    await alice.page.get_by_role("button", name="Send").click()
    await alice.part("message").fill("own words")
    await alice.page.get_by_role("button", name="Send").click()
    await expect(alice.message("own words")).to_be_in_viewport(ratio=1)
    await expect(alice.part("message")).to_be_focused()
    await expect(alice.messages()).to_have_count(26)
    time = alice.message("own words").locator("time")
    await expect(time).to_have_attribute("title", re.compile(r"day, .* \d{4} at \d+:\d+:\d+"))


async def test_a_pin_leads_the_eye_to_its_message_and_is_taken_away_from_there(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.say("see https://example.org/")
    await alice.act_on_message("see", "Pin for everyone")
    await bob.part("pin").click()
    await expect(bob.message("see")).to_have_class(re.compile(r"\bflash\b"))
    await expect(bob.message("see").get_by_role("link")).to_have_attribute("target", "_blank")
    await alice.act_on_message("see", "Unpin")
    for person in (alice, bob):
        await expect(person.part("pins")).to_be_hidden()


async def test_a_room_that_is_opened_elsewhere_says_so_and_can_be_taken_back(people):
    [alice] = await people.meet("Alice")
    await alice.say("before")
    # As in a browser that cannot tell that a tab is a copy.
    await alice.page.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    await alice.page.reload()
    await alice.is_inside()
    copy = await duplicate(alice)
    await alice.is_told("Opened in another tab")
    await alice.page.get_by_role("button", name="Use it here").click()
    await alice.is_inside()
    await copy.is_told("Opened in another tab")
    await alice.sees("before")


async def test_a_telephone_neither_enlarges_what_is_typed_nor_hides_it_under_its_keyboard(people):
    alice = await people.person("Alice", has_touch=True, is_mobile=True, viewport=NARROW, reduced_motion="reduce")
    await alice.make_room()
    small = """() => [...document.querySelectorAll("input, textarea, select")]
      .filter((one) => !/checkbox|radio|hidden/.test(one.type) && parseFloat(getComputedStyle(one).fontSize) < 16)
      .map((one) => one.outerHTML)"""
    assert await alice.page.evaluate(small) == []
    zoom = await alice.page.locator("meta[name=viewport]").get_attribute("content") or ""
    assert "maximum-scale" not in zoom and "user-scalable" not in zoom
    assert await alice.page.evaluate("document.getAnimations().length") == 0
    await alice.page.evaluate("""() => {
      Object.defineProperty(visualViewport, "height", { value: 400, configurable: true });
      visualViewport.dispatchEvent(new Event("resize"));
    }""")
    box = await alice.part("composer").bounding_box()
    assert box and box["y"] + box["height"] <= 400
    await alice.page.evaluate("""() => {
      delete visualViewport.height;
      visualViewport.dispatchEvent(new Event("resize"));
    }""")
    box = await alice.part("composer").bounding_box()
    assert box and box["y"] + box["height"] > 700


# How each is opened, and what it begins at: its one field, what changes nothing, or its heading.
DIALOGS = {
    "Make a poll": "new-poll-question",
    "Room settings": "settings-heading",
    "Save the transcript": "transcript-heading",
    "Language": "languages-heading",
    "Pinned messages": "pins-title",
    "Clear the chat": "confirm-no",
    "End the room for everyone": "confirm-no",
}


async def test_a_dialog_begins_at_its_one_field_or_at_its_heading(people):
    alice, _ = await people.meet("Alice", "Bob")
    await alice.say("hello")
    await alice.act_on_message("hello", "Pin for everyone")
    await expect(alice.part("pin-text")).to_be_visible()
    focused = "(document.activeElement.dataset.part ?? document.activeElement.id)"
    opened = {item: alice.choose(alice.part("more"), item) for item in DIALOGS}
    opened["share"] = alice.part("copy-invite").click()
    opened["self"] = alice.act_on("(you)", "Change name or status")
    opened["remove"] = alice.act_on("Bob", "Remove from the room")
    opened["leave"] = alice.part("leave").click()
    found = {}
    for item, opens in opened.items():
        await opens
        await expect(alice.page.locator("dialog[open]")).to_be_visible()
        found[item] = await alice.page.evaluate(focused)
        await alice.page.keyboard.press("Escape")
        await expect(alice.page.locator("dialog[open]")).to_have_count(0)
    others = {"share": "share-heading", "self": "self-name", "remove": "confirm-wanted", "leave": "handover-to"}
    assert found == DIALOGS | others


# What says a thing of an element beside its colours: words, a drawing, or a state that is read out.
SIGNS = """(element) => {
  const names = ["pressed", "checked", "current", "invalid", "selected"];
  const states = names.map((name) => element.getAttribute(`aria-${name}`));
  const hasState = states.some((state) => state && state !== "false");
  const hasIcon = [...element.querySelectorAll("svg")].some((icon) => icon.checkVisibility());
  return Boolean(element.innerText.trim() || hasIcon || hasState);
}"""


async def test_nothing_is_told_by_colour_alone(people):
    people.forgive(r"Failed to load resource|net::ERR_|WebSocket connection to")
    alice, bob = [await people.person(name, forced_colors="active") for name in ("Alice", "Bob")]
    link = await alice.make_room()
    await bob.enter(link)
    await expect(alice.part("people-count")).to_have_text("2")
    own = await bob.hms("hmsStore.getState().room.localPeer")

    async def tells(person: Person, *seen: Locator | str) -> None:
        for one in seen:
            locator = person.part(one) if isinstance(one, str) else one
            await expect(locator).to_be_visible()
            assert await locator.evaluate(SIGNS), one

    await alice.hms("hmsActions.sendBroadcastMessage('@Bob, look', undefined, { mentions: [value] })", own)
    await alice.hms("hmsActions.pinMessage(hmsStore.getState().messages.allIDs[0])")
    await alice.say("between us", to="Bob")
    await expect(bob.messages()).to_have_count(2)
    await bob.hms("hmsActions.reactToMessage(hmsStore.getState().messages.allIDs[0], '❤')")
    marks = [bob.part("log").locator(f".{kind}") for kind in ("mentioned-mark", "pinned-mark", "privately")]
    await tells(bob, *marks, bob.message("look").locator('.reaction[aria-pressed="true"]'))
    await tells(alice, alice.message("between us").locator(".author"), "to-chip")
    await expect(alice.message("between us").locator(".author")).to_have_text("You")

    await bob.part("hand").click()
    await alice.act_on("Bob", "Spotlight for everyone")
    await tells(alice, alice.row("Bob").locator(".badge.hand"), "spotlight-hand")
    await expect(bob.part("hand")).to_have_attribute("aria-pressed", "true")
    await expect(bob.part("hand-label")).to_have_text("Lower hand")
    await alice.hms("hmsActions.setRoom({ locked: true, slowMode: 30 })")
    await tells(bob, "locked-mark", "slow-mark")

    question = {"text": "Tea?", "type": "single-choice", "options": [{"text": "Yes"}, {"text": "No"}]}
    poll = {"title": "Tea?", "type": "poll", "questions": [question]}
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", poll)
    await bob.page.get_by_role("button", name="Answer").click()
    await bob.part("polls").get_by_label("Yes").check()
    await bob.part("polls").get_by_role("button", name="Send the answer").click()
    await tells(bob, bob.part("polls").locator(".mine"))

    limit = int(await alice.page.locator("[data-page]").get_attribute("data-max-message") or 0)
    await alice.part("message").fill("x" * (limit + 1))
    await tells(alice, "left")
    await alice.part("message").fill("")
    await alice.choose(alice.part("more"), "Make a poll")
    await alice.part("new-poll-question").fill("Tea?")
    await alice.part("new-poll-answers").fill("Yes")
    await alice.part("new-poll-start").click()
    await tells(alice, "new-poll-problem")
    await alice.page.keyboard.press("Escape")
    await alice.choose(alice.part("more"), "Language")
    await tells(alice, alice.part("languages").locator("[aria-current]"))
    await alice.page.keyboard.press("Escape")

    await alice.act_on("Bob", "Make viewer")
    await expect(bob.part("read-only")).to_be_visible()
    await bob.hms("hmsActions.sendBroadcastMessage('refused').catch(() => {})")
    await tells(bob, bob.part("outbox").locator(".failed .sending"))
    await bob.page.context.set_offline(True)
    await tells(bob, "banner-text")
    carol = await people.person("Carol", forced_colors="active")
    await carol.page.goto(link)
    await tells(carol, "lobby-locked")
