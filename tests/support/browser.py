"""The browser that tests drive."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

_PROGRAM = "/usr/bin/chromium-headless-shell"
"""Chromium without a window of any kind: a page costs a fraction of what it does in the whole one."""
_FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_PROGRAM, args=_FLAGS)
        yield browser
        await browser.close()
