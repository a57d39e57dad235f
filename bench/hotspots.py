"""Where a system spends its time: python bench/hotspots.py SCENARIO SYSTEM [--seconds S]

Runs one scenario of bench/run.py under py-spy and prints, for each thread, the functions that were on top of the
stack most often and those that were anywhere on it. A busy thread that waits for a lock or the disk does not count.
"""

import argparse
import collections
import signal
import subprocess
import sys
import time
from pathlib import Path

from harness import install, measure, plan, processes
from harness.places import BUILD, VENV
from harness.systems import SYSTEMS, Running

SAMPLES_PER_SECOND = 250
LINES = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", choices=[contest.name for contest in plan.FULL])
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("--seconds", type=float, default=1.5, help="length of one measured run")
    options = parser.parse_args()
    install.everything()
    processes.use_own_core()
    contest = next(contest for contest in plan.FULL if contest.name == options.scenario)
    running = SYSTEMS[options.system].start(options.system)
    try:
        stacks = _profile(contest, running, options.seconds)
    finally:
        running.group.stop()
    _print(stacks)


def _profile(contest: plan.Contest, running: Running, seconds: float) -> list[tuple[list[str], int]]:
    """Run the scenario while py-spy watches; (stack, times seen), outermost function first."""
    recorded = BUILD / "stacks.txt"
    command = [str(VENV / "bin/py-spy"), "record", "--pid", str(running.group.pids()[0]), "--subprocesses", "--threads"]
    options = ["--rate", str(SAMPLES_PER_SECOND), "--format", "raw", "--function", "--output", str(recorded)]
    spy = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)  # py-spy says nothing when it has attached
        print(measure.shown(contest.scenario(running, seconds)))
    finally:
        spy.send_signal(signal.SIGINT)
        spy.wait()
    return [_stack(line) for line in recorded.read_text().splitlines()]


def _stack(line: str) -> tuple[list[str], int]:
    frames, _, count = line.rpartition(" ")
    return [_short(frame) for frame in frames.split(";")], int(count)


def _short(frame: str) -> str:
    """Paths without what all have in common."""
    for root in (*sys.path, str(Path(sys.executable).parent.parent / "lib")):
        frame = frame.replace(f"({root}/", "(") if root else frame
    return frame


def _print(stacks: list[tuple[list[str], int]]) -> None:
    total = sum(count for _, count in stacks)
    by_thread: collections.Counter[str] = collections.Counter()
    top: collections.Counter[str] = collections.Counter()
    anywhere: collections.Counter[str] = collections.Counter()
    for frames, count in stacks:
        thread = next((frame for frame in frames if frame.startswith("thread ")), "main thread")
        by_thread[thread] += count
        top[frames[-1]] += count
        for frame in set(frames):
            anywhere[frame] += count
    for title, counted in (("thread", by_thread), ("on top", top), ("anywhere", anywhere)):
        print(f"\n{title}")
        for name, count in counted.most_common(LINES):
            print(f"  {count / total:6.1%}  {name}")


if __name__ == "__main__":
    main()
