"""What each step brings: python bench/ablation.py [--seconds 1.5] [--repetitions 3] [--write]

Starts hmsroom whole and without one step at a time, all of them at once and in turns as in bench/run.py, and prints
deliveries per second of CPU in a room of 200 and in 200 rooms of 5. It takes four minutes, and needs no other system.
--write puts what each step brings into docs/performance.md.
"""

import argparse
import statistics
import sys
from pathlib import Path

import marked
from harness import install, processes
from harness.clients import Clients
from harness.places import PROJECT
from harness.processes import Group
from harness.scenarios import LAZY
from harness.systems import NOT_COALESCED, Ours, Running

DOCUMENT = PROJECT / "docs/performance.md"
STEPS = ("sets", "memory", "splitter")
"""Those that no setting turns off."""

WHOLE, SLOW, TOGETHER = "whole", "FAST_PATH=off", "COALESCE_MS as it is"

TOLD = (
    ("messages that wait together are stored in one transaction", "delivery/writer.py", WHOLE, "without sets"),
    ("what is known of a room is kept between transactions, under a generation that is checked in each",
     "operations/engine/memory.py", WHOLE, "without memory"),
    ("frames are read without the server's parser", "sockets/splitter.py", WHOLE, "without splitter"),
    ("ready frames go straight to the transport (and are read so); `FAST_PATH=off` takes ASGI's way",
     "sockets/fastpath.py", WHOLE, SLOW),
    ("frames that follow each other within `COALESCE_MS` go as one write; `0` sends each by itself",
     "delivery/batches.py", TOGETHER, WHOLE),
)  # fmt: skip
"""Of each step: what it is, where in rooms/, the system with it and the one without."""

SHAPES = {"room of 200": (1, 200), "200 rooms of 5": (200, 5)}
WINDOW = 64


class Without(Ours):
    """hmsroom as it would be without a step."""

    step = ""

    def _serve(self, group: Group, environment: dict[str, str]) -> int:
        port = processes.free_port()
        command = [sys.executable, str(Path(__file__).resolve()), "--serve", self.step, str(port)]
        group.start(command, port=port, environment=environment)
        return port


def serve(step: str, port: str) -> None:
    """Be the server without the step."""
    sys.path.insert(0, str(PROJECT))
    import django

    django.setup()
    if step == "sets":
        from rooms.delivery import writer

        writer.MAX_SET = 1
    elif step == "memory":
        from rooms.operations.engine import memory

        memory.recall = lambda place: None
    elif step == "splitter":
        from rooms.sockets.splitter import FrameSplitter

        FrameSplitter.take_text = lambda reader, payload: False
        from rooms.sockets import fastpath

        fastpath._Reader.take_text = lambda reader, payload: False
    from django.core.management import call_command

    call_command("serve", "--server", "uvicorn", "--port", port)


def systems() -> dict[str, Ours]:
    found: dict[str, Ours] = {WHOLE: Ours(settings=NOT_COALESCED)}
    for step in STEPS:
        found[f"without {step}"] = type(step, (Without,), {"step": step})(settings=NOT_COALESCED)
    found[SLOW] = Ours(settings={"FAST_PATH": "off", **NOT_COALESCED})
    found[TOGETHER] = Ours()
    return found


def measure(shape: tuple[int, int], seconds: float, repetitions: int) -> dict[str, float]:
    rooms, peers = shape
    running: dict[str, Running] = {}
    try:
        for name, system in systems().items():
            running[name] = system.start(name)
        runs: dict[str, list[float]] = {name: [] for name in running}
        for _ in range(repetitions):
            for name, one in running.items():
                runs[name].append(per_cpu(one, rooms, peers, seconds))
        return {name: statistics.median(taken) for name, taken in runs.items()}
    finally:
        for one in running.values():
            one.group.stop()


def per_cpu(running: Running, rooms: int, peers: int, seconds: float) -> float:
    """Deliveries per second of CPU while so many messages are under way, one sender in each room."""
    with Clients(running, rooms * peers, lambda index: f"q-{rooms}-{index // peers}") as clients:
        clients.open()
        clients.poll_lazily(LAZY)
        senders, fan_out = range(0, rooms * peers, peers), running.protocol.deliveries(peers)
        clients.chat(senders, seconds=0.4, fan_out=fan_out, window=WINDOW)
        return clients.chat(senders, seconds=seconds, fan_out=fan_out, window=WINDOW).per_cpu_second


def table(found: dict[str, dict[str, float]]) -> marked.Rows:
    """What each step brings, from the figures by shape and system."""
    rows = [["Step", "Where", *found]]
    for step, where, with_it, without in TOLD:
        rows.append([step, f"`{where}`", *(f"{per[with_it] / per[without]:.2f} ×" for per in found.values())])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    parser.add_argument("--serve", nargs=2, metavar=("STEP", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    install.generator()
    processes.use_own_core()
    found = {}
    for name, shape in SHAPES.items():
        found[name] = measure(shape, options.seconds, options.repetitions)
        print(
            "\n  ".join([name, *(f"{system:24}{per_cpu:12,.0f}" for system, per_cpu in found[name].items())]),
            flush=True,
        )
    if options.write:
        DOCUMENT.write_text(marked.put_into(DOCUMENT.read_text(), {"steps": table(found)}))


if __name__ == "__main__":
    main()
