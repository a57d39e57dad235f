"""What a handshake must satisfy: host, origin and rate."""

import logging

import pytest

from rooms.access.handshakes import Door
from tests.support.sockets import HOST, LocalPeer, Refused, World


async def comes_in(world: World, *, origin: str | None = None, host: str = HOST) -> bool:
    peer = world.stranger("alice")
    peer.origin, peer.host = origin, host
    try:
        await peer.connect()
    except Refused:
        return False
    await peer.wait_for("on-policy-change")
    return True


@pytest.mark.parametrize("origin", [None, f"http://{HOST}"])
async def test_own_pages_and_programs_come_in(world: World, origin: str | None):
    assert await comes_in(world, origin=origin)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        f"https://{HOST}",
        "http://127.0.0.1:8001",
        "http://127.0.0.1",
        f"http://{HOST}.evil.example",
        f"http://evil.example#{HOST}",
        f"http://user@{HOST}",
        "null",
        "",
        "file://",
        "http://",
        "http://[",
    ],
)
async def test_i31_foreign_pages_stay_out_and_the_log_says_why(world: World, caplog, origin: str):
    with caplog.at_level(logging.WARNING, "rooms.door"):
        assert not await comes_in(world, origin=origin)
    [line] = [record for record in caplog.records if record.name == "rooms.door"]
    assert line.context == {"why": f"origin {origin!r} is neither 'http://{HOST}' nor in ALLOWED_ORIGINS"}


async def test_i31_configured_origins_come_in_and_no_others(world: World, settings):
    settings.ALLOWED_ORIGINS = ["https://app.example"]
    assert await comes_in(world, origin="https://app.example")
    assert not await comes_in(world, origin="http://app.example")
    assert not await comes_in(world, origin="https://app.example:444")
    assert not await comes_in(world, origin="https://sub.app.example")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:5173", True),
        ("https://127.0.0.9", True),
        ("http://[::1]:3000", True),
        ("http://localhost.evil.example", False),
        ("ftp://localhost", False),
        ("null", False),
    ],
)
async def test_in_development_every_page_of_this_machine_comes_in(world: World, settings, origin: str, allowed: bool):
    settings.ALLOWED_ORIGINS = ["loopback"]
    assert await comes_in(world, origin=origin) is allowed


async def test_any_origin_may_be_allowed(world: World, settings):
    settings.ALLOWED_ORIGINS = ["*"]
    assert await comes_in(world, origin="https://anything.example")
    assert await comes_in(world, origin="null")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "evil.example:8000"])
async def test_a_handshake_for_another_host_is_refused(world: World, host: str):
    assert not await comes_in(world, host=host)
    assert not await comes_in(world, host=host, origin=f"http://{host}")


async def test_the_public_url_is_the_own_origin(world: World, settings):
    settings.PUBLIC_URL = "https://rooms.example"
    assert await comes_in(world, origin="https://rooms.example")
    assert not await comes_in(world, origin=f"http://{HOST}")


async def test_an_address_that_opens_too_many_sockets_is_refused(world: World, settings):
    settings.CONNECT_RATE, settings.CONNECT_BURST = 0.001, 3
    door = Door(LocalPeer("")._application._application)
    outcomes = []
    for _ in range(5):
        peer = world.stranger("alice", application=door)
        try:
            await peer.connect()
            outcomes.append(True)
        except Refused:
            outcomes.append(False)
    assert outcomes == [True, True, True, False, False]
