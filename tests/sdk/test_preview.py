import pytest

from tests.sdk.driver import RELEASES, ends_of, since

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_a_preview_shows_the_room_without_being_in_it(room, release):
    alice = await room.join(release, "Alice")
    bob = await room.open(release, "Bob")

    await bob.call("preview", bob.config(room.token("guest"), room.server))
    await bob.sees("Preview", "state")
    await bob.sees(1, "count")
    assert await alice.see("names") == ["Alice"]

    await bob.join(room.token("guest", user="bob"), room.server)
    for peer in (alice, bob):
        await peer.sees(["Alice", "Bob"], "names")
        await peer.sees(2, "count")


@pytest.mark.parametrize("release", ends_of(since("0.9.0")))
async def test_a_room_code_gives_a_token(room, release):
    alice = await room.open(release, "Alice")
    token = await alice.call("tokenByCode", room.codes["guest"], "alice-1", f"{room.server}/v2/token")
    await alice.join(token, room.server)

    await alice.sees({"Alice": "guest"}, "roles")
    await alice.sees({"Alice": "alice-1"}, "users")

    error = await alice.refused("tokenByCode", "abc-defg-hij", "alice-1", f"{room.server}/v2/token")
    assert error["code"] == 404
