"""What docs/scaling.md builds on: two deployments with the same secrets, and clients that come to one or the other."""

import json
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.support.server import RawPeer, RunningServer

ROUTER = "rooms.example.org"


def cell(name: str) -> RunningServer:
    return RunningServer(
        server="uvicorn",
        PUBLIC_URL=f"https://{name}.{ROUTER}",
        ALLOWED_HOSTS=f".{ROUTER},127.0.0.1",
        ALLOWED_ORIGINS=f"https://{ROUTER}",
    )


@pytest.fixture(scope="module")
def cells() -> Iterator[tuple[RunningServer, RunningServer]]:
    """Both have the room "tea", as the same row."""
    with cell("c1") as one, cell("c2") as other:
        yield one, other


def init(server: RunningServer, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}", "Host": ROUTER, "Origin": f"https://{ROUTER}"}
    with urlopen(Request(f"http://127.0.0.1:{server.port}/init?peer_id=alice", headers=headers)) as answer:
        endpoint: str = json.load(answer)["endpoint"]
    return endpoint


def test_a_cell_that_is_asked_under_the_routers_name_sends_clients_to_itself(
    cells: tuple[RunningServer, RunningServer],
) -> None:
    one, other = cells
    token = one.sign(one.room("tea"))
    assert init(one, token) == f"wss://c1.{ROUTER}/v2/ws"
    assert init(other, token) == f"wss://c2.{ROUTER}/v2/ws"


async def test_who_comes_to_another_cell_with_a_place_starts_over_there(
    cells: tuple[RunningServer, RunningServer],
) -> None:
    one, other = cells
    token = one.sign(one.room("tea"), role="host")
    alice = RawPeer(one.ws_url, token, origin=f"https://{ROUTER}")
    await alice.connect()
    place = await alice.join()
    place["seq"] = (await alice.call("set-metadata", data="tea"))["seq"]

    moved = RawPeer(other.ws_url, token, peer_id=alice.peer_id, origin=f"https://{ROUTER}")
    moved.query |= {name: str(place[name]) for name in ("session_id", "seq", "history")}
    await moved.connect()
    answer = await moved.join(resume={name: place[name] for name in ("session_id", "seq", "history")})

    assert answer["resync"] is True
    assert answer["session_id"] != place["session_id"]
    assert moved.named("on-resume") == []
    assert (await moved.call("get-metadata"))["change_version"] == 0


def test_a_cell_without_the_room_refuses_for_good(cells: tuple[RunningServer, RunningServer]) -> None:
    one, _ = cells
    with pytest.raises(HTTPError) as refused:
        init(one, one.sign("66f0a1b2c3d4e5f601234567"))
    assert refused.value.code == 403
