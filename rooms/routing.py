"""The WebSocket part of the application."""

from channels.routing import URLRouter
from django.urls import path

from rooms.consumers import PeerConsumer
from rooms.door import Door


def websocket_application() -> Door:
    return Door(URLRouter([path("v2/ws", PeerConsumer.as_asgi())]))
