"""Look at a history that was kept: ``python -m tests.support.history FILE``."""

import sys
from pathlib import Path

from tests.support.history import History, anomalies

found = anomalies(History.load(Path(sys.argv[1])))
print(*found, f"{len(found)} anomalies", sep="\n")
sys.exit(bool(found))
