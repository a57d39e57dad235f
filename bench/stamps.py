"""The stages of an acknowledgement at 100 messages a second: python bench/stamps.py [--seconds S] [--server S]

Prints the median of each in milliseconds, from when the server has a frame until it has told everybody and the sender.
"""

import argparse
import bisect
import json
import statistics
from pathlib import Path

from harness import install, processes
from harness.clients import Clients
from harness.places import BENCH, BUILD
from harness.systems import Ours

STAMPS = BUILD / "stamps.json"
Span = tuple[int, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--server", choices=("uvicorn", "daphne"), default="uvicorn")
    options = parser.parse_args()
    install.everything()
    processes.use_own_core()
    system = Ours(options.server, manage=BENCH / "stamped_manage.py", settings={"STAMPS": str(STAMPS)})
    running = system.start("stamps")
    try:
        with Clients(running, 100, lambda index: f"q-{index // 5}") as clients:
            clients.open()
            senders = [room * 5 + seat for seat in range(5) for room in range(20)]
            run = clients.chat(senders, seconds=options.seconds, fan_out=4, rate=100)
            running.group.end(lambda: clients.settle(0.01, 0.05))
    finally:
        running.group.stop()
    for stage, milliseconds in stages(STAMPS, run.sent).items():
        print(f"{milliseconds:6.3f}  {stage}")
    print(f"{run.ack_p50:6.3f}  as the sender sees it")


def stages(noted: Path, messages: int) -> dict[str, float]:
    """Of the last so many messages that were stored one by one."""
    spans = {
        name: sorted((begin, end) for begin, end in times) for name, times in json.loads(noted.read_text()).items()
    }
    found: dict[str, list[int]] = {}
    taken_up: set[Span] = set()
    for begin, end in spans["_ask"][-messages:]:
        read = _last(spans["_receive"], begin)
        told = _first(spans["_finished"], end)
        if read and told and read not in taken_up:
            taken_up.add(read)
            for stage, taken in (
                ("a frame is read and checked", read[1] - read[0]),
                ("to the writer's thread", begin - read[1]),
                ("the transaction", end - begin),
                ("back to the event loop", told[0] - end),
                ("the room and the sender are told", told[1] - told[0]),
                ("all of it", told[1] - read[0]),
            ):
                found.setdefault(stage, []).append(taken)
    return {stage: statistics.median(taken) / 1e6 for stage, taken in found.items()}


def _last(spans: list[Span], before: int) -> Span | None:
    """The last to have ended by then."""
    place = bisect.bisect_right(spans, before, key=lambda span: span[1])
    return spans[place - 1] if place else None


def _first(spans: list[Span], after: int) -> Span | None:
    """The first to begin from then on."""
    place = bisect.bisect_left(spans, after, key=lambda span: span[0])
    return spans[place] if place < len(spans) else None


if __name__ == "__main__":
    main()
