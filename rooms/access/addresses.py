"""Origins, hosts and network addresses, each in one form, so that equal ones compare equal."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")


def origin_of(text: str) -> str:
    """An origin as browsers send it: lower case, without the port that its scheme implies and without a slash.

    Raises ValueError, which says what an origin does not have.
    """
    scheme, found, rest = text.partition("://")
    if not found or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme, re.IGNORECASE | re.ASCII):
        raise ValueError("has no scheme such as https://")
    if re.search(r"[?#\\\s]|/.", rest):
        raise ValueError("has more than scheme, host and port")
    if "@" in rest:
        raise ValueError("has a user's name in it")
    parts = urlsplit(f"{scheme.lower()}://{rest}")
    port = parts.port  # raises ValueError if it is no port
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError("has no port after its colon")
    end = "" if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{port}"
    return f"{parts.scheme}://{host_of(parts.hostname or '')}{end}"


def host_of(text: str) -> str:
    """A host name in lower case, or an address, an IPv6 one in brackets. Raises ValueError."""
    bare = text.removeprefix("[").removesuffix("]")
    try:
        address = ip_address(bare)
    except ValueError:
        name = text.lower()
        if not name.isascii():
            raise ValueError("has letters that are not ASCII; write it as browsers send it, xn--…") from None
        if len(name) > 253 or not _NAME.fullmatch(name):
            raise ValueError("has no host name in it") from None
        return name
    return f"[{address}]" if address.version == 6 else str(address)


def address_of(text: str) -> Address | None:
    """The address in the text, an IPv4 address that was mapped to IPv6 as itself, or None if it holds none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.version == 6 and address.ipv4_mapped) or address


def network_of(text: str) -> Network:
    """A network, or that of a single address. Raises ValueError."""
    try:
        network = ip_network(text)
    except ValueError:
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            raise ValueError("is neither an address nor a network") from None
        raise ValueError(f"is an address within a network; is it {network} that is meant?") from None
    # In the form that address_of gives, or it would hold none of its addresses.
    if network.version == 6 and network.prefixlen >= 96 and (mapped := network.network_address.ipv4_mapped):
        return IPv4Network((mapped, network.prefixlen - 96))
    return network


def is_within(text: str, networks: Iterable[Network]) -> bool:
    """Whether the text is an address in one of the networks."""
    address = address_of(text)
    return address is not None and any(address in network for network in networks)
