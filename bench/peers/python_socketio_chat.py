"""python-socketio with rooms, on ASGI."""

import socketio

server = socketio.AsyncServer(async_mode="asgi")
metadata: dict[str, dict[str, str]] = {}


@server.event
async def join(sid, params):
    room, name = params["room"], params["name"]
    if room.startswith("n"):
        await server.emit("joined", {"name": name}, room=room)
    await server.save_session(sid, {"room": room, "name": name})
    await server.enter_room(sid, room)
    return {"name": name, "metadata": metadata.get(room, {})}


@server.event
async def send(sid, params):
    session = await server.get_session(sid)
    await server.emit("message", {"from": session["name"], "text": params["text"]}, room=session["room"])


@server.on("set")
async def set_metadata(sid, params):
    session = await server.get_session(sid)
    metadata.setdefault(session["room"], {})[params["key"]] = params["value"]
    await server.emit("metadata", params, room=session["room"])


application = socketio.ASGIApp(server)
