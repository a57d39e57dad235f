"""What the room's page costs a browser: python -m bench.page.measure

The time of a page's main thread for one message more and for a key that is pressed, in an empty room and with 2,000
messages, its tasks of more than 50 ms, also when 500 come at once, its nodes, how far things moved that nobody had
touched, as Chrome counts it and as somebody sees it, and what is loaded until one can type, over a slow connection too.
Times of the main thread are those of the processor, so that a busy machine changes little; they hold what frames cost
in which nothing changes, which is told as `frames`. The other times are by the clock.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, CDPSession, Page

from tests.browser.person import People, Person
from tests.browser.test_history import PLACES, SCROLL_UP
from tests.browser.test_loading import Loaded
from tests.browser.test_log import HEAR
from tests.support.browser import running_browser
from tests.support.server import RunningServer

HELD, MANY = 2_000, 10_000  # messages
APPENDED = 200
BURST = 500
SLOW = {"latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 200_000}  # ms, bytes a second: 1.6 Mbps
SETTLED = 2.0  # seconds until a step has been drawn
TOGETHER = 40  # messages in a frame while a log is filled
TEXT = "what somebody writes in one go, twice " * 2

FRAME = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
WATCH = """
globalThis.long = 0;
globalThis.shifts = {};
globalThis.step = "history";
new PerformanceObserver((list) => { long += list.getEntries().length; }).observe({ type: "longtask" });
new PerformanceObserver((list) => {
  const name = ({ node }) => node?.dataset?.part || node?.className || node?.nodeName || "gone";
  for (const { value, hadRecentInput, sources } of list.getEntries())
    if (!hadRecentInput) (shifts[step] ??= []).push([value, sources.map(name)]);
}).observe({ type: "layout-shift" });
"""

TIMES = """
addEventListener("focusin", () => { globalThis.typable ??= performance.now(); });
addEventListener("submit", () => { globalThis.joined = performance.now(); }, true);
addEventListener("DOMContentLoaded", () => {
  const room = document.querySelector("[data-screen=room]");
  const note = () => { if (!room.hidden) globalThis.entered = performance.now() - joined; };
  if (room) new MutationObserver(note).observe(room, { attributeFilter: ["hidden"] });
});
"""


@dataclass(frozen=True)
class Cost:
    """Milliseconds of the main thread for each of some acts, and how many of all tasks took more than 50 ms."""

    each: list[float]
    long: int

    def told(self) -> dict[str, float]:
        each = sorted(self.each)
        p95 = each[int(len(each) * 0.95) - 1]
        return {"median_ms": round(statistics.median(each), 2), "p95_ms": round(p95, 2), "tasks_over_50_ms": self.long}


class Meter:
    def __init__(self, page: Page, session: CDPSession) -> None:
        self._page, self._session = page, session

    @classmethod
    async def of(cls, person: Person) -> "Meter":
        session = await person.page.context.new_cdp_session(person.page)
        await session.send("Performance.enable", {"timeDomain": "threadTicks"})
        return cls(person.page, session)

    async def read(self, name: str) -> float:
        answer = await self._session.send("Performance.getMetrics")
        return next(float(one["value"]) for one in answer["metrics"] if one["name"] == name)

    async def collect_garbage(self) -> None:
        """Nodes that are gone are counted until then."""
        await self._session.send("HeapProfiler.collectGarbage")

    async def fill(self, messages: int) -> None:
        await self._page.evaluate("(given) => hear(...given)", [messages, TOGETHER])

    async def frames(self) -> Cost:
        """As many frames as one message takes to be seen to be there, and nothing new in them."""
        return await self._each([self._page.evaluate(f"{FRAME}.then(() => {FRAME})") for _ in range(APPENDED)])

    async def burst(self) -> int:
        """Tasks of more than 50 ms while many messages come at once."""
        before: int = await self._page.evaluate("long")
        await self._page.evaluate("(given) => hear(...given)", [BURST, BURST])
        after: int = await self._page.evaluate("long")
        return after - before

    async def appending(self) -> Cost:
        """One message after the other, each in a frame of its own."""
        return await self._each([self._page.evaluate("hear(1, 1)") for _ in range(APPENDED)])

    async def typing(self) -> Cost:
        await self._page.focus("[data-part=message]")
        return await self._each([self._page.keyboard.press(key) for key in TEXT])

    async def _each(self, acts: list[Any]) -> Cost:
        long = await self._page.evaluate("long")
        each = []
        for act in acts:
            before = await self.read("TaskDuration")
            await act
            await self._page.evaluate(FRAME)
            each.append((await self.read("TaskDuration") - before) * 1_000)
        return Cost(each, await self._page.evaluate("long") - long)


async def costs(people: People) -> dict[str, Any]:
    alice = await people.person("Alice")
    await alice.page.context.add_init_script(HEAR + WATCH)
    await alice.make_room()
    meter = await Meter.of(alice)
    empty, keys = await meter.appending(), await meter.typing()
    await meter.fill(HELD)
    frames, full, keys_full = await meter.frames(), await meter.appending(), await meter.typing()
    burst = await meter.burst()
    await meter.fill(MANY - HELD)
    await meter.collect_garbage()
    return {
        "frames": frames.told(),
        "append": {"empty": empty.told(), "with_2000": full.told()},
        "tasks_over_50_ms_in_a_burst_of_500": burst,
        "typing": {"empty": keys.told(), "with_2000": keys_full.told()},
        "nodes_at_10000": await meter.read("Nodes"),
        "messages_in_the_page": await alice.page.locator("[data-part=log] .message").count(),
    }


async def shifts(people: People) -> dict[str, Any]:
    """What moved in each of the steps, how far, and what it was; and how far a message in sight at most.

    Chrome counts what is put above the messages in sight while the log scrolls on by as much, though none of them
    moves.
    """
    bob = await people.person("Bob")
    link = await bob.make_room()
    say = "(async () => { for (let at = 0; at < 90; at += 1) await hmsActions.sendBroadcastMessage(`no ${at}`); })()"
    await bob.hms(say)
    ids = await bob.hms("hmsStore.getState().messages.allIDs")
    alice = await people.person("Alice")
    await alice.page.add_init_script(WATCH)
    await alice.enter(link)
    await alice.message("no 89").wait_for()
    steps: dict[str, Callable[[], Awaitable[Any]]] = {
        "pin": lambda: bob.hms("hmsActions.pinMessage(value)", ids[-1]),
        "reaction": lambda: bob.hms("hmsActions.reactToMessage(value, '👍')", ids[-1]),
        "edit": lambda: bob.hms("hmsActions.editMessage(value, 'changed')", ids[-2]),
        "delete": lambda: bob.hms("hmsActions.deleteMessage(value)", ids[-3]),
        "typing": lambda: bob.part("message").press_sequentially("so"),
        "older messages": lambda: alice.part("scroller").evaluate(SCROLL_UP),
    }
    seen = {}
    await alice.page.evaluate(PLACES)
    for step, act in steps.items():
        await asyncio.sleep(SETTLED)
        await alice.page.evaluate("(name) => { step = name; farthest = 0; }", step)
        await act()
        await asyncio.sleep(SETTLED)
        seen[step] = round(await alice.page.evaluate("farthest"), 2)
    return {"as_chrome_counts": await alice.page.evaluate("shifts"), "messages_in_sight_moved_px": seen}


async def loading(browser: Browser) -> dict[str, Any]:
    """What a browser that has nothing kept loads, and when the name can be typed and one is inside; in ms."""
    with tempfile.TemporaryDirectory() as folder, RunningServer(HMSROOM_DEV=0, STATIC_ROOT=folder) as server:
        server.manage("collectstatic", "--no-input", "--verbosity=0")
        server.restart()  # it looks for bundles once
        people = People(browser, server.url)
        link = await (await people.person("Alice")).make_room()
        found = {}
        for name, network in (("as it is", {}), ("slow", SLOW)):
            bob = await people.person("Bob")
            loaded = Loaded(bob)
            session = await bob.page.context.new_cdp_session(bob.page)
            await session.send("Network.enable")
            if network:
                await session.send("Network.emulateNetworkConditions", {"offline": False, **network})
            await bob.page.add_init_script(TIMES)
            await bob.page.goto(link, wait_until="commit")
            await bob.page.locator("#name:focus").wait_for()  # the script's last step
            await bob.join()
            typable, entered = await bob.page.evaluate("[typable, entered].map(Math.round)")
            found[name] = {
                "interactive_ms": typable,
                "inside_ms_after_joining": entered,
                "requests": len(loaded.files()),
                "bytes": await loaded.bytes(),
            }
        await people.close()
        return found


async def measure() -> dict[str, Any]:
    with RunningServer(RATE_LIMIT=0) as server:
        async with running_browser() as browser:
            people = People(browser, server.url)
            result = {**await costs(people), "layout_shifts": await shifts(people)}
            await people.close()
            return {**result, "loading": await loading(browser)}


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(json.dumps(asyncio.run(measure()), indent=2))
