"""The page of a live session in a browser: who is inside sees each act at once, and who looks sees what happens."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, closing
from itertools import cycle

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Request, expect

from tests.support.axe import barriers
from tests.support.browser import running_browser, settled
from tests.support.processes import PATIENCE
from tests.support.sampling import sampled
from tests.support.server import Message, RawPeer, RunningServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SECOND = 1.0
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
STAFF = """
from django.contrib.auth.models import Permission, User
seen = [f"view_{kind}" for kind in ("room", "roomcode", "session", "peer", "metadataentry", "poll", "template")]
managing = ["change_room", "delete_room", "add_template", "change_template"]
for name, more in (("vera", []), ("eve", []), ("ada", ["change_session"]), ("mia", managing)):
    user = User.objects.create_user(name, password="password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=seen + more, content_type__app_label="rooms"))
"""
"""Vera may look, and so may Eve until she may not; Ada may act as well, and Mia may manage."""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with RunningServer(POSITION_CHECK_INTERVAL=3600) as running:  # what is seen was told
        rooms = "from rooms.creation.rooms import create_room\nfor n in range(40): create_room(name=f'room-{n}')"
        running.manage("shell", "--no-imports", "-c", f"{STAFF}\n{rooms}")
        yield running


@pytest.fixture(scope="module")
def names() -> Iterator[str]:
    """Names of rooms that no test has used yet."""
    return iter([f"room-{n}" for n in range(39)])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


TOO_WIDE = """() => [...document.querySelectorAll("#content, #content *, .messagelist *")]
  .filter((element) => !element.closest(".results")) // lists scroll within it
  .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > innerWidth + 0.5)
  .map(({ tagName, className, textContent }) => `${tagName}.${className} ${textContent.slice(0, 30)}`)
  .concat(document.scrollingElement.scrollWidth > innerWidth ? ["the page"] : [])"""

# Text whose colour is too near to that of what is behind it (WCAG 2, 4.5 to 1).
PALE = """() => {
  const parts = (color) => (color.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const light = (color) => parts(color).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let box = element; box; box = box.parentElement) {
      const { backgroundColor } = getComputedStyle(box);
      if ((parts(backgroundColor)[3] ?? 1) > 0.5) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const pale = [];
  for (const element of document.querySelectorAll("#live *, #codes *, #content-main form *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!text || !element.checkVisibility()) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) pale.push(`${element.tagName} ${contrast.toFixed(2)} ${element.textContent.slice(0, 30)}`);
  }
  return pale;
}"""


class Desk:
    """Somebody of the staff at the page of a room's session, in which there are Alice, a host, and Bob, a guest."""

    def __init__(self, tab: Page, alice: RawPeer, bob: RawPeer, slack: float) -> None:
        self.tab, self.alice, self.bob = tab, alice, bob
        self._slack = slack
        self.asked_at = 0.0
        self.forgiven = ["status of 403"]
        tab.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.method == "POST":
            self.asked_at = time.monotonic()

    def row(self, text: str) -> Locator:
        return self.tab.locator("#live tr", has_text=text)

    async def told(self, text: str) -> None:
        await expect(self.tab.locator(".messagelist")).to_contain_text(text)

    async def hears(self, who: RawPeer, method: str, act: Awaitable[object]) -> Message:
        """What a peer is told within a second of an act, from when the browser asks for it."""
        after = len(who.events)
        told = asyncio.create_task(who.wait_for(method, after=after))
        told_at = told.get_loop().create_future()
        told.add_done_callback(lambda _: told_at.set_result(time.monotonic()))
        await act
        event = await told
        assert await told_at - self.asked_at < SECOND + self._slack
        params: Message = event["params"]
        return params


@asynccontextmanager
async def at_the_desk(
    chromium: Browser, server: RunningServer, room: str, who: str = "ada", name: str = "Bob", slack: float = PATIENCE
) -> AsyncIterator[Desk]:
    room_id = server.room(room)
    alice = await server.peer(server.sign(room_id, "host", "alice"), "Alice")
    bob = await server.peer(server.sign(room_id, "guest", "bob"), name)
    context = await chromium.new_context()
    tab = await context.new_page()
    problems: list[str] = []
    tab.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("dialog", lambda dialog: problems.append(dialog.message))
    await tab.goto(f"{server.url}/admin/")
    await tab.fill("#id_username", who)
    await tab.fill("#id_password", "password")
    await tab.click("input[type=submit]")
    [(session_id,)] = server.select(f"SELECT id FROM rooms_session WHERE room_id = '{room_id}' AND ended_at IS NULL")
    await tab.goto(f"{server.url}/admin/rooms/session/{session_id}/change/")
    desk = Desk(tab, alice, bob, slack)
    yield desk
    await context.close()
    for peer in (alice, bob):
        await peer.close()
    assert [text for text in problems if not any(known in text for known in desk.forgiven)] == []


async def test_each_act_is_seen_by_who_is_inside_within_a_second(chromium, server, names, slack):
    async with at_the_desk(chromium, server, next(names), slack=slack) as desk:
        tab, alice, bob = desk.tab, desk.alice, desk.bob
        await alice.call("listen-metadata-change", keys=["topic"])
        await alice.call("set-metadata", key="topic", data="tea")
        await alice.call("lock", name="board")
        await bob.call("group-join", name="_handraise")
        poll_id = (await alice.call("poll-info-set", title="Tea or coffee?"))["poll_id"]
        question = {"question": {"type": "single-choice", "text": "Which?", "index": 1}, "options": [{"text": "Tea"}]}
        await alice.call("poll-questions-set", poll_id=poll_id, questions=[question])
        await alice.call("poll-start", poll_id=poll_id)
        await expect(tab.get_by_role("button", name="Stop")).to_be_visible()

        lowered = desk.row("Bob").get_by_role("button", name="Lower hand").click()
        assert (await desk.hears(alice, "on-peer-update", lowered))["groups"] == []
        await expect(desk.row("Bob")).not_to_contain_text("hand up")

        await desk.row("Bob").get_by_label("Role").select_option("viewer")
        given = desk.row("Bob").get_by_role("button", name="Give").click()
        assert (await desk.hears(bob, "on-policy-change", given))["name"] == "viewer"
        await expect(desk.row("Bob")).to_contain_text("viewer")

        released = desk.row("board").get_by_role("button", name="Release").click()
        assert (await desk.hears(bob, "on-lock-change", released))["reason"] == "revoked"
        stopped = desk.row("Tea or coffee?").get_by_role("button", name="Stop").click()
        assert (await desk.hears(alice, "on-poll-stop", stopped))["polls"][0]["poll_id"] == poll_id

        await tab.get_by_label("Say to the room").fill("Closing soon")
        said = tab.locator("#notice").get_by_role("button", name="Send").click()
        assert (await desk.hears(bob, "on-broadcast", said))["info"]["message"] == "Closing soon"
        await expect(tab.get_by_label("Say to the room")).to_have_value("")

        await desk.row("topic").get_by_text("Clear…").click()
        cleared = desk.row("topic").get_by_role("button", name="Clear topic").click()
        assert (await desk.hears(alice, "on-metadata-change", cleared))["values"][0]["data"] is None
        await desk.told("is cleared")  # which moves what is below
        await desk.row("topic").get_by_text("Set…").click()
        await tab.get_by_label("Value").fill('{"of": "milk"}')
        entry = (await desk.hears(alice, "on-metadata-change", tab.click("text=Set >> nth=-1")))["values"][0]
        assert (entry["data"], entry["updated_by"]) == ({"of": "milk"}, "")
        await expect(desk.row("topic")).to_contain_text('{"of":"milk"}')

        await desk.row("Bob").get_by_text("Remove…").click()
        await desk.row("Bob").get_by_label("Reason").fill("too loud")
        removed = desk.row("Bob").get_by_role("button", name="Remove Bob").click()
        assert (await desk.hears(bob, "on-peer-leave-request", removed))["reason"] == "too loud"
        assert await bob.wait_closed() == 4003
        let_in = tab.locator("tr", has_text="too loud").get_by_role("button", name="Let in again").click()
        assert (await desk.hears(alice, "on-removed-change", let_in))["removed"] == []

        await tab.click("text=End the session…")
        assert (await desk.hears(alice, "on-peer-leave-request", tab.click("text=Yes, end it")))["room_end"] is True


async def test_the_page_follows_the_room_and_keeps_what_is_being_typed(chromium, server, names):
    async with at_the_desk(chromium, server, room := next(names)) as desk:
        tab, alice, bob = desk.tab, desk.alice, desk.bob
        await tab.get_by_label("Say to the room").fill("Closing at")
        await desk.row("Bob").get_by_text("Remove…").click()
        reason = desk.row("Bob").get_by_label("Reason")
        await reason.press_sequentially("too ")
        box = await reason.element_handle()

        carol = await server.peer(server.sign(server.room(room), "guest", "carol"), EVIL)
        await alice.call("set-metadata", key=EVIL, data={EVIL: "שלום"})
        await bob.call("group-join", name="_handraise")
        await expect(desk.row("Bob")).to_contain_text("hand up")
        await expect(desk.row(EVIL).first).to_be_visible()
        await expect(tab.locator("#entries")).to_contain_text(EVIL)
        assert await tab.locator("#live img[onerror], #live script").count() == 0

        await tab.keyboard.type("loud")  # the focus is where it was, in the very same field
        assert await reason.input_value() == "too loud"
        assert await tab.evaluate("box => document.activeElement === box", box)
        await carol.leave()
        await expect(tab.locator("#people tr", has_text=EVIL)).to_contain_text("client request")
        await alice.leave()
        await bob.leave()
        await expect(tab.locator("#live")).to_contain_text("This session is over.")
        assert await tab.locator("#live button").count() == 0


async def test_what_changed_while_a_form_was_open_is_not_written_over(chromium, server, names):
    async with at_the_desk(chromium, server, next(names)) as desk:
        await desk.alice.call("set-metadata", key="topic", data="tea")
        await expect(desk.row("topic")).to_contain_text("tea")
        await desk.row("topic").get_by_text("Clear…").click()
        await desk.alice.call("set-metadata", key="topic", data="milk")
        await expect(desk.row("topic")).to_contain_text("milk")

        await desk.row("topic").get_by_role("button", name="Clear topic").click()
        await desk.told('changed meanwhile, it now says "milk"')

        await desk.row("topic").get_by_text("Set…").click()
        await desk.alice.call("set-metadata", key="topic", data="coffee")
        await desk.tab.get_by_label("Value").fill('"water"')
        await desk.tab.get_by_role("button", name="Set").click()
        await expect(desk.tab.locator(".errornote")).to_contain_text('"coffee"')
        assert await desk.tab.get_by_label("Value").input_value() == '"water"'
        assert (await desk.alice.call("get-metadata", key="topic"))["data"] == "coffee"


async def test_a_refusal_is_told_and_keeps_what_was_typed(chromium, server, names):
    async with at_the_desk(chromium, server, next(names)) as desk:
        notice = desk.tab.get_by_label("Say to the room")
        await notice.fill("x" * 5000)
        await desk.tab.locator("#notice").get_by_role("button", name="Send").click()
        await desk.told("4000")
        assert len(await notice.input_value()) == 5000


@pytest.mark.parametrize(
    ("change", "said"),
    [("DELETE FROM django_session", "You are logged out"), ("DELETE FROM auth_user_user_permissions", "You may not")],
)
async def test_the_page_stops_when_it_may_not_be_seen_any_more(chromium, server, names, change, said):
    async with at_the_desk(chromium, server, next(names), who="eve" if "user" in change else "ada") as desk:
        with closing(sqlite3.connect(server.database, timeout=20)) as database, database:
            user = "(SELECT id FROM auth_user WHERE username = 'eve')"
            database.execute(change + (f" WHERE user_id = {user}" if "user" in change else ""))
        await expect(desk.tab.locator("#live-state")).to_contain_text(said)
        asked: list[str] = []
        desk.tab.on("request", lambda request: asked.append(request.url))
        await asyncio.sleep(2)
        assert asked == []


async def test_nothing_is_asked_for_while_nobody_looks(chromium, server, names):
    async with at_the_desk(chromium, server, next(names)) as desk:
        see = "state => { Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });"
        see += " document.dispatchEvent(new Event('visibilitychange')); }"
        await desk.tab.evaluate(see, "hidden")
        await asyncio.sleep(0.5)  # what was under way
        asked: list[str] = []
        desk.tab.on("request", lambda request: asked.append(request.url))
        await asyncio.sleep(2)
        assert asked == []
        await desk.bob.call("group-join", name="_handraise")
        await desk.tab.evaluate(see, "visible")
        await expect(desk.row("Bob")).to_contain_text("hand up")


async def test_who_manages_changes_a_room_and_its_codes(chromium, server, names, slack):
    async with at_the_desk(chromium, server, name := next(names), who="mia", slack=slack) as desk:
        tab, alice = desk.tab, desk.alice
        await tab.click(".field-room_link a")
        await tab.click("text=Close to newcomers")
        await desk.told("is closed")
        await tab.goto(f"{server.url}/admin/rooms/room/{server.room(name)}/change/")
        await tab.get_by_role("button", name="Open again").click()
        await tab.goto(f"{server.url}/admin/rooms/room/{server.room(name)}/change/")

        codes = tab.locator("#codes")
        await codes.locator("tr", has_text="guest").get_by_role("button", name="Switch off").click()
        await desk.told("is switched off")
        await codes.get_by_label("For the role").select_option("guest")
        await codes.get_by_role("button", name="Make a code").click()
        await desk.told("The code for guest is")
        assert await codes.locator("tr", has_text="guest").count() == 2

        await tab.fill("#id_metadata_rules", '[{"key": "score", "write": ["host"]}]')
        await tab.fill("#id_title", "Tea room")
        told = await desk.hears(alice, "on-policy-change", tab.click("text=Save and continue editing"))
        assert told["plugins"]["metadata"]["rules"] == [{"key": "score", "write": ["host"]}]
        await tab.fill("#id_metadata_rules", '[{"key": "score", "write": "hosts"}]')
        await tab.click("text=Save and continue editing")
        await expect(tab.locator(".field-metadata_rules .errorlist")).to_contain_text("rules[0].write")

        await tab.goto(f"{server.url}/admin/rooms/room/{server.room(name)}/change/")
        await tab.get_by_role("button", name="Delete…").click()
        gone = tab.get_by_role("button", name="Yes, delete them").click()
        assert (await desk.hears(alice, "on-peer-leave-request", gone))["room_end"] is True


async def test_who_manages_changes_a_template(chromium, server, names, slack):
    async with at_the_desk(chromium, server, next(names), who="mia", slack=slack) as desk:
        tab = desk.tab
        await tab.goto(f"{server.url}/admin/rooms/template/")
        await tab.click("#result_list tbody th a")
        roles = json.loads(await tab.input_value("#id_roles"))
        await tab.fill("#id_roles", json.dumps(roles | {"scribe": {"permissions": {"endRoom": "yes"}}}))
        await tab.click("text=Save and continue editing")
        await expect(tab.locator(".field-roles .errorlist")).to_contain_text("roles.scribe.permissions.endRoom")
        await tab.fill("#id_roles", json.dumps(roles | {"scribe": {}}))
        told = await desk.hears(desk.alice, "on-policy-change", tab.click("text=Save and continue editing"))
        assert "scribe" in told["known_roles"]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_is_wider_than_the_screen_and_all_is_readable(chromium, server, names, theme):
    long = "Donaudampfschifffahrtsgesellschaft" * 3
    async with at_the_desk(chromium, server, name := next(names), name=long[:100]) as desk:
        tab, alice = desk.tab, desk.alice
        await alice.call("set-metadata", key=long, data={long: [long] * 20, "he": "שלום"})
        await alice.call("lock", name=long[:64])
        await alice.call("poll-info-set", title=long)
        await expect(tab.locator("#entries")).to_contain_text(long)
        await tab.locator("#people summary", has_text="Remove…").first.click()
        await tab.emulate_media(color_scheme=theme)
        pages = [tab.url, tab.url.partition("change/")[0] + f"entry/?key={long}"]
        pages.append(f"{server.url}/admin/rooms/room/{server.room(name)}/change/")
        for page in pages:
            await tab.goto(page)
            for width in (1280, 1024, 768):
                await tab.set_viewport_size({"width": width, "height": 900})
                assert await tab.evaluate(TOO_WIDE) == []
                assert await tab.evaluate(PALE) == []


@pytest.mark.parametrize("who", ["mia", "vera"])
async def test_who_may_not_act_sees_the_room_live_and_no_button(chromium, server, names, who):
    async with at_the_desk(chromium, server, next(names), who=who) as desk:
        await desk.bob.call("group-join", name="_handraise")
        await expect(desk.row("Bob")).to_contain_text("hand up")
        assert await desk.tab.locator("#live button, #live .button").count() == 0


OF_OPERATORS = """
from django.contrib.auth.models import User
from rooms.access import keys
from rooms.models import AccessKey, AuditEntry, Room, Session, WebhookDelivery
from rooms.operations.engine.calls import SERVER
from rooms.webhooks import endpoints
from django.utils import timezone
User.objects.create_superuser("olga", password="password")
long, now = "Donaudampfschifffahrtsgesellschaft" * 3, 1_795_816_800_000
key = AccessKey(name=long[:100])
keys.give_secret(key)
keys.store(key, author=SERVER)
hook = endpoints.add(f"https://example.org/{long}")
told = WebhookDelivery.objects.create(endpoint=hook, event_id="8be8ee61-515a-4d2a-b4e3-439b7a6a9937",
  name="role.change.success", body='{"data":{"of":"%s"}}' % (long * 5), at=now, state="dead", status=500, error=long)
room = Room.objects.get(name="room-39")
session = Session.objects.create(room=room, ended_at=timezone.now())
act = AuditEntry.objects.create(at=now, what="metadata.set", source="socket", author=long,
  room_id=room.pk, room_name=long, session_id=session.pk, key=long, version=3,
  old='"%s"' % long, details='{"of":"%s"}' % long)
print(f"accesskey/ accesskey/add/ accesskey/{key.pk}/change/ webhookendpoint/ webhookendpoint/add/",
  f"webhookendpoint/{hook.pk}/change/ webhookdelivery/ webhookdelivery/{told.pk}/change/ auditentry/",
  f"auditentry/?room_id={room.pk}&session_id={session.pk} auditentry/{act.pk}/change/",
  f"session/ session/{session.pk}/change/ room/{room.pk}/change/ ../auth/user/1/change/ ../auth/group/add/")
"""

# Buttons that lie on words or on each other, words of labels that are cut, and of a list that stand a letter to a line.
OUT_OF_PLACE = """() => {
  const box = (selector) => document.querySelector(selector)?.getBoundingClientRect();
  const range = document.createRange();
  const found = [];
  for (const title of document.querySelectorAll("#content > h1, #content > h2")) {
    range.selectNodeContents(title);
    for (const tool of document.querySelectorAll(".object-tools :is(a, button)")) {
      const there = tool.getBoundingClientRect();
      for (const line of range.getClientRects())
        if (there.left < line.right && there.right > line.left && there.top < line.bottom && there.bottom > line.top)
          found.push(`${tool.textContent} on ${title.textContent}`);
    }
  }
  const tools = [...document.querySelectorAll(".object-tools > li > :is(a, form)")];
  for (const [place, tool] of tools.entries()) {
    const [one, next] = [tool, tools[place + 1]].map((each) => each?.getBoundingClientRect());
    if (next && next.left < one.right && next.top < one.bottom) found.push(`${tool.textContent} on the next`);
  }
  for (const label of document.querySelectorAll(".flex-container:not(.checkbox-row) > label")) {
    const end = label.firstChild?.data?.search(/\\S\\s|:/) ?? -1;
    if (end < 1) continue;
    range.setStart(label.firstChild, 0);
    range.setEnd(label.firstChild, end);
    if (new Set([...range.getClientRects()].map(({ top }) => top)).size > 1) found.push(`${label.textContent} is cut`);
  }
  const results = box(".results");
  if (results && results.width < Math.min(300, innerWidth - 60)) found.push(`the list is ${results.width} wide`);
  for (const pre of document.querySelectorAll("pre")) if (pre.tabIndex < 0) found.push("out of reach of keys");
  return found;
}"""


@pytest.fixture(scope="module")
def paths(server: RunningServer) -> list[str]:
    """Pages with long texts, for Olga, who may do everything."""
    return server.manage("shell", "--no-imports", "-c", OF_OPERATORS).split()


async def test_pages_of_keys_webhooks_and_the_audit_fit_every_screen_and_are_readable(chromium, server, paths):
    context = await chromium.new_context()
    tab = await context.new_page()
    problems: list[str] = []
    tab.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: problems.append(str(error)))
    await tab.goto(f"{server.url}/admin/")
    await tab.fill("#id_username", "olga")
    await tab.fill("#id_password", "password")
    await tab.click("input[type=submit]")
    assert len(paths) == 16
    for path in paths:
        await tab.goto(f"{server.url}/admin/rooms/{path}")
        for theme in ("light", "dark"):
            await tab.emulate_media(color_scheme=theme)
            # Colours of links come by and by.
            await settled(tab)
            for width in (1440, 768, 360):
                await tab.set_viewport_size({"width": width, "height": 900})
                for look in (TOO_WIDE, PALE, OUT_OF_PLACE):
                    assert (path, width, theme, await tab.evaluate(look)) == (path, width, theme, [])
    await context.close()
    assert problems == []


@pytest.mark.parametrize("themes", sampled(["in turn", "both"], ["in turn"]))
async def test_no_page_keeps_anybody_out(chromium, server, names, paths, themes):
    turns = cycle(("light", "dark"))
    async with at_the_desk(chromium, server, name := next(names), who="olga") as desk:
        tab, found = desk.tab, {}
        desk.forgiven.append("Applying inline style")  # of axe-core's own, to measure

        async def look(*addresses: str) -> None:
            for address in addresses or (tab.url,):
                if addresses:
                    await tab.goto(address if "://" in address else f"{server.url}/admin/{address}")
                for theme in ("light", "dark") if themes == "both" else (next(turns),):
                    await tab.emulate_media(color_scheme=theme)
                    # Django's own: an icon that has words.
                    if wrong := await barriers(tab, but=[".help-tooltip"]):
                        found[f"{tab.url} {theme}"] = wrong

        await desk.alice.call("set-metadata", key="topic", data={"of": ["tea"] * 200})
        await desk.alice.call("lock", name="board")
        await desk.alice.call("poll-info-set", title="Tea?")
        await desk.bob.call("group-join", name="_handraise")
        await expect(desk.row("Bob")).to_contain_text("hand up")
        session = tab.url.partition("change/")[0]
        [(peer,)] = server.select("SELECT MAX(id) FROM rooms_peer")
        [(entry,)] = server.select("SELECT MAX(id) FROM rooms_metadataentry")
        kinds = ("room", "roomcode", "template", "peer", "metadataentry", "worker")
        await tab.locator("#people summary", has_text="Remove…").first.click()
        await look()
        await look("", "rooms/", *(f"rooms/{kind}/" for kind in kinds), *(f"rooms/{path}" for path in paths))
        await look(f"{session}entry/?key=topic", f"{session}history/", f"rooms/room/{server.room(name)}/change/")
        await look(f"rooms/peer/{peer}/change/", f"rooms/metadataentry/{entry}/change/", "rooms/template/add/")
        await look("auth/user/", "auth/user/add/", "auth/user/1/change/", "auth/group/", "auth/group/add/")
        await look("rooms/worker/configuration/")
        await tab.goto(f"{session}change/")
        await tab.click("text=End the session…")
        await look()
        await tab.goto(f"{server.url}/admin/rooms/accesskey/add/")
        await tab.fill("#id_name", "of a test")
        await tab.click("text=Save >> nth=0")
        await expect(tab.locator("code").first).to_be_visible()
        await look()
        await tab.context.clear_cookies()
        await look("login/")
        assert found == {}, json.dumps(found, indent=1)


async def test_the_description_of_the_api_opens_and_tells_of_a_call(chromium, server):
    context = await chromium.new_context(viewport={"width": 360, "height": 800})
    tab = await context.new_page()
    problems: list[str] = []
    tab.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: problems.append(str(error)))
    await tab.goto(f"{server.url}/v2/docs")
    await tab.get_by_text("List Sessions").click()
    await expect(tab.locator(".opblock.is-open")).to_contain_text("those that are over for")
    for width in (360, 768, 1440):
        await tab.set_viewport_size({"width": width, "height": 800})
        assert await tab.evaluate("document.scrollingElement.scrollWidth") <= width
    await tab.emulate_media(color_scheme="dark")
    assert await tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(31, 31, 31)"
    await context.close()
    assert problems == []
