"""A picture of every page and state, for somebody to look at: python -m bench.page.screenshots [FOLDER]

Each at 360, 768 and 1440 px, light and dark, as FOLDER/WIDTH-NAME-THEME.png.
"""

import argparse
import asyncio
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page

from tests.browser.person import People
from tests.browser.states import FULL, states
from tests.support.browser import running_browser, settled
from tests.support.server import RunningServer

HEIGHTS = {360: 740, 768: 1024, 1440: 900}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
ADMIN = "from django.contrib.auth.models import User; User.objects.create_superuser('keeper', password='quite secret')"


async def pictures(browser: Browser, server: RunningServer, folder: Path, widths: list[int]) -> None:
    for width in widths:
        people = People(browser, server.url)
        screen = {"width": width, "height": HEIGHTS[width]}
        async for name, page in states(people, viewport=screen, reduced_motion="reduce"):
            await shoot(page, folder, f"{width}-{name}")
        await people.close()
    for width in widths:
        await admin(browser, server, folder, width)


async def shoot(page: Page, folder: Path, name: str) -> None:
    for theme in THEMES:
        await page.emulate_media(color_scheme=theme)
        await settled(page)
        await page.screenshot(path=folder / f"{name}-{theme}.png")


async def admin(browser: Browser, server: RunningServer, folder: Path, width: int) -> None:
    """The lists of what the server has, and the page of the first of each."""
    people = People(browser, server.url)
    keeper = await people.person("Keeper", viewport={"width": width, "height": HEIGHTS[width]})
    tab = keeper.page
    await tab.goto(f"{server.url}/admin/")
    await shoot(tab, folder, f"{width}-admin-login")
    await tab.get_by_label("Username").fill("keeper")
    await tab.get_by_label("Password").fill("quite secret")
    await tab.get_by_role("button", name="Log in").click()
    await shoot(tab, folder, f"{width}-admin")
    for link in await tab.locator("#content .app-rooms th a").all():
        address = await link.get_attribute("href") or ""
        name = address.strip("/").split("/")[-1]
        page = await tab.context.new_page()
        await page.goto(server.url + address)
        await shoot(page, folder, f"{width}-admin-{name}-list")
        first = page.locator("#result_list tbody th a").first
        if await first.count():
            await first.click()
            await shoot(page, folder, f"{width}-admin-{name}")
        await page.close()
    await people.close()


async def main(folder: Path, widths: list[int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with RunningServer(RATE_LIMIT=0, MAX_ROOM_PEERS=FULL) as server:
        server.manage("shell", "--no-imports", "-c", ADMIN)
        async with running_browser() as browser:
            await pictures(browser, server, folder, widths)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"))
    parser.add_argument("--width", type=int, action="append", choices=HEIGHTS)
    given = parser.parse_args()
    asyncio.run(main(given.folder, given.width or list(HEIGHTS)))
