"""What a WebSocket handshake must satisfy before its consumer hears of it."""

import logging
from typing import Any

from django.conf import settings

from rooms.access import origins
from rooms.observe import metrics
from rooms.observe.logs import cut
from rooms.process import drain
from rooms.wire.close_codes import RESTART, refused
from rooms.wire.rates import Buckets, network

log = logging.getLogger("rooms.door")

PATH = "/v2/ws"


class Door:
    """ASGI middleware: refuses handshakes for another path or host, from foreign pages, too many from one address.

    A client without an Origin is no browser; the token in its URL is its only credential in any case.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self._addresses = Buckets(settings.CONNECT_RATE, settings.CONNECT_BURST)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if drain.under_way():
            await _turn_away(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._application(scope, receive, send)
            return
        metrics.REFUSALS.labels("handshake").inc()
        kind, why = refusal
        log.warning("a handshake is refused", extra={"context": {"why": why}, "kind": kind})
        await receive()  # websocket.connect
        await send({"type": "websocket.close", "code": refused(403)})

    def _refusal(self, scope: dict[str, Any]) -> tuple[str, str] | None:
        """Why a handshake is refused: the kind of reason, and the reason."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        peer = (scope.get("client") or ("",))[0]
        address = network(origins.client_address(headers, peer))
        # First of all, so that refusals count too.
        if not self._addresses.take(address):
            return "address", f"too many sockets from {address}"
        if scope["path"] != PATH:
            return "path", f"no sockets at {cut(scope['path'], 60)!r}"
        host = headers.get("host", "")
        if not origins.is_own_host(host):
            return "host", f"host {cut(host, 60)!r} is not in ALLOWED_HOSTS"
        origin = headers.get("origin")
        own = origins.own_origin(headers, secure=scope.get("scheme") in ("wss", "https"), peer=peer)
        if origin is not None and not origins.is_allowed(origin, own):
            return "origin", f"origin {cut(origin, 60)!r} is neither {cut(own, 60)!r} nor in ALLOWED_ORIGINS"
        return None


async def _turn_away(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Refuse so that a proxy tries another process, if the server can say more than no."""
    await receive()  # websocket.connect
    if "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": 503, "headers": [(b"retry-after", b"1")]})
        await send({"type": "websocket.http.response.body", "body": b"the server restarts, try again\n"})
    else:
        await send({"type": "websocket.close", "code": RESTART})
