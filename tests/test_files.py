"""Files of the pages over HTTP."""

import asyncio
import warnings
from pathlib import Path
from typing import Any

import pytest

from hmsroom.handler import Handler

STYLE = Path(__file__).parent.parent / "static/rooms/styles/base.css"


@pytest.mark.parametrize(("asked", "status", "answer"), [(b"", 200, slice(None)), (b"bytes=5-24", 206, slice(5, 25))])
async def test_a_file_is_read_in_the_thread_of_its_request(asked: bytes, status: int, answer: slice) -> None:
    """Django says so of what it reads in one thread for all."""
    sent: list[dict[str, Any]] = []
    frames = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not frames:
            await asyncio.Event().wait()
        return frames.pop()

    async def send(frame: dict[str, Any]) -> None:
        sent.append(frame)

    headers = [(b"host", b"testserver"), *([(b"range", asked)] if asked else [])]
    scope = {"type": "http", "method": "GET", "path": "/static/rooms/styles/base.css", "query_string": b""}
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "StreamingHttpResponse must consume")
        await Handler()({**scope, "headers": headers, "client": ("127.0.0.1", 1)}, receive, send)
    assert sent[0]["status"] == status
    assert b"".join(frame.get("body", b"") for frame in sent[1:]) == STYLE.read_bytes()[answer]
