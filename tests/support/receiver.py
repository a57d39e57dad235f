"""A back end that is told by webhooks: it writes down what it gets, and answers as a test wants."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from rooms.access.sealing import unseal
from rooms.models import WebhookEndpoint
from tests.support.processes import PATIENCE, free_port


def headers_of(endpoint: WebhookEndpoint) -> dict[str, str]:
    """What is sent with each event to an endpoint, which no page and no command shows."""
    found: dict[str, str] = json.loads(unseal(endpoint.headers))
    return found


class Got(NamedTuple):
    """One request, and what it was answered."""

    headers: dict[str, str]
    body: bytes
    status: int
    path: str

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[["Got"], int]
"""The status that a request is answered; 0 hangs up without an answer."""


class Receiver:
    """``answer`` may be changed at any time. It can be stopped and started again on its port."""

    def __init__(self, answer: Answer = lambda got: 200, *, location: str = "") -> None:
        self.got: list[Got] = []
        self.answer, self.location = answer, location
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length)
                if len(body) < length:
                    self.close_connection = True  # its sender was killed meanwhile: so it takes nothing
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                got = Got(headers, body, 0, self.path)
                status = receiver.answer(got)
                receiver.got.append(got._replace(status=status))
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                if receiver.location:
                    self.send_header("location", receiver.location)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def handle_error(self, *_: Any) -> None:
                pass  # who sent it went away

        # Not one of those that the system deals out: a client could take it while this is stopped.
        self.port = self.port or free_port()
        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def taken(self) -> list[Got]:
        """What it took, each id once, in the order in which it was first taken."""
        first: dict[str, Got] = {}
        for got in list(self.got):
            if 200 <= got.status < 300:
                first.setdefault(got.id, got)
        return list(first.values())

    def wait_for(self, condition: Callable[[list[Got]], bool], seconds: float = PATIENCE) -> list[Got]:
        """What it took, once that is so."""
        deadline = time.monotonic() + seconds
        while not condition(taken := self.taken()):
            if time.monotonic() > deadline:
                raise AssertionError(f"after {seconds} s: {[got.event['type'] for got in taken]}")
            time.sleep(0.02)
        return taken
