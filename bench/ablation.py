"""What each step brings: python bench/ablation.py [--seconds 1.5] [--repetitions 2]

Starts hmsroom whole and without one step at a time, all of them at once and in turns as in bench/run.py, and prints
deliveries per second of CPU in a room of 200 and in 200 rooms of 5. It takes four minutes, and needs no other system.
"""

import argparse
import statistics
import sys
from pathlib import Path

from harness import install, processes
from harness.clients import Clients
from harness.places import PROJECT
from harness.processes import Group
from harness.scenarios import LAZY
from harness.systems import NOT_COALESCED, Ours, Running

STEPS = ("sets", "memory", "splitter")
"""Those that no setting turns off."""

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
    found: dict[str, Ours] = {"whole": Ours(settings=NOT_COALESCED)}
    for step in STEPS:
        found[f"without {step}"] = type(step, (Without,), {"step": step})(settings=NOT_COALESCED)
    found["FAST_PATH=off"] = Ours(settings={"FAST_PATH": "off", **NOT_COALESCED})
    found["COALESCE_MS as it is"] = Ours()
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--serve", nargs=2, metavar=("STEP", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    install.generator()
    processes.use_own_core()
    for name, shape in SHAPES.items():
        print(name, flush=True)
        for system, found in measure(shape, options.seconds, options.repetitions).items():
            print(f"  {system:24}{found:12,.0f}", flush=True)


if __name__ == "__main__":
    main()
