"""Runs the simulation: ``python -m tests.simulation.run --seed 7 --steps 100000``."""

import argparse
import os
import sys
import time
from contextlib import nullcontext

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


def main() -> int:
    """Run with the options of the command line; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--world", type=int, default=0, help="which of the seed's worlds comes first")
    parser.add_argument("--mutant", help="what to break in the server first, see mutants.py")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets of names are walked through in an order that differs from run to run else.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation.run", *sys.argv[1:]])

    import django

    django.setup()
    from tests.simulation.episodes import Run
    from tests.simulation.mutants import MUTANTS
    from tests.simulation.scheduler import Violation

    started = time.process_time()
    run = Run(options.seed, options.world)
    try:
        with MUTANTS[options.mutant]() if options.mutant else nullcontext():
            run.steps(options.steps)
    except Violation as error:
        print("\n".join(run.world.scheduler.trace))
        print(f"\n{error}\n")
        step = run.world.scheduler.steps
        print(f"seed {options.seed}, world {run.number}, step {step}, after {run.done} in all; once more:")
        print(f"make simulate SEED={options.seed} WORLD={run.number} STEPS={step}")
        return 1
    seconds = time.process_time() - started
    print(f"{run.done} steps in {seconds:.1f} s of CPU, {run.done / seconds:.0f} a second; digest {run.digest}")
    for what, count in sorted(run.seen.items()):
        print(f"{count:>9}  {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
