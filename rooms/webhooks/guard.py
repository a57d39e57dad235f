"""Which addresses webhooks are sent to. Pure; whoever configures an endpoint need not be trusted with the network."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from rooms.access.addresses import Address, Network, host_of

MAX_URL_CHARS = 2000

_PORTS = {"https": 443, "http": 80}


class Refused(Exception):
    """A target that nothing is sent to. The text says why."""


class Target(NamedTuple):
    """What a URL names: ``host`` without brackets."""

    scheme: str
    host: str
    port: int


def target_of(url: str, *, allow_http: bool) -> Target:
    """The target of a URL. Raises Refused."""
    if len(url) > MAX_URL_CHARS:
        raise Refused(f"has more than {MAX_URL_CHARS} characters")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Refused("has characters that no URL has; write names as browsers send them, xn--…")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = host_of(parts.hostname or "").strip("[]")
    except ValueError as error:
        raise Refused(f"cannot be read: {error}") from None
    if parts.scheme not in _PORTS:
        raise Refused("is neither https:// nor http://" if allow_http else "is not https://")
    if parts.scheme == "http" and not allow_http:
        raise Refused("is http://, which WEBHOOK_HTTP allows")
    if "@" in parts.netloc:
        raise Refused("has a user's name in it; send it in a header")
    if parts.fragment:
        raise Refused("has a fragment")
    if port == 0:
        raise Refused("has no port after its colon")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme])


# The special-purpose registries of IANA, and what is not in them: ipaddress has other lists in each version of Python.
_FORBIDDEN: list[Network] = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # where Azure's machines find what concerns them, at an address of the open network
    )
]  # fmt: skip

_OPEN = ip_network("2000::/3")
"""The only IPv6 addresses that were ever given out."""

_FORBIDDEN_IN_OPEN: list[Network] = [
    ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")
]
"""Teredo's are within the first."""

_TRANSLATED = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")


def is_reachable(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether webhooks may be sent to an address; those of the ``allowed`` networks are, whatever they are."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            # The same host, in another spelling.
            return is_reachable(address.ipv4_mapped, allowed)
        address = IPv6Address(int(address))  # without the name of an interface
    if any(address in network for network in allowed if network.version == address.version):
        return True
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _FORBIDDEN)
    if address in _TRANSLATED:
        return is_reachable(IPv4Address(int(address) & 0xFFFFFFFF), allowed)
    if address in _SIX_TO_FOUR:
        return is_reachable(IPv4Address(int(address) >> 80 & 0xFFFFFFFF), allowed)
    return address in _OPEN and not any(address in network for network in _FORBIDDEN_IN_OPEN)


def reachable(found: Iterable[str], allowed: Sequence[Network]) -> list[Address]:
    """Those addresses that a name has which webhooks may be sent to. Raises Refused if there is none."""
    chosen = [address for address in map(ip_address, dict.fromkeys(found)) if is_reachable(address, allowed)]
    if not chosen:
        raise Refused("the name has no address that webhooks may be sent to, see WEBHOOK_ALLOWED_NETWORKS")
    return chosen
