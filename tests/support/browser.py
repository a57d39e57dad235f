"""The browser that tests drive."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright, expect

_PROGRAM = "/usr/bin/chromium-headless-shell"
"""Chromium without a window of any kind: a page costs a fraction of what it does in the whole one."""
_FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


expect.set_options(timeout=45_000)  # of patience with a busy machine; less than a lost peer is kept


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_PROGRAM, args=_FLAGS)
        yield browser
        await browser.close()


_SETTLED = """() => {
  const ending = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime < Infinity);
  return Promise.allSettled(ending.map(({ finished }) => finished)).then(() => {});
}"""


async def settled(page: Page) -> None:
    """Waits until nothing on the page moves or changes its colour, but for what does so without end. What an update of
    the page cuts off counts as over: its promise is refused, where those that run to their end are kept."""
    await page.evaluate(_SETTLED)
