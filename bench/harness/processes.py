"""Server processes on one core: start them, measure them, stop them by their ids."""

import collections
import contextlib
import functools
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from harness.places import BUILD, HOST

SERVER_CORE, GENERATOR_CORE = 0, 1
START_SECONDS = 60
SCHEDULER_CLOCK = 2
MEBIBYTE, KIBIBYTE = 1 << 20, 1 << 10


class Group:
    """The processes of one running system, and a folder for its data that goes with them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix="hmsroom-bench-"))
        self._started: list[subprocess.Popen[bytes]] = []
        self._starts: list[Callable[[], None]] = []
        self.beside = contextlib.ExitStack()
        """What else ends when the group stops."""

    def run(
        self, command: Sequence[str], *, environment: Mapping[str, str] | None = None, user: str | None = None
    ) -> None:
        """Run a command to its end, on the server's core like everything of this group."""
        process = self._popen(command, environment, user)
        if process.wait() != 0:
            raise RuntimeError(f"{self.name}: {command[0]} failed, see {_log_path()}")

    def start(
        self,
        command: Sequence[str],
        *,
        port: int,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        """Start a server and wait until it listens on the port."""
        self._starts.append(functools.partial(self._start, command, port=port, environment=environment, user=user))
        self._starts[-1]()

    def _start(
        self, command: Sequence[str], *, port: int, environment: Mapping[str, str] | None, user: str | None
    ) -> None:
        process = self._popen(command, environment, user)
        self._started.append(process)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"{self.name}: the server exited, see {_log_path()}")
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), 0.2):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name}: the server did not listen, see {_log_path()}")

    def restart(self, meanwhile: Callable[[], object]) -> None:
        """End the servers, and start them again on the same ports and data."""
        self.end(meanwhile)
        for start in self._starts:
            start()

    def end(self, meanwhile: Callable[[], object]) -> None:
        """End the servers as a deployment does."""
        for process in reversed(self._started):
            process.terminate()
            while process.poll() is None:
                meanwhile()
        self._started.clear()

    def _popen(
        self, command: Sequence[str], environment: Mapping[str, str] | None, user: str | None
    ) -> subprocess.Popen[bytes]:
        with _log_path().open("ab") as log:
            return subprocess.Popen(
                command,
                env={**os.environ, **(environment or {})},
                cwd=self.folder,
                stdout=log,
                stderr=log,
                user=user,
                start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
            )

    def pids(self) -> list[int]:
        """The processes and all their descendants."""
        children = collections.defaultdict(list)
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    children[int(_stat(int(entry.name))[1])].append(int(entry.name))
        found: list[int] = []
        waiting = [process.pid for process in self._started]
        while waiting:
            found.append(waiting.pop())
            waiting += children[found[-1]]
        return found

    def stop(self) -> None:
        for pid in reversed(self.pids()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for process in self._started:
            process.wait()
        self.beside.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _log_path() -> Path:
    return BUILD / "servers.log"


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the command's name."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of the processes so far, exactly: /proc/PID/stat counts whole ticks."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += time.clock_gettime(~pid << 3 | SCHEDULER_CLOCK)  # clock_getcpuclockid(3), which Python lacks
    return total


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory of the processes that is not swapped out."""
    pages = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def own_cpu_seconds() -> float:
    """What the generator itself has used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def use_own_core() -> None:
    """Put this process, the generator, on its core, and allow it and its children as many sockets as may be.

    What ends it unwinds it, so that the servers stop too.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.sched_setaffinity(0, {GENERATOR_CORE})
