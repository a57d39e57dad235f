"""The router of docs/scaling.md, as small as it can be: it leads who asks `/init` to the cell of the token's room."""

import http.client
import http.server
import json
import threading
from typing import Any, Self

import jwt

from tests.support.server import RunningServer

NOT_PASSED_ON = {"connection", "transfer-encoding", "content-length", "date", "server"}


class Router:
    """`table` has the cell of each room; to whoever asks for another it says that it does not know yet.

    Files, and what asks before a request of another origin and has no token, are any cell's to answer: the last one's.
    """

    def __init__(self, *cells: RunningServer) -> None:
        self.any = cells[-1]
        self.table: dict[str, RunningServer] = {}
        self.asked: list[str] = []
        """The rooms that were asked for, in turn."""

    def __enter__(self) -> Self:
        router = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                router._answer(self)

            do_OPTIONS = do_GET

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        cell: RunningServer | None = self.any
        if request.command == "GET" and request.path.startswith("/init"):
            token = request.headers["Authorization"].removeprefix("Bearer ")
            # It need not prove anything: the cell does.
            room = jwt.decode(token, options={"verify_signature": False})["room_id"]
            self.asked.append(room)
            cell = self.table.get(room)
        if cell is None:
            refusal = {"code": 503, "message": "the room is being looked for, try again"}
            self._send(request, 503, {"Access-Control-Allow-Origin": "*"}, json.dumps(refusal).encode())
            return
        connection = http.client.HTTPConnection("127.0.0.1", cell.port, timeout=30)
        try:
            connection.request(request.command, request.path, headers=dict(request.headers.items()))
            answer = connection.getresponse()
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in NOT_PASSED_ON}
            self._send(request, answer.status, headers, answer.read())
        finally:
            connection.close()

    def _send(self, request: http.server.BaseHTTPRequestHandler, status: int, headers: Any, body: bytes) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)
