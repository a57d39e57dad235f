import asyncio
import time

import pytest

from tests.sdk.driver import RELEASES, ends_of, make_rooms
from tests.support.server import RunningServer

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]

UNKNOWN_ROOM = "000000000000000000000000"


@pytest.fixture(scope="module")
def disabled_room(server):
    return make_rooms(server, enabled=False)[0][0]


@pytest.fixture(scope="module")
def rooms_for_one(server):
    return iter(make_rooms(server, len(RELEASES), size=1))


async def refusal(peer, room, token):
    """The code that join() rejects with on a page that tried nothing before."""
    await peer.page.reload()
    error = await peer.refused("join", peer.config(token, room.server))
    assert await peer.see("connected") is False
    return error["code"]


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_a_token_that_is_not_good_is_refused(room, release):
    alice = await room.open(release, "Alice")
    header, payload, signature = room.token().split(".")
    stranger = room.token(access_key="somebody-else")
    expired = int(time.time()) - 3600

    assert await refusal(alice, room, f"{header}.{payload}.{signature[::-1]}") == 401
    assert await refusal(alice, room, stranger) == 401
    assert await refusal(alice, room, room.token(exp=expired, iat=expired - 60, nbf=expired - 60)) == 401
    assert await refusal(alice, room, room.token(type="management")) == 401
    assert await refusal(alice, room, room.token(role="emperor")) == 403


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_a_room_that_is_not_open_is_refused(room, release, disabled_room):
    alice = await room.open(release, "Alice")

    assert await refusal(alice, room, room.running.sign(UNKNOWN_ROOM, "host")) == 403
    assert await refusal(alice, room, room.running.sign(disabled_room, "host")) == 403


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_a_full_room_is_refused_until_somebody_leaves(server, room_in, rooms_for_one, release):
    room = room_in(server, *next(rooms_for_one))
    alice = await room.join(release, "Alice")
    bob = await room.open(release, "Bob")

    assert await refusal(bob, room, room.token("guest", "bob")) == 403

    await alice.call("leave")
    await bob.page.reload()
    await bob.join(room.token("guest", "bob"), room.server)
    await bob.sees(["Bob"], "names")


async def test_a_page_of_an_origin_that_is_not_allowed_is_refused_by_every_release(room_in):
    with RunningServer(ALLOWED_ORIGINS="https://app.example.org") as server:
        room = room_in(server, *make_rooms(server)[0])
        for release in RELEASES:
            peer = await room.open(release, f"Bob {release}")
            assert await refusal(peer, room, room.token()) == 403


async def test_a_token_that_expires_ends_the_stay_of_every_release(room):
    accepted_late = 10  # seconds that clocks may differ by

    async def stay(release):
        bob = await room.open(release, f"Bob {release}")
        await bob.join(room.token("guest", release, exp=int(time.time()) - accepted_late + 8), room.server)
        return bob

    alice = await room.join("0.15.2", "Alice")
    bobs = await asyncio.gather(*(stay(release) for release in RELEASES))
    for bob in bobs:
        await bob.sees("Disconnected", "state")
        await bob.sees(["ERROR"], "notices", "ERROR", "RECONNECTING")
        assert await bob.see("errorCode") == 401
    assert await alice.see("connected") is True
