"""Simulate rooms in cells: python bench/simulate_scale.py [--seed 1] [--write]

docs/scaling.md says what is simulated, and what the figures mean; --write brings them into it. Nothing is measured
here: what things cost is read from bench/scale/measured.json, which bench/measure_costs.py writes.
"""

import argparse
import time
from pathlib import Path

import marked
from scale import policies, report
from scale.world import DEFAULT, Plan, World

DOCUMENT = Path(__file__).resolve().parent.parent / "docs/scaling.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cells", type=int, default=DEFAULT.cells)
    parser.add_argument("--processes", type=int, default=DEFAULT.processes, help="of each cell, with a core each")
    parser.add_argument("--use", type=float, default=DEFAULT.use, help="share of all cores that sessions ask for")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scaling.md")
    options = parser.parse_args()
    if options.cells < 4:
        parser.error("one cell dies, one is drained and one is started again, so it takes 4 at least")
    plan = Plan(options.cells, options.processes, options.use)
    if options.write and (plan, options.seed) != (DEFAULT, 1):
        parser.error("docs/scaling.md has what is the default")
    started = time.process_time()
    found = {}
    for name in policies.NAMES:
        world = World(name, options.seed, plan)
        found[name] = world.run()
        world.check()
    tables = report.tables(found, plan)
    print(f"{plan.cells} cells of {plan.processes} processes at {plan.use:.0%}, seed {options.seed}")
    for rows in tables.values():
        print(f"\n{report.plain(rows)}")
    print(f"\n{time.process_time() - started:.0f} s of CPU")
    if options.write:
        DOCUMENT.write_text(marked.put_into(DOCUMENT.read_text(), tables))


if __name__ == "__main__":
    main()
