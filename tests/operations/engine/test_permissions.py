"""What a role may do and what not, asked by raw frames on real sockets."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps

from rooms.models import Worker
from rooms.wire.roles import PERMISSIONS
from tests.support.cluster import Cluster, leave_all
from tests.support.permissions import NEEDS, SOUP, filled
from tests.support.server import Message, RawPeer, RpcError, RunningServer
from tests.support.sockets import chat

pytestmark = pytest.mark.matrix


def roles() -> dict[str, Any]:
    """A template with a host and a guest, and for each permission a role with it alone and one with all but it."""
    held: dict[str, set[str]] = {"host": set(PERMISSIONS), "guest": set(), "tester": set()}
    for name in PERMISSIONS:
        # Who may make polls may see them too.
        lacks = {name, "pollWrite"} if name == "pollRead" else {name}
        held |= {f"only {name}": {name}, f"no {name}": set(PERMISSIONS) - lacks}
    return {role: {"permissions": {name: name in has for name in PERMISSIONS}} for role, has in held.items()}


MAKE_ROOMS = """
import json
from rooms.creation.rooms import create_room
from rooms.models import Template
template = Template.objects.create(name="permissions", roles={roles})
print(json.dumps([create_room(template=template).id for _ in range({count})]))
"""


@pytest.fixture(scope="session")
def rooms(cluster: Cluster) -> Iterator[str]:
    """Ids of rooms of that template that nobody has used."""
    code = MAKE_ROOMS.format(roles=roles(), count=len(PERMISSIONS))
    return iter(json.loads(cluster.first.manage("shell", "--no-imports", "-c", code).splitlines()[-1]))


async def enter(process: RunningServer, room: str, user: str, role: str) -> RawPeer:
    peer = await process.peer(process.sign(room, role, user), user, peer_id=f"peer-{user}")
    await peer.wait_for("peer-list")
    return peer


async def set_the_stage(cluster: Cluster, room: str) -> tuple[RawPeer, RawPeer, str]:
    """A host and somebody else, at both processes if there are two, and polls in every state; a message's id."""
    host, other = await enter(cluster.first, room, "Host", "host"), await enter(cluster.last, room, "Other", "guest")
    for poll_id in ("draft", "running", "over"):
        await host.call("poll-info-set", poll_id=poll_id, title="Lunch")
        await host.call("poll-questions-set", poll_id=poll_id, questions=[SOUP])
    for poll_id in ("running", "over"):
        await host.call("poll-start", poll_id=poll_id)
    await host.call("poll-stop", poll_id="over")
    await host.call("set-metadata", key="timer", data=1)
    await other.call("listen-metadata-change", keys=["default", "spotlight", "pinnedMessages"])
    return host, other, (await chat(host, "hello"))["message_id"]


async def allowed(peer: RawPeer, permission: str, said: str) -> None:
    """Make the calls that need a permission."""
    for needed, method, params in NEEDS:
        if needed == permission:
            await peer.call(method, **filled(params, said))
            if method == "end-room":
                return  # there is no room to end any more


async def refused(peer: RawPeer, permission: str, role: str, said: str) -> None:
    """Make the calls that need a permission, as requests and as notifications; each is refused and says why."""
    error = {"code": 403, "message": f"the role {role} lacks the permission {permission}"}
    for needed, method, params in NEEDS:
        if needed == permission:
            params = filled(params, said)
            with pytest.raises(RpcError) as refusal:
                await peer.call(method, **params)
            assert {"code": refusal.value.code, "message": refusal.value.message} == error, method
            before = len(peer.events)
            await peer.notify(method, **params)
            answer = await peer.wait_for(lambda event: "error" in event, after=before)
            assert (answer["id"], answer["error"]) == (None, error), method


def stored(cluster: Cluster, room: str) -> dict[str, list[str]]:
    """Every row of the database that has to do with a room, by table."""
    session = f"SELECT id FROM rooms_session WHERE room_id = '{room}'"
    of_room = {
        "poll_id": f"poll_id IN (SELECT id FROM rooms_poll WHERE session_id IN ({session}))",
        "session_id": f"session_id IN ({session})",
        "room_id": f"room_id = '{room}'",
    }
    rows = {}
    for model in set(apps.get_app_config("rooms").get_models()) - {Worker}:
        table, columns = model._meta.db_table, {field.column for field in model._meta.local_fields}
        where = of_room["session_id"] if "session_id" in columns else ""
        where = where or next((of_room[name] for name in ("poll_id", "room_id") if name in columns), "true")
        rows[table] = sorted(map(repr, cluster.first.select(f"SELECT * FROM {table} WHERE {where}")))
    return rows


def news(peer: RawPeer, since: int) -> list[Message]:
    """What a peer was told of the room; a head count may still have been on its way."""
    return [event for event in peer.events[since:] if event.get("method") != "session-info" and "error" not in event]


@pytest.mark.parametrize("permission", PERMISSIONS)
async def test_i33_a11_nothing_can_be_done_without_its_permission(cluster: Cluster, rooms, permission: str):
    room = next(rooms)
    lacking, having = f"no {permission}", f"only {permission}"
    host, other, said = await set_the_stage(cluster, room)
    # One peer comes without the permission, from another it is taken away, which counts from the next frame on.
    stranger = await enter(cluster.first, room, "Stranger", lacking)
    fallen = await enter(cluster.last, room, "Fallen", having)
    await host.call("role-change-request", requested_for=fallen.peer_id, role=lacking, force=True)
    await refused(fallen, permission, lacking, said)
    await chat(host, "now it counts")
    for peer in (other, stranger, fallen):
        await peer.wait_for("on-broadcast")

    everybody = [host, other, stranger, fallen]
    heard_before = [len(peer.events) for peer in everybody]
    before = stored(cluster, room)
    await refused(stranger, permission, lacking, said)
    await refused(fallen, permission, lacking, said)

    assert stored(cluster, room) == before
    last = await chat(host, "and on it goes")
    for peer, since in zip(everybody[1:], heard_before[1:], strict=True):
        await peer.wait_for("on-broadcast", after=since)
        assert [event["seq"] for event in news(peer, since)] == [last["seq"]]
    assert news(host, heard_before[0]) == []
    assert all(peer.open for peer in everybody)

    await host.call("role-change-request", requested_for=fallen.peer_id, role=having, force=True)
    before = stored(cluster, room)
    await allowed(fallen, permission, said)
    assert stored(cluster, room) != before
    await leave_all(everybody)
