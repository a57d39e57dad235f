"""What a long log costs, and what a page keeps of it."""

import pytest
from playwright.async_api import CDPSession, Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Messages as if they came from the server, each in a task of its own, until all are drawn.
HEAR = """
const Real = WebSocket;
const sockets = [];
globalThis.WebSocket = class extends Real {
  constructor(...given) {
    super(...given);
    sockets.push(this);
  }
};
const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
let count = 0;
globalThis.hear = async (messages, together = 4, isDrawn = true) => {
  for (const end = count + messages; count < end; count += 1) {
    const id = `p${count % 9}`;
    const peer = { peer_id: id, person: id, role: "guest", info: { name: `Peer ${id}` } };
    const info = { type: "chat", message: `${count} and https://example.org/${count} and ${"words ".repeat(20)}` };
    const params = { message_id: `m${count}`, timestamp: Date.now(), private: false, info, peer };
    sockets.at(-1).onmessage({ data: JSON.stringify({ method: "on-broadcast", params }) });
    if (count % together === 0) await frame();
  }
  while (isDrawn && !document.querySelector(`[data-id="m${count - 1}"]`)) await frame();
  await frame();
};
"""


class Meter:
    """What a page has used, by the browser's own counts; time is that of the processor, not of the clock."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self._page, self._session = page, session

    async def read(self) -> dict[str, float]:
        await self._session.send("HeapProfiler.collectGarbage")
        answer = await self._session.send("Performance.getMetrics")
        return {one["name"]: one["value"] for one in answer["metrics"]}

    async def hear(self, messages: int, together: int = 4) -> float:
        """Seconds of the page's main thread for some more messages, so many in each frame."""
        before = await self.read()
        await self._page.evaluate("(given) => hear(...given)", [messages, together])
        return (await self.read())["TaskDuration"] - before["TaskDuration"]


async def test_a_long_log_costs_no_more_than_a_short_one_and_keeps_so_much(people):
    alice = await people.person("Alice")
    await alice.page.context.add_init_script(HEAR)
    await alice.make_room()
    session = await alice.page.context.new_cdp_session(alice.page)
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    meter = Meter(alice.page, session)

    await meter.hear(200)
    short = await meter.hear(200)
    await meter.hear(1600, 40)
    long = await meter.hear(200)
    assert long < 3 * short

    await meter.hear(2800, 40)  # as many as are ever held, and so many more that each part has been let go of once
    at_5000 = await meter.read()
    await meter.hear(5000, 40)
    at_10000 = await meter.read()
    for name, slack in (("Nodes", 1.1), ("JSEventListeners", 1.1), ("JSHeapUsedSize", 1.3)):
        assert at_10000[name] < slack * at_5000[name], name
    assert await alice.page.evaluate("document.querySelectorAll('.message').length") <= 200
    assert await alice.hms("hmsStore.getState().messages.allIDs.length") == 2000
