"""One person in the spotlight: who may put them there and end it, who hides it, and two who choose at once."""

import pytest
from playwright.async_api import expect

from tests.browser.test_log import HEAR

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SPOTLIGHT = "Spotlight for everyone"


async def open_menu_of(person, name):
    await person.open_people()
    await person.row(name).get_by_role("button", name="Actions").click()


async def is_lit(name, *people):
    for person in people:
        await expect(person.part("spotlight-name").locator("bdi")).to_have_text(name)


async def test_the_spotlight_ends_when_its_person_leaves(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await bob.act_on("Carol", SPOTLIGHT)
    await is_lit("Carol", alice, bob, carol)
    await alice.part("spotlight-end").focus()
    await carol.leave()
    for person in (alice, bob):
        await expect(person.part("spotlight")).to_be_hidden()
    await expect(alice.part("scroller")).to_be_focused()
    entry = await alice.hms("hmsStore.getState(hms.selectSessionEntry('spotlight'))")
    assert entry["data"] is None
    assert "owner" not in entry
    await expect(alice.part("log").locator(".line", has_text="spotlight")).to_have_text(
        ["Bob put Carol in the spotlight"]
    )
    await expect(alice.part("log").locator(".line").last).to_have_text("Carol left")


async def test_the_spotlight_is_offered_only_to_those_who_may_write_it(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.act_on("Alice", SPOTLIGHT)
    await expect(bob.part("spotlight-end")).to_be_visible()
    await alice.hms("hmsActions.setMetadataRules(value)", [{"key": "spotlight", "write": ["host"]}])
    await expect(bob.part("spotlight-end")).to_be_hidden()
    await is_lit("Alice", bob)
    await open_menu_of(bob, "Alice")
    await expect(bob.page.get_by_role("menuitem", name="Message privately")).to_be_visible()
    await expect(bob.page.get_by_role("menuitem", name="spotlight")).to_have_count(0)
    await bob.page.keyboard.press("Escape")
    await alice.part("spotlight-end").click()
    await expect(bob.part("spotlight")).to_be_hidden()


async def test_who_has_no_say_in_the_spotlight_hides_it_for_themselves(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await open_menu_of(bob, "Bob")
    await alice.act_on("Carol", SPOTLIGHT)
    await is_lit("Carol", alice, bob, carol)
    await expect(bob.part("spotlight-end")).to_be_hidden()
    await bob.page.get_by_role("menuitem", name=SPOTLIGHT).click()
    await expect(bob.part("toasts")).to_contain_text("Spotlight not changed. Alice was faster than you.")
    await is_lit("Carol", alice)

    await bob.part("spotlight-hide").click()
    await expect(bob.part("spotlight")).to_be_hidden()
    await bob.page.reload()
    await bob.is_inside()
    await open_menu_of(bob, "Carol")
    await expect(bob.page.get_by_role("menuitem", name="for everyone")).to_have_count(0)
    await expect(bob.part("spotlight")).to_be_hidden()
    await bob.page.get_by_role("menuitem", name="Show the spotlight").click()
    await is_lit("Carol", bob)
    await bob.part("spotlight-hide").click()
    await bob.part("toasts").get_by_role("button", name="Undo").click()
    await is_lit("Carol", alice, bob)

    await carol.part("spotlight-end").click()  # who is shown
    for person in (alice, bob, carol):
        await expect(person.part("spotlight")).to_be_hidden()
    lines = ["Alice put Carol in the spotlight", "Carol ended the spotlight"]
    await expect(alice.part("log").locator(".line", has_text="spotlight")).to_have_text(lines)
    await expect(bob.part("log").locator(".line", has_text="spotlight")).to_have_text(lines[1:])  # after the reload


async def test_of_two_who_choose_somebody_else_the_second_is_asked(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    for answer, lit in (("Keep theirs", "Bob"), ("Use yours", "Carol")):
        await open_menu_of(alice, "Carol")
        await bob.act_on("Bob", SPOTLIGHT)
        await is_lit("Bob", alice)
        await alice.page.get_by_role("menuitem", name=SPOTLIGHT).click()
        asked = alice.page.get_by_role("dialog", name="The spotlight was changed meanwhile")
        await expect(asked).to_be_visible()
        await expect(alice.part("confirm-text")).to_have_text("Bob was faster than you. Whom should everybody see?")
        await expect(alice.part("confirm-values").locator("div")).to_have_text(["TheirsBob", "YoursCarol"])
        await expect(alice.part("confirm-no")).to_be_focused()
        await asked.get_by_role("button", name=answer).click()
        await expect(asked).to_be_hidden()
        await is_lit(lit, alice, bob, carol)
        await alice.part("spotlight-end").click()
        await expect(bob.part("spotlight")).to_be_hidden()


async def test_nobody_is_asked_where_nobody_is_displaced(people):
    alice, bob, _ = await people.meet("Alice", "Bob", "Carol")
    # Somebody chose the same.
    await open_menu_of(alice, "Carol")
    await bob.act_on("Carol", SPOTLIGHT)
    await is_lit("Carol", alice)
    await alice.page.get_by_role("menuitem", name=SPOTLIGHT).click()
    # It was ended meanwhile.
    await open_menu_of(alice, "Bob")
    await bob.part("spotlight-end").click()
    await expect(alice.part("spotlight")).to_be_hidden()
    await alice.page.get_by_role("menuitem", name=SPOTLIGHT).click()
    await is_lit("Bob", alice, bob)
    await expect(alice.part("confirm")).to_be_hidden()


async def test_who_wants_to_end_it_is_asked_about_somebody_else(people):
    alice, bob, _ = await people.meet("Alice", "Bob", "Carol")
    await bob.act_on("Carol", SPOTLIGHT)
    await is_lit("Carol", alice)
    await open_menu_of(alice, "Carol")
    await bob.act_on("Bob", SPOTLIGHT)
    await is_lit("Bob", alice)
    await alice.page.get_by_role("menuitem", name="End spotlight for everyone").click()
    await expect(alice.part("confirm-values").locator("div")).to_have_text(["TheirsBob", "YoursNobody"])
    await alice.page.keyboard.press("Escape")
    await expect(alice.part("confirm")).to_be_hidden()
    await is_lit("Bob", alice, bob)


async def test_who_is_in_the_spotlight_is_seen_with_their_last_words_and_their_hand(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await carol.say("said before")
    await bob.act_on("Carol", SPOTLIGHT)
    await is_lit("Carol", alice)
    await expect(alice.part("spotlight-words")).to_have_text("said before")
    await expect(alice.part("spotlight-hand")).to_be_hidden()
    mark = await alice.part("spotlight-mark").locator(".avatar").bounding_box()
    assert mark and mark["width"] >= 48
    await carol.say("for Bob alone", to="Bob")
    await carol.say("said last")
    await carol.part("hand").click()
    for person in (alice, bob):
        await expect(person.part("spotlight-words")).to_have_text("said last")
        await expect(person.part("spotlight-hand")).to_be_visible()
    await carol.say("for Bob alone", to="Bob")
    await bob.sees("said before", "for Bob alone", "said last", "for Bob alone")
    await expect(bob.part("spotlight-words")).to_have_text("said last")


async def test_the_last_words_stay_however_much_others_say_after_them(people):
    alice = await people.person("Alice")
    await alice.page.context.add_init_script(HEAR)
    bob = await (await people.person("Bob")).enter(await alice.make_room())
    await bob.say("said last")
    await alice.act_on("Bob", SPOTLIGHT)
    await expect(alice.part("spotlight-words")).to_have_text("said last")
    await alice.page.evaluate("hear(900, 50)")
    await expect(alice.part("spotlight-words")).to_have_text("said last")
    await bob.hms("hmsActions.deleteMessage(Object.keys(hmsStore.getState().messages.byID)[0])")
    await expect(alice.part("spotlight-words")).to_be_empty()
