"""Pages on another origin than the server's, with an app that runs on hms.js."""

import asyncio
import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from playwright.async_api import Browser, Page

from tests.support.server import RunningServer


class App:
    """A browser page with the app; its store holds what `value()` says."""

    def __init__(self, page: Page, server: str, token: str) -> None:
        self.page, self.server, self.token = page, server, token
        self.sent: list[dict[str, Any]] = []
        page.on("websocket", lambda socket: socket.on("framesent", lambda data: self.sent.append(json.loads(data))))

    async def join(self, name: str = "Alice") -> Self:
        config = {"userName": name, "authToken": self.token, "initEndpoint": self.server}
        await self.page.evaluate("(config) => app.hmsActions.join(config)", config)
        return self

    async def run(self, script: str, argument: Any = None) -> Any:
        return await self.page.evaluate(script, argument)

    async def value(self) -> Any:
        """What the store holds, as JSON text: the order of keys counts."""
        return await self.run("() => JSON.stringify(app.hmsStore.getState(app.selectSessionMetadata)) ?? null")

    async def has(self, value: Any) -> None:
        """Wait until the store holds this value."""
        script = "(text) => JSON.stringify(app.hmsStore.getState(app.selectSessionMetadata)) === text"
        try:
            await self.page.wait_for_function(script, arg=compact(value), polling=10)
        except Exception as error:
            raise AssertionError(f"the store holds {await self.value()}, not {compact(value)}") from error

    async def heard(self) -> dict[str, Any]:
        return await self.run("() => app.heard")

    def requests(self, method: str) -> list[dict[str, Any]]:
        return [frame for frame in self.sent if frame["method"] == method]


def compact(value: Any) -> str:
    """JSON text as JavaScript writes it."""
    return json.dumps(value, separators=(",", ":"))


class Room:
    """A room of the test's own."""

    def __init__(self, room_id: str, chromium: Browser, server: RunningServer, origin: str) -> None:
        self.id = room_id
        self._chromium, self._server, self._origin = chromium, server, origin
        self.complaints: list[str] = []
        self._pages: list[Page] = []

    async def open(self, user: str, *, app: str = "docs", server: str | None = None) -> App:
        """The app in a browser of its own, not joined yet."""
        address = server or self._server.url
        page = await (await self._chromium.new_context()).new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        await page.goto(f"{self._origin}/usage.html?server={address}&app={app}")
        await page.wait_for_function("() => globalThis.app")
        self._pages.append(page)
        return App(page, address, self._server.sign(self.id, "host", user))

    async def meet(self, *users: str) -> list[App]:
        apps = await asyncio.gather(*(self.open(user) for user in users))
        for app, user in zip(apps, users, strict=True):
            await app.join(user.title())
        return list(apps)

    async def close(self) -> None:
        for page in self._pages:
            await page.context.close()


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving_pages() -> Iterator[str]:
    """Where the app's pages are: another port, so another origin than the server's."""
    handler = functools.partial(Files, directory=str(Path(__file__).parent / "pages"))
    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=files.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{files.server_port}"
    files.shutdown()
    files.server_close()
