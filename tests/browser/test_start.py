"""The start page: the rooms that this browser was in, and one clear first act."""

import json

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_start_page_lists_the_rooms_of_this_browser_with_how_many_are_inside(people):
    alice = await people.person("Alice")
    await alice.page.goto(people.url)
    recent = alice.part("recent")
    await expect(recent).to_be_hidden()
    link = await alice.make_room("Monday planning")
    host_link = alice.page.url
    bob = await (await people.person("Bob")).enter(link)
    await alice.leave()
    await alice.make_room("Another room")
    await alice.leave(is_last=True)
    await alice.page.goto(people.url)
    await expect(recent.get_by_role("listitem")).to_have_text(
        ["Another room Nobody is inside.", "Monday planning One person is inside."]
    )
    await recent.get_by_role("link", name="Monday planning").click()
    await alice.page.wait_for_url(host_link)
    await alice.join()
    await expect(bob.part("people-count")).to_have_text("2")
    await alice.page.goto(people.url)
    await recent.get_by_role("button", name="Forget these rooms").click()
    await expect(recent).to_be_hidden()
    await alice.page.reload()
    await expect(alice.page.get_by_role("button", name="Make a room")).to_be_visible()
    await expect(recent).to_be_hidden()


async def test_a_browser_may_keep_the_pages_as_an_app(people):
    alice = await people.person("Alice")
    await alice.page.goto(people.url)
    session = await alice.page.context.new_cdp_session(alice.page)
    manifest = await session.send("Page.getAppManifest")
    assert (manifest["errors"], manifest["url"]) == ([], f"{people.url}/manifest.webmanifest")
    told = json.loads(manifest["data"])
    assert told["display"] == "standalone"
    assert await alice.page.evaluate("(icon) => fetch(icon).then(({ ok }) => ok)", told["icons"][0]["src"])


async def test_a_remembered_room_that_is_gone_or_a_memory_of_any_form_breaks_nothing(people):
    alice = await people.person("Alice")
    await alice.page.goto(people.url)
    for kept in ("[", "{}", "[3, null]", '["abc-defg-hij", "<b>"]'):
        await alice.page.evaluate("(kept) => localStorage.setItem('hmsroom:recent', kept)", kept)
        await alice.page.reload()
        await alice.page.wait_for_load_state("networkidle")
        await expect(alice.part("recent")).to_be_hidden()
