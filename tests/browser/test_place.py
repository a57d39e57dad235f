"""The place in the log that is read, while others write."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.person import People, Person
from tests.browser.test_log import HEAR

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# The message in the middle of what is in sight: its id, and where it is in px.
READ = """(scroller) => {
  const { top, height } = scroller.getBoundingClientRect();
  const messages = [...scroller.querySelectorAll(".log .message")];
  const read = messages.find((message) => message.getBoundingClientRect().bottom > top + height / 2);
  return { id: read.dataset.id, top: Math.round(read.getBoundingClientRect().top) };
}"""

HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""

# The numbers of all messages met on the way down, in their order.
READ_ON = """async (scroller) => {
  const met = new Set();
  const chip = document.querySelector("[data-part=chip]");
  for (let step = 0; step < 2000 && !chip.hidden; step += 1) {
    scroller.scrollTop += 300;
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    for (const message of scroller.querySelectorAll(".log .message")) met.add(Number(message.dataset.id.slice(1)));
  }
  return [...met];
}"""


async def _with_a_full_log(people: People) -> tuple[Person, Person]:
    """Alice, whose log is higher than its place, with the mouse over it, and Bob."""
    alice, bob = await people.meet("Alice", "Bob")
    await alice.page.set_viewport_size({"width": 800, "height": 300})
    for number in range(12):
        await bob.hms("hmsActions.sendBroadcastMessage(value)", f"before {number}")
    await expect(alice.messages()).to_have_count(12)
    await alice.part("scroller").hover()
    return alice, bob


async def _reading_further_up(people: People) -> Person:
    """Somebody who has heard 60 messages, has scrolled up in them, and has heard one more meanwhile."""
    alice = await people.person("Alice")
    await alice.page.context.add_init_script(HEAR)
    await alice.make_room()
    await alice.page.evaluate("hear(60)")
    await alice.part("scroller").hover()
    await alice.page.mouse.wheel(0, -1200)
    await alice.page.evaluate("hear(1, 1)")
    await expect(alice.part("chip")).to_have_text("1 new message")
    return alice


async def test_what_is_read_further_up_stays_in_sight_however_much_comes(people):
    alice = await _reading_further_up(people)
    scroller, chip = alice.part("scroller"), alice.part("chip")
    read = await scroller.evaluate(READ)
    await alice.page.evaluate("hear(699, 20, false)")
    await expect(chip).to_have_text("700 new messages")
    after = await scroller.evaluate(READ)
    assert (after["id"], abs(after["top"] - read["top"]) <= 1) == (read["id"], True)
    assert await alice.page.evaluate("document.querySelectorAll('.message').length") <= 400

    met = await scroller.evaluate(READ_ON)  # as one scrolls on, nothing is left out
    assert met[-700:] == list(range(60, 760))
    await expect(chip).to_be_hidden()

    await alice.page.mouse.wheel(0, -1200)
    await alice.page.evaluate("hear(500, 20, false)")
    await expect(chip).to_have_text("500 new messages")
    await chip.click()  # leads to the last of them
    await expect(alice.part("log").locator('[data-id="m1259"]')).to_be_in_viewport(ratio=1)
    await expect(chip).to_be_hidden()


async def test_the_place_that_is_read_further_up_is_kept_over_a_reload(people):
    alice, bob = await _with_a_full_log(people)
    await alice.page.mouse.wheel(0, -200)
    await bob.say("one more")
    await expect(alice.part("chip")).to_be_visible()
    read = await alice.part("scroller").evaluate(READ)
    await alice.page.reload()
    await alice.is_inside()
    await expect(alice.messages()).to_have_count(13)
    again = f"(id) => ({READ})(document.querySelector('[data-part=scroller]')).id === id"
    await alice.page.wait_for_function(again, arg=read["id"])
    await expect(alice.part("message")).to_be_focused()


async def test_the_chip_counts_what_is_there_to_be_seen_and_goes_with_the_room(people):
    alice, bob = await _with_a_full_log(people)
    await alice.page.mouse.wheel(0, -2000)
    for text in ("one", "two", "three"):
        await bob.say(text)
    chip = alice.part("chip")
    await expect(chip).to_have_text("3 new messages")
    await bob.act_on_message("two", "Delete")
    await bob.agree()
    await expect(chip).to_have_text("2 new messages")
    await alice.leave()
    await alice.page.get_by_role("button", name="Join again").click()
    await alice.is_inside()
    await expect(alice.message("three")).to_be_visible()
    await expect(chip).to_be_hidden()


async def test_the_line_above_what_is_new_goes_with_the_last_message_below_it(people):
    alice, bob = await _with_a_full_log(people)
    line = alice.part("log").locator(".new")
    for clear in (False, True):
        await alice.page.mouse.wheel(0, -2000)
        await bob.say("one")
        await expect(alice.part("chip")).to_be_visible()
        await alice.part("chip").click()
        await expect(line).to_have_count(1)
        if clear:
            await alice.hms("hmsActions.clearMessages()")
        else:
            await bob.act_on_message("one", "Delete")
            await bob.agree()
        await expect(line).to_have_count(0)


async def test_a_message_that_the_keys_came_to_stays_in_sight_while_others_write(people):
    alice = await people.person("Alice")
    await alice.page.context.add_init_script(HEAR)
    await alice.make_room()
    await alice.page.evaluate("hear(100)")
    keys, log, chip = alice.page.keyboard, alice.part("log"), alice.part("chip")
    await alice.part("to").focus()
    await keys.press("Shift+Tab")
    await keys.press("ArrowUp")
    focused = log.locator('[data-id="m98"]')
    await expect(focused).to_be_focused()
    await alice.page.evaluate("hear(500, 20, false)")
    await expect(chip).to_have_text("500 new messages")
    await expect(focused).to_be_focused()
    await expect(focused).to_be_in_viewport(ratio=1)

    await alice.part("scroller").evaluate(READ_ON)  # until it goes: the focus stays in the log
    await expect(log.locator(".message:focus")).to_have_count(1)
    await keys.press("End")
    await expect(log.locator('[data-id="m599"]')).to_be_focused()
    await keys.press("Escape")
    await alice.page.evaluate("hear(1)")  # which is followed again
    await expect(log.locator('[data-id="m600"]')).to_be_in_viewport(ratio=1)
    await expect(chip).to_be_hidden()


async def test_who_reads_what_is_too_old_to_be_kept_is_led_to_the_first_that_is_and_told(people):
    alice = await _reading_further_up(people)
    note = alice.part("older-note")
    await alice.page.evaluate("hear(2099, 20, false)")
    told = "What you were reading is gone: only the last 2,000 messages are shown."
    await expect(note).to_have_text(told)
    await expect(note).to_be_in_viewport()
    first = alice.part("log").locator(".message").first
    await expect(first).to_have_attribute("data-id", "m160")
    await expect(first).to_be_in_viewport()

    await alice.part("chip").click()
    await expect(alice.part("log").locator('[data-id="m2159"]')).to_be_in_viewport(ratio=1)
    await alice.page.evaluate("hear(1)")
    await expect(note).not_to_have_text(told)


@pytest.mark.parametrize(
    ("count", "together", "first", "told"),
    [
        (300, 50, 20, "300 messages while you were away"),
        (2300, 50, 320, "2,300 messages while you were away · Only the last 2,000 messages are shown."),
        (2300, 5000, 320, "2,000+ messages while you were away"),  # too many to be counted before they are too old
    ],
)
async def test_the_line_above_what_came_meanwhile_stands_there_however_much_that_was(
    people, count, together, first, told
):
    alice = await people.person("Alice")
    await alice.page.context.add_init_script(HEAR)
    await alice.make_room()
    await alice.page.evaluate("hear(20)")
    await alice.page.evaluate(HIDE, True)
    step = min(2 * together, count)
    for heard in range(step, count + 1, step):
        await alice.page.evaluate(f"hear({step}, {together})")
        # Few at a time are drawn before they are too old to be held, as what comes during an absence is.
        await expect(alice.part("log").locator(f'[data-id="m{heard + 19}"]')).to_be_attached()
    await alice.page.evaluate(HIDE, False)
    await expect(alice.part("log").locator(f'[data-id="m{count + 19}"]')).to_be_in_viewport(ratio=1)
    line = alice.part("log").locator(".new")
    async with asyncio.timeout(120):
        while not await line.count():
            await alice.part("older-show").evaluate("(button) => button.click()")
            await alice.page.evaluate("new Promise(requestAnimationFrame)")
    await expect(line).to_have_text(told)
    below = "(line) => (line.nextElementSibling ?? line.parentElement.nextElementSibling.firstElementChild).dataset.id"
    assert await line.evaluate(below) == f"m{first}"
