"""Published releases in a room whose session metadata has rules, owners, expiry, locks and changes of several keys."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import ConsoleMessage, Error

from rooms.wire.roles import DEFAULT_TEMPLATE
from tests.sdk.conftest import RoomIn
from tests.sdk.driver import RELEASES, Peer, Room, ends_of, make_rooms, since
from tests.support.server import RawPeer, RunningServer

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]

RULES: list[dict[str, Any]] = [
    {"key": "default", "write": ["host"]},
    {"key": "spotlight", "write": ["host"], "on_leave": "null"},
    {"key": "cursor:$peer", "write": "owner", "on_leave": "remove", "expires_in": 60},
    {"key": "vote:$user", "create": ["host", "guest"], "write": "none", "read": ["host"]},
    {"key": "secret", "write": ["host", "guest"], "read": ["host"]},
    {"key": "short:*", "write": ["guest"], "max_bytes": 8},
    {"key": "billing", "write": "server"},
    {"key": "deck:*", "lock": "deck"},
]


class Meeting:
    """Alice, a host, and Bob, a guest, both with one release, and a host who governs by raw frames."""

    def __init__(self, room: Room, alice: Peer, bob: Peer, governor: RawPeer) -> None:
        self.room, self.alice, self.bob, self.governor = room, alice, bob, governor

    async def still_talks(self) -> None:
        """Neither has met an error, and both are heard."""
        for peer, other in ((self.alice, self.bob), (self.bob, self.alice)):
            await peer.call("sendBroadcastMessage", f"{peer.name} is well")
            await other.sees(f"{peer.name} is well", "lastText")
            assert await peer.notices("ERROR", "RECONNECTING") == []


@pytest.fixture(scope="module")
def governed_rooms(server: RunningServer) -> Iterator[tuple[str, dict[str, str]]]:
    return iter(make_rooms(server, 40, template="governed", roles=DEFAULT_TEMPLATE, rules=RULES))


@pytest_asyncio.fixture(loop_scope="session")
async def meeting(
    server: RunningServer, room_in: RoomIn, governed_rooms: Iterator[tuple[str, dict[str, str]]], release: str
) -> AsyncIterator[Meeting]:
    """Nothing may go wrong in the pages."""
    complaints: list[str] = []

    def threw(error: Error) -> None:
        complaints.append(str(error))

    def said(message: ConsoleMessage) -> None:
        # That a call is refused the SDK logs by itself.
        if message.type == "error" and not re.search(r"ending [sg]et-metadata .*ServerErrors", message.text):
            complaints.append(message.text)

    room = room_in(server, *next(governed_rooms))
    alice, bob = await room.open(release, "Alice"), await room.open(release, "Bob")
    for peer in (alice, bob):
        peer.page.on("pageerror", threw)
        peer.page.on("console", said)
    await alice.join(room.token("host", "alice"), room.server)
    await bob.join(room.token("guest", "bob"), room.server)
    governor = await server.peer(room.token("host", "governor"), "Governor")
    for peer in (alice, bob):
        await peer.sees(["Alice", "Bob", "Governor"], "names")
    yield Meeting(room, alice, bob, governor)
    await governor.close()
    for peer in (alice, bob):
        peer.page.remove_listener("pageerror", threw)
        peer.page.remove_listener("console", said)
    assert complaints == []


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_the_value_without_a_key_follows_its_rule(meeting):
    alice, bob, governor = meeting.alice, meeting.bob, meeting.governor
    assert (await bob.refused("setSessionMetadata", "mine"))["code"] == 403
    await alice.call("setSessionMetadata", {"topic": "tea"})
    await bob.call("populateSessionMetadata")
    await bob.sees({"topic": "tea"}, "sessionMetadata")

    # By a call that no release has, with terms that none knows.
    changes = [
        {"key": "default", "patch": {"topic": "milk"}, "owner": True, "expires_in": 60},
        {"key": "spotlight", "data": governor.peer_id},
    ]
    await governor.call("update-metadata", changes=changes)
    await alice.call("populateSessionMetadata")
    await alice.sees({"topic": "milk"}, "sessionMetadata")

    rules = [{"key": "default", "write": ["guest"], "read": ["guest"]}]
    await governor.call("set-metadata-rules", rules=rules)
    assert (await alice.refused("setSessionMetadata", "no more"))["code"] == 403
    assert (await alice.refused("populateSessionMetadata"))["code"] == 403
    await bob.call("setSessionMetadata", "now mine")
    await bob.call("populateSessionMetadata")
    await bob.sees("now mine", "sessionMetadata")
    await meeting.still_talks()


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_all_that_happens_to_keys_leaves_every_release_well(meeting):
    """Also those from before keys."""
    alice, bob, governor = meeting.alice, meeting.bob, meeting.governor
    changes = [
        {"key": "spotlight", "data": await bob.see("id"), "owner": await bob.see("id")},
        {"key": f"cursor:{governor.peer_id}", "data": [1, 2]},
        {"key": "secret", "data": "s3cret", "expires_in": 1},
        {"key": "default", "increment": 1},
    ]
    await governor.call("update-metadata", changes=changes)
    await governor.call("touch-metadata", key="spotlight", expires_in=60)
    held = await governor.call("lock", name="deck", expires_in=60)
    carol = await meeting.room.join(alice.release, "Carol", "guest")
    await carol.sees(["Alice", "Bob", "Carol", "Governor"], "names")
    await carol.call("leave")
    await governor.call("unlock", name="deck", token=held["token"])
    await governor.call("lock", name="another")
    await governor.call("set-metadata-rules", rules=[{"key": "secret", "read": ["guest"]}])
    await governor.call("set-metadata-rules", rules=[])
    await alice.call("changeRole", "Bob", "viewer", True)
    for peer in (alice, bob):
        await peer.sees({"Alice": "host", "Bob": "viewer", "Governor": "host"}, "roles")
    await alice.call("changeRole", "Bob", "guest", True)
    await bob.sees({"Alice": "host", "Bob": "guest", "Governor": "host"}, "roles")
    await meeting.still_talks()
    await governor.leave()
    for peer in (alice, bob):
        await peer.sees(["Alice", "Bob"], "names")
    await meeting.still_talks()


@pytest.mark.parametrize("release", ends_of(since("0.10.16")))
async def test_keys_follow_their_rules(meeting):
    alice, bob = meeting.alice, meeting.bob
    for peer in (alice, bob):
        await peer.call("sessionStore.observe", ["spotlight", "secret", "billing", "short:1"])

    for key, value, code in (
        ("spotlight", 1, 403),
        ("billing", 1, 403),
        ("cursor:somebody-else", 1, 403),
        ("short:1", "longer than eight", 413),
    ):
        assert (await bob.refused("sessionStore.set", key, value))["code"] == code
    await bob.call("sessionStore.set", f"cursor:{await bob.see('id')}", [3, 4])
    await bob.call("sessionStore.set", "short:1", "short")
    await alice.call("sessionStore.set", "spotlight", "bob")
    await alice.call("sessionStore.set", "secret", "s3cret")
    await alice.sees("s3cret", "key", "secret")
    await bob.sees("bob", "key", "spotlight")
    await alice.sees("short", "key", "short:1")
    assert await bob.see("key", "secret") is None
    assert await bob.see("key", "billing") is None
    await meeting.still_talks()


@pytest.mark.parametrize("release", ends_of(since("0.10.16")))
async def test_changes_of_several_keys_and_entries_that_end_arrive(meeting):
    alice, bob, governor = meeting.alice, meeting.bob, meeting.governor
    mine = f"cursor:{governor.peer_id}"
    await bob.call("sessionStore.observe", ["a", "b", "soon", "spotlight", mine])
    changes = [
        {"key": "a", "data": 1},
        {"key": "b", "increment": 2},
        {"key": "unobserved", "data": 3},
        {"key": "spotlight", "data": governor.peer_id},
        {"key": mine, "data": [1, 2]},
    ]
    await governor.call("update-metadata", changes=changes)
    for key, value in (("a", 1), ("b", 2), ("spotlight", governor.peer_id), (mine, [1, 2])):
        await bob.sees(value, "key", key)
    await governor.call("update-metadata", changes=[{"key": "soon", "data": "now", "expires_in": 1}])
    await bob.sees("now", "key", "soon")
    await bob.sees(None, "key", "soon")

    await governor.leave()
    await bob.sees(["Alice", "Bob"], "names")
    assert [await bob.see("key", key) for key in ("a", "b", "spotlight", mine)] == [1, 2, None, None]
    await alice.call("sessionStore.set", "a", 4)
    await bob.sees(4, "key", "a")
    await meeting.still_talks()


@pytest.mark.parametrize("release", ends_of(since("0.10.16")))
async def test_what_may_be_read_comes_and_goes_with_rules_and_roles(meeting):
    alice, bob, governor = meeting.alice, meeting.bob, meeting.governor
    await bob.call("sessionStore.observe", ["secret"])
    await alice.call("sessionStore.set", "secret", "s3cret")

    await governor.call("set-metadata-rules", rules=[{"key": "secret", "write": ["host"]}])
    await bob.sees("s3cret", "key", "secret")
    assert (await bob.refused("sessionStore.set", "secret", "mine"))["code"] == 403
    await governor.call("set-metadata-rules", rules=[])
    await bob.sees(None, "key", "secret")

    await alice.call("changeRole", "Bob", "host", True)
    await bob.sees("s3cret", "key", "secret")
    await bob.call("sessionStore.set", "spotlight", "me")
    await alice.call("changeRole", "Bob", "guest", True)
    await bob.sees(None, "key", "secret")
    assert (await bob.refused("sessionStore.set", "spotlight", "me again"))["code"] == 403
    await meeting.still_talks()


@pytest.mark.parametrize("release", ends_of(since("0.10.16")))
async def test_who_knows_no_locks_is_kept_out_by_them(meeting):
    alice, bob, governor = meeting.alice, meeting.bob, meeting.governor
    await bob.call("sessionStore.observe", ["deck:1"])
    assert (await bob.refused("sessionStore.set", "deck:1", "mine"))["code"] == 409
    held = await governor.call("lock", name="deck")
    lock = {"name": "deck", "token": held["token"]}
    await governor.call("update-metadata", changes=[{"key": "deck:1", "data": "one"}], if_lock=lock)
    await bob.sees("one", "key", "deck:1")
    assert (await alice.refused("sessionStore.set", "deck:1", "mine"))["code"] == 409
    assert await bob.see("key", "deck:1") == "one"
    await meeting.still_talks()


@pytest.mark.parametrize("release", ends_of(since("0.10.16")))
async def test_pins_of_the_app_follow_the_rules(meeting):
    alice, bob, governor = meeting.alice, meeting.bob, meeting.governor
    await bob.call("sessionStore.observe", ["pinnedMessages"])
    await bob.call("sendBroadcastMessage", "hello")
    await alice.sees("hello", "lastText")
    said = (await alice.see("messages"))[-1]["id"]
    await governor.call("set-metadata-rules", rules=[{"key": "pinnedMessages", "write": ["host"]}])

    pins = [{"text": "Bob: hello", "id": said, "pinnedBy": "Bob"}]
    assert (await bob.refused("sessionStore.set", "pinnedMessages", pins))["code"] == 403
    await alice.call("sessionStore.set", "pinnedMessages", pins)
    await bob.page.wait_for_function("() => peer.see('key', 'pinnedMessages')?.[0]?.text === 'Bob: hello'")
    await meeting.still_talks()
