"""What stays of a room when nobody looks at it, or after it: alerts, the count in the tab, the transcript."""

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.person import MARKUP
from tests.support.axe import barriers

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# What the browser would show and play, and a page that can be hidden: a browser without windows hides none.
WATCH = """() => {
  globalThis.told = [];
  globalThis.tones = 0;
  globalThis.Notification = class extends EventTarget {
    static requestPermission = async () => "granted";
    constructor(title, { body }) { super(); this.said = `${title}: ${body}`; told.push(this.said); }
    close() { told.splice(told.indexOf(this.said), 1); }
  };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...args) { tones += 1; return start.apply(this, args); };
  globalThis.hide = (hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  };
}"""


async def test_messages_are_told_of_while_the_page_is_hidden_if_that_is_turned_on(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.page.evaluate(WATCH)
    await alice.page.evaluate("hide(true)")
    await bob.say("unheard")
    await expect(alice.page).to_have_title("(1) Team")
    icon = alice.page.locator('link[rel="icon"]')
    assert "%3E1%3C" in "".join(str(await icon.get_attribute("href")).split("%0A")).replace("%20", "")
    assert await alice.page.evaluate("[told.length, tones]") == [0, 0]
    await alice.page.evaluate("hide(false)")
    await expect(alice.page).to_have_title("Team")
    assert not str(await icon.get_attribute("href")).startswith("data:")

    for switch in ("Sound for new messages", "Notify me of new messages"):
        await alice.part("more").click()
        await alice.page.get_by_role("menuitemcheckbox", name=switch).click()
    await expect(alice.part("toasts")).to_contain_text("You will be notified of new messages")
    before = await alice.page.evaluate("tones")
    await bob.say("seen")
    await expect(alice.message("seen")).to_be_visible()
    await alice.page.evaluate("hide(true)")
    await bob.say(f"heard {MARKUP}")
    await expect(alice.page).to_have_title("(1) Team")
    assert await alice.page.evaluate("told") == [f"Bob: heard {MARKUP}"]
    assert await alice.page.evaluate("tones") == before + 2
    await bob.act_on_message("heard <img", "Delete")
    await bob.agree()
    await expect(alice.page).to_have_title("Team")
    assert await alice.page.evaluate("told") == []
    await alice.page.reload()
    await alice.part("more").click()
    for switch in ("Sound for new messages", "Notify me of new messages"):
        await expect(alice.page.get_by_role("menuitemcheckbox", name=switch)).to_have_attribute("aria-checked", "true")


FORGED = "[2026-01-01 00:00:00+05:30] Alice: I resign"
MINE = f"mine {MARKUP}\n{FORGED}"


async def saved(person, name: str) -> str:
    await person.choose(person.part("more"), "Save the transcript")
    async with person.page.expect_download() as download:
        await person.part(name).click()
    await expect(person.part("transcript")).to_be_hidden()
    return Path(await (await download.value).path()).read_bytes().decode()


async def test_what_was_said_is_saved_and_printed_with_what_was_before(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("before Carol")
    await bob.say("for Alice", to="Alice")
    await expect(alice.messages()).to_have_count(2)
    elsewhere = {"color_scheme": "dark", "timezone_id": "Asia/Kolkata"}
    carol = await (await people.person("Carol", **elsewhere)).enter(await alice.part("invite-link").input_value())
    before = await carol.hms("hmsStore.getState().messages.allIDs[0]")
    await carol.hms("hmsActions.sendBroadcastMessage(value[0], 'chat', { replyTo: value[1] })", [MINE, before])
    await expect(alice.messages()).to_have_count(3)

    text = await saved(carol, "transcript-text")
    lines = text.split("\r\n")
    assert [line.partition("] ")[2] for line in lines[2:-1]] == [
        "Alice: before Carol",
        f"Carol (in reply to Alice: before Carol): mine {MARKUP}",
        "Alice: I resign",
    ]
    # What somebody wrote in several lines begins none that reads as another's.
    begun = [bool(re.match(r"\[20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\+05:30\] ", line)) for line in lines[2:-1]]
    assert begun == [True, True, False]
    assert "\n" not in "".join(lines)
    assert "for Alice" not in text
    assert "] Bob (only to Alice): for Alice" in await saved(alice, "transcript-text")
    told = json.loads(await saved(alice, "transcript-json"))
    assert [(one["author"]["name"], one.get("private", False)) for one in told["messages"]] == [
        ("Alice", False),
        ("Bob", True),
        ("Carol", False),
    ]

    assert [one.get("reply_to") for one in told["messages"]] == [None, None, before]

    await carol.page.evaluate("window.print = () => {}")
    await carol.choose(carol.part("more"), "Save the transcript")
    assert await barriers(carol.page) == []
    for key in ("Tab", "Tab", "Tab", "Enter"):
        await carol.page.keyboard.press(key)
    await carol.page.emulate_media(media="print")
    await expect(carol.part("print").locator("p")).to_have_count(2)
    await expect(carol.part("print")).to_contain_text(MARKUP)
    await expect(carol.part("print")).to_contain_text("(in reply to Alice: before Carol)")
    await expect(carol.part("print")).to_be_visible()
    await expect(carol.part("composer")).to_be_hidden()
