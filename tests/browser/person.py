"""People who use the pages, each in a browser of their own."""

import asyncio
import itertools
import re
from typing import Any, Self

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Route, expect

WIDE = {"width": 1200, "height": 800}
NARROW = {"width": 360, "height": 740}

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"

# Reports of the content security policy reach the console only in some versions of the browser.
REPORT = "addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective}`))"


class People:
    """Who takes part in a test, and what their browsers complained of."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self.url = url
        self.complaints: list[str] = []
        self._people: list[Person] = []
        self._forgiven: list[re.Pattern[str]] = []

    def forgive(self, pattern: str) -> None:
        """Complaints that the test provokes."""
        self._forgiven.append(re.compile(pattern))

    async def person(self, name: str, **options: Any) -> "Person":
        """Somebody with a browser; options are those of a browser context."""
        context = await self._browser.new_context(**{"viewport": WIDE, **options})
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        await context.add_init_script(REPORT)
        person = Person(name, await context.new_page(), self)
        context.on("console", lambda message: self._note(name, message))
        context.on("weberror", lambda error: self.complaints.append(f"{name}: {error.error}"))
        self._people.append(person)
        return person

    async def meet(self, *names: str, title: str = "Team") -> list["Person"]:
        """A room made by the first, its host, which the others enter by the guest link."""
        host, *guests = [await self.person(name) for name in names]
        link = await host.make_room(title)
        for guest in guests:
            await guest.enter(link)
        for person, count in itertools.product([host, *guests], [len(names)]):
            await expect(person.part("people-count")).to_have_text(str(count))
        return [host, *guests]

    async def close(self) -> None:
        for person in self._people:
            await person.page.context.close()

    def _note(self, name: str, message: ConsoleMessage) -> None:
        text = f"{name}: {message.text} {message.location.get('url', '')}"
        if message.type in ("error", "warning") and not any(pattern.search(text) for pattern in self._forgiven):
            self.complaints.append(text)


class Person:
    def __init__(self, name: str, page: Page, people: People) -> None:
        self.name = name
        self.page = page
        self.people = people

    def part(self, name: str) -> Locator:
        return self.page.locator(f'[data-part="{name}"]')

    async def hold_back(self, address: str | re.Pattern[str]) -> asyncio.Event:
        """Have what the page loads from such an address wait until the event is set."""
        may_load = asyncio.Event()

        async def hold(route: Route) -> None:
            await may_load.wait()
            await route.continue_()

        await self.page.route(address, hold)
        return may_load

    async def make_room(self, title: str = "Team") -> str:
        """Make a room and enter it; the link for guests."""
        await self.page.goto(self.people.url)
        await self.page.get_by_label("What is it for?").fill(title)
        await self.page.get_by_role("button", name="Make a room").click()
        await self.page.wait_for_url("**/r/**")
        link = await self.part("invite-link").input_value()
        await self.join()
        return link

    async def enter(self, link: str) -> Self:
        await self.page.goto(link)
        return await self.join()

    async def join(self) -> Self:
        """From the lobby into the room."""
        await self.page.get_by_label("Your name").fill(self.name)
        await self.page.get_by_role("button", name="Join the room").click()
        await self.is_inside()
        return self

    async def is_inside(self) -> None:
        await expect(self.part("people-toggle")).to_be_visible()

    async def say(self, text: str, to: str = "Everyone") -> None:
        await self.page.get_by_label("To", exact=True).select_option(label=to)
        await self.part("message").fill(text)
        if await self.page.evaluate("matchMedia('(pointer: coarse)').matches"):
            await self.page.get_by_role("button", name="Send").click()
        else:
            await self.part("message").press("Enter")

    def messages(self) -> Locator:
        """The texts of the messages that arrived."""
        return self.part("log").locator(".message .text")

    async def sees(self, *texts: str) -> None:
        """Wait until the log holds exactly these messages."""
        await expect(self.messages()).to_have_text(list(texts))

    def message(self, text: str) -> Locator:
        return self.part("log").locator(".message").filter(has_text=text)

    async def choose(self, button: Locator, action: str) -> None:
        """An action of a menu."""
        await button.click()
        await self.page.get_by_role("menuitem", name=action, exact=True).click()

    async def open_settings(self) -> None:
        await self.choose(self.part("more"), "Room settings")
        await expect(self.part("settings")).to_be_visible()

    async def save_settings(self) -> None:
        await self.part("settings-save").click()
        await expect(self.part("settings")).to_be_hidden()

    async def choose_switch(self, name: str) -> None:
        """Turn a switch of the room's settings."""
        await self.open_settings()
        await self.part("settings").get_by_label(name).click()
        await self.save_settings()

    async def act_on_message(self, text: str, action: str) -> None:
        await self.choose(await self.menu_of(text), action)

    async def menu_of(self, text: str) -> Locator:
        """The button of a message's menu, which is there while the pointer is over the message."""
        await self.message(text).hover()
        return self.message(text).get_by_role("button", name="Actions")

    def row(self, name: str) -> Locator:
        """Somebody in the list of people."""
        return self.part("people-list").locator(".person").filter(has_text=name)

    async def act_on(self, name: str, action: str) -> None:
        await self.open_people()
        await self.choose(self.row(name).get_by_role("button", name="Actions"), action)

    async def set_status(self, status: str, *, name: str | None = None) -> None:
        await self.act_on("(you)", "Change name or status")
        await self.part("self-status").fill(status)
        if name:
            await self.part("self-name").fill(name)
        await self.page.get_by_role("button", name="Save").click()

    async def open_people(self) -> None:
        if await self.part("panel").get_attribute("aria-modal"):
            await self.part("panel-close").click()
        if await self.part("people-toggle").get_attribute("aria-expanded") == "false":
            await self.part("people-toggle").click()

    async def agree(self) -> None:
        """To the question on the screen."""
        await self.part("confirm-yes").click()

    async def hms(self, expression: str, value: Any = None) -> Any:
        """What an expression comes to: of the page's hmsActions and hmsStore, of `hms`, the module, and of `value`."""
        script = "(hms) => { const { hmsActions, hmsStore } = hms; return " + expression + "; }"
        script = f"(value) => import('/static/rooms/hms.js').then({script})"
        return await self.page.evaluate(script, value)

    async def leave(self, *, is_last: bool = False) -> None:
        if await self.part("leave").is_visible():
            await self.part("leave").click()
        else:  # no space beside the menu
            await self.choose(self.part("more"), "Leave")
        if is_last:
            await self.agree()
        else:
            handover = self.part("handover")
            await expect(handover.or_(self.part("end-heading")).filter(visible=True)).to_be_visible()
            if await handover.is_visible():  # the last host
                await self.part("handover-leave").click()
        await self.is_told("You left the room")

    async def is_told(self, heading: str) -> None:
        """Wait for the page that ends the stay, whose heading has the focus."""
        await expect(self.part("end-heading")).to_have_text(heading)
        await expect(self.part("end-heading")).to_be_focused()
