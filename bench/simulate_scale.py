"""Simulate rooms in cells: python bench/simulate_scale.py [--seed 1]

docs/scaling.md says what is simulated, and what the figures mean. Nothing is measured: what things cost stands in
bench/scale/costs.py.
"""

import argparse
import time

from scale import policies, report
from scale.world import DEFAULT, Plan, World


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cells", type=int, default=DEFAULT.cells)
    parser.add_argument("--processes", type=int, default=DEFAULT.processes, help="of each cell, with a core each")
    parser.add_argument("--each-second", type=float, default=DEFAULT.each_second, help="sessions that begin")
    options = parser.parse_args()
    if options.cells < 3:
        parser.error("one cell dies and one is drained, so it takes 3 at least")
    plan = Plan(options.cells, options.processes, options.each_second)
    started = time.process_time()
    found = {}
    for name in policies.NAMES:
        world = World(name, options.seed, plan)
        found[name] = world.run()
        world.check()
    shape = f"{plan.cells} cells of {plan.processes} processes, {plan.each_second:g} sessions begin a second"
    print(f"{shape}, seed {options.seed}\n")
    print(f"{report.table(found, plan)}\n\n{report.largest(plan)}\n")
    print(f"{time.process_time() - started:.0f} s of CPU")


if __name__ == "__main__":
    main()
