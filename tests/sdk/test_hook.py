"""A React app of the session metadata's first days pins, shows and clears a message between two browsers."""

import pytest
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]


async def enter(room, name: str, role: str) -> Page:
    page = await room.pages.lend("pin.html")
    await page.evaluate(
        "(config) => window.join(config)",
        {
            "userName": name,
            "authToken": room.token(role, name.lower()),
            "initEndpoint": f"{room.server}/#https://prod",
        },
    )
    await expect(page.get_by_label("Message")).to_be_visible()
    return page


async def test_a_message_is_pinned_shown_and_cleared(room):
    alice = await enter(room, "Alice", "host")
    bob = await enter(room, "Bob", "guest")

    await alice.get_by_label("Message").fill("Lunch at noon")
    await alice.get_by_label("Message").press("Enter")
    await bob.get_by_role("listitem").get_by_role("button", name="Pin").click()
    for page in (alice, bob):
        await expect(page.get_by_role("status")).to_contain_text("Alice: Lunch at noon")

    carol = await enter(room, "Carol", "guest")
    await expect(carol.get_by_role("status")).to_contain_text("Alice: Lunch at noon")

    await alice.get_by_role("status").get_by_role("button", name="Unpin").click()
    for page in (alice, bob, carol):
        await expect(page.get_by_role("status")).to_have_count(0)

    for page in (alice, bob, carol):
        await room.pages.take_back(page)
