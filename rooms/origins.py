"""Which pages may use this server, where requests come from, and where this server can be reached."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

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
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


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
    return f"{'https' if secure else 'http'}://{headers.get('host', '')}"


def is_secure(headers: Mapping[str, str], *, secure: bool, peer: str) -> bool:
    """Whether the client uses https: what a trusted proxy says, else what the connection itself does."""
    if peer in settings.TRUSTED_PROXIES and "x-forwarded-proto" in headers:
        return headers["x-forwarded-proto"].split(",")[0].strip() == "https"
    return secure


def client_address(headers: Mapping[str, str], peer: str) -> str:
    """The address of the client: what a trusted proxy says last, else where the connection comes from."""
    forwarded = headers.get("x-forwarded-for", "")
    if peer in settings.TRUSTED_PROXIES and forwarded:
        return forwarded.rsplit(",", 1)[-1].strip()
    return peer


def as_client_sees(scope: dict[str, Any]) -> dict[str, Any]:
    """An ASGI scope with the scheme that the client uses, so that links and cookies suit it."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    peer = (scope.get("client") or ("",))[0]
    secure = is_secure(headers, secure=scope.get("scheme") == "https", peer=peer)
    return {**scope, "scheme": "https" if secure else "http"}
