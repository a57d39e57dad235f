"""Redis, PostgreSQL and a receiver of webhooks of a group's own, on free loopback ports, gone when it stops."""

import http.server
import os
import pwd
import shutil
import threading
from pathlib import Path

from harness.places import HOST
from harness.processes import Group, free_port


def redis(group: Group) -> str:
    """Start Redis without persistence; its URL."""
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    group.start(["redis-server", *options], port=port)
    return f"redis://127.0.0.1:{port}/0"


def postgres(group: Group) -> str:
    """Make and start a PostgreSQL cluster; the URL of its database. Its server refuses to run as root."""
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    programs, data, port = _programs(), group.folder / "postgres", free_port()
    data.mkdir(mode=0o700)
    group.folder.chmod(0o711)
    shutil.chown(data, user)
    group.run([str(programs / "initdb"), "-D", str(data), "-U", "hmsroom", "-A", "trust"], user=user)
    listen = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={data}"]
    group.start([str(programs / "postgres"), "-D", str(data), "-p", str(port), *listen], port=port, user=user)
    return f"postgres://hmsroom@127.0.0.1:{port}/postgres"


class _Taking(http.server.BaseHTTPRequestHandler):
    """Takes whatever is told."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def receiver(group: Group) -> str:
    """Start what takes webhooks, on the generator's core; its URL."""
    server = http.server.ThreadingHTTPServer((HOST, 0), _Taking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    group.beside.callback(server.server_close)
    group.beside.callback(server.shutdown)
    return f"http://{HOST}:{server.server_port}/"


def _programs() -> Path:
    """The newest installed version's programs; Debian keeps them out of the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if not versions:
        raise RuntimeError("PostgreSQL is not installed")
    return versions[-1]
