"""Where a system spends its time: python bench/hotspots.py LOAD SYSTEM [--native] [--seconds S]

Keeps a system as busy as it gets under py-spy (metadata, acknowledgement and idle_rooms: as busy as these are) and
prints, of the time in which its threads ran, the share of each thread, of each function on top of the stack, and of
each function anywhere on it. --native tells the interpreter's own functions and the kernel's calls apart.
"""

import argparse
import collections
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from harness import coming, install, measure, processes
from harness.clients import Clients
from harness.places import BUILD, VENV
from harness.systems import SYSTEMS, Running

SAMPLES_PER_SECOND, NATIVE_SAMPLES_PER_SECOND = 250, 50  # natively each takes much longer
LINES = 40
# py-spy takes these for running while they wait.
WAITING = (
    "_worker (concurrent",
    "Writer._work (rooms/delivery/writer",
    "Writer._wait (rooms/delivery/writer",
    "repeat.<locals>.run (rooms/observe/background",
    "Runner.run (asyncio",
    "wait (threading",
    "Condition.wait (threading",
)
NATIVE: list[str] = []


@contextlib.contextmanager
def watched(running: Running, recorded: Path) -> Iterator[None]:
    """Record the stacks of the system's processes while the body runs."""
    command = [str(VENV / "bin/py-spy"), "record", "--pid", str(running.group.pids()[0]), "--subprocesses", "--threads"]
    rate = NATIVE_SAMPLES_PER_SECOND if NATIVE else SAMPLES_PER_SECOND
    options = ["--rate", str(rate), "--format", "raw", "--function", "--output", str(recorded), *NATIVE]
    spy = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)  # it does not tell when it has attached
        yield
    finally:
        spy.send_signal(signal.SIGINT)
        spy.wait()


def room200(running: Running, seconds: float, recorded: Path) -> float:
    with Clients(running, 200, lambda _: "q-200") as clients:
        clients.open()
        with watched(running, recorded):
            return clients.chat([0], seconds=seconds, fan_out=running.protocol.deliveries(200)).per_cpu_second


def rooms(running: Running, seconds: float, recorded: Path) -> float:
    with Clients(running, 1000, lambda index: f"q-{index // 5}") as clients:
        clients.open()
        senders = [room * 5 + seat for seat in range(5) for room in range(200)]
        fan_out = running.protocol.deliveries(5)
        with watched(running, recorded):
            return clients.chat(senders, seconds=seconds, fan_out=fan_out, window=64).per_cpu_second


def metadata(running: Running, seconds: float, recorded: Path) -> float:
    with Clients(running, 200, lambda _: "q-meta") as clients:
        clients.open(observing=("topic",))
        with watched(running, recorded):
            return clients.change_metadata(range(0, 200, 10), seconds=seconds, rate=20).per_cpu_second


def acknowledgement(running: Running, seconds: float, recorded: Path) -> float:
    with Clients(running, 100, lambda index: f"q-{index // 5}") as clients:
        clients.open()
        senders = [room * 5 + seat for seat in range(5) for room in range(20)]
        with watched(running, recorded):
            return clients.chat(senders, seconds=seconds, fan_out=4, rate=100).per_cpu_second


def join1000(running: Running, seconds: float, recorded: Path) -> float:
    with Clients(running, 1000, lambda _: "n-1000", asking=True) as clients:
        clients.add()
        before = processes.cpu_seconds(running.group.pids())
        with watched(running, recorded):
            clients.open(concurrency=64)
            clients.await_sightings(running.protocol.sightings(1000), 30)
            return clients.sightings / (processes.cpu_seconds(running.group.pids()) - before)


def reconnect1000(running: Running, seconds: float, recorded: Path) -> float:
    row = coming.reconnect(running, rooms=1, peers=1000, watched=lambda: watched(running, recorded))
    print(f"reconnect1000: {measure.shown(row)}")
    return 999 / float(row["cpu"] or 0)


def idle_rooms(running: Running, seconds: float, recorded: Path) -> float:
    with Clients(running, 5000, lambda index: f"q-{index}") as clients:
        clients.open()
        clients.settle(5)
        with watched(running, recorded):
            used = processes.cpu_seconds(running.group.pids())
            clients.settle(seconds, seconds)
            print(f"silent: {(processes.cpu_seconds(running.group.pids()) - used) / seconds:.1%} of a core")
            pinging = clients.ping(coming.ours(running).ping(), seconds=seconds, every=10)
        print(f"pinging: {pinging.server_share:.1%} of a core")
        return pinging.per_cpu_second


LOADS: dict[str, Callable[[Running, float, Path], float]] = {
    "room200": room200,
    "rooms": rooms,
    "metadata": metadata,
    "acknowledgement": acknowledgement,
    "join1000": join1000,
    "reconnect1000": reconnect1000,
    "idle_rooms": idle_rooms,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("load", choices=LOADS)
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("--native", action="store_true")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    NATIVE.extend(["--native"] if options.native else [])
    install.everything()
    processes.use_own_core()
    recorded = BUILD / "stacks.txt"
    running = SYSTEMS[options.system].start(options.system)
    try:
        deliveries = LOADS[options.load](running, options.seconds, recorded)
    finally:
        running.group.stop()
    print(f"{options.load}, {options.system}: {deliveries:,.0f} deliveries per second of CPU while watched")
    _print([_stack(line) for line in recorded.read_text().splitlines()])


def _stack(line: str) -> tuple[list[str], int]:
    """(functions, times seen), outermost function first."""
    frames, _, count = line.rpartition(" ")
    return [_short(frame) for frame in frames.split(";")], int(count)


def _short(frame: str) -> str:
    """Paths without what all have in common."""
    for root in (*sys.path, str(Path(sys.executable).parent.parent / "lib")):
        frame = frame.replace(f"({root}/", "(") if root else frame
    return frame


def _waits(frames: list[str]) -> bool:
    """Natively a thread waits within the C library, which has no names here: reads of sockets are left out with it."""
    innermost = next((frame for frame in reversed(frames) if ".py" in frame), "")
    return innermost.startswith(WAITING) and (frames[-1] == innermost or "(libc" in frames[-1])


def _print(stacks: list[tuple[list[str], int]]) -> None:
    stacks = [(frames, count) for frames, count in stacks if not _waits(frames)]
    total = sum(count for _, count in stacks)
    threads: collections.Counter[str] = collections.Counter()
    top: collections.Counter[str] = collections.Counter()
    anywhere: collections.Counter[str] = collections.Counter()
    for frames, count in stacks:
        threads[next((frame for frame in frames if frame.startswith("thread ")), "main")] += count
        top[frames[-1]] += count
        for frame in set(frames):
            anywhere[frame] += count
    for title, counted in (("thread", threads), ("on top", top), ("anywhere", anywhere)):
        print(f"\n{title}")
        for name, count in counted.most_common(LINES):
            print(f"  {count / total:6.1%}  {name}")


if __name__ == "__main__":
    main()
