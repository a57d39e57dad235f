"""The door of a room: what it says, follows and waits for."""

import pytest
from playwright.async_api import expect

from tests.browser.person import MARKUP

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DESCRIPTION = f"Look: https://a.example/b?c=d#e, (www.A.example/b_(c)) and http://b.example. {MARKUP} javascript:x"
LED_TO = ("https://a.example/b?c=d#e", "https://www.A.example/b_(c)", "http://b.example")

# As when somebody comes back to the page: sooner than by itself.
LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"


async def test_the_door_follows_what_is_behind_it(people):
    alice, bob = await people.meet("Alice", "Bob")
    carol = await people.person("Carol")
    await carol.page.clock.install()
    await carol.page.goto(await alice.part("invite-link").input_value())
    await expect(carol.part("lobby-inside")).to_have_text("2 people are inside.")
    await expect(carol.part("lobby-locked")).to_be_hidden()
    asked: list[str] = []
    carol.page.on("request", lambda request: asked.append(request.url.removeprefix(carol.page.url)))
    await bob.leave()
    await alice.hms("hmsActions.setRoom({ locked: true })")
    await carol.page.evaluate(LOOK_AGAIN)
    await expect(carol.part("lobby-inside")).to_have_text("One person is inside.")
    await expect(carol.part("lobby-locked")).to_be_visible()
    await alice.hms("hmsActions.setRoom({ locked: false })")
    await carol.page.clock.fast_forward(10_000)
    await expect(carol.part("lobby-locked")).to_be_hidden()
    assert asked == ["door", "door"]

    # Blanks are no name.
    name = carol.page.get_by_label("Your name")
    await name.fill("  ")
    await carol.page.get_by_role("button", name="Join the room").click()
    await expect(name).to_be_focused()
    await expect(name).to_have_value("")

    # Who enters already is not told that nobody is inside.
    may_enter = await carol.hold_back("**/v2/token")
    await name.fill("Carol")
    await carol.page.get_by_role("button", name="Join the room").click()
    await alice.leave(is_last=True)
    await carol.page.evaluate(LOOK_AGAIN)
    await carol.page.evaluate("fetch('door')")  # its look would be over
    await expect(carol.part("lobby-inside")).to_have_text("One person is inside.")
    may_enter.set()
    await carol.is_inside()


@pytest.mark.parametrize("script", [True, False])
async def test_links_in_a_description_can_be_followed_at_the_door_before_the_script_is_there(people, script):
    alice = await people.person("Alice")
    link = await alice.make_room()
    await alice.hms("hmsActions.setRoom({ description: value })", DESCRIPTION)
    bob = await people.person("Bob", java_script_enabled=script)
    await bob.page.goto(link)
    anchors = bob.page.locator(".lobby .description a")
    await expect(anchors).to_have_text(["https://a.example/b?c=d#e", "www.A.example/b_(c)", "http://b.example"])
    for anchor, href in zip(await anchors.all(), LED_TO, strict=True):
        await expect(anchor).to_have_attribute("href", href)
        await expect(anchor).to_have_attribute("target", "_blank")
        await expect(anchor).to_have_attribute("rel", "noopener noreferrer nofollow")
        await expect(anchor.locator("bdi")).to_have_attribute("dir", "ltr")
    await expect(bob.page.locator(".lobby .description")).to_have_text(DESCRIPTION)


async def test_a_locked_room_and_a_replaced_link_are_told_at_the_door(people):
    people.forgive("Failed to load resource: the server responded with a status of 403")
    alice, bob = await people.meet("Alice", "Bob")
    link = await alice.part("invite-link").input_value()
    await alice.hms("hmsActions.setRoom({ locked: true, description: 'What we do here: www.example.org' })")
    carol = await people.person("Carol")
    await carol.page.goto(link)
    await expect(carol.part("lobby-inside")).to_have_text("2 people are inside.")
    await expect(carol.page.locator(".lobby")).to_contain_text("What we do here")
    for description in (carol.page.locator(".lobby .description"), bob.part("description")):
        anchor = description.get_by_role("link", name="www.example.org")
        await expect(anchor).to_have_attribute("href", "https://www.example.org")
    await expect(carol.page.locator(".lobby")).to_contain_text("The room is locked: nobody new can enter now.")
    await carol.page.get_by_label("Your name").fill("Carol")
    await carol.page.get_by_role("button", name="Join the room").click()
    await carol.is_told("This room is locked")
    await expect(carol.part("end-text")).to_contain_text("Ask somebody inside to unlock it")
    await bob.page.reload()
    await bob.is_inside()
    await alice.hms("hmsActions.setRoom({ locked: false })")
    await carol.page.evaluate(LOOK_AGAIN)
    await expect(carol.part("end-heading")).to_have_text("You can enter now")
    await expect(carol.part("announcer")).to_have_text("You can enter now")
    await carol.page.get_by_role("button", name="Join the room").click()
    await carol.is_inside()
    await carol.leave()

    await alice.hms("hmsActions.replaceRoomCode('guest')")
    await carol.page.get_by_role("button", name="Join again").click()
    await carol.is_told("This link is no longer good")
    await carol.page.reload()
    await expect(carol.part("end-heading")).to_have_text("This link is no longer good")
    await bob.page.reload()
    await bob.is_inside()
    await alice.act_on("Bob", "Remove from the room")
    await alice.part("confirm-wanted").fill("too loud")
    await alice.part("confirm-wanted").press("Enter")
    await bob.is_told("You were removed from the room")
    await bob.page.get_by_role("button", name="Try to join again").click()
    await expect(bob.part("end-text")).to_contain_text("somebody lets you in again. This link is no longer good:")
    await expect(bob.part("end-text")).to_contain_text("Reason: too loud.")
    await bob.is_told("You were removed from the room")


async def test_who_was_removed_is_told_when_somebody_lets_them_in_again(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.act_on("Bob", "Remove from the room")
    await alice.agree()
    await bob.is_told("You were removed from the room")
    await bob.page.evaluate(LOOK_AGAIN)
    await bob.page.evaluate("fetch('door')")  # its look would be over
    await bob.is_told("You were removed from the room")
    await alice.hms("hmsActions.setRoom({ locked: true })")
    await alice.part("removed-list").get_by_role("button", name="Let in again").click()
    await expect(alice.part("toasts")).to_contain_text("Bob can come back. For all others the room stays locked.")
    await bob.page.evaluate(LOOK_AGAIN)
    await expect(bob.part("end-heading")).to_have_text("You can enter now")
    await expect(bob.part("end-text")).to_have_text("You are let in again.")
    await bob.page.get_by_role("button", name="Join the room").click()
    await bob.is_inside()


@pytest.mark.parametrize(("sent", "typed"), [("", "Bo"), ("Bob", "b")])
async def test_nobody_enters_by_a_name_that_they_still_write_when_the_script_comes(people, sent, typed):
    alice, bob = [await people.person(name) for name in ("Alice", "Bob")]
    link = await alice.make_room()
    may_load = await bob.hold_back("**/page/main.js")
    await bob.page.goto(link, wait_until="commit")
    name = bob.part("lobby-name")
    await name.press_sequentially(sent)
    await name.press("Enter")
    await name.press_sequentially(typed)
    may_load.set()
    await bob.page.evaluate("import('/static/rooms/page/main.js').then(() => {})")
    await expect(name).to_have_value(sent + typed)
    await expect(bob.part("lobby-join")).to_have_text("Join the room")
    await expect(bob.part("lobby-join")).to_be_visible()
    await name.press("Enter")
    await bob.is_inside()
