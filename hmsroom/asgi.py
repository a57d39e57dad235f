"""The application that an ASGI server runs. Importing it starts this process's lease and reaper."""

import gc
import os
import warnings
from typing import Any

import django
from channels.routing import ProtocolTypeRouter
from django.core.exceptions import ImproperlyConfigured

from hmsroom import start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hmsroom.settings")
try:
    django.setup(set_prefix=False)
except ImproperlyConfigured as error:
    start.stop(error)

# These need the applications to be loaded.
from hmsroom.handler import Handler
from rooms.access import origins, revocation
from rooms.api.bodies import Bodies
from rooms.delivery import hub
from rooms.delivery.giving_way import giving_way
from rooms.observe import background
from rooms.process import drain, jobs, server_lock, sqlite_log
from rooms.routing import websocket_application
from rooms.webhooks import courier

# WhiteNoise's files that the handler does not read at once are such answers; none is long.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")

handler = Handler()


async def http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    # A process that serves pages only must also tell the others of what its operators do.
    hub.get()
    with giving_way():
        await handler(origins.as_client_sees(scope), receive, send)


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """uvicorn asks for this when it starts, and at its end when every socket is closed; daphne never does."""
    await receive()
    hub.get()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await drain.stop()
    await send({"type": "lifespan.shutdown.complete"})


application = ProtocolTypeRouter({"http": Bodies(http), "websocket": websocket_application(), "lifespan": lifespan})

# What is loaded by now stays: there is no need to look through it for garbage again, nor as often as by default in a
# process that holds many objects for each socket.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 10, 5)

try:
    server_lock.take()
    start.check_database()
    start.check_redis()
    with start.explained():
        jobs.start()
        courier.start()
except ImproperlyConfigured as error:
    start.stop(error)
background.repeat("keys", revocation.close_revoked, revocation.INTERVAL)
sqlite_log.start()
drain.install()
