"""What a back end does to a session's state reaches whoever is inside within a second, also over another process."""

import asyncio
from collections import Counter

import pytest

from tests.support.back_end import back_end
from tests.support.cluster import Cluster, leave_all

pytestmark = [pytest.mark.asyncio, pytest.mark.matrix]

SECOND = 1.0


async def test_peers_see_metadata_that_is_set_patched_removed_and_expires(cluster: Cluster, slack: float):
    room = cluster.room()
    alice = await cluster.peer(room)
    await alice.call("listen-metadata-change", keys=["agenda"])
    keys = f"active-rooms/{room}/metadata"

    async def heard(version: int, late: float = 0) -> dict:
        def tells(event: dict) -> bool:
            return event["method"] == "on-metadata-change" and event["params"]["values"][0]["change_version"] == version

        return (await alice.wait_for(tells, timeout=SECOND + late + slack))["params"]["values"][0]

    async with back_end(cluster.last) as rest:
        answer = await rest.put(f"{keys}/agenda", json={"data": {"title": "Q2", "old": 1}})
        entry = answer.json()
        assert await heard(1) == {name: value for name, value in entry.items() if name != "seq"}

        merge = {"content-type": "application/merge-patch+json", "if-match": answer.headers["ETag"]}
        assert (await rest.patch(f"{keys}/agenda", content='{"title":"Q3","old":null}', headers=merge)).is_success
        assert (await heard(2))["data"] == {"title": "Q3"}

        assert (await rest.delete(f"{keys}/agenda")).is_success
        assert (await heard(3))["data"] is None

        assert (await rest.post(keys, json={"changes": [{"key": "agenda", "data": 1, "expires_in": 1}]})).is_success
        await heard(4)
        assert (await heard(5, late=1))["data"] is None
        assert (await rest.get(f"{keys}/agenda")).status_code == 404
    await leave_all([alice])


async def test_a_lock_that_is_released_goes_to_who_waits_for_it_at_once(cluster: Cluster, slack: float):
    room = cluster.room()
    alice, bob = await cluster.peer(room), await cluster.peer(room, "bob", at=cluster.last)
    held = await alice.call("lock", name="deck")
    waiting = await bob.begin("lock", name="deck", wait_ms=60_000)
    await bob.call("get-metadata")  # which is answered after the other has its place

    async with back_end(cluster.last) as rest:
        released = await rest.delete(f"active-rooms/{room}/locks/deck", headers={"if-match": f'"{held["token"]}"'})

    assert released.json()["holder"] == bob.peer_id
    assert (await asyncio.wait_for(waiting, SECOND + slack))["token"] == released.json()["token"]
    lost = await alice.wait_for(lambda event: event["params"].get("reason") == "revoked", timeout=SECOND + slack)
    assert lost["params"]["holder"] == bob.peer_id
    await leave_all([alice, bob])


async def test_of_many_writers_at_once_with_one_version_one_is_right(cluster: Cluster):
    room = cluster.room()
    alice = await cluster.peer(room)
    entry = f"active-rooms/{room}/metadata/slide"
    async with back_end(cluster.first) as here, back_end(cluster.last) as there:
        for version, headers in enumerate([{"if-none-match": "*"}, {"if-match": '"1"'}]):
            # All different: to write what stands already is no change, and right at any version.
            both = [(here if writer % 2 else there, [version, writer]) for writer in range(8)]
            asked = [rest.put(entry, json={"data": value}, headers=headers) for rest, value in both]
            answers = await asyncio.gather(*asked)

            assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 7}
            [right] = [answer.json() for answer in answers if answer.status_code == 200]
            right.pop("seq")
            assert all(answer.json()["data"] == right for answer in answers if answer.status_code == 412)
    await leave_all([alice])
