"""A server's clock that a test sets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def settable_clock(folder: Path) -> tuple[Callable[[str], None], dict[str, Any]]:
    """What sets the clock by a step, such as ``+3600s``, and the environment of the server that it is the clock of."""
    [library] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    wall = folder / "wall"

    def set_clock(step: str) -> None:
        (folder / "next").write_text(step)
        (folder / "next").replace(wall)  # never read half written

    set_clock("+0s")
    return set_clock, {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": wall,
        "FAKETIME_NO_CACHE": 1,
        "FAKETIME_DONT_FAKE_MONOTONIC": 1,
    }
