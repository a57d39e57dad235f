"""The upper bound: picows on uvloop writes one ready-made frame to every transport, and stores nothing."""

import sys

import orjson
import uvloop
from picows import WSListener, WSMsgType, ws_create_server

rooms: dict[str, dict] = {}
metadata: dict[str, dict[str, str]] = {}


def frame(value):
    payload = orjson.dumps(value)
    size = len(payload)
    header = bytes((0x81, size)) if size < 126 else bytes((0x81, 126)) + size.to_bytes(2, "big")
    return header + payload


class Chat(WSListener):
    room = None

    def on_ws_connected(self, transport):
        self.write = transport.underlying_transport.write

    def on_ws_frame(self, transport, received):
        if received.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
        elif received.msg_type == WSMsgType.TEXT:
            content = orjson.loads(received.get_payload_as_memoryview())
            getattr(self, f"do_{content['method']}")(content)

    def do_join(self, content):
        self.name, self.key = content["params"]["name"], content["params"]["room"]
        self.room = rooms.setdefault(self.key, {})
        if self.key.startswith("n"):
            self.tell("joined", {"name": self.name})
        self.room[self.write] = True
        result = {"name": self.name, "metadata": metadata.get(self.key, {})}
        self.write(frame({"jsonrpc": "2.0", "id": content["id"], "result": result}))

    def do_send(self, content):
        self.tell("message", {"from": self.name, "text": content["params"]["text"]})

    def do_set(self, content):
        params = content["params"]
        metadata.setdefault(self.key, {})[params["key"]] = params["value"]
        self.tell("metadata", params)

    def tell(self, method, params):
        data = frame({"jsonrpc": "2.0", "method": method, "params": params})
        for write in self.room:
            write(data)

    def on_ws_disconnected(self, transport):
        if self.room is not None:
            self.room.pop(self.write, None)


async def main():
    server = await ws_create_server(lambda request: Chat(), "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


uvloop.run(main())
