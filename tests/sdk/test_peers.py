import json

import pytest

from tests.sdk.driver import RELEASES, ends_of, make_rooms, since

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]

# What a template of a service with media may look like.
MEDIA_ROLES = {
    "speaker": {
        "name": "speaker",
        "priority": 1,
        "publishParams": {
            "allowed": ["audio", "video", "screen"],
            "audio": {"bitRate": 32, "codec": "opus"},
            "video": {"bitRate": 300, "codec": "vp8", "frameRate": 30, "width": 480, "height": 360},
            "screen": {"codec": "vp8", "frameRate": 10, "width": 1920, "height": 1080},
            "simulcast": {"video": {"layers": [{"rid": "f", "maxBitrate": 700}]}},
        },
        "subscribeParams": {"subscribeToRoles": ["speaker"], "maxSubsBitRate": 3200},
        "permissions": {"endRoom": True, "removeOthers": True, "mute": True, "changeRole": True},
    }
}


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_peers_see_each_other_come_change_and_go(room, release):
    alice = await room.join(release, "Alice", "host")
    bob = await room.join(release, "Bob", "guest")

    for peer in (alice, bob):
        await peer.sees({"Alice": "host", "Bob": "guest"}, "roles")
        await peer.sees({"Alice": "alice", "Bob": "bob"}, "users")
        await peer.sees(2, "count")
        await peer.sees(["guest", "host", "viewer"], "knownRoles")
    assert await alice.see("ids") == await bob.see("ids")
    assert await alice.see("session") == await bob.see("session")
    await alice.sees(["PEER_JOINED"], "notices", "PEER_JOINED")

    await bob.call("changeName", "Robert")
    await bob.call("changeMetadata", '{"status":"away"}')
    for peer in (alice, bob):
        await peer.sees(["Alice", "Robert"], "names")
        await peer.sees({"Alice": "", "Robert": '{"status":"away"}'}, "metadata")

    await bob.call("leave")
    await bob.sees(False, "connected")
    await alice.sees(["Alice"], "names")
    await alice.sees(1, "count")
    await alice.sees(["PEER_LEFT"], "notices", "PEER_LEFT")


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_metadata_given_at_join_reaches_those_inside_and_those_after(room, release):
    alice = await room.join(release, "Alice", metadata='{"team":"blue"}')
    bob = await room.join(release, "Bob", metadata='{"team":"red"}')

    for peer in (alice, bob):
        await peer.sees({"Alice": '{"team":"blue"}', "Bob": '{"team":"red"}'}, "metadata")


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_a_token_of_any_letters_can_be_read(room, release):
    user = "Zoë ~?>~?>~?> 漢字"
    request = {"code": room.codes["guest"], "user_id": user}
    token = room.running.request("POST", "/v2/token", json.dumps(request)).json()["token"]
    alice = await room.open(release, "Alice")
    await alice.join(token, room.server)

    await alice.sees({"Alice": user}, "users")


@pytest.mark.parametrize("release", ends_of(since("0.11.7")))
async def test_the_peers_can_be_paged_through(room, release):
    names = ["Alice", "Bob", "Carol"]
    alice, *_ = await room.meet(*((release, name, "host" if name == "Alice" else "guest") for name in names))

    everybody = await alice.call("everyPeer", {"limit": 2})
    assert [len(page) for page in everybody["pages"]] == [2, 1]
    assert sorted(name for page in everybody["pages"] for name in page) == names
    assert everybody["total"] == 3
    assert await alice.call("everyPeer", {"role": "guest"}) == {"pages": [["Bob", "Carol"]], "total": 2}


@pytest.mark.parametrize("release", ends_of(since("0.12.39")))
async def test_a_peer_can_be_found(room, release):
    alice, _, _ = await room.meet((release, "Alice", "host"), (release, "Bob", "guest"), (release, "Bobby", "guest"))
    ids = await alice.see("ids")

    bob = await alice.call("getPeer", ids["Bob"])
    assert (bob["name"], bob["roleName"]) == ("Bob", "guest")

    found = await alice.call("findPeerByName", {"query": "bob", "limit": 10})
    assert sorted(peer["name"] for peer in found["peers"]) == ["Bob", "Bobby"]


@pytest.fixture(scope="module")
def media_rooms(server):
    return iter(make_rooms(server, len(RELEASES), template="media", roles=MEDIA_ROLES))


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_roles_that_ask_for_media_are_joined_without(server, room_in, media_rooms, release):
    room = room_in(server, *next(media_rooms))
    alice, bob = await room.meet((release, "Alice", "speaker"), (release, "Bob", "speaker"))

    await alice.call("sendBroadcastMessage", "no camera needed")
    await bob.sees(["no camera needed"], "texts")
