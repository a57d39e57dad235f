"""Programs that tests start, wait for and end."""

import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

PATIENCE = 60.0
"""Seconds that tests wait for what comes at once on a machine that is not busy."""


def free_port() -> int:
    """A loopback TCP port that nobody listens on."""
    # Below those that the system deals out to clients: one of them could take it before the program is (again) there.
    while True:
        port = 10_000 + secrets.randbelow(22_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Program:
    """A program on a loopback port of its own, with a folder and a log of its own.

    As a context manager it runs from start to end; between, a test may end it and start it again
    on the same port and folder.
    """

    stop_signal = signal.SIGTERM
    kill_signal = signal.SIGKILL
    start_seconds = 180.0  # a busy machine needs many of them
    stop_seconds = 180.0
    user: str | None = None  # the system user who runs it; None is the one who runs the tests

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="hmsroom-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if self.user:
            shutil.chown(self.directory, self.user, self.user)

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}

    def is_ready(self) -> bool:
        raise NotImplementedError

    @property
    def pid(self) -> int:
        assert self._process, "not started"
        return self._process.pid

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """Everything the program has printed since it was made."""
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Return when the program is ready. Raises AssertionError with its log when it does not become so."""
        assert not self.is_running(), "already running"
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                cwd=self.working_directory(),
                start_new_session=True,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
            )
        deadline = time.monotonic() + self.start_seconds
        while not self.is_ready():
            if not self.is_running():
                raise AssertionError(f"{self.command()[0]} exited with {self._process.returncode}:\n{self.log()}")
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"{self.command()[0]} was not ready in {self.start_seconds} s:\n{self.log()}")
            time.sleep(0.02)

    def working_directory(self) -> Path:
        return self.directory

    def signal(self, number: int) -> None:
        """Send a signal and return at once."""
        os.kill(self.pid, number)

    def wait(self) -> int:
        """The exit code, when the program has ended."""
        assert self._process, "not started"
        try:
            return self._process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command()[0]} did not end:\n{self.log()}") from None

    def terminate(self) -> int:
        """Ask the program to end; its exit code, when it has."""
        self.signal(self.stop_signal)
        return self.wait()

    def kill(self) -> None:
        """End the program as a crash would."""
        self.signal(self.kill_signal)
        self.wait()

    def restart(self) -> None:
        self.terminate()
        self.start()

    def close(self) -> None:
        """End the program and whatever it left running, and remove its folder."""
        if self._process:
            if self.is_running():
                self.kill()
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it left nothing
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def request(port: int, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
    """One HTTP request to a loopback port; underscores in the names of headers stand for hyphens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def is_serving(port: int) -> bool:
    """Whether a server on this port is ready to be sent clients."""
    try:
        return request(port, "GET", "/readyz").status == 200
    except (OSError, http.client.HTTPException):
        return False


class WebProgram(Program):
    """A program that speaks HTTP."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
        return request(self.port, method, path, body, **headers)
