"""Real PostgreSQL, Redis and nginx servers on free loopback ports, in folders that go when they stop."""

import os
import shutil
import signal
import socket
import subprocess
import uuid
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.support.clocks import settable_clock
from tests.support.processes import Program, WebProgram

POSTGRES_USER = "hmsroom"


def _postgres_binary(name: str) -> str:
    """The newest installed PostgreSQL's program of that name."""
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(versions, key=lambda path: int(path.parts[4]), default=None)
    found = str(newest) if newest else shutil.which(name)
    assert found, f"PostgreSQL's {name} is not installed"
    return found


class PostgresServer(Program):
    stop_signal = signal.SIGINT  # ends sessions, then writes everything out
    kill_signal = signal.SIGQUIT  # a crash that leaves no shared memory behind
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root

    def __init__(self, *, has_settable_clock: bool = False) -> None:
        super().__init__()
        # In its own folder, which it may read whoever runs it.
        self._pretence: dict[str, Any] = {}
        if has_settable_clock:
            self.set_clock, self._pretence = settable_clock(self.directory)

    def environment(self) -> dict[str, str]:
        return super().environment() | {name: str(value) for name, value in self._pretence.items()}

    @property
    def url(self) -> str:
        """The URL of the database `postgres`, which is always there."""
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        return f"postgres://{POSTGRES_USER}@127.0.0.1:{self.port}/{name}"

    def create_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test_{uuid.uuid4().hex}"
        self._execute(f"CREATE DATABASE {name}")
        return self.database_url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def dump(self, url: str) -> str:
        """All that a database holds, as SQL."""
        return self._run("pg_dump", url)

    def put_back(self, url: str, dump: str) -> None:
        """Replace a database by one that is made anew from a dump; nobody uses it."""
        self.drop_database(url)
        self._execute(f"CREATE DATABASE {url.rpartition('/')[2]}")
        self._run("psql", "--quiet", "--set", "ON_ERROR_STOP=1", url, typed=dump)

    def _run(self, name: str, *arguments: str, typed: str = "") -> str:
        done = subprocess.run([_postgres_binary(name), *arguments], input=typed, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        if not (self.directory / "data").exists():
            self._make_cluster()
        super().start()

    def command(self) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.directory),
            "max_connections": "100",
            "fsync": "off",  # commits survive a crash of the server, not of the machine
            "full_page_writes": "off",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        data = str(self.directory / "data")
        return [_postgres_binary("postgres"), "-D", data, "-p", str(self.port), *settings]

    def is_ready(self) -> bool:
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _make_cluster(self) -> None:
        command = [_postgres_binary("initdb"), "-D", str(self.directory / "data"), "-U", POSTGRES_USER]
        made = subprocess.run(
            [*command, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            capture_output=True,
            text=True,
            cwd=self.directory,
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user else None,
        )
        assert made.returncode == 0, made.stderr

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(statement.encode())


class RedisServer(Program):
    """Keeps nothing: after a restart it is empty."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        listen = ["--bind", "127.0.0.1", "--port", str(self.port)]
        return ["redis-server", *listen, "--dir", str(self.directory), "--save", "", "--appendonly", "no"]

    def is_ready(self) -> bool:
        with redis.Redis(port=self.port, socket_timeout=5) as client:
            try:
                client.ping()
            except redis.RedisError:
                return False
        return True

    def keys(self) -> list[bytes]:
        """What it holds: keys, and the channels that somebody hears."""
        with redis.Redis(port=self.port, socket_timeout=5) as client:
            return sorted([*client.keys(), *client.pubsub_channels()])


class NginxServer(WebProgram):
    """Debian's nginx with an `http` block of the test's, in which PORT stands for the port it listens on."""

    stop_signal = signal.SIGQUIT  # lets connections end

    def __init__(self, http: str) -> None:
        super().__init__()
        self.http = http

    def start(self) -> None:
        (self.directory / "nginx.conf").write_text(self._configuration())
        super().start()

    def command(self) -> list[str]:
        binary = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        assert binary, "nginx is not installed"
        return [binary, "-p", str(self.directory), "-c", "nginx.conf", "-e", "stderr"]

    def is_ready(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _configuration(self) -> str:
        temporary = "\n".join(
            f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return f"""
            {"user root;" if os.geteuid() == 0 else ""}
            daemon off;
            pid nginx.pid;
            events {{ worker_connections 4096; }}
            http {{
                {temporary}
                {self.http.replace("PORT", str(self.port))}
            }}
        """
