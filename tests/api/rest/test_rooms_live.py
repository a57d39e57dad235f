"""What a back end does in a room is seen by whoever is inside within a second, also over another process."""

import asyncio

import pytest

from tests.support.back_end import back_end
from tests.support.cluster import Cluster
from tests.support.sockets import heard

pytestmark = [pytest.mark.asyncio, pytest.mark.matrix]

SECOND = 1.0


async def test_peers_hear_messages_see_another_role_a_removal_and_the_end(cluster: Cluster, slack: float):
    room, soon = cluster.room(), SECOND + slack
    alice = await cluster.peer(room, role="host")
    bob = await cluster.peer(room, "bob", at=cluster.last)

    async with back_end(cluster.last) as rest:

        async def act(path: str, **body: object) -> None:
            answer = await rest.post(f"active-rooms/{room}/{path}", json=body)
            assert answer.is_success, answer.text

        await act("send-message", message="to Alice", peerId=alice.peer_id)
        await act("send-message", message="to all")
        for peer, expected in ((alice, ["to Alice", "to all"]), (bob, ["to all"])):
            await peer.until(lambda peer=peer: "to all" in heard(peer), timeout=soon)
            assert heard(peer) == expected

        place = len(bob.events)
        await act(f"peers/{bob.peer_id}", role="viewer", name="Robert")
        assert (await bob.wait_for("on-policy-change", after=place, timeout=soon))["params"]["name"] == "viewer"
        await alice.wait_for(lambda event: event["params"].get("info", {}).get("name") == "Robert", timeout=soon)

        await act("remove-peers", role="viewer", reason="enough")
        told = await bob.wait_for("on-peer-leave-request", timeout=soon)
        assert told["params"] == {"reason": "enough", "room_end": False}
        left = await alice.wait_for("on-peer-leave", timeout=soon)
        assert left["params"]["peer_id"] == bob.peer_id

        await act("end-room", reason="over", lock=True)
        told = await alice.wait_for("on-peer-leave-request", timeout=soon)
        assert told["params"] == {"reason": "over", "room_end": True}
        assert [await peer.wait_closed() for peer in (alice, bob)] == [4003, 4003]

        assert (await rest.get(f"active-rooms/{room}")).status_code == 404
        [session] = (await rest.get("sessions", params={"room_id": room})).json()["data"]
        assert {peer["name"]: peer["role"] for peer in session["peers"].values()} == {
            "Alice": "host",
            "Robert": "viewer",
        }
        assert (await rest.get(f"rooms/{room}")).json()["enabled"] is False


async def test_calls_at_once_at_two_processes_make_one_code_a_role_and_one_room_a_name(cluster: Cluster):
    room = cluster.room()
    async with back_end(cluster.first) as here, back_end(cluster.last) as there:
        for code in (await here.get(f"room-codes/room/{room}")).json()["data"]:
            await here.post("room-codes/code", json={"code": code["code"], "enabled": False})

        made = await asyncio.gather(*[rest.post(f"room-codes/room/{room}") for rest in (here, there) * 4])
        assert len({answer.text for answer in made}) == 1
        opened = (await there.get(f"room-codes/room/{room}", params={"enabled": True})).json()["data"]
        assert sorted(code["role"] for code in opened) == ["guest", "host", "viewer"]

        rooms = await asyncio.gather(
            *[rest.post("rooms", json={"name": f"at-once-{room}"}) for rest in (here, there) * 4]
        )
        assert {answer.status_code for answer in rooms} == {200}
        assert len({answer.json()["id"] for answer in rooms}) == 1


async def test_an_address_that_is_no_text_is_refused(cluster: Cluster):
    async with back_end(cluster.last) as rest:
        answers = [await rest.get(address) for address in ("rooms/%ff", "rooms?name=%ff", "rooms/%EF%BF%BD")]
    assert [answer.json()["message"] for answer in answers] == [
        "path: not text that can be read and stored",
        "query: not text that can be read and stored",
        "room: no such room",
    ]
