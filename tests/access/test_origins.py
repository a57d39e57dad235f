"""Where requests come from: by the connection, and by what trusted proxies say."""

from ipaddress import ip_network

import pytest

from rooms.access import origins


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody's proxy
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("::ffff:10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("fd00::7", "2001:db8::1", "2001:db8::1"),
        ("10.1.2.3", "192.0.2.66, 198.51.100.1", "198.51.100.1"),  # the first is what the client claims
        ("10.1.2.3", "192.0.2.66, 198.51.100.1, 10.9.9.9", "198.51.100.1"),  # two proxies
        ("10.1.2.3", "198.51.100.1:4711", "198.51.100.1"),
        ("10.1.2.3", "[2001:DB8::1]:4711", "2001:db8::1"),
        ("10.1.2.3", "10.0.0.1", "10.0.0.1"),
        ("10.1.2.3", "unknown", "unknown"),
        ("10.1.2.3", " , ", "10.1.2.3"),
        ("", "198.51.100.1", ""),
    ],
)
def test_the_address_is_the_last_that_is_no_trusted_proxy(settings, peer, forwarded, address):
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    assert origins.client_address({"x-forwarded-for": forwarded}, peer) == address


@pytest.mark.parametrize(("peer", "secure"), [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("11.1.2.3", False)])
def test_the_scheme_is_what_a_proxy_of_a_trusted_network_says(settings, peer, secure):
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    assert origins.is_secure({"x-forwarded-proto": "https"}, secure=False, peer=peer) is secure


@pytest.mark.parametrize("host", ["rooms.example.org", "rooms.example.org:80", "Rooms.Example.org"])
def test_the_own_origin_is_written_as_browsers_write_it(host):
    assert origins.own_origin({"host": host}, secure=False, peer="") == "http://rooms.example.org"
