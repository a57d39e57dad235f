"""The WebSocket part of the application."""

from typing import Any

from rooms.access.handshakes import Door
from rooms.consumers import PeerConsumer


def websocket_application() -> Door:
    return Door(_open)


def _open(scope: dict[str, Any], receive: Any, send: Any) -> Any:
    # as_asgi() would keep the scope, and a coroutine of its own, as long as the socket lives.
    return PeerConsumer()(scope, receive, send)
