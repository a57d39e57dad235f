"""What the room is, and what those see of it who set it up, who are inside and who come."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.person import MARKUP, NARROW
from tests.support.axe import barriers

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_everybody_sees_at_once_what_the_room_is_set_to(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.open_settings()
    await alice.part("settings-title").fill(f"Tea {MARKUP}")
    await alice.part("settings-description").fill(f"Green and black.\n{MARKUP}")
    await alice.part("settings-locked").check()
    await alice.part("settings-slow").select_option(label="5 minutes")
    await alice.part("settings-history").select_option(label="None")
    await alice.save_settings()
    await expect(alice.part("more")).to_be_focused()

    for person in (alice, bob):
        await expect(person.part("title")).to_have_text(f"Tea {MARKUP}")
        await expect(person.page).to_have_title(f"Tea {MARKUP}")
        await expect(person.part("description")).to_have_text(f"Green and black. {MARKUP}")
        await expect(person.part("locked-mark")).to_be_visible()
        await expect(person.part("slow-mark")).to_have_attribute("title", "Slow mode: one message in 5 minutes.")
        await expect(person.part("locked-said")).to_be_visible()
    await expect(bob.part("toasts")).to_contain_text("The room is locked now: nobody new can enter.")
    await bob.part("more").click()
    await expect(bob.page.get_by_role("menuitem", name="Room settings")).to_have_count(0)

    await alice.open_settings()
    await expect(alice.part("settings-history")).to_have_value("0")
    await expect(alice.part("settings-slow")).to_have_value("300")
    await alice.part("settings-locked").uncheck()
    await alice.part("settings-slow").select_option(label="Off")
    await alice.save_settings()
    for name in ("locked-mark", "slow-mark", "locked-said", "slow-said"):
        await expect(bob.part(name)).to_be_hidden()
    await expect(bob.part("title")).to_have_text(f"Tea {MARKUP}")


async def test_saving_overwrites_only_what_was_changed(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.open_settings()
    await alice.part("settings-description").fill("Ours")
    await alice.hms("hmsActions.setRoom({ title: 'Another host said', slowMode: 7 })")
    await expect(bob.part("title")).to_have_text("Another host said")
    await alice.save_settings()
    await expect(bob.part("description")).to_have_text("Ours")
    await expect(bob.part("title")).to_have_text("Another host said")
    await alice.open_settings()
    await expect(alice.part("settings-slow")).to_have_value("7")


async def test_a_refusal_keeps_the_dialog_open_with_what_was_typed(people):
    alice = await people.person("Alice")
    await alice.make_room()
    host_link = alice.page.url
    bob = await (await people.person("Bob")).enter(host_link)
    await alice.open_settings()
    await alice.part("settings-title").fill("Mine")
    await bob.act_on("Alice", "Make guest")
    await expect(alice.row("(you)").locator(".role")).to_have_text("guest")
    await alice.page.get_by_role("button", name="Save").click()
    told = "Not saved. Your role cannot change the settings of the room."
    await expect(alice.part("settings-problem")).to_have_text(told)
    await expect(alice.part("settings-title")).to_have_value("Mine")


async def test_a_lock_stands_for_a_locked_room_and_for_nothing_else(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.hms("hmsActions.setRoom({ locked: true })")
    await alice.say("secret", to="Bob")
    await expect(bob.message("secret").locator(".privately")).to_be_visible()
    await expect(bob.part("locked-mark")).to_be_visible()
    locks = "(all) => all.map((each) => each.closest('.badge, .locked')?.textContent.includes('ocked'))"
    assert set(await bob.page.locator("use[href='#icon-lock']").evaluate_all(locks)) == {True}


async def test_slow_mode_says_when_one_can_write_again(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.hms("hmsActions.setRoom({ slowMode: 8 })")
    await expect(bob.part("slow-mark")).to_be_visible()
    await bob.say("one")
    await expect(bob.part("wait")).to_have_text(re.compile(r"You can write again in \d seconds?\."))
    await bob.part("message").fill("two")
    await bob.part("message").press("Enter")
    await expect(bob.part("message")).to_have_value("two")
    await expect(bob.part("announcer")).to_contain_text("You can write again in")
    await expect(bob.part("outbox").locator(".message")).to_have_count(0)
    await expect(bob.part("wait")).to_be_empty()
    await bob.part("message").press("Enter")
    await alice.sees("one", "two")

    # Of this message the page knows nothing more; the server does.
    await bob.hms("hmsActions.deleteMessage(Object.keys(hmsStore.getState().messages.byID).at(-1))")
    await bob.part("message").fill("three")
    await bob.part("message").press("Enter")
    await expect(bob.part("message")).to_have_value("three")
    await expect(bob.part("wait")).to_contain_text("You can write again in")
    await expect(bob.part("outbox").locator(".message")).to_have_count(0)
    await alice.say("hosts")
    await alice.say("need not wait")
    await expect(bob.message("need not wait")).to_be_visible()
    await expect(alice.message("three")).to_have_count(0)


async def test_whoever_is_let_in_again_enters_though_the_room_is_locked(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.hms("hmsActions.setRoom({ locked: true })")
    await alice.act_on("Bob", "Remove from the room")
    await alice.agree()
    await bob.is_told("You were removed from the room")
    await alice.part("removed-list").get_by_role("button", name="Let in again").click()
    told = "Bob can come back. For all others the room stays locked."
    await expect(alice.part("toasts")).to_contain_text(told)
    await bob.page.get_by_role("button", name="Try to join again").click()
    await bob.is_inside()


@pytest.mark.parametrize(("scheme", "screen"), [("light", None), ("dark", NARROW)])
async def test_settings_are_for_everybody(people, scheme, screen):
    alice = await people.person(
        "Alice", color_scheme=scheme, reduced_motion="reduce", **({"viewport": screen} if screen else {})
    )
    await alice.make_room()
    await alice.hms("hmsActions.setRoom({ locked: true, slowMode: 30, description: 'What we do here' })")
    await alice.part("more").focus()
    await alice.page.keyboard.press("Enter")
    while await alice.page.evaluate("document.activeElement.textContent") != "Room settings":
        await alice.page.keyboard.press("ArrowDown")
    await alice.page.keyboard.press("Enter")
    await expect(alice.part("settings")).to_be_visible()
    assert await barriers(alice.page) == []
    for _ in range(3):
        await alice.page.keyboard.press("Tab")
    await expect(alice.part("settings-locked")).to_be_focused()
    await alice.page.keyboard.press("Space")
    await alice.part("settings-title").press("Enter")
    await expect(alice.part("settings")).to_be_hidden()
    await expect(alice.part("locked-mark")).to_be_hidden()
    await expect(alice.part("more")).to_be_focused()
    await alice.open_people()
    assert await barriers(alice.page) == []


# --- Links --------------------------------------------------------------------------------------


async def open_share(person) -> None:
    await person.part("copy-invite").click()
    await expect(person.part("share").get_by_role("textbox", name="Link for guest")).to_be_visible()


async def copied(person) -> str:
    return str(await person.page.evaluate("navigator.clipboard.readText()"))


async def test_hosts_hand_out_a_link_for_each_role_and_replace_one_that_leaked(people):
    people.forgive("Failed to load resource: the server responded with a status of 403")
    alice, bob = await people.meet("Alice", "Bob")
    old = await alice.part("invite-link").input_value()
    await open_share(alice)
    share = alice.part("share")
    await expect(share.get_by_role("textbox", name="Link for guest")).to_have_value(old)
    guest = share.locator(".field").filter(has_text="Link for guest")
    await expect(guest.locator(".link-end")).to_have_text(old.rstrip("/").split("/")[-1])
    await share.get_by_role("button", name="Copy the link for viewer").click()
    viewer = await (await people.person("Vera")).enter(await copied(alice))
    await expect(viewer.part("read-only")).to_be_visible()

    await share.get_by_role("button", name="New link for guest").click()
    await expect(alice.part("confirm-text")).to_contain_text("The present link stops working at once")
    await alice.page.keyboard.press("Escape")
    await expect(share.get_by_role("textbox", name="Link for guest")).to_have_value(old)
    await share.get_by_role("button", name="New link for guest").click()
    await alice.agree()
    await expect(share.get_by_role("textbox", name="Link for guest")).not_to_have_value(old)
    new = await share.get_by_role("textbox", name="Link for guest").input_value()
    await alice.page.keyboard.press("Escape")
    await expect(alice.part("copy-invite")).to_be_focused()

    # Whoever is inside is not told the new one; a host's page has it.
    await bob.part("copy-invite").click()
    await expect(bob.part("toasts")).to_contain_text("The link was replaced by another one. Ask a host for it.")
    await expect(alice.part("invite-link")).to_have_value(new)
    carol = await people.person("Carol")
    await carol.page.goto(old)
    await expect(carol.part("end-heading")).to_have_text("This link is no longer good")
    await carol.enter(new)


async def test_links_by_keyboard_alone_and_for_everybody(people):
    alice = await people.person("Alice", color_scheme="dark", reduced_motion="reduce", viewport=NARROW)
    await alice.make_room()
    await alice.choose(alice.part("more"), "Share")
    await expect(alice.part("share").get_by_role("textbox", name="Link for viewer")).to_be_visible()
    assert await barriers(alice.page) == []
    press = alice.page.keyboard.press
    await press("Tab")
    await expect(alice.part("share").get_by_role("textbox", name="Link for guest")).to_be_focused()
    for key in ("Tab", "Tab", "Enter"):
        await press(key)
    await expect(alice.part("confirm")).to_be_visible()
    assert await barriers(alice.page) == []
    for key in ("Tab", "Enter"):
        await press(key)
    await expect(alice.part("toasts")).to_contain_text("There is a new link.")
    await expect(alice.part("share").get_by_role("button", name="New link for guest")).to_be_focused()


# --- Clearing the chat --------------------------------------------------------------------------


async def test_a_host_clears_the_chat_for_everybody(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.say("one")
    await alice.say("two")
    await bob.act_on_message("two", "Pin for everyone")
    await alice.choose(alice.part("more"), "Clear the chat")
    await expect(alice.part("confirm-text")).to_contain_text("deleted for everybody")
    await alice.page.keyboard.press("Escape")
    await bob.sees("one", "two")
    await alice.choose(alice.part("more"), "Clear the chat")
    await alice.agree()
    for person in (alice, bob):
        await expect(person.part("log").locator(".line").last).to_have_text("Alice cleared the chat.")
        assert await person.hms("hmsStore.getState().messages.allIDs") == []
        await expect(person.part("pins")).to_be_hidden()
        await expect(person.part("empty")).to_contain_text("No messages here")
    late = await (await people.person("Carol")).enter(await alice.part("invite-link").input_value())
    assert await late.hms("hmsActions.loadOlderMessages().then(() => hmsStore.getState().messages.allIDs)") == []
    await expect(late.part("empty")).to_contain_text("No messages here")
    await bob.part("more").click()
    await expect(bob.page.get_by_role("menuitem", name="Clear the chat")).to_have_count(0)


# --- Handing over -------------------------------------------------------------------------------


async def test_the_last_host_hands_over_before_leaving(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await alice.part("leave").click()
    await expect(alice.part("handover-text")).to_have_text("Nobody else here has the role host.")
    await expect(alice.part("handover-to").locator("option")).to_have_text(["Bob", "Carol"])
    await expect(alice.part("handover-to")).to_be_focused()
    await expect(alice.part("handover-end")).to_have_class(re.compile(r"\bdanger\b"))
    await bob.leave()
    await expect(carol.part("people-count")).to_have_text("2")
    await alice.part("handover-go").click()
    told = "Not handed over. This person is not here any more."
    await expect(alice.part("handover-problem")).to_have_text(told)
    await alice.page.keyboard.press("Escape")
    await expect(alice.part("leave")).to_be_focused()
    await alice.part("leave").click()
    await alice.part("handover-go").click()
    await alice.is_told("You left the room")
    await carol.part("more").click()
    await expect(carol.page.get_by_role("menuitem", name="Room settings")).to_be_visible()


async def test_a_host_who_is_not_the_last_leaves_at_once_and_the_last_may_end_it_all(people):
    alice = await people.person("Alice", color_scheme="dark", reduced_motion="reduce")
    link = await alice.make_room()
    host_link = alice.page.url
    bob = await (await people.person("Bob", viewport=NARROW, reduced_motion="reduce")).enter(host_link)
    carol = await (await people.person("Carol")).enter(link)
    await expect(alice.part("people-count")).to_have_text("3")
    await alice.part("leave").click()
    await alice.is_told("You left the room")
    await expect(bob.part("people-count")).to_have_text("2")
    await bob.part("more").press("Enter")
    await expect(bob.page.get_by_role("menuitem").first).to_be_focused()
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "Enter"):  # past the end of the room and of the chat
        await bob.page.keyboard.press(key)
    await expect(bob.part("handover")).to_be_visible()
    assert await barriers(bob.page) == []
    for key in ("Tab", "Tab", "Tab", "Enter"):
        await bob.page.keyboard.press(key)
    await expect(bob.part("confirm-title")).to_have_text("End the room?")
    await bob.agree()
    await carol.is_told("The room was ended")
