"""The SDK and our own room page in one room."""

import pytest
from playwright.async_api import expect

from tests.sdk.driver import RELEASES, before, ends_of, since

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("release", ends_of(before("0.10.16")))
async def test_pins_pass_between_our_page_and_an_app_of_the_first_days(room, bob, release):
    alice = await room.join(release, "Alice")
    await alice.call("ignoreMessageTypes", ["metadata"])
    await alice.call("sendBroadcastMessage", "Lunch at noon")

    await bob.act_on_message("Lunch at noon", "Pin for everyone")
    await alice.sees(True, "refreshed")
    await alice.call("populateSessionMetadata")
    await alice.sees("Alice: Lunch at noon", "sessionMetadata")

    await bob.part("unpin").click()
    await alice.sees(2, "refreshes")
    await alice.call("populateSessionMetadata")
    await alice.sees(None, "sessionMetadata")

    await alice.call("setSessionMetadata", "Alice: no, at one")
    await expect(bob.part("pin-text")).to_have_text("Alice: no, at one")
    await alice.call("setSessionMetadata", None)
    await expect(bob.part("pins")).to_be_hidden()


@pytest.mark.parametrize("release", ends_of(since("0.10.16")))
async def test_pins_pass_between_our_page_and_an_app_on_the_session_store(room, bob, release):
    alice = await room.join(release, "Alice")
    await alice.call("sessionStore.observe", "pinnedMessages")
    await alice.call("sendBroadcastMessage", "Lunch at noon")
    await bob.sees("Lunch at noon")
    await alice.sees(["Lunch at noon"], "texts")
    lunch = {"text": "Alice: Lunch at noon", "id": (await alice.see("messages"))[0]["id"], "pinnedBy": "Bob"}

    await bob.act_on_message("Lunch at noon", "Pin for everyone")
    await expect(bob.part("pin-text")).to_have_text("Alice: Lunch at noon")
    await alice.page.wait_for_function("() => peer.see('key', 'pinnedMessages')?.length === 1")
    [held] = await alice.see("key", "pinnedMessages")
    assert {name: held[name] for name in lunch} == lunch

    await alice.call("sendBroadcastMessage", "Dinner at six")
    await alice.sees(["Lunch at noon", "Dinner at six"], "texts")
    dinner = {"text": "Alice: Dinner at six", "id": (await alice.see("messages"))[1]["id"], "pinnedBy": "Alice"}
    await alice.call("sessionStore.set", "pinnedMessages", [dinner, lunch])
    await expect(bob.part("pin-text")).to_have_text("Alice: Dinner at six")
    await bob.part("unpin").click()
    await alice.sees([held], "key", "pinnedMessages")
    await alice.call("removeKey", "pinnedMessages")
    await expect(bob.part("pins")).to_be_hidden()


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_an_answer_from_our_page_is_a_message_like_others_to_an_app(room, bob, release):
    alice = await room.join(release, "Alice")
    await alice.call("sendBroadcastMessage", "Lunch?")
    await bob.sees("Lunch?")
    await bob.message("Lunch?").hover()
    await bob.message("Lunch?").get_by_role("button", name="Reply").click()
    await bob.part("message").press_sequentially("yes @Al")
    for _ in range(2):  # takes the name, and sends
        await bob.part("message").press("Enter")
    await expect(bob.message("yes").locator(".quoted .said")).to_have_text("Alice: Lunch?")
    await alice.sees(["Lunch?", "yes @Alice "], "texts")
