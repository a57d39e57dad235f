"""Channels as its tutorial shows it: a group send for each message; every consumer encodes it for its own socket."""

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="unused",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

metadata: dict[str, dict[str, str]] = {}


class ChatConsumer(AsyncJsonWebsocketConsumer):
    room = None

    async def receive_json(self, content):
        params = content["params"]
        if content["method"] == "join":
            await self.join(content["id"], params["room"], params["name"])
        elif content["method"] == "send":
            await self.tell("message", {"from": self.name, "text": params["text"]})
        elif content["method"] == "set":
            metadata.setdefault(self.room, {})[params["key"]] = params["value"]
            await self.tell("metadata", params)

    async def join(self, request_id, room, name):
        self.room, self.name = room, name
        if room.startswith("n"):
            await self.tell("joined", {"name": name})
        await self.channel_layer.group_add(room, self.channel_name)
        result = {"name": name, "metadata": metadata.get(room, {})}
        await self.send_json({"jsonrpc": "2.0", "id": request_id, "result": result})

    async def tell(self, method, params):
        await self.channel_layer.group_send(self.room, {"type": "chat.event", "method": method, "params": params})

    async def chat_event(self, event):
        await self.send_json({"jsonrpc": "2.0", "method": event["method"], "params": event["params"]})

    async def disconnect(self, code):
        if self.room:
            await self.channel_layer.group_discard(self.room, self.channel_name)


application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/", ChatConsumer.as_asgi())])})
