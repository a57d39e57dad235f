import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_room_from_its_making_to_its_end(people):
    alice, bob, carol = [await people.person(name) for name in ("Alice", "Bob", "Carol")]
    link = await alice.make_room("Monday planning")
    await expect(alice.part("title")).to_have_text("Monday planning")
    await bob.enter(link)
    await expect(alice.part("log")).to_contain_text("Bob joined")

    await alice.say("Hello Bob")
    await bob.sees("Hello Bob")
    await bob.say("Hello Alice")
    await alice.sees("Hello Bob", "Hello Alice")

    await alice.act_on_message("Hello Alice", "Pin for everyone")
    await expect(bob.part("pin-text")).to_have_text("Bob: Hello Alice")
    await expect(bob.part("pin-by")).to_contain_text("Pinned by Alice, said at")

    await carol.enter(link)
    await expect(carol.part("pin-text")).to_have_text("Bob: Hello Alice")
    await expect(carol.part("pin-by")).to_contain_text("Pinned by Alice, said at")
    await expect(carol.part("people-list").locator(".person-name")).to_have_text(["Carol (you)", "Alice", "Bob"])
    await carol.sees("Hello Bob", "Hello Alice")

    await alice.part("unpin").click()
    for person in (alice, bob, carol):
        await expect(person.part("pins")).to_be_hidden()
    await bob.act_on_message("Hello Bob", "Pin for everyone")
    for person in (alice, bob, carol):
        await expect(person.part("pin-text")).to_have_text("Alice: Hello Bob")

    await alice.act_on("Bob", "Spotlight for everyone")
    for person, name in ((alice, "Bob"), (bob, "Bob (you)"), (carol, "Bob")):
        await expect(person.part("spotlight-name")).to_have_text(name)

    await bob.leave()
    await carol.leave()
    await expect(alice.part("people-count")).to_have_text("1")
    await expect(alice.part("spotlight")).to_be_hidden()
    await expect(alice.part("spotlight-name")).to_be_empty()

    await alice.page.reload()
    await alice.is_inside()
    await expect(alice.part("pin-text")).to_have_text("Alice: Hello Bob")
    await alice.sees("Hello Bob", "Hello Alice")

    await alice.leave(is_last=True)
    for holder in ("log", "pin-text"):
        await expect(alice.part(holder)).to_be_empty()
    await alice.page.get_by_role("button", name="Join again").click()
    await alice.is_inside()
    await alice.sees()
    await expect(alice.part("pins")).to_be_hidden()
    await expect(alice.part("empty")).to_be_visible()
