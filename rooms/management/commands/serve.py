"""``manage.py serve``: prepare everything, then be the server."""

import errno
import socket
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from uvicorn.main import main as uvicorn_main

from hmsroom import start
from rooms.checks import OWN
from rooms.creation.templates import default_template


class Command(BaseCommand):
    help = "Updates the database, then serves on one port."
    # Django's own are of the code, and load all of it.
    requires_system_checks = [OWN]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")
        parser.add_argument("--no-migrate", action="store_true", help="leave the database as it is")

    def handle(self, *, host: str, port: int, server: str, no_migrate: bool, **options: Any) -> None:
        # Before the database is touched: who starts it twice is to read of the port.
        _try_to_listen(host, port)
        if not no_migrate:
            with start.explained():
                start.reach_database()
            call_command("migrate", interactive=False, verbosity=0)
            default_template()
        where = settings.PUBLIC_URL or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self.stdout.write(f"hmsroom on {where}/ ({server})")
        if settings.ADMIN_PATH:
            self.stdout.write(f"  admin: {where}/{settings.ADMIN_PATH} (python manage.py createsuperuser)")
        if settings.EMBEDDED:
            self.stdout.write(f"  data: {settings.DATABASES['default']['NAME']}")
        if (settings.DATA_DIR / "secrets.json").exists():
            self.stdout.write(f"  secrets: {settings.DATA_DIR / 'secrets.json'}")
        self.stdout.flush()
        connections.close_all()
        # In this process: all is loaded, and a supervisor's signals reach the server itself.
        if server == "daphne":
            from rooms.access import daphne as program  # it chooses an event loop when it is loaded

            program.run(daphne(host, port))
        else:
            uvicorn_main(uvicorn(host, port))


def _try_to_listen(host: str, port: int) -> None:
    """Raises CommandError, which says why nobody can listen there and what to do."""
    if not 0 < port < 65536:
        raise CommandError(f"--port {port}: expected 1 to 65535.")
    try:
        [(family, kind, _, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise CommandError(f"--host {host}: no address is known for it. {_USUAL}") from None
    with socket.socket(family, kind) as probe:
        # As the servers do: a port that was left a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise CommandError(_advice(host, port, error)) from None


_USUAL = "127.0.0.1 is for this machine alone, 0.0.0.0 for every network it is in."


def _advice(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken. Stop what uses it, or choose another: make run PORT={port % 65535 + 1}"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--host {host}: this machine has no such address. {_USUAL}"
    if error.errno == errno.EACCES:
        return f"Port {port} is for administrators only. Choose one above 1023, with a proxy in front."
    return f"--host {host} --port {port}: {error.strerror}."


def daphne(host: str, port: int) -> list[str]:
    """The command line of daphne. Its own backlog of 50 costs a burst of joins a second."""
    interface = host.replace(":", "\\:")
    return [
        *("--endpoint", f"tcp:port={port}:interface={interface}:backlog=4096"),
        *("--ping-interval", "8"),
        *("--ping-timeout", "8"),
        *("--websocket-max-message-size", str(2 * settings.MAX_FRAME_BYTES)),
        *("--websocket-max-frame-size", str(2 * settings.MAX_FRAME_BYTES)),
        *("--verbosity", "0"),
        "--no-server-name",
        "hmsroom.asgi:application",
    ]


def uvicorn(host: str, port: int) -> list[str]:
    """The command line of uvicorn. It would log tokens, and compress, which costs half of the speed."""
    return [
        *("--host", host),
        *("--port", str(port)),
        *("--http", "rooms.access.uvicorn:HttpProtocol"),
        *("--ws", "rooms.access.uvicorn:WebSocketProtocol"),
        *("--ws-max-size", str(2 * settings.MAX_FRAME_BYTES)),
        *("--ws-max-queue", "16"),
        *("--ws-ping-interval", "11"),
        *("--ws-ping-timeout", "7"),
        *("--ws-per-message-deflate", "false"),
        *("--timeout-graceful-shutdown", "25"),
        *("--backlog", "4096"),
        *("--lifespan", "on"),
        # TRUSTED_PROXIES says who may speak for others; uvicorn would believe every proxy of this machine.
        "--no-proxy-headers",
        "--no-access-log",
        *("--log-level", "warning"),
        "hmsroom.asgi:application",
    ]
