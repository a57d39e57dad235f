"""Nothing is ever wider than the screen, and what is written stays in its place."""

import pytest
from playwright.async_api import expect

from tests.browser.person import NARROW, People, Person
from tests.support.sampling import sampled

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WORD = "Donaudampfschifffahrtsgesellschaft" * 3
LONG_NAME = f"W{'m' * 98}W"  # a name of 100 characters without a place to break
PILED = "Z" + "\u0301\u0300\u0302" * 30

# What is wider than the screen: elements that stick out where nothing cuts them off, and boxes that scroll sideways.
TOO_WIDE = """() => {
  const name = ({ tagName, className, dataset, textContent }) =>
    `${tagName}.${className} ${dataset.part ?? ""} ${textContent.slice(0, 30)}`;
  const cut = (element) => {
    for (let box = element.parentElement; box; box = box.parentElement) {
      if (["hidden", "clip"].includes(getComputedStyle(box).overflowX)) return true;
    }
    return false;
  };
  const found = [];
  for (const element of document.querySelectorAll("body, body *")) {
    if (!element.checkVisibility()) continue;
    const { left, right, width } = element.getBoundingClientRect();
    if (width && (right > innerWidth + 0.5 || left < -0.5) && !cut(element)) found.push(`out: ${name(element)}`);
    const scrolls = ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
    if (scrolls && element.scrollWidth > element.clientWidth && !element.matches("input, textarea, select"))
      found.push(`scrolls: ${name(element)}`);
  }
  const { scrollWidth, scrollHeight } = document.scrollingElement;
  if (scrollWidth > innerWidth) found.push(`page: ${scrollWidth}`);
  const screen = document.querySelector("[data-screen]:not([hidden])") ?? document.body;
  const end = Math.max(innerHeight, Math.round(screen.getBoundingClientRect().bottom + scrollY));
  if (scrollHeight > end) found.push(`page: ${scrollHeight} high`);
  return found;
}"""


async def fits(person: Person) -> None:
    assert await person.page.evaluate(TOO_WIDE) == []


async def fits_menu(person: Person, button: object) -> None:
    await button.click()  # type: ignore[attr-defined]
    await expect(person.page.get_by_role("menu")).to_be_visible()
    await fits(person)
    await person.page.keyboard.press("Escape")


async def crowded_room(people: People, width: int) -> tuple[Person, Person, Person]:
    """Two hosts and a guest, all with long names, in a room with a long title and everything long in it."""
    screen = {**NARROW, "width": width}
    alice = await people.person(LONG_NAME, viewport=screen)
    await alice.page.goto(people.url)
    await fits(alice)
    link = await alice.make_room(WORD[:100])
    host_link = alice.page.url
    bob = await (await people.person(LONG_NAME.replace("m", "n"), viewport=screen)).enter(link)
    carol = await (await people.person("Carol", viewport=screen)).enter(host_link)
    return alice, bob, carol


@pytest.mark.parametrize("width", sampled([320, 360, 768], [320, 768]))
async def test_no_page_is_wider_than_its_screen(people, width):
    people.forgive("Failed to load resource: the server responded with a status of 40")
    alice, bob, carol = await crowded_room(people, width)

    # In the room: long messages of each kind, pins, spotlight, hands, status, polls.
    await bob.say("https://example.org/" + "long" * 60)
    await bob.say(f"https://user:{WORD}@xn--{WORD}.example/")
    await bob.say("function " + "x" * 300 + "() {\n" + "\t" * 20 + "return 1;\n}")
    await carol.page.get_by_label("To", exact=True).select_option(value=f"peer:{await own_id(alice)}")
    await fits(carol)
    await carol.part("message").fill(WORD * 3)
    await carol.part("message").press("Enter")
    await expect(alice.messages()).to_have_count(4)
    await fits(carol)
    await carol.message("xn--").hover()
    await carol.page.get_by_role("button", name="Reply", exact=True).click()
    await fits(carol)
    await carol.page.keyboard.press("Escape")
    about = {"replyTo": await carol.hms("hmsStore.getState().messages.allIDs[1]"), "mentions": [await own_id(alice)]}
    await carol.hms("hmsActions.sendBroadcastMessage(value[0], undefined, value[1])", [WORD, about])
    await expect(alice.part("log").locator(".mentioned .quoted")).to_be_visible()
    await fits(alice)
    await bob.act_on_message("function", "Pin for everyone")
    await bob.act_on_message("long", "Pin for everyone")
    await expect(alice.part("pin-place")).to_have_text("1/2")
    await bob.part("hand").click()
    await expect(alice.part("toasts")).to_contain_text("raised a hand")
    await fits(alice)
    await bob.open_people()
    await bob.choose(bob.part("people-list").get_by_role("button", name="Actions").first, "Change name or status")
    await fits(bob)
    await bob.part("self-status").fill("s" * 80)
    await bob.page.get_by_role("button", name="Save").click()
    await carol.hms("hmsActions.sessionStore.set('spotlight', value)", await own_id(bob))
    await expect(alice.part("spotlight")).to_be_visible()
    questions = [
        {"text": WORD, "type": "single-choice", "options": [{"text": WORD}, {"text": f"{WORD}2"}]},
        {"text": f"{WORD}?", "type": "short-answer"},
    ]
    await carol.hms(
        "hmsActions.interactivityCenter.startPoll(value)", {"title": WORD, "type": "poll", "questions": questions}
    )
    await alice.page.get_by_role("button", name="Answer").click()
    await fits(alice)
    await alice.part("polls").get_by_label(f"{WORD}2").check()
    await alice.part("polls").get_by_label(f"{WORD}?").fill(WORD)
    await alice.page.get_by_role("button", name="Send the answer").click()
    await expect(alice.part("polls").locator(".votes")).to_have_count(2)
    await fits(alice)

    await alice.open_people()
    await fits(alice)
    await fits_menu(alice, alice.part("people-list").get_by_role("button", name="Actions").nth(1))
    await alice.part("panel-close").click()
    await alice.part("pin-list").click()
    await expect(alice.part("all-pins")).to_be_visible()
    await fits(alice)
    await alice.page.keyboard.press("Escape")
    await fits_menu(alice, alice.part("more"))
    await fits_menu(alice, await alice.menu_of("function"))

    await alice.choose_switch("Only hosts pin messages")
    await expect(bob.part("unpin")).to_be_hidden()
    await bob.part("panel-close").click()
    await fits_menu(bob, await bob.menu_of("function"))
    await bob.part("pin-list").click()
    await expect(bob.part("pins-why")).to_be_visible()
    await fits(bob)
    await bob.page.keyboard.press("Escape")

    # Questions, and the ends.
    await alice.open_people()
    await alice.row(bob.name).get_by_role("button", name="Actions").click()
    await carol.hms("hmsActions.sessionStore.set('spotlight', value)", await own_id(alice))
    await expect(alice.part("spotlight-name").locator("bdi")).to_have_text(alice.name)
    await alice.page.get_by_role("menuitem", name="End spotlight").click()
    await expect(alice.part("confirm-values")).to_be_visible()
    await fits(alice)
    await alice.page.keyboard.press("Escape")
    await alice.act_on(bob.name, "Remove from the room")
    await expect(alice.part("confirm")).to_be_visible()
    await fits(alice)
    await alice.part("confirm-wanted").fill(WORD)
    await alice.agree()
    await bob.is_told("You were removed from the room")
    await fits(bob)
    await expect(alice.part("removed")).to_be_visible()
    await fits(alice)
    await bob.page.reload()
    await expect(bob.part("lobby-join")).to_be_visible()
    await fits(bob)
    await alice.hms("hmsActions.endRoom(true, value)", WORD)
    await carol.is_told("The room was ended")
    await fits(carol)
    await bob.page.reload()
    await expect(bob.part("end-heading")).to_have_text("This room is closed")
    await fits(bob)
    await bob.page.goto(f"{people.url}/r/{WORD.lower()}/")
    await fits(bob)
    await bob.page.goto(f"{people.url}/rooms/open?code={WORD * 3}")
    await fits(bob)


async def own_id(person: Person) -> str:
    return str(await person.hms("hmsStore.getState().room.localPeer"))


async def test_piled_up_accents_stay_in_the_place_of_their_text(people):
    alice, bob = await people.meet(f"Alice {PILED}", "Bob", title=f"Team {PILED}")
    await alice.say(PILED)
    await alice.act_on_message(PILED, "Pin for everyone")
    await expect(bob.part("pin-text")).to_contain_text(PILED)
    for place in (
        bob.part("log").locator(".text"),
        bob.part("log").locator(".author"),
        bob.part("pin-text"),
        bob.part("title"),
        bob.row("Alice").locator(".person-name"),
    ):
        assert await place.first.evaluate("(element) => getComputedStyle(element).overflowY") in ("clip", "hidden")


async def test_a_name_or_status_takes_little_height_however_long_it_is(people):
    """An app may set what the page would not."""
    alice, bob, carol = await people.meet("Alice", "Bob", "C" * 100)
    await alice.open_people()
    assert (await alice.row(carol.name).bounding_box() or {})["height"] < 90
    await expect(alice.row(carol.name).get_by_title(carol.name)).to_be_visible()
    for status in ("word " * 700, "x" * 3_500, "line\n" * 600):
        await bob.hms("hmsActions.changeMetadata({ status: value })", status)
        await expect(alice.row("Bob").locator(".person-status")).to_contain_text(status[:4])
        assert (await alice.row("Bob").bounding_box() or {})["height"] < 150
    await fits(alice)


async def test_characters_that_turn_the_direction_of_text_are_seen_and_turn_nothing(people):
    turn = "\u202etfel\u202c \u2067x\u2069 \u200e\u061c"
    seen = "⟨RLO⟩tfel⟨PDF⟩ ⟨RLI⟩x⟨PDI⟩ ⟨LRM⟩⟨ALM⟩"
    alice, bob = await people.meet("Alice", "Bob", title=f"Team {turn}")
    await expect(bob.part("title")).to_have_text("Team tfel x")  # like names, titles are kept without them
    await expect(bob.page).to_have_title("Team tfel x")
    await alice.say(turn)
    await bob.sees(seen)
    await alice.set_status(turn)
    await expect(bob.row("Alice").locator(".person-status")).to_have_text(seen)
    await alice.act_on_message("tfel", "Pin for everyone")
    await expect(bob.part("pin-text")).to_have_text(f"Alice: {seen}")
    poll = {"title": turn, "type": "poll", "questions": [{"text": turn, "type": "single-choice"}]}
    poll["questions"][0]["options"] = [{"text": turn}, {"text": "x"}]  # type: ignore[index]
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", poll)
    await expect(bob.part("toasts")).to_contain_text(seen)
    await bob.page.get_by_role("button", name="Answer").click()
    await expect(bob.part("polls").locator("h3")).to_have_text(seen)
    await expect(bob.part("polls").locator("legend")).to_have_text(seen)
    read = await bob.page.locator("body").inner_text()
    assert [character for character in "\u202e\u202c\u2067\u2069\u200e\u061c" if character in read] == []


async def test_a_link_tells_where_it_leads(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("https://bank.example@evil.example/ https://b\u0430nk.example/ https://ok.example:8080/a?b=@c")
    links = bob.part("log").locator(".text a")
    await expect(links).to_have_text(
        [
            "https://bank.example@evil.example/ (leads to evil.example)",
            "https://b\u0430nk.example/ (leads to xn--bnk-6cd.example)",
            "https://ok.example:8080/a?b=@c",
        ]
    )
    await alice.say("https://good.example/\u202egro.live//:sptth")
    await expect(bob.message("good.example").locator("a")).to_have_attribute("href", "https://good.example/")
