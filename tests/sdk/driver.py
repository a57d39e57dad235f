"""Peers in Chromium pages, each driven through a release of the SDK, and the rooms they meet in."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from tests.support.processes import PATIENCE
from tests.support.sampling import sampled
from tests.support.server import RunningServer

RELEASES = ("0.6.4", "0.8.4", "0.9.0", "0.10.16", "0.11.7", "0.12.39", "0.15.2")

WAIT = PATIENCE  # for a condition to come true; the slowest step is a reconnect of an old release

# Key order is of no matter, and a value that is not there is null.
SAME = """
const canonical = (value) =>
  Array.isArray(value) ? value.map(canonical)
  : value && typeof value === "object"
    ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, canonical(value[key])]))
  : value ?? null;
const same = (one, other) => JSON.stringify(canonical(one)) === JSON.stringify(canonical(other));
"""


def version(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def since(first: str) -> list[str]:
    """The releases from first on."""
    return [release for release in RELEASES if version(release) >= version(first)]


def before(first: str) -> list[str]:
    return [release for release in RELEASES if version(release) < version(first)]


def ends_of(releases: Sequence[str]) -> list[Any]:
    """For the parameter ``release``: the oldest and the newest of these; in a soak those between."""
    return sampled(releases, (releases[0], releases[-1]))


class Pages:
    """Chromium pages, each with storage of its own, lent to one test after another: a new one costs 0.3 s."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self.browser = browser
        self.origin = origin
        self._idle: list[Page] = []

    async def lend(self, path: str) -> Page:
        page = self._idle.pop() if self._idle else await (await self.browser.new_context()).new_page()
        await page.goto(f"{self.origin}/{path}")
        return page

    async def take_back(self, page: Page) -> None:
        """End whatever the page was doing, as a closed tab does."""
        await page.goto("about:blank")
        self._idle.append(page)


@dataclass
class Peer:
    """One page with one release of the SDK; its name is the test's, until the peer changes it."""

    page: Page
    release: str
    name: str

    def record(self) -> list[dict[str, Any]]:
        """What the next socket of the page receives, as it comes."""
        frames: list[dict[str, Any]] = []
        self.page.once(
            "websocket", lambda socket: socket.on("framereceived", lambda data: frames.append(json.loads(data)))
        )
        return frames

    async def join(self, token: str, server: str, metadata: str = "") -> None:
        await self.call("join", self.config(token, server, metadata))

    def config(self, token: str, server: str, metadata: str = "") -> dict[str, Any]:
        # The SDK looks for "https://" in the endpoint and keeps its origin alone.
        return {
            "userName": self.name,
            "authToken": token,
            "initEndpoint": f"{server}/#https://prod",
            "metaData": metadata,
        }

    async def call(self, action: str, *args: Any) -> Any:
        """Call one of the SDK's actions, or a step of pages/peer.js, and return what it resolves to."""
        async with asyncio.timeout(WAIT):
            return await self.page.evaluate("([action, args]) => peer.call(action, ...args)", [action, list(args)])

    async def refused(self, action: str, *args: Any) -> dict[str, Any]:
        """Return the error that the action rejects with; fails when it succeeds or never settles."""
        async with asyncio.timeout(WAIT):
            error = await self.page.evaluate("([action, args]) => peer.refused(action, ...args)", [action, list(args)])
        assert error is not None, f"{action} was not refused"
        return error

    async def see(self, view: str, *args: Any) -> Any:
        return await self.page.evaluate("([view, args]) => peer.see(view, ...args)", [view, list(args)])

    async def sees(self, expected: Any, view: str, *args: Any, timeout: float = WAIT) -> None:
        """Wait until the view shows exactly what is expected."""
        script = f"([view, args, expected]) => {{ {SAME} return same(peer.see(view, ...args), expected); }}"
        try:
            await self.page.wait_for_function(
                script, arg=[view, list(args), expected], polling=20, timeout=timeout * 1000
            )
        except PlaywrightTimeout:
            actual = await self.see(view, *args)
            raise AssertionError(
                f"{self.name} ({self.release}) sees {view}{args or ''} {actual!r}, not {expected!r}"
            ) from None

    async def notices(self, *kinds: str) -> list[str]:
        """The notifications of these kinds that the app has got so far, in order."""
        return await self.see("notices", *kinds)


@dataclass
class Room:
    """A room of the server's, and the peers that the test opened in it."""

    running: RunningServer
    id: str
    codes: dict[str, str]
    pages: Pages
    peers: list[Peer] = field(default_factory=list)

    @property
    def server(self) -> str:
        return self.running.url

    def token(self, role: str = "host", user: str = "alice", **claims: Any) -> str:
        return self.running.sign(self.id, role, user, **claims)

    async def open(self, release: str, name: str) -> Peer:
        """Open a page of the release's without joining."""
        peer = Peer(await self.pages.lend(f"{release}.html"), release, name)
        self.peers.append(peer)
        return peer

    async def join(
        self, release: str, name: str, role: str = "host", *, metadata: str = "", server: str | None = None
    ) -> Peer:
        """Open a page and join; server is another way to the same server, such as a proxy."""
        peer = await self.open(release, name)
        await peer.join(self.token(role, user=name.lower()), server or self.server, metadata)
        return peer

    async def meet(self, *peers: tuple[str, str, str], server: str | None = None) -> list[Peer]:
        """Join (release, name, role) each at once, and wait until everybody sees everybody."""
        joined = await asyncio.gather(*(self.join(*peer, server=server) for peer in peers))
        names = sorted(peer.name for peer in joined)
        for peer in joined:
            await peer.sees(names, "names")
        return joined

    async def close(self) -> None:
        await asyncio.gather(*(self.pages.take_back(peer.page) for peer in self.peers))


MAKE_ROOMS = """
import json
from rooms.models import Room, RoomCode, Template
wanted = json.loads({wanted!r})
defaults = {{"roles": wanted["roles"], "metadata_rules": wanted["rules"]}}
template, _ = Template.objects.get_or_create(name=wanted["template"], defaults=defaults)
made = []
for _ in range(wanted["count"]):
    room = Room.objects.create(template=template, enabled=wanted["enabled"], size=wanted["size"])
    codes = {{role: RoomCode.objects.create(room=room, role=role).code for role in template.roles}}
    made.append([room.id, codes])
print(json.dumps(made))
"""


def make_rooms(
    server: RunningServer,
    count: int = 1,
    *,
    template: str = "default",
    roles: Mapping[str, Any] | None = None,
    rules: Sequence[Mapping[str, Any]] = (),
    enabled: bool = True,
    size: int = 0,
) -> list[tuple[str, dict[str, str]]]:
    """Make rooms beside the running server: (id, code of each role) of each.

    roles and rules are for a template that is not there yet.
    """
    wanted = {"count": count, "template": template, "enabled": enabled, "size": size}
    wanted |= {"roles": roles or {}, "rules": list(rules)}
    printed = server.manage("shell", "--no-imports", "-c", MAKE_ROOMS.format(wanted=json.dumps(wanted)))
    return [(room_id, codes) for room_id, codes in json.loads(printed.splitlines()[-1])]
