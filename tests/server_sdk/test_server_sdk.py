"""Every wrapper of the published server SDK that is not about media, unmodified but for the line that names the server.

What a back end does in a room is seen there within a second.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.server_sdk.conftest import BackEnd, Place, Refused
from tests.support.server import RawPeer, RunningServer

SECOND = 1.0

Tells = Callable[..., Awaitable[dict[str, Any]]]


def texts(peer: RawPeer) -> list[str]:
    return [message["info"]["message"] for message in peer.named("on-broadcast")]


@pytest.fixture
def within_a_second(slack: float) -> Tells:
    """The params of what a peer is told, by the event's name; from now on."""

    async def told(peer: RawPeer, method: str, *, after: int = 0) -> dict[str, Any]:
        event = await peer.wait_for(method, after=after, timeout=SECOND + slack)
        params: dict[str, Any] = event["params"]
        return params

    return told


# --- Rooms ----------------------------------------------------------------------------------------


async def test_rooms_are_made_found_changed_and_disabled(hms: BackEnd):
    made = await hms.call("rooms.create", {"name": "standup", "description": "daily", "region": "eu"})
    assert (made["name"], made["description"], made["region"], made["enabled"]) == ("standup", "daily", "eu", True)
    assert await hms.call("rooms.retrieveById", made["id"]) == made
    assert await hms.call("rooms.retrieveByName", "StandUp") == made
    assert (await hms.call("rooms.create", {"name": "STANDUP"}))["id"] == made["id"]

    changed = await hms.call("rooms.update", made["id"], {"name": "retro", "recording_info": {"enabled": True}})
    assert (changed["name"], changed["description"], changed["recording_info"]) == (
        "retro",
        "daily",
        {"enabled": False},
    )
    assert (await hms.call("rooms.enableOrDisable", made["id"], False))["enabled"] is False
    with pytest.raises(Refused, match="No Room found"):
        await hms.call("rooms.retrieveByName", "retro")
    assert (await hms.call("rooms.enableOrDisable", made["id"], True))["enabled"] is True


async def test_lists_go_over_any_number_of_pages(hms: BackEnd):
    made = [await hms.call("rooms.create", {"name": f"listed-{number}"}) for number in range(21)]
    ids = {room["id"] for room in made}
    for room in made[:10]:
        await hms.call("rooms.enableOrDisable", room["id"], False)

    closed = await hms.call("rooms.list", {"enabled": False})
    assert {room["id"] for room in closed} >= {room["id"] for room in made[:10]}
    for filters in ({}, {"limit": 3}, {"limit": 100}):
        found = [room["id"] for room in await hms.call("rooms.list", filters) if room["id"] in ids]
        assert found == [room["id"] for room in reversed(made[10:])]


async def test_a_page_that_is_exactly_full_is_the_last(hms: BackEnd, place: Place):
    codes = await hms.call("roomCodes.create", place.id)
    for _ in range(7):
        await hms.call("roomCodes.enableOrDisable", codes[0]["code"], False)
        codes[0] = await hms.call("roomCodes.createForRole", place.id, codes[0]["role"])
    assert len(await hms.call("roomCodes.list", place.id, {"limit": 10})) == 10
    assert hms.sent == 1
    assert len(await hms.call("roomCodes.list", place.id, {"limit": 5})) == 10
    assert hms.sent == 2


# --- Room codes -----------------------------------------------------------------------------------


async def test_codes_are_made_listed_and_switched(hms: BackEnd, place: Place):
    codes = await hms.call("roomCodes.create", place.id)
    assert [code["role"] for code in codes] == ["host", "guest", "viewer"]
    guest = await hms.call("roomCodes.createForRole", place.id, "guest")
    assert guest["code"] == codes[1]["code"]

    off = await hms.call("roomCodes.enableOrDisable", guest["code"], False)
    assert (off["code"], off["enabled"]) == (guest["code"], False)
    assert [code["code"] for code in await hms.call("roomCodes.list", place.id, {"enabled": False})] == [guest["code"]]
    assert len(await hms.call("roomCodes.list", place.id, {"role": "host", "enabled": True})) == 1
    assert len(await hms.call("roomCodes.list", place.id)) == 3


# --- In a room ------------------------------------------------------------------------------------


async def test_who_is_in_a_room_is_told(hms: BackEnd, server: RunningServer, place: Place):
    with pytest.raises(Refused) as empty:
        await hms.call("activeRooms.retrieve", place.id)
    assert (empty.value.code, empty.value.message) == (404, "room: nobody is in it")

    signed = await hms.call("auth.getAuthToken", {"roomId": place.id, "role": "host", "userId": "alice-1"})
    alice = await server.peer(signed["token"], "Alice")
    bob = await place.enter("Bob")

    active = await hms.call("activeRooms.retrieve", place.id)
    assert (active["id"], active["session"]["peers"]) == (place.id, [alice.peer_id, bob.peer_id])
    peers = await hms.call("activeRooms.retrieveActivePeers", place.id)
    assert {peer["name"] for peer in peers.values()} == {"Alice", "Bob"}
    peer = await hms.call("activeRooms.retrievePeerDetails", place.id, alice.peer_id)
    assert (peer["user_id"], peer["role"], peer["tracks"]) == ("alice-1", "host", {})

    session = await hms.call("sessions.retrieveActiveByRoom", place.id)
    assert session["id"] == active["session"]["id"] and set(session["peers"]) == {alice.peer_id, bob.peer_id}
    # The SDK makes dates of moments, but not of those in lists.
    assert await hms.call("sessions.retrieveById", session["id"]) == session
    assert [one["id"] for one in await hms.call("sessions.list", {"room_id": place.id})] == [session["id"]]

    await bob.leave()
    await alice.leave()
    assert await hms.call("sessions.list", {"room_id": place.id, "active": True}) == []
    with pytest.raises(Refused, match="No active Session"):
        await hms.call("sessions.retrieveActiveByRoom", place.id)
    [over] = await hms.call("sessions.list", {"room_id": place.id, "active": False})
    assert all(peer["left_at"] for peer in over["peers"].values())


async def test_a_message_reaches_everybody_a_role_or_one_peer_alone(hms: BackEnd, place: Place, within_a_second: Tells):
    alice, bob = await place.enter("Alice", "host"), await place.enter("Bob")
    sent: list[dict[str, Any]] = [
        {"message": "to all"},
        {"message": "to guests", "role": "guest"},
        # What its types call for; the API's own name is another.
        {"message": "to Alice", "peerId": alice.peer_id},
        {"message": "to Bob", "peer_id": bob.peer_id, "role": "host", "type": "news"},
        {"message": "the end"},
    ]
    for params in sent:
        place_of_alice, place_of_bob = len(alice.events), len(bob.events)
        await hms.call("activeRooms.sendMessage", place.id, params)
        listener, after = (bob, place_of_bob) if params["message"] != "to Alice" else (alice, place_of_alice)
        assert (await within_a_second(listener, "on-broadcast", after=after))["info"]["message"] == params["message"]
    await alice.until(lambda: "the end" in texts(alice))

    [to_alice] = [event for event in alice.named("on-broadcast") if event["info"]["message"] == "to Alice"]
    assert to_alice["private"] is True
    assert texts(alice) == ["to all", "to Alice", "the end"]
    assert texts(bob) == ["to all", "to guests", "to Bob", "the end"]
    assert bob.named("on-broadcast")[2]["info"]["type"] == "news"
    with pytest.raises(Refused, match="recipient: "):
        await hms.call("activeRooms.sendMessage", place.id, {"message": "private", "recipient": bob.peer_id})
    await alice.close()
    await bob.close()


async def test_a_peer_is_changed_and_removed_and_the_session_ended_before_everybodys_eyes(
    hms: BackEnd, place: Place, within_a_second: Tells, slack: float
):
    alice, bob, carol = await place.enter("Alice", "host"), await place.enter("Bob"), await place.enter("Carol")

    places = len(alice.events), len(bob.events)
    change = {"name": "Robert", "role": "viewer", "metadata": "m"}
    changed = await hms.call("activeRooms.updatePeer", place.id, bob.peer_id, change)
    assert {name: changed[name] for name in change} == change
    assert (await within_a_second(bob, "on-policy-change", after=places[1]))["name"] == "viewer"
    seen = await alice.wait_for(
        lambda event: event.get("method") == "on-peer-update" and event["params"]["info"]["name"] == "Robert",
        after=places[0],
        timeout=SECOND + slack,
    )
    assert (seen["params"]["role"], seen["params"]["info"]["data"]) == ("viewer", "m")

    await hms.call("activeRooms.removePeer", place.id, {"peer_id": bob.peer_id, "reason": "enough"})
    assert await within_a_second(bob, "on-peer-leave-request") == {"reason": "enough", "room_end": False}
    assert (await within_a_second(alice, "on-peer-leave"))["peer_id"] == bob.peer_id

    await hms.call("activeRooms.removePeer", place.id, {"role": "guest"})
    assert (await within_a_second(carol, "on-peer-leave-request"))["room_end"] is False

    await hms.call("activeRooms.end", place.id, {"reason": "over", "lock": True})
    assert await within_a_second(alice, "on-peer-leave-request") == {"reason": "over", "room_end": True}
    assert [await peer.wait_closed() for peer in (alice, bob, carol)] == [4003, 4003, 4003]
    assert (await hms.call("rooms.retrieveById", place.id))["enabled"] is False


# --- Tokens and refusals --------------------------------------------------------------------------


async def test_what_is_refused_is_sent_twice_and_does_nothing_either_time(
    hms: BackEnd, server: RunningServer, place: Place
):
    alice = await place.enter("Alice", "host")
    await hms.call("rooms.enableOrDisable", place.id, False)
    before = await hms.call("roomCodes.list", place.id)
    events = len(alice.events)

    with pytest.raises(Refused) as refusal:
        await hms.call("roomCodes.createForRole", place.id, "guest")
    assert (refusal.value.code, refusal.value.message, hms.sent) == (403, "room: it is disabled", 2)

    assert await hms.call("roomCodes.list", place.id) == before
    await hms.call("activeRooms.sendMessage", place.id, {"message": "after"})
    await alice.until(lambda: texts(alice) == ["after"])
    assert [event["method"] for event in alice.events[events:]] == ["on-broadcast"]
    # What was refused twice is not there, and what was done after it is there once.
    await hms.call("rooms.enableOrDisable", place.id, True)
    made = await hms.call("roomCodes.createForRole", place.id, "guest")
    assert made["code"] in {code["code"] for code in before}
    assert whats(server, place) == ["room.create", "room.change", "message.send", "room.change"]
    await alice.close()


def whats(server: RunningServer, place: Place) -> list[str]:
    """What the audit has of back ends in a room, in order."""
    asked = f"SELECT what FROM rooms_auditentry WHERE room_id = '{place.id}' AND source = 'rest' ORDER BY id"
    return [what for (what,) in server.select(asked)]


async def test_an_act_that_succeeds_after_a_refused_one_is_in_the_audit_once(
    hms: BackEnd, server: RunningServer, place: Place
):
    alice = await place.enter("Alice", "host")
    old = {"forceNew": True, "issuedAt": 1, "notValidBefore": 1, "validForSeconds": int(time.time()) - 20}
    await hms.call("auth.getManagementToken", old)

    await hms.call("activeRooms.updatePeer", place.id, alice.peer_id, {"role": "guest"})

    assert hms.sent == 2
    assert whats(server, place) == ["room.create", "peer.role"]
    await alice.close()


async def test_an_expired_token_is_made_anew_and_nothing_happens_twice(hms: BackEnd, place: Place):
    alice = await place.enter("Alice", "host")
    # The SDK goes on with a token for half a minute after its end; this server allows clocks to differ by ten seconds.
    ended = int(time.time()) - 20
    old = {"forceNew": True, "issuedAt": ended - 60, "notValidBefore": ended - 60, "validForSeconds": 60}
    await hms.call("auth.getManagementToken", old)

    await hms.call("activeRooms.sendMessage", place.id, {"message": "once"})

    assert hms.sent == 2
    await hms.call("activeRooms.sendMessage", place.id, {"message": "again"})
    assert hms.sent == 1
    await alice.until(lambda: "again" in texts(alice))
    assert texts(alice) == ["once", "again"]
    await alice.close()


async def test_a_wrong_secret_is_told_as_text(server: RunningServer, place: Place):
    stranger = BackEnd(server, "another secret that is long enough to sign with")
    with pytest.raises(Refused) as refusal:
        await stranger.call("rooms.retrieveById", place.id)
    assert (refusal.value.code, refusal.value.message, stranger.sent) == (401, "token: invalid", 2)
    await asyncio.to_thread(stranger.close)


@pytest.mark.parametrize(
    "path", ["recordings.list", "liveStreams.list", "externalStreams.list", "recordingAssets.list"]
)
async def test_media_is_told_to_be_missing(hms: BackEnd, path: str):
    with pytest.raises(Refused) as refusal:
        await hms.call(path)
    assert (refusal.value.code, refusal.value.message) == (404, "no such resource")


@pytest.mark.parametrize("wrapper", ["listTrackEvents", "listRecordingEvents"])
async def test_there_are_no_events_of_media(hms: BackEnd, place: Place, wrapper: str):
    assert await hms.call(f"analytics.{wrapper}", {"room_id": place.id}) == []


async def test_calls_that_have_no_wrapper_go_by_get_and_post(hms: BackEnd, place: Place):
    found = await hms.call("api.get", "/rooms", {"name": (await hms.call("api.get", f"/rooms/{place.id}"))["name"]})
    assert [room["id"] for room in found["data"]] == [place.id]
    with pytest.raises(Refused) as refusal:
        await hms.call("api.post", f"/rooms/{place.id}", {"size": -1})
    assert refusal.value.code == 400 and refusal.value.message.startswith("size: ")
