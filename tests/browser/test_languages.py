"""The pages in each of their languages: nothing in them stays English, sticks out or keeps people out."""

import re
from collections.abc import Awaitable, Callable
from itertools import product

import pytest
from playwright.async_api import Page, expect

from tests.browser.person import NARROW, People, Person
from tests.browser.test_layout import fits
from tests.support.axe import barriers
from tests.support.sampling import sampled

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# What people read, hear or hover over, be it hidden just now; not what they typed, which stands in elements of its own.
SHOWN = """() => {
  const typed = ".languages, .brand, bdi, .text, .bar-title, .room-name, textarea, svg, script, noscript";
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement.closest(typed)) found.push(node.data);
  }
  for (const element of document.querySelectorAll("body *")) {
    for (const name of ["aria-label", "title", "placeholder", "label"]) found.push(element.getAttribute(name) ?? "");
  }
  return found;
}"""

LEFT_OF = """(parts) => {
  const [one, other] = parts.map((part) => document.querySelector(`[data-part="${part}"]`).getBoundingClientRect());
  return one.left < other.left;
}"""

POLL = {
    "title": "666",
    "type": "poll",
    "questions": [{"text": "777", "type": "single-choice", "options": [{"text": "8"}, {"text": "9"}]}],
}

NAMES = ["Zoe", "Max", "Eva"]
# Names, a code, and what is called so everywhere.
FOREIGN = re.compile(rf"{'|'.join(NAMES)}|abc-defg-hij|JSON|Enter|Shift|https://a\.example/")
LATIN = re.compile("[A-Za-z]{2,}")


async def english_in(page: Page) -> list[str]:
    """What an Arabic page says in Latin letters."""
    return [text.strip() for text in await page.evaluate(SHOWN) if LATIN.search(FOREIGN.sub("", text))]


Look = Callable[[Person], Awaitable[None]]


async def meet(people: People, language: str, width: int) -> tuple[Person, Person, str]:
    options = {"locale": language, "viewport": {**NARROW, "width": width}}
    host, guest = [await people.person(name, **options) for name in NAMES[:2]]
    await host.page.goto(people.url)
    await host.page.locator("#title").fill("Zoe")
    await host.page.locator("form[action$='new'] button").click()
    await host.page.wait_for_url("**/r/**")
    link = await host.part("invite-link").input_value()
    await enter(host, host.page.url)
    await enter(guest, link)
    return host, guest, link


async def enter(person: Person, link: str) -> None:
    await person.page.goto(link)
    await person.part("lobby-name").fill(person.name)
    await person.part("lobby-join").click()
    await person.is_inside()


async def say(person: Person, text: str) -> None:
    await person.part("message").fill(text)
    await person.part("send").click()


async def see_doors(stranger: Person, look: Look) -> None:
    for path in ("", "r/abc-defg-hij/", "rooms/open?code=abc"):
        await stranger.page.goto(f"{stranger.people.url}/{path}")
        await look(stranger)


async def see_chat(host: Person, guest: Person, look: Look) -> None:
    """Messages, a reaction, a pin, an answer, a mention, and what one may do with them."""
    await look(host)
    for person, text in ((host, "111"), (guest, "222"), (host, "https://a.example/ 333")):
        await say(person, text)
    await host.sees("111", "222", "https://a.example/ 333")
    await host.message("111").hover()
    await look(host)
    await host.message("222").hover()
    buttons = host.part("log").locator(".toolbar button")
    await expect(buttons).to_have_count(7)
    reaction, _, _, emoji, reply, pin, more = await buttons.all()
    for button in (emoji, reaction):
        await button.click()
        await look(host)
        await host.page.keyboard.press("Escape")
        await host.message("222").hover()
    await pin.click()
    await expect(host.part("pins")).to_be_visible()
    await more.click()
    await look(host)
    await host.page.keyboard.press("Escape")
    await host.part("pin-list").click()
    await look(host)
    await host.part("all-pins-close").click()
    await host.message("222").hover()
    await reply.click()
    await look(host)
    await say(host, "666")
    about = {"mentions": [await host.hms("hmsStore.getState().room.localPeer")]}
    await guest.hms("hmsActions.sendBroadcastMessage('777', undefined, value)", about)
    await expect(host.part("log").locator(".mentioned")).to_be_visible()
    await look(host)


async def see_people(host: Person, guest: Person, look: Look) -> None:
    """A raised hand, the spotlight, a private message, polls, and somebody who has to go."""
    await guest.part("hand").click()
    await expect(host.part("toasts").locator(".toast")).not_to_have_count(0)
    if await host.part("panel").is_hidden():
        await host.part("people-toggle").click()
    await look(host)
    row = host.row(guest.name).locator("button")
    privately, spotlight, *_, remove = [host.page.get_by_role("menuitem").nth(place) for place in (0, 1, -1)]
    await row.click()
    await look(host)
    await spotlight.click()
    await expect(guest.part("spotlight")).to_be_visible()
    await row.click()
    await privately.click()
    await say(host, "444")
    await expect(guest.message("444")).to_be_visible()
    await look(host)
    await look(guest)
    await host.part("to-all").click()
    await host.hms("hmsActions.interactivityCenter.startPoll(value)", POLL)
    await guest.part("toasts").get_by_role("button").last.click()
    await look(guest)
    await guest.part("polls").locator("[type=radio]").first.check()
    await guest.part("polls").locator("[type=submit]").click()
    await expect(guest.part("polls").locator(".result")).to_be_visible()
    await look(guest)
    await host.part("people-toggle").click()
    await row.click()
    await remove.click()
    await look(host)
    await host.part("confirm-wanted").fill("555")
    await host.agree()
    await expect(host.part("removed")).to_be_visible()
    await look(host)
    await expect(guest.part("end-heading")).to_be_visible()
    await look(guest)


async def see_menu(host: Person, look: Look) -> None:
    """What the room's menu leads to."""
    await host.part("panel-close").click()
    await host.part("more").click()
    await look(host)
    items = host.page.get_by_role("menuitem")
    count = await items.count()
    await host.page.keyboard.press("Escape")
    dialog = host.page.locator("dialog[open]")
    for place in range(count):
        await host.part("more").click()
        await items.nth(place).click()
        if await dialog.count():
            await look(host)
            await dialog.locator("[data-close], [value='']").last.click()
    await host.page.evaluate("dispatchEvent(new Event('offline'))")
    await look(host)


async def each_state(people: People, language: str, look: Look, width: int = 320) -> None:
    """Take people through the pages, and look at them on the way."""
    people.forgive("404")
    host, guest, link = await meet(people, language, width)
    stranger = await people.person("stranger", locale=language, viewport={**NARROW, "width": width})
    await see_doors(stranger, look)
    await stranger.page.goto(link)
    await look(stranger)
    await see_chat(host, guest, look)
    await see_people(host, guest, look)
    third = await people.person(NAMES[2], locale=language)
    await enter(third, link)
    await see_menu(host, look)


ONE, OTHERS = "ar", ("de", "es")


# What keeps people out is mostly the same in all: without a soak it is looked for in the one that differs most.
@pytest.mark.parametrize(
    ("language", "by_axe"),
    sampled(
        [(ONE, True), *product(OTHERS, (False, True))],
        [(ONE, True), *((other, False) for other in OTHERS)],
    ),
)
async def test_a_language_is_whole_fits_narrow_screens_and_keeps_nobody_out(people, language, by_axe):
    async def look(person: Person) -> None:
        page = person.page
        direction = "rtl" if language == "ar" else "ltr"
        assert await page.evaluate("[document.documentElement.lang, document.dir]") == [language, direction]
        await fits(person)
        if by_axe:
            assert await barriers(page) == []
        if language == "ar":
            assert await english_in(page) == []

    await each_state(people, language, look)


async def test_a_language_is_chosen_at_the_start_and_in_the_room_and_remembered(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("Hello")
    await alice.part("message").fill("not yet")
    await alice.choose(alice.part("more"), "Language")
    await alice.part("languages").get_by_role("button", name="العربية").click()
    await alice.page.wait_for_load_state()
    await alice.is_inside()
    await expect(alice.page.locator("html")).to_have_attribute("dir", "rtl")
    await alice.sees("Hello")
    await expect(alice.part("message")).to_have_value("not yet")
    assert await alice.page.evaluate(LEFT_OF, ["people-toggle", "more"]) is False
    assert await bob.page.evaluate(LEFT_OF, ["people-toggle", "more"]) is True
    await alice.page.goto(people.url)
    await expect(alice.page.locator("h1")).to_have_text("غرفة للحديث")
    await alice.page.get_by_role("button", name="Deutsch").click()
    await expect(alice.page.locator("h1")).to_have_text("Ein Raum zum Reden")
    await expect(alice.page.get_by_role("button", name="Deutsch")).to_have_attribute("aria-current", "true")


async def test_a_number_is_said_in_the_form_that_arabic_has_for_it(people):
    person, _, _ = await meet(people, "ar", 360)
    said = await person.page.evaluate(
        """async () => {
          const { ngettext } = await import("/static/rooms/page/translation.js");
          return [0, 1, 2, 3, 11, 100].map((count) => ngettext("{count} vote", "{count} votes", count));
        }"""
    )
    assert said == ["لا أصوات", "صوت واحد", "صوتان", "{count} أصوات", "{count} صوتًا", "{count} صوت"]
