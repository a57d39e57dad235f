"""The browser that tests drive."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright

_PROGRAM = "/usr/bin/chromium-headless-shell"
"""Chromium without a window of any kind: a page costs a fraction of what it does in the whole one."""
_FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_PROGRAM, args=_FLAGS)
        yield browser
        await browser.close()


async def settled(page: Page) -> None:
    """Waits until nothing on the page moves or changes its colour. What an update of the page cuts off counts as over:
    its promise is refused, where those that run to their end are kept."""
    await page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished)).then(() => {})")
