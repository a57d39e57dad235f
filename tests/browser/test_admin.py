import pytest
from playwright.async_api import expect

from tests.browser.person import MARKUP
from tests.support.server import RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ADMIN = "from django.contrib.auth.models import User; User.objects.create_superuser('keeper', password='quite secret')"


async def test_i34_the_admin_shows_markup_as_text_and_works_under_the_policy(people, server: RunningServer):
    server.manage("shell", "--no-imports", "-c", ADMIN)
    alice, bob = await people.meet(f"Alice{MARKUP}", "Bob", title=f"Room{MARKUP}")
    await bob.hms("hmsActions.sessionStore.set(value, value)", MARKUP)
    await bob.hms("hmsActions.changeMetadata(value)", MARKUP)

    keeper = (await people.person("Keeper")).page
    await keeper.goto(f"{server.url}/admin/")
    await keeper.get_by_label("Username").fill("keeper")
    await keeper.get_by_label("Password").fill("quite secret")
    await keeper.get_by_role("button", name="Log in").click()
    await expect(keeper.locator("#rooms-room")).to_be_visible()
    for model in ("room", "session", "peer", "metadataentry"):
        await keeper.goto(f"{server.url}/admin/rooms/{model}/")
        rows = keeper.locator("#result_list tbody tr")
        await rows.filter(has_text=MARKUP[:20]).first.locator("th a").click()
        await expect(keeper.locator("#content")).to_contain_text(MARKUP[:20])
        assert await keeper.locator("img[src=x]").count() == 0
    await alice.say("still here")
    await bob.sees("still here")
