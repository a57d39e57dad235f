import pytest

from tests.sdk.driver import RELEASES, ends_of, since

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("release", ends_of(RELEASES))
async def test_a_role_is_changed_at_once_or_when_accepted(room, release):
    alice, bob = await room.meet((release, "Alice", "host"), (release, "Bob", "guest"))

    await alice.call("changeRole", "Bob", "viewer", True)
    for peer in (alice, bob):
        await peer.sees({"Alice": "host", "Bob": "viewer"}, "roles")
    assert (await bob.see("permissions"))["endRoom"] is False

    await alice.call("changeRole", "Bob", "host", False)
    await bob.sees({"role": "host", "by": "Alice"}, "roleRequest")
    await bob.call("rejectRole")
    await bob.sees(None, "roleRequest")
    assert await bob.see("roles") == {"Alice": "host", "Bob": "viewer"}

    await alice.call("changeRole", "Bob", "host", False)
    await bob.sees({"role": "host", "by": "Alice"}, "roleRequest")
    await bob.call("acceptRole")
    for peer in (alice, bob):
        await peer.sees({"Alice": "host", "Bob": "host"}, "roles")
    assert (await bob.see("permissions"))["endRoom"] is True

    # Bob may do now what a host may.
    await bob.call("changeRole", "Alice", "guest", True)
    for peer in (alice, bob):
        await peer.sees({"Alice": "guest", "Bob": "host"}, "roles")


@pytest.mark.parametrize("release", ends_of(since("0.8.4")))
async def test_everybody_with_a_role_gets_another(room, release):
    alice, bob, carol = await room.meet(
        (release, "Alice", "host"), (release, "Bob", "guest"), (release, "Carol", "viewer")
    )

    await alice.call("changeRoleOfPeersWithRoles", ["guest", "viewer"], "host")
    for peer in (alice, bob, carol):
        await peer.sees({"Alice": "host", "Bob": "host", "Carol": "host"}, "roles")
