"""Text that runs from the right to the left, on pages that do or do not."""

import re

import pytest
from playwright.async_api import Locator, expect

from tests.browser.person import Person
from tests.browser.test_languages import enter, meet, say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MARKED = "إِلٰهٌ لِلّٰهِ المُلَخَّصُ أَوَّلًا"


async def picture(person: Person, place: Locator) -> bytes:
    """What is painted in the place of an element, and some pixels above and below."""
    box = await place.bounding_box()
    assert box
    clip = {"x": box["x"], "y": max(box["y"] - 12, 0), "width": box["width"], "height": box["height"] + 24}
    return await person.page.screenshot(clip=clip)  # type: ignore[arg-type]


async def test_what_arabic_has_above_and_below_its_letters_is_painted_whole(people):
    alice, bob = [await people.person(name, device_scale_factor=2) for name in ("Alice", "Bob")]
    link = await alice.make_room(MARKED)
    await bob.page.goto(link)
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", poll(MARKED))
    await alice.part("polls-toggle").click()
    places = [(bob, bob.page.locator(".room-name")), (alice, alice.part("title"))]
    places += [(alice, alice.part("polls").locator(name)) for name in ("h3", "legend")]
    await alice.say(MARKED)
    await alice.sees(MARKED)
    places.append((alice, alice.messages()))
    for person, place in places:
        await expect(place).to_be_visible()
        shown = await picture(person, place)
        await place.evaluate("(element) => element.style.setProperty('overflow', 'visible', 'important')")
        assert shown == await picture(person, place), await place.evaluate("(element) => element.outerHTML")


def poll(text: str) -> dict[str, object]:
    question = {"text": f"{text}?", "type": "single-choice", "options": [{"text": "1"}, {"text": "2"}]}
    return {"title": text, "type": "poll", "questions": [question]}


# How far the text of each message is from the side of its bubble where the page's lines begin, in px.
AWAY = """(texts) => texts.map((text) => {
  const range = document.createRange();
  range.selectNodeContents(text);
  const rows = [...range.getClientRects()].filter(({ width }) => width > 0);
  const { left, right } = text.getBoundingClientRect();
  const isRight = document.documentElement.dir === "rtl";
  return Math.max(...rows.map((row) => isRight ? right - row.right : row.left - left));
})"""


# How far what an element holds is from the left of the screen where the page's lines begin there, from the right else.
START = """(element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  const rows = [...range.getClientRects()].filter(({ width }) => width > 0);
  const isRight = document.documentElement.dir === "rtl";
  return Math.min(...rows.map((row) => isRight ? innerWidth - row.right : row.left));
}"""

# How much there is between the room's title and the sign for people.
BESIDE_TITLE = """() => {
  const [title, sign] = ["title", "people-toggle"].map((name) => document.querySelector(`[data-part=${name}]`));
  const [a, b] = [title, sign.querySelector("svg")].map((element) => element.getBoundingClientRect());
  return document.documentElement.dir === "rtl" ? a.left - b.right : b.left - a.right;
}"""


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_messages_begin_at_the_side_of_their_bubble_whichever_way_they_run(people, language):
    host, guest, _ = await meet(people, language, 360)
    for person in (host, guest):
        for text in ("ok", "مرحبا", "one line\nسطران\nthree"):
            await say(person, text)
    await expect(host.messages()).to_have_count(6)
    for person in (host, guest):
        assert max(await person.messages().evaluate_all(AWAY)) < 2
    await host.hms("hmsActions.sessionStore.set('spotlight', hmsStore.getState().room.localPeer)")
    for person in (host, guest):
        await expect(person.part("spotlight-words")).to_be_visible()
        starts = [await person.part(name).evaluate(START) for name in ("spotlight-name", "spotlight-words")]
        assert abs(starts[0] - starts[1]) < 2
        assert await person.page.evaluate(BESIDE_TITLE) >= 6
        await person.part("people-toggle").click()
        heads = [person.part("panel-title"), person.part("people").locator("h3").filter(visible=True)]
        starts = [await head.evaluate(START) for head in heads]
        assert abs(starts[0] - starts[1]) < 2


# Whether the sign before a tag is painted to the left of its letters.
FROM_THE_LEFT = """(tags) => tags.map((tag) => {
  const text = tag.firstChild;
  const [sign, letter] = [text.data.indexOf("#"), text.data.indexOf("#") + 2].map((at) => {
    const range = document.createRange();
    range.setStart(text, at);
    range.setEnd(text, at + 1);
    return range.getBoundingClientRect().left;
  });
  return sign < letter;
})"""


async def test_tags_of_names_run_from_the_left_on_every_page(people):
    _, guest, link = await meet(people, "ar", 1200)
    other = await people.person("Z\u043ee", locale="ar")
    await enter(other, link)
    await say(other, "pinned")
    await other.sees("pinned")
    await other.hms("hmsActions.pinMessage(hmsStore.getState().messages.allIDs.at(-1))")
    for place in (guest.part("pin-by"), guest.part("pin-text"), guest.part("log").locator(".line").last):
        tags = place.locator(".tag")
        await expect(tags).to_have_count(1)
        assert await tags.evaluate_all(FROM_THE_LEFT) == [True]
    option = guest.part("to").locator("option").filter(has_text="#").first
    assert re.search("\u2066#[\\w-]+\u2069$", await option.evaluate("(element) => element.textContent"))
