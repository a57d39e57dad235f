"""Who is here, what they say of themselves, and what a host may do about them."""

import json
import re

import pytest
from playwright.async_api import expect

from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_hands_go_up_in_order_and_the_host_lowers_them(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await carol.part("hand").click()
    await expect(alice.part("toasts")).to_contain_text("Carol raised a hand")
    await bob.part("hand").click()
    await expect(alice.part("toasts")).to_have_text("Bob raised a hand. Hands up: 2")  # in the place of the one before
    hands = alice.part("hands-list").locator(".person-name")
    await expect(hands).to_have_text(["Carol", "Bob"])
    await expect(bob.part("hand")).to_have_attribute("aria-pressed", "true")

    await alice.choose(alice.part("hands-list").get_by_role("button", name="Actions for Carol"), "Lower hand")
    await expect(hands).to_have_text(["Bob"])
    await expect(carol.part("hand")).to_have_attribute("aria-pressed", "false")
    await alice.part("lower-all").click()
    await expect(alice.part("hands")).to_be_hidden()
    await expect(bob.part("hand")).to_have_attribute("aria-pressed", "false")
    await expect(bob.part("lower-all")).to_be_hidden()


async def test_late_joiners_see_hands_in_the_order_of_raising(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    for person in (carol, alice, bob):
        await person.part("hand").click()
        await expect(person.part("hand")).to_have_attribute("aria-pressed", "true")
    late = await (await people.person("Dave")).enter(await alice.part("invite-link").input_value())
    for person in (alice, late):
        names = person.part("hands-list").locator(".person-name bdi")
        await expect(names).to_have_text(["Carol", "Alice", "Bob"])


async def test_persons_with_names_that_look_alike_are_told_apart_everywhere(people):
    alice, first = await people.meet("Alice", "Ana")
    link = await alice.part("invite-link").input_value()
    await first.say("from the first")
    await alice.message("from the first").hover()
    await expect(alice.part("people-list").locator(".tag")).to_have_count(0)
    second = await (await people.person("\u0410n\u0430")).enter(link)
    await second.say("from the second")
    await first.part("hand").click()
    await second.part("hand").click()
    await alice.hms(
        "hmsActions.sessionStore.set('spotlight', value)", await first.hms("hmsStore.getState().room.localPeer")
    )

    tags = await alice.part("people-list").locator(".tag").all_text_contents()
    assert len(set(tags)) == 2
    places = [alice.part(name).locator(".tag") for name in ("people-list", "hands-list")]
    places += [alice.part("log").locator(".author .tag"), alice.part("to").locator("option").filter(has_text="#")]
    for place in places:
        await expect(place).to_have_count(2)
        assert len(set(await place.all_text_contents())) == 2
    await expect(alice.part("spotlight-name").locator(".tag")).to_have_count(1)
    await expect(alice.part("log").locator(".line .tag")).not_to_have_count(0)
    await expect(alice.part("toasts").locator(".tag")).not_to_have_count(0)
    buttons = alice.part("people-list").get_by_role("button", name="#")
    labels = [await button.get_attribute("aria-label") for button in await buttons.all()]
    assert len(set(labels)) == 2
    for text, tag in zip(("from the first", "from the second"), await places[2].all_text_contents(), strict=True):
        await expect(await alice.menu_of(text)).to_have_accessible_name(re.compile(re.escape(tag)))
    await alice.act_on_message("from the second", "Pin for everyone")
    await expect(alice.part("pin-text").locator(".tag")).to_have_count(1)
    await alice.choose(
        alice.part("people-list").locator(".person").filter(has_text=tags[1]).get_by_role("button"),
        "Remove from the room",
    )
    await expect(alice.part("confirm-title").locator(".tag")).to_have_text(tags[1])


async def test_marks_are_no_part_of_a_name(people):
    alice, bob = await people.meet("Alice", "Alice (you)")
    row = alice.part("people-list").locator(".person").filter(has_text="guest")
    await expect(row.locator(".person-name bdi")).to_have_text("Alice (you)")
    await expect(row.locator(".person-name .tag")).to_have_count(1)  # it reads like a mark of the page
    await expect(row.locator(".you")).to_have_count(0)
    await expect(bob.part("people-list").locator(".you")).to_have_count(1)
    await bob.say("hello")
    await expect(alice.message("hello").locator(".author .you")).to_have_count(0)


async def test_somebody_whose_name_shows_nothing_is_a_guest_with_a_tag(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.hms("hmsActions.changeName(value).catch(() => {})", "\u3164")
    carol = await people.person("\u2800")
    await carol.page.goto(await alice.part("invite-link").input_value())
    await carol.join()
    await carol.say("who am I?")
    author = alice.message("who am I?").locator(".author")
    await expect(author).to_contain_text("Guest")
    await expect(author.locator(".tag")).to_have_count(1)


async def test_name_and_status_are_everybodys_to_see(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.set_status("Back at noon", name="Robert")
    await expect(alice.row("Robert").locator(".person-status")).to_have_text("Back at noon")
    carol = await (await people.person("Carol")).enter(await alice.part("invite-link").input_value())
    await expect(carol.row("Robert").locator(".person-status")).to_have_text("Back at noon")
    await bob.set_status("", name="  ")  # which is none
    await expect(bob.part("self-name")).to_be_focused()
    await bob.part("self-name").fill("Robert")
    await bob.page.get_by_role("button", name="Save").click()
    await expect(alice.row("Robert").locator(".person-status")).to_be_hidden()


async def test_the_host_removes_a_person_and_ends_the_room(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await expect(bob.row("Carol").get_by_role("button", name="Actions")).to_be_visible()
    await bob.row("Carol").get_by_role("button", name="Actions").click()
    await expect(bob.page.get_by_role("menuitem", name="Remove from the room")).to_have_count(0)
    await bob.page.keyboard.press("Escape")

    await alice.act_on("Bob", "Remove from the room")
    await expect(alice.part("confirm-text")).to_contain_text("stay out until somebody lets them in again")
    await alice.part("confirm-wanted").fill("too loud")
    await alice.part("confirm-wanted").press("Enter")
    await bob.is_told("You were removed from the room")
    told = "By Alice. Reason: too loud. You can come back only when somebody lets you in again."
    await expect(bob.part("end-text")).to_have_text(told)
    await expect(carol.part("log")).to_contain_text("Bob was removed")

    people.forgive("Failed to load resource: the server responded with a status of 403")
    await bob.page.get_by_role("button", name="Try to join again").click()
    await bob.is_told("You were removed from the room")
    await expect(bob.part("end-text")).to_contain_text("Reason: too loud.")
    await expect(carol.part("removed")).to_be_hidden()
    removed = alice.part("removed-list").locator(".person")
    await expect(removed).to_contain_text("Bob")
    await expect(removed).to_contain_text("Removed by Alice")
    await expect(removed).to_contain_text("too loud")
    await alice.part("removed-list").get_by_role("button", name="Let in again").click()
    await expect(alice.part("removed")).to_be_hidden()
    await bob.page.get_by_role("button", name="Try to join again").click()
    await bob.is_inside()
    await bob.leave()

    await alice.choose(alice.part("more"), "End the room for everyone")
    await alice.agree()
    for person in (alice, carol):
        await person.is_told("The room was ended")
        await expect(person.part("log")).to_be_empty()
    await carol.page.get_by_role("button", name="Open it again").click()
    await carol.is_inside()
    await expect(carol.part("people-count")).to_have_text("1")


async def test_a_role_changes_while_one_is_inside(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.act_on("Bob", "Make viewer")
    await expect(bob.part("read-only")).to_be_visible()
    told = bob.page.get_by_role("status").filter(has_text="Your role is now")
    await expect(told).to_contain_text("Your role is now viewer.")
    await expect(bob.part("message")).to_be_hidden()
    await expect(alice.row("Bob").locator(".role")).to_have_text("viewer")
    await alice.act_on("Bob", "Make host")
    await expect(alice.part("confirm-title")).to_have_text("Make Bob host?")
    await expect(alice.part("confirm-points").locator("li")).to_have_text(
        [
            "Remove people, and delete what others said",
            "Change the roles of others, yours too",
            "Change the settings and links of the room",
            "End the room for everyone",
        ]
    )
    await alice.page.keyboard.press("Escape")
    await expect(alice.row("Bob").locator(".role")).to_have_text("viewer")
    await alice.act_on("Bob", "Make host")
    await alice.agree()
    await expect(bob.part("message")).to_be_visible()
    await expect(told).to_contain_text("Your role is now host.")
    await bob.act_on("Alice", "Make guest")
    await expect(alice.row("Alice").locator(".role")).to_have_text("guest")
    await expect(alice.part("toasts")).to_have_text("Your role is now guest.")


async def test_what_somebody_fills_in_stays_while_others_answer(people):
    alice, bob = await people.meet("Alice", "Bob")
    questions = [
        {"text": "Which?", "type": "multiple-choice", "options": [{"text": "Tea"}, {"text": "Coffee"}]},
        {"text": "Why?", "type": "long-answer"},
    ]
    poll = {"title": "Drinks", "type": "poll", "questions": questions}
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", poll)
    await bob.page.get_by_role("button", name="Answer").click()
    await bob.part("polls").get_by_label("Coffee").check()
    await bob.part("polls").get_by_label("Why?").fill("because")
    await alice.part("polls-toggle").click()
    await alice.part("polls").get_by_label("Tea").check()
    await alice.part("polls").get_by_role("button", name="Send the answer").click()
    await expect(bob.part("polls")).to_contain_text("1 person answered")
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", {**poll, "title": "Again"})
    await expect(bob.part("polls").locator("h3")).to_have_text(["Again", "Drinks"])
    drinks = bob.part("polls").locator(".poll").filter(has_text="Drinks")
    await expect(drinks.get_by_label("Coffee")).to_be_checked()
    await expect(drinks.get_by_label("Why?")).to_have_value("because")
    await expect(drinks.get_by_label("Why?")).to_be_focused()


async def test_a_poll_made_elsewhere_is_answered_and_its_result_shown(people):
    alice, bob = await people.meet("Alice", "Bob")
    poll = {
        "title": "Tea or coffee?",
        "type": "poll",
        "questions": [
            {"text": "Which?", "type": "single-choice", "options": [{"text": "Tea"}, {"text": "Coffee"}]},
            {"text": "With?", "type": "multiple-choice", "options": [{"text": "Milk"}, {"text": "Sugar"}]},
        ],
    }
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", poll)

    await bob.page.get_by_role("button", name="Answer").click()
    polls = bob.part("polls")
    await polls.get_by_label("Coffee").check()
    await polls.get_by_label("Milk").check()
    await polls.get_by_label("Sugar").check()
    await polls.get_by_role("button", name="Send the answer").click()
    await expect(polls.locator(".bar-row").filter(has_text="Coffee")).to_contain_text("your answer")
    await alice.part("polls-toggle").click()
    await alice.part("polls").get_by_label("Tea").check()
    await alice.part("polls").get_by_role("button", name="Send the answer").click()
    for person in (alice, bob):
        await expect(person.part("polls").locator(".votes")).to_have_text(["1 vote", "1 vote", "1 vote", "1 vote"])

    late = await (await people.person("Carol")).enter(await alice.part("invite-link").input_value())
    await late.part("polls-toggle").click()
    await expect(late.part("polls").get_by_role("button", name="Send the answer")).to_be_visible()
    [poll_id] = await alice.hms("Object.keys(hmsStore.getState().polls)")
    await alice.hms("hmsActions.interactivityCenter.stopPoll(value)", poll_id)
    await expect(late.part("polls")).to_contain_text("Ended")
    await expect(late.part("polls").locator(".votes")).to_have_text(["1 vote", "1 vote", "1 vote", "1 vote"])


async def test_roles_called_like_parts_of_objects_are_roles(people, tmp_path):
    everything = dict.fromkeys(["sendMessages", "writeMetadata", "changeRole", "removeOthers", "raiseHand"], True)
    roles = {name: {"permissions": everything} for name in ("__proto__", "constructor", "toString")}
    (tmp_path / "roles.json").write_text(json.dumps({"roles": roles}))
    with RunningServer() as own:
        people.url = own.url
        own.manage("template", "odd", str(tmp_path / "roles.json"))
        own.manage("room", "create", "--name", "odd", "--template", "odd")
        codes = [own.manage("room", "code", "odd", role).split("\t")[1] for role in ("__proto__", "constructor")]
        links = [f"{own.url}/r/{code}/" for code in codes]
        alice, bob = [await people.person(name) for name in ("Alice", "Bob")]
        await alice.enter(links[0])
        await bob.enter(links[1])
        await expect(alice.row("Bob").locator(".role")).to_have_text("constructor")
        await alice.say("to one role", to="constructor")
        await expect(bob.message("to one role").locator(".author")).to_have_text("Alice")
        await expect(bob.message("to one role").locator(".role")).to_have_text("__proto__")
        await alice.act_on("Bob", "Make toString")
        await expect(alice.row("Bob").locator(".role")).to_have_text("toString")
        await alice.act_on("Bob", "Make __proto__")
        await expect(bob.row("(you)").locator(".role")).to_have_text("__proto__")
        await bob.say("still here")
        await expect(alice.message("still here")).to_be_visible()


async def test_what_somebody_fills_in_stays_when_the_poll_ends(people):
    alice, bob = await people.meet("Alice", "Bob")
    questions = [
        {"text": "Which?", "type": "multiple-choice", "options": [{"text": "Tea"}, {"text": "Coffee"}]},
        {"text": "Why?", "type": "long-answer"},
    ]
    poll = {"title": "Drinks", "type": "poll", "questions": questions}
    await alice.hms("hmsActions.interactivityCenter.startPoll(value)", poll)
    [poll_id] = await alice.hms("Object.keys(hmsStore.getState().polls)")
    await bob.page.get_by_role("button", name="Answer").click()
    await bob.part("polls").get_by_label("Coffee").check()
    await bob.part("polls").get_by_label("Why?").fill("because")
    await alice.hms("hmsActions.interactivityCenter.stopPoll(value)", poll_id)
    await expect(bob.part("polls")).to_contain_text("Ended")
    await expect(bob.part("polls")).to_contain_text("The poll ended before this was sent.")
    await expect(bob.part("polls").get_by_label("Coffee")).to_be_checked()
    await expect(bob.part("polls").get_by_label("Why?")).to_be_focused()
    await bob.page.keyboard.type(" I like it")
    await expect(bob.part("polls").get_by_label("Why?")).to_have_value("because I like it")
    await expect(bob.part("polls").get_by_role("button", name="Send the answer")).to_have_count(0)
    await expect(bob.part("polls").locator(".votes")).to_have_text(["0 votes", "0 votes"])
    await expect(alice.part("polls").locator("form")).to_have_count(0)
