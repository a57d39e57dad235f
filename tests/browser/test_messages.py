"""What is said, and how it is read."""

import json
import re

import pytest
from playwright.async_api import WebSocketRoute, expect

from tests.browser.test_tabs import in_another_tab
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_links_are_links(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("See https://example.org/a_(b)?c=d, or (http://example.org/e).")
    await bob.sees("See https://example.org/a_(b)?c=d, or (http://example.org/e).")
    links = bob.part("log").locator("a")
    assert [await link.get_attribute("href") for link in await links.all()] == [
        "https://example.org/a_(b)?c=d",
        "http://example.org/e",
    ]
    assert await links.first.get_attribute("rel") == "noopener noreferrer nofollow"


async def test_private_messages_reach_only_whom_they_are_for_and_are_marked(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")

    await alice.say("to Bob alone", to="Bob")
    await expect(alice.message("to Bob alone").locator(".privately")).to_have_text("Only to Bob")
    await alice.say("to guests", to="guest")
    await alice.say("to hosts", to="host")
    await alice.say("to all")

    await bob.sees("to Bob alone", "to guests", "to all")
    await carol.sees("to guests", "to all")
    await expect(bob.message("to Bob alone").locator(".privately")).to_have_text("Only to you")
    await expect(carol.message("to guests").locator(".privately")).to_have_text("Only to role guest")


async def test_a_private_draft_does_not_go_to_everyone_when_its_recipient_leaves(people):
    alice, bob, carol = await people.meet("Alice", "Bob", "Carol")
    await alice.page.get_by_label("To", exact=True).select_option(label="Bob")
    await alice.part("message").fill("a secret")
    await bob.leave()
    await expect(alice.part("people-count")).to_have_text("2")
    await alice.part("message").press("Enter")
    await expect(alice.part("toasts")).to_contain_text("Bob has left")
    await expect(alice.part("message")).to_have_value("a secret")
    await alice.say("in the open")
    await carol.sees("in the open")


async def test_reading_back_is_not_disturbed_by_what_arrives(people):
    alice, bob = await people.meet("Alice", "Bob")
    for number in range(25):
        await bob.say(f"message {number}")
    await expect(alice.messages()).to_have_count(25)
    await expect(alice.message("message 24")).to_be_in_viewport()
    await alice.part("scroller").evaluate("(element) => element.scrollTo(0, 0)")
    await expect(alice.message("message 0")).to_be_in_viewport()
    await bob.say("late one")
    await expect(alice.part("chip")).to_have_text("1 new message")
    await expect(alice.part("announcer")).to_have_text("1 new message")
    await expect(alice.message("message 0")).to_be_in_viewport()
    await alice.part("chip").click()
    await expect(alice.message("late one")).to_be_in_viewport()
    await expect(alice.part("chip")).to_be_hidden()


async def test_what_came_while_the_page_was_hidden_stands_under_a_line_that_counts_it(people):
    alice, bob = await people.meet("Alice", "Bob")
    await bob.say("before")
    await alice.sees("before")
    hide = """(hidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    line = alice.part("log").locator(".new")
    await alice.page.evaluate(hide, True)
    for number in range(3):
        await bob.say(f"meanwhile {number}")
    await expect(line).to_have_text("3 messages while you were away")
    await expect(alice.page).to_have_title("(3) Team")
    await alice.page.evaluate(hide, False)
    await bob.say("now")
    await alice.sees("before", "meanwhile 0", "meanwhile 1", "meanwhile 2", "now")
    await expect(line).to_have_text("3 messages while you were away")
    below = "(line) => line.nextElementSibling.querySelector('.text').textContent"
    assert await line.evaluate(below) == "meanwhile 0"
    await alice.page.evaluate(hide, True)
    await bob.say("and again")
    await expect(line).to_have_text("1 message while you were away")


async def test_the_newest_message_stays_in_sight_when_other_things_take_space(people):
    alice, bob = await people.meet("Alice", "Bob")
    for number in range(15):
        await bob.say(f"message {number}")
    await bob.say("the last")
    await expect(alice.message("the last")).to_be_in_viewport(ratio=1)
    await bob.act_on("Alice", "Spotlight for everyone")
    await expect(alice.part("spotlight")).to_be_visible()
    await bob.act_on_message("the last", "Pin for everyone")
    await expect(alice.part("log")).to_contain_text("Bob pinned a message")
    await bob.act_on_message("message 14", "Pin for everyone")
    await expect(alice.part("log").locator(".line").last).to_have_text("Bob pinned a message ×2")
    await expect(alice.message("the last")).to_be_in_viewport(ratio=1)
    await alice.page.set_viewport_size({"width": 500, "height": 500})
    await expect(alice.part("panel")).to_be_hidden()  # it would cover the messages now
    await expect(alice.message("the last")).to_be_in_viewport(ratio=1)


async def test_a_message_that_is_refused_stays_and_can_be_sent_again(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.act_on("Bob", "Make viewer")
    await expect(bob.part("message")).to_be_hidden()
    for text in ("held up", "given up"):
        await bob.hms("hmsActions.sendBroadcastMessage(value).catch(() => {})", text)
    waiting = bob.part("outbox").locator(".message")
    await expect(waiting).to_have_count(2)
    await expect(waiting.first).to_contain_text("Not sent. Your role can read along, but not write.")
    await waiting.filter(has_text="given up").get_by_role("button", name="Discard").click()
    await expect(waiting).to_have_count(1)

    await alice.act_on("Bob", "Make guest")
    await expect(bob.part("message")).to_be_visible()
    await waiting.get_by_role("button", name="Retry").click()
    await alice.sees("held up")
    await bob.sees("held up")
    await expect(waiting).to_have_count(0)


async def test_what_is_typed_quickly_arrives_in_the_order_of_typing(people):
    alice, bob = await people.meet("Alice", "Bob")
    texts = [f"line {number}" for number in range(45)]  # more than the rate allows at once
    for text in texts:
        await alice.part("message").fill(text)
        await alice.part("message").press("Enter")
    await expect(bob.messages()).to_have_text(texts, timeout=60_000)
    await expect(alice.messages()).to_have_text(texts, timeout=60_000)


async def test_a_draft_and_whom_it_is_for_outlive_a_reload(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.page.get_by_label("To", exact=True).select_option(label="Bob")
    await alice.part("message").fill("half a\nthought")
    await alice.page.reload()
    await alice.is_inside()
    await expect(alice.part("message")).to_have_value("half a\nthought")
    await expect(alice.part("to").locator("option:checked")).to_have_text("Bob")
    await expect(alice.part("to-chip")).to_be_visible()
    await alice.part("message").press("Enter")
    await expect(bob.message("thought").locator(".privately")).to_have_text("Only to you")
    await alice.page.reload()
    await alice.is_inside()
    await expect(alice.part("message")).to_have_value("")


async def test_a_draft_that_is_for_some_stays_in_its_tab(people):
    alice, _ = await people.meet("Alice", "Bob")
    await alice.part("message").fill("a thought")
    to = alice.page.get_by_label("To", exact=True)
    await expect_kept(alice, "a thought")
    await to.select_option(label="Bob")
    other = await in_another_tab(alice)
    await expect(other.part("message")).to_have_value("")
    await expect(other.part("to-chip")).to_be_hidden()
    await other.part("message").fill("for all")
    await expect_kept(other, "for all")
    await alice.part("message").fill("a thought for Bob")
    await alice.page.reload()
    await alice.is_inside()
    await expect(alice.part("message")).to_have_value("a thought for Bob")
    await expect(to.locator("option:checked")).to_have_text("Bob")
    await alice.part("message").press("Enter")
    await expect(alice.message("a thought for Bob").locator(".privately")).to_have_text("Only to Bob")
    await alice.part("to-all").click()
    await expect_kept(alice, "for all")  # the other tab's


async def expect_kept(person, draft: str) -> None:
    """Wait until the browser keeps a draft for all tabs."""
    script = "(draft) => Object.values({ ...localStorage }).some((kept) => kept.includes(JSON.stringify(draft)))"
    await person.page.wait_for_function(script, arg=draft)


async def test_by_touch_enter_makes_a_new_line_and_the_button_sends(people):
    alice = await people.person("Alice", has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    await alice.make_room()
    await alice.part("message").focus()
    await alice.page.keyboard.type("one")
    await alice.page.keyboard.press("Enter")
    await alice.page.keyboard.type("two")
    await expect(alice.part("message")).to_have_value("one\ntwo")
    await alice.page.get_by_role("button", name="Send").tap()
    await alice.sees("one\ntwo")


@pytest.mark.parametrize("ending", [{"isComposing": True}, {"keyCode": 229}])
async def test_enter_that_ends_a_composition_sends_nothing(people, ending):
    alice = await people.person("Alice")
    await alice.make_room()
    await alice.part("message").fill("日本")
    press = """(element, ending) => element.dispatchEvent(
      new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...ending }))"""
    assert await alice.part("message").evaluate(press, ending)  # the browser may do what it does with it
    await expect(alice.part("message")).to_have_value("日本")
    await alice.part("message").press("Enter")
    await alice.sees("日本")


async def test_what_was_said_to_some_is_not_offered_for_everyone(people):
    alice, bob = await people.meet("Alice", "Bob")
    await alice.say("to Bob alone", to="Bob")
    await alice.say("to guests", to="guest")
    await alice.say("to all")
    await bob.sees("to Bob alone", "to guests", "to all")
    for person in (alice, bob):
        for text, pins in (("to Bob alone", 0), ("to guests", 0), ("to all", 1)):
            await (await person.menu_of(text)).click()
            await expect(person.page.get_by_role("menuitem", name="Copy text")).to_be_visible()
            await expect(person.page.get_by_role("menuitem", name="Pin for everyone")).to_have_count(pins)
            await person.page.keyboard.press("Escape")


async def test_the_page_holds_only_so_many_messages_and_draws_each_once(people):
    with RunningServer(RATE_LIMIT=0) as own:
        people.url = own.url
        alice, bob = await people.meet("Alice", "Bob")
        say = (
            "Promise.all(Array.from({length: value[1]}, (_, at) => hmsActions.sendBroadcastMessage("
            "`n${value[0] + at}`)))"
        )
        for start in range(0, 400, 100):
            await bob.hms(say, [start, 100])
        await expect(alice.message("n399")).to_be_visible(timeout=120_000)
        drawn = await alice.messages().all_text_contents()
        assert drawn == [f"n{number}" for number in range(400)][-len(drawn) :]
        assert await alice.part("log").locator(".block > *").count() <= 200


async def test_days_are_named_by_the_servers_time_also_when_midnight_passes(people):
    ahead = 0  # ms by which the server's clock is ahead of what it says

    def later(frame: str) -> str:
        told = json.loads(frame)
        for part in (told.get("result"), told.get("params")):
            if isinstance(part, dict) and "timestamp" in part:
                part["timestamp"] += ahead
        return json.dumps(told)

    def through(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda frame: socket.send(later(str(frame))))

    alice, bob = [await people.person(name) for name in ("Alice", "Bob")]
    await alice.page.route_web_socket(re.compile("/v2/ws"), through)
    await alice.page.clock.set_system_time("2001-02-03T04:05:06")
    await bob.enter(await alice.make_room())
    days = alice.part("log").locator(".day")
    await bob.say("before midnight")
    await alice.sees("before midnight")
    await expect(days).to_have_text(["Today"])
    ahead = 24 * 60 * 60 * 1000
    await expect(days).to_have_text(["Yesterday"])  # with the next word from the server
    await alice.say("after midnight")
    await bob.say("and so")
    await alice.sees("before midnight", "after midnight", "and so")
    await expect(days).to_have_text(["Yesterday", "Today"])
    await bob.say("at once")
    await expect(alice.message("at once")).to_have_class(re.compile("continued"))
    ahead += 6 * 60 * 1000
    await bob.say("minutes later")
    await expect(alice.message("minutes later")).to_be_visible()
    await expect(alice.message("minutes later")).not_to_have_class(re.compile("continued"))


async def test_what_cannot_be_stored_is_refused_with_words_and_holds_up_nothing(people):
    alice, bob = await people.meet("Alice", "Bob")
    for text in ("half a sign: \\ud83d", "nothing: \\0"):
        await alice.hms(f"hmsActions.sendBroadcastMessage('{text}').catch(() => {{}})")
    waiting = alice.part("outbox").locator(".message")
    await expect(waiting).to_contain_text(["Not sent. It holds a character that cannot be kept."] * 2)
    await alice.say("and on")
    await bob.sees("and on")
    set_value = "hmsActions.sessionStore.set('key', value).then(() => 0, ({ code }) => code)"
    assert await alice.hms(set_value, "W" * 100_000) == 400
