"""Compare hmsroom with other chat servers: python bench/run.py [--quick]

Installs what it needs under bench/ on its first run. Servers get core 0, the load generator core 1, and all traffic
stays on 127.0.0.1. Systems are freshly started for each scenario and take turns in it, second by second (A B C A B C).
The medians and ratios are printed, with what is asked of them, and written to bench/latest.json, which says whether the
run was a quick one. Nothing is written where something failed, or only some scenarios or systems were run. --docs
brings that file into the tables of README.md and docs/performance.md.
"""

import argparse
import os
import sys
import time

from harness import documents, install, measure, plan, processes, report
from harness.places import LATEST


def main() -> None:
    options = _options()
    if options.docs:
        documents.fill()
        return
    if (os.cpu_count() or 1) < 2:
        sys.exit("bench: two cores are needed, one for the server and one for the load generator")
    install.everything()
    processes.use_own_core()
    started = time.monotonic()
    contests = plan.select(plan.QUICK if options.quick else plan.FULL, options.scenarios, options.systems)
    seconds = options.seconds or (1 if options.quick else 1.5)
    found = report.medians(measure.rounds(contests, repetitions=options.repetitions, seconds=seconds))
    print(f"\n{report.table(found, contests)}\n\n{report.ratio_table(report.ratios(found, contests))}")
    print(f"\n{time.monotonic() - started:.0f} s, load average {os.getloadavg()[0]:.1f}")
    if report.failures(found):
        sys.exit("bench: not everything could be measured, nothing is written")
    if not options.scenarios and not options.systems:
        run = {"quick": options.quick, "repetitions": options.repetitions, "seconds": seconds}
        report.write(found, contests, run)
        print(f"written to {LATEST}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="four scenarios, few systems, at most six minutes")
    parser.add_argument("--docs", action="store_true", help="run nothing, bring latest.json into the documents")
    parser.add_argument("--scenarios", type=_names, default=(), help="only these, separated by commas")
    parser.add_argument("--systems", type=_names, default=(), help="only these, separated by commas")
    parser.add_argument("--repetitions", type=int, default=2, help="2 unless told")
    parser.add_argument("--seconds", type=float, help="length of one measured run: 1.5, or 1 with --quick")
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


if __name__ == "__main__":
    main()
