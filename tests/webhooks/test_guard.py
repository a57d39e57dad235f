"""Where webhooks are not sent to, however it is spelled and whatever DNS says."""

from ipaddress import ip_address, ip_network

import pytest

from rooms.access.addresses import Network
from rooms.webhooks.guard import Refused, Target, is_reachable, reachable, target_of
from rooms.webhooks.resolving import resolve
from rooms.webhooks.sending import Rules, Sender
from rooms.webhooks.signing import new_secret
from tests.support.receiver import Receiver

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "0.0.0.0", "0.1.2.3", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
        "100.100.100.200", "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "2001:db8::1", "3fff::1", "100::1", "5f00::1",
        # The same as some of these, in other words.
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:7f00:1",  # mapped
        "::127.0.0.1", "::7f00:1",  # compatible
        "::ffff:0:127.0.0.1",  # translated, RFC 2765
        "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1",  # NAT64
        "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::1",  # 6to4
        "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001::1",  # Teredo
    ],
)  # fmt: skip
def test_an_address_of_no_open_network_is_not_reachable(address):
    assert not is_reachable(ip_address(address), [])
    with pytest.raises(Refused):
        reachable([address], [])


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "169.253.1.1", "2606:4700::1111", "2a00:1450::1",
     "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"],
)  # fmt: skip
def test_an_address_of_the_open_network_is_reachable(address):
    assert is_reachable(ip_address(address), [])


@pytest.mark.parametrize(
    ("address", "allowed", "expected"),
    [
        ("127.0.0.1", "127.0.0.0/8", True),
        ("::ffff:127.0.0.1", "127.0.0.0/8", True),
        ("127.0.0.1", "10.0.0.0/8", False),
        ("::1", "::1/128", True),
        ("::1", "127.0.0.0/8", False),
        ("fd00::7", "fd00::/8", True),
        ("64:ff9b::10.0.0.1", "10.0.0.0/8", True),
        ("169.254.169.254", "10.0.0.0/8", False),
    ],
)
def test_networks_that_are_allowed_are_reachable_and_no_others(address, allowed, expected):
    networks: list[Network] = [ip_network(allowed)]
    assert is_reachable(ip_address(address), networks) is expected


def test_of_several_addresses_only_those_are_used_that_may_be():
    assert reachable(["10.0.0.1", "8.8.8.8", "::1", "8.8.8.8"], []) == [ip_address("8.8.8.8")]


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.org/a?b=c", Target("https", "hooks.example.org", 443)),
        ("https://Hooks.example.org:8443", Target("https", "hooks.example.org", 8443)),
        ("https://[2606:4700::1111]/x", Target("https", "2606:4700::1111", 443)),
    ],
)
def test_a_target_is_what_a_url_names(url, target):
    assert target_of(url, allow_http=False) == target


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example.org", "is http://"),
        ("ftp://hooks.example.org", "is not https://"),
        ("file:///etc/passwd", "cannot be read"),
        ("//hooks.example.org", "is not https://"),
        ("https://", "cannot be read"),
        ("https://user:pass@hooks.example.org", "has a user's name"),
        ("https://hooks.example.org:0/", "has no port"),
        ("https://hooks.example.org:99999/", "cannot be read"),
        ("https://hooks.example.org/#a", "has a fragment"),
        ("https://hooks.example.org/a b", "has characters"),
        ("https://hooks.example.org\\@127.0.0.1/", "has characters"),
        ("https://bücher.example/", "has characters"),
        ("https://a.example/\r\nx: y", "has characters"),
        ("https://a.example/" + "x" * 2000, "has more than 2000"),
    ],
)
def test_a_url_that_is_of_no_use_is_refused(url, why):
    with pytest.raises(Refused, match=why):
        target_of(url, allow_http=False)


# --- On the wire --------------------------------------------------------------------------------


def sender(url: str, networks: list[Network], *, seconds: float = 2, resolve=resolve) -> Sender:
    return Sender(url, {}, [new_secret()], Rules(seconds, True, networks), resolve)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.1", "0x7f.1", "2130706433", "0"])
async def test_loopback_is_not_reached_by_any_spelling(receiver: Receiver, host):
    async with sender(f"http://{host}:{receiver.port}/", []) as sending:
        sent = await sending.send("id", "{}")
    assert (sent.status, sent.taken) == (0, False)
    assert receiver.got == []


async def test_an_address_is_reached_where_its_network_is_allowed(receiver: Receiver):
    async with sender(f"http://localhost:{receiver.port}/hook?x=1", [*LOOPBACK, ip_network("::1")]) as sending:
        sent = await sending.send("id", "{}")
    assert sent == (200, "")
    assert (receiver.got[0].path, receiver.got[0].headers["host"]) == ("/hook?x=1", f"localhost:{receiver.port}")


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(receiver: Receiver, monkeypatch):
    """A name that is of the open network when it is looked at, and of this machine ever after."""
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["192.88.0.1"] if len(asked) == 1 else ["127.0.0.1"]

    # Nothing of the network is to be reached: what would be connected to is written down.
    connected: list[str] = []

    async def connect(*, remote_host: str, **_: object) -> None:
        connected.append(remote_host)
        raise OSError("not here")

    monkeypatch.setattr("anyio.connect_tcp", connect)
    async with sender(f"http://rebind.example:{receiver.port}/", [], resolve=rebinding) as sending:
        first = await sending.send("id", "{}")
        second = await sending.send("id", "{}")

    assert connected == ["192.88.0.1"]
    assert first.error.startswith("ConnectError")
    assert second.error.startswith("refused: the name has no address")
    assert asked == ["rebind.example"] * 2
    assert receiver.got == []


async def test_a_connection_that_is_kept_is_no_way_round(receiver: Receiver):
    """The name is looked up for each try, also where there is a connection already."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    async def moving(host: str, port: int) -> list[str]:
        return next(answers)

    async with sender(f"http://moving.example:{receiver.port}/", LOOPBACK, resolve=moving) as sending:
        assert (await sending.send("1", "{}")).taken
        assert (await sending.send("2", "{}")).error.startswith("refused")
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(receiver: Receiver, status):
    with Receiver() as elsewhere:
        receiver.answer, receiver.location = lambda got: status, elsewhere.url
        async with sender(receiver.url, LOOPBACK) as sending:
            sent = await sending.send("id", "{}")
    assert (sent.status, sent.taken) == (status, False)
    assert elsewhere.got == []


async def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch):
    with Receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with sender(receiver.url, LOOPBACK) as sending:
            assert (await sending.send("id", "{}")).taken
    assert (len(receiver.got), proxy.got) == (1, [])
