"""manage.py, with a note of when each message passes from stage to stage: written to the file STAMPS in the end."""

import atexit
import functools
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402

from rooms.consumers import PeerConsumer  # noqa: E402
from rooms.delivery import writer  # noqa: E402
from rooms.delivery.hub import Hub  # noqa: E402

noted: dict[str, list[tuple[int, int]]] = {}


def note(owner: Any, name: str) -> None:
    """Have it noted when a function begins and ends, in nanoseconds."""
    function: Callable[..., Any] = getattr(owner, name)
    times = noted.setdefault(name, [])

    @functools.wraps(function)
    def timed(*arguments: Any, **named: Any) -> Any:
        begin = time.perf_counter_ns()
        try:
            return function(*arguments, **named)
        finally:
            times.append((begin, time.perf_counter_ns()))

    setattr(owner, name, timed)


note(PeerConsumer, "_receive")
note(writer, "_ask")
note(Hub, "_finished")
atexit.register(lambda: Path(os.environ["STAMPS"]).write_text(json.dumps(noted)))
signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # the server raises it once more when all is ended
execute_from_command_line(sys.argv)
