"""Which pages may use this server, where requests come from, and where this server can be reached."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

from rooms.access.addresses import address_of, is_within, origin_of

ANY = "*"
LOOPBACK = "loopback"
"""In ALLOWED_ORIGINS: every origin whose host is this machine."""


def is_allowed(origin: str, own: str) -> bool:
    """Whether a page of this origin may use the server, whose own origin is given: scheme, host and port count."""
    allowed = settings.ALLOWED_ORIGINS
    if ANY in allowed or origin == own or origin in allowed:
        return True
    return LOOPBACK in allowed and _is_loopback(origin)


def _is_loopback(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):
        return False
    address = address_of(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def is_own_host(host: str) -> bool:
    """Whether a Host header names this server, by ALLOWED_HOSTS."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return validate_host(f"[{name}]" if ":" in name else name, settings.ALLOWED_HOSTS)


def own_origin(headers: Mapping[str, str], *, secure: bool, peer: str) -> str:
    """This server's origin as the client sees it. ``peer`` is the address that the connection comes from."""
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL)
    secure = is_secure(headers, secure=secure, peer=peer)
    origin = f"{'https' if secure else 'http'}://{headers.get('host', '')}"
    try:
        return origin_of(origin)  # some proxies name the port that browsers leave out
    except ValueError:
        return origin


# --- Proxies ------------------------------------------------------------------------------------


def is_proxy(peer: str) -> bool:
    """Whether a connection from this address is believed about whom it speaks for."""
    return is_within(peer, settings.TRUSTED_PROXIES)


def is_secure(headers: Mapping[str, str], *, secure: bool, peer: str) -> bool:
    """Whether the client uses https: what a trusted proxy says, else what the connection itself does."""
    if "x-forwarded-proto" in headers and is_proxy(peer):
        return headers["x-forwarded-proto"].split(",")[0].strip() == "https"
    return secure


def client_address(headers: Mapping[str, str], peer: str) -> str:
    """The address of the client: the last that trusted proxies name and that is none of them.

    Where there is no trusted proxy it is that which the connection comes from.
    """
    address = peer
    named = [part for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
    # From the end: a proxy adds whom it heard, and what stands before that anybody may have written.
    while named and is_proxy(address):
        address = _without_port(named.pop().strip())
    return str(address_of(address) or address)


def _without_port(text: str) -> str:
    """Some proxies name the client's port as well: ``203.0.113.7:4711``, ``[2001:db8::7]:4711``."""
    found = re.fullmatch(r"\[([0-9a-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+", text, re.IGNORECASE | re.ASCII)
    return (found[1] or found[2]) if found else text


_FORWARDED = ("forwarded", "via", "x-real-ip")


def is_this_machine(headers: Mapping[str, str], peer: str) -> bool:
    """Whether a program of this machine asks for itself: not a proxy, which speaks for others."""
    address = address_of(peer)
    if address is None or not address.is_loopback or is_proxy(peer):
        return False
    return not any(name in _FORWARDED or name.startswith("x-forwarded-") for name in map(str.lower, headers))


def as_client_sees(scope: dict[str, Any]) -> dict[str, Any]:
    """An ASGI scope with the scheme that the client uses, so that links and cookies suit it."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    peer = (scope.get("client") or ("",))[0]
    secure = is_secure(headers, secure=scope.get("scheme") == "https", peer=peer)
    return {**scope, "scheme": "https" if secure else "http"}
