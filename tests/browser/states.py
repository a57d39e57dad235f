"""Every page and state that people meet, one after the other, for whoever looks at them."""

from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Page, expect

from tests.browser.person import People, Person

State = tuple[str, Page]

FULL = 4
"""MAX_ROOM_PEERS of a server whose rooms are to be met full."""

LINES = (
    ("Alice", "Good morning! Agenda: 1. release notes, 2. rota for December, 3. anything else."),
    ("Ben", "Morning!"),
    ("Ben", "Notes are here: https://wiki.example.org/release/notes?draft=2 – two paragraphs are still open."),
    ("Chiara", "I can take the second one after lunch."),
    ("Alice", "Perfect.\nThen we send it at four."),
    ("Ben", "شكرا، أراجعها الآن"),
    ("Chiara", "Do we move the rota to Thursday?"),
)
POLL = {
    "title": "When do we meet?",
    "type": "poll",
    "questions": [
        {"text": "Day", "type": "single-choice", "options": [{"text": "Wednesday"}, {"text": "Thursday"}]},
        {"text": "What must not be missed?", "type": "short-answer"},
    ],
}


async def states(people: People, **options: Any) -> AsyncIterator[State]:
    """Names of states with the page that shows each; options are those of the browsers.

    The server's rooms have to be FULL with so many people.
    """
    people.forgive("Failed to load resource: the server responded with a status of 40")
    people.forgive("ERR_|closed before receiving a handshake")
    visitor = await people.person("Visitor", **options)
    async for state in at_the_door(visitor):
        yield state
    alice, ben, chiara = [await people.person(name, **options) for name in ("Alice", "Ben", "Chiara")]
    await alice.page.goto(people.url)
    await alice.page.get_by_label("What is it for?").fill("Release meeting")
    await alice.page.get_by_role("button", name="Make a room").click()
    await alice.page.wait_for_url("**/r/**")
    yield "entry", alice.page
    link = await alice.part("invite-link").input_value()
    await alice.join()
    await expect(alice.part("empty")).to_be_visible()
    yield "room-empty", alice.page
    for guest in (ben, chiara):
        await guest.enter(link)
    for person in (alice, ben, chiara):
        await person.page.mouse.move(0, 0)  # where it hovers over no message
    for groups in (talk(alice, ben, chiara), dialogs(alice), choices(alice, ben), ends(alice, ben, chiara, visitor)):
        async for state in groups:
            yield state


async def close_sheet(person: Person) -> None:
    """The panel, where it lies over the chat."""
    if await person.part("panel").get_attribute("aria-modal"):
        await person.part("panel-close").click()


async def at_the_door(visitor: Person) -> AsyncIterator[State]:
    page, url = visitor.page, visitor.people.url
    await page.goto(url)
    yield "start", page
    await page.goto(f"{url}/rooms/open?code=nowhere")
    yield "start-wrong-code", page
    for name, path in (("no-such-room", "/r/abc-defg-hij/"), ("no-such-page", "/nowhere")):
        await page.goto(url + path)
        yield name, page


async def talk(alice: Person, ben: Person, chiara: Person) -> AsyncIterator[State]:
    by_name = {person.name: person for person in (alice, ben, chiara)}
    for name, text in LINES:
        await by_name[name].hms("hmsActions.sendBroadcastMessage(value)", text)
    await expect(alice.messages()).to_have_count(len(LINES))
    ids = await alice.hms("hmsStore.getState().messages.allIDs")
    for person, emoji in ((ben, "❤"), (chiara, "❤"), (chiara, "😀")):
        await person.hms("hmsActions.reactToMessage(...value)", [ids[0], emoji])
    await expect(alice.part("log").locator(".reaction")).to_have_count(2)
    await close_sheet(alice)
    yield "chat", alice.page
    await alice.hms("hmsActions.pinMessage(value)", ids[2])
    await ben.hms("hmsActions.raiseLocalPeerHand()")
    await alice.hms("hmsActions.sessionStore.set('spotlight', hmsStore.getState().room.localPeer)")
    await expect(alice.part("spotlight")).to_be_visible()
    await expect(alice.part("pin-text")).to_be_visible()
    yield "chat-pinned-spotlight", alice.page
    await alice.hms("hmsActions.sessionStore.set('spotlight', null)")
    peer = await alice.hms("hmsStore.getState().room.localPeer")
    await ben.hms("hmsActions.sendDirectMessage(...value)", ["Only for you: shall I ask Dora?", peer])
    await expect(alice.messages()).to_have_count(len(LINES) + 1)
    yield "chat-private", alice.page
    about = {"mentions": [peer], "replyTo": ids[0]}
    await ben.hms("hmsActions.sendBroadcastMessage(value[0], undefined, value[1])", ["@Alice, all of it?", about])
    await expect(alice.message("all of it?").locator(".quoted")).to_be_visible()
    yield "chat-reply", alice.page
    await alice.message("rota to Thursday").focus()
    await alice.page.get_by_role("button", name="Reply", exact=True).click()
    yield "composer-reply", alice.page
    await alice.page.keyboard.press("Escape")
    await alice.message("wiki").focus()
    yield "message-toolbar", alice.page
    await alice.page.get_by_role("button", name="Actions for the message").click()
    yield "message-menu", alice.page
    await alice.page.keyboard.press("Escape")
    await alice.page.get_by_role("button", name="React with another emoji").click()
    yield "message-emoji", alice.page
    await alice.page.keyboard.press("Escape")
    await alice.message("Agenda").first.focus()
    for _ in range(2):  # to the button of its menu, and on it
        await alice.page.keyboard.press("Enter")
    await alice.page.get_by_role("menuitem", name="Who reacted").click()
    yield "dialog-reacted", alice.page
    await alice.page.keyboard.press("Escape")
    await alice.part("message").fill("")
    await alice.part("message").press_sequentially("@C")
    await expect(alice.part("mentions")).to_be_visible()
    yield "composer-mentions", alice.page
    await alice.part("message").fill("")
    await alice.page.get_by_label("To", exact=True).select_option(label="Ben")
    yield "composer-private", alice.page
    await alice.page.get_by_label("To", exact=True).select_option(label="Everyone")
    await alice.part("emoji").click()
    yield "composer-emoji", alice.page
    await alice.page.keyboard.press("Escape")


async def dialogs(alice: Person) -> AsyncIterator[State]:
    await alice.part("more").click()
    yield "room-menu", alice.page
    await alice.page.keyboard.press("Escape")
    for name, item in (
        ("poll", "Make a poll"),
        ("settings", "Room settings"),
        ("transcript", "Save the transcript"),
        ("clear-chat", "Clear the chat"),
        ("end-room", "End the room for everyone"),
    ):
        await alice.choose(alice.part("more"), item)
        await expect(alice.page.locator("dialog[open]")).to_be_visible()
        yield f"dialog-{name}", alice.page
        await alice.page.keyboard.press("Escape")
    await alice.part("pin-hide").click()
    await alice.choose(alice.part("more"), "Pinned messages")
    yield "dialog-pins", alice.page
    await alice.page.keyboard.press("Escape")
    if await alice.part("copy-invite").is_visible():
        await alice.part("copy-invite").click()
    else:
        await alice.choose(alice.part("more"), "Share")
    await expect(alice.part("share").get_by_role("textbox", name="Link for guest")).to_be_visible()
    yield "dialog-share", alice.page
    await alice.page.keyboard.press("Escape")


async def choices(alice: Person, ben: Person) -> AsyncIterator[State]:
    await alice.open_people()
    yield "people", alice.page
    await alice.row("Ben").get_by_role("button", name="Actions").click()
    yield "people-menu", alice.page
    await alice.page.keyboard.press("Escape")
    await alice.act_on("(you)", "Change name or status")
    yield "dialog-self", alice.page
    await alice.page.keyboard.press("Escape")
    await ben.hms("hmsActions.lowerLocalPeerHand()")
    await close_sheet(alice)
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", POLL)
    await alice.part("polls-toggle").click()
    await expect(alice.part("polls").get_by_label("Thursday")).to_be_visible()
    yield "polls-open", alice.page
    await alice.part("polls").get_by_label("Thursday").check()
    await alice.part("polls").get_by_label("What must not be missed?").fill("The rota")
    await alice.page.get_by_role("button", name="Send the answer").click()
    await expect(alice.part("polls").locator(".votes").first).to_be_visible()
    yield "polls-results", alice.page
    await close_sheet(alice)


async def ends(alice: Person, ben: Person, chiara: Person, late: Person) -> AsyncIterator[State]:
    """How a stay ends, or does not begin."""
    link = await alice.part("invite-link").input_value()
    dora = await (await alice.people.person("Dora")).enter(link)  # the FULLth
    await late.page.goto(link)
    await late.page.get_by_label("Your name").fill("Late")
    await late.page.get_by_role("button", name="Join the room").click()
    await expect(late.part("lobby-problem")).to_be_visible()
    yield "entry-full", late.page
    await dora.leave()
    await alice.hms("hmsActions.setRoom({ locked: true })")
    await late.page.reload()
    yield "entry-locked", late.page
    await late.page.get_by_label("Your name").fill("Late")
    await late.page.get_by_role("button", name="Join the room").click()
    await late.is_told("This room is locked")
    yield "end-locked", late.page

    await chiara.page.context.set_offline(True)
    await expect(chiara.part("banner")).to_be_visible()
    await chiara.part("message").fill("Back in a minute")
    await chiara.part("message").press("Enter")
    await expect(chiara.part("outbox").locator(".sending")).to_be_visible()
    yield "offline", chiara.page
    await chiara.page.context.set_offline(False)
    await expect(chiara.part("outbox").locator(".sending")).to_be_hidden()

    await alice.hms("hmsActions.setRoom({ locked: false })")
    await late.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(late.part("end-heading")).to_have_text("You can enter now")
    yield "end-open", late.page
    await alice.act_on("Ben", "Remove from the room")
    await expect(alice.part("confirm")).to_be_visible()
    yield "dialog-remove", alice.page
    await alice.part("confirm-wanted").fill("This is for the team only")
    await alice.agree()
    await ben.is_told("You were removed from the room")
    yield "end-removed", ben.page
    await alice.hms("hmsActions.replaceRoomCode('guest')")
    await late.page.goto(link)
    yield "end-replaced", late.page

    await close_sheet(alice)
    if await alice.part("leave").is_visible():
        await alice.part("leave").click()
    else:
        await alice.choose(alice.part("more"), "Leave")
    await expect(alice.part("handover")).to_be_visible()
    yield "dialog-handover", alice.page
    await alice.part("handover-leave").click()
    await alice.is_told("You left the room")
    yield "end-left", alice.page
    await alice.part("end-again").click()
    await alice.is_inside()
    await alice.hms("hmsActions.endRoom(true, 'We are done for today')")
    await chiara.is_told("The room was ended")
    yield "end-ended", chiara.page
    await alice.page.reload()
    await expect(alice.part("end-heading")).to_have_text("This room is closed")
    yield "end-closed", alice.page
