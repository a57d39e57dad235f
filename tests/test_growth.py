"""Whatever bytes a stranger or a peer sends, the work they cause grows with them and not with their square."""

import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import RequestFactory

from rooms.access import origins, tokens
from rooms.access.handshakes import Door
from rooms.api.bodies import Texts
from rooms.observe.logs import LineFormatter, hide_tokens
from rooms.sockets.splitter import FrameSplitter
from rooms.views import code_in
from rooms.wire.errors import RoomError
from rooms.wire.frames import parse
from rooms.wire.json_gate import load_json
from rooms.wire.names import clean_name
from rooms.wire.rates import Allowances, Bucket, Buckets, network
from rooms.wire.sdk_versions import is_legacy
from tests.sockets.test_splitter import TEXT, frame

MEASURABLE = 0.004
"""Seconds of this process's time below which a measurement says nothing."""

LARGEST = 1 << 17
"""Characters: more than any body, frame or head may have."""

Feed = Callable[[str], object]


def growth(feed: Callable[[Any], object], make: Callable[[int], Any]) -> float:
    """How many times the work is when the input is four times as long: 4 if it is linear, 16 if it is the square."""
    size = 256
    while (once := _work(feed, make(size))) < MEASURABLE:
        size *= 2
        if size > LARGEST:
            return 1  # whatever it is, it is next to nothing
    return _work(feed, make(4 * size)) / once


def is_linear(feed: Callable[[Any], object], make: Callable[[int], Any]) -> bool:
    # Of three, for something else may have run meanwhile.
    return any(growth(feed, make) <= 8 for _ in range(3))


def _work(feed: Callable[[Any], object], text: Any) -> float:
    return min(_once(feed, text) for _ in range(3))


def _once(feed: Callable[[Any], object], text: Any) -> float:
    started = time.process_time()
    try:
        feed(text)
    except RoomError:
        pass
    return time.process_time() - started


class Splitter(FrameSplitter):
    def take_text(self, payload: bytes) -> bool:
        return True


def split(data: bytes, *, piece: int = 1 << 30) -> None:
    splitter = Splitter(lambda left: None, lambda: None, Bucket(0, 0))
    for at in range(0, len(data), piece):
        splitter.feed(data[at : at + piece])


def log_line(text: str) -> str:
    record = logging.LogRecord("rooms.test", logging.INFO, "", 0, "%s", (text[:4000],), None)
    record.context = {"why": text}
    return LineFormatter().format(record)


def handshake(text: str) -> object:
    door = Door(lambda scope, receive, send: None)
    headers = [(b"host", text.encode()), (b"origin", text.encode()), (b"x-forwarded-for", text.encode())]
    return door._refusal({"path": text, "headers": headers, "client": ("127.0.0.1", 1), "query_string": b""})


def http(text: str) -> object:
    sent = text.encode().decode("latin-1")
    request = RequestFactory().get("/", QUERY_STRING=sent, HTTP_COOKIE=sent)
    return Texts(lambda request: request)(request)  # type: ignore[arg-type,return-value]


def form(text: str) -> object:
    request = RequestFactory().generic("POST", "/rooms/new", text, "application/x-www-form-urlencoded")
    return Texts(lambda request: request)(request)  # type: ignore[arg-type,return-value]


def upload(text: str) -> object:
    request = RequestFactory().generic("POST", "/rooms/new", text, "multipart/form-data; boundary=--a")
    return Texts(lambda request: request)(request)  # type: ignore[arg-type,return-value]


def read_json(text: str) -> object:
    return load_json(f'["{text}"]')


READERS: dict[str, Feed] = {
    "JSON": load_json,
    "a JSON string": read_json,
    "a frame": lambda text: parse(text, limit=1 << 30),
    "a name": lambda text: clean_name(text, limit=100),
    "a token": tokens.read,
    "a query": parse_qs,
    "a user agent": is_legacy,
    "an origin": lambda text: (origins.is_allowed(text, "http://x"), origins.is_own_host(text)),
    "an address": network,
    "a handshake": handshake,
    "a link": code_in,
    "a log line": log_line,
    "tokens in a log line": hide_tokens,
    "a request": http,
    "a form": form,
    "an upload": upload,
}

PIECES = [
    *(
        "a",
        "1",
        "[",
        "{",
        "[[],",
        '{"a":',
        '"',
        "\\\\",
        "\\\\u0000",
        "\\u0000",
        "\\ud800",
        "\\u0301",
        "\u0301",
        "\u0301\u0316",
    ),
    *("é", " ", "\t", "a\u0301", "\uff9e", "\u200d", "ﷺ", "1,", "-", "1e", "0.", ".", "%", "%ff", "+", ":", "[:"),
    *("eyJ-", "eyJ-.", "eyJ.", "token=", "token=a ", "%3D", "authorization: bearer ", "/r/", "/"),
    *("a=&", "a&", "a=1;", "a.", "@", "#", "a,", "a;", '"\\', '",', '\\",'),
    *("----a\r\n", "\r\n", "a: b\r\n", '----a\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n'),
]


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_costs_more_than_the_bytes_it_is_fed(reader: str, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = None
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    feed = READERS[reader]

    def is_read(piece: str) -> bool:
        return is_linear(feed, lambda size: piece * (size // len(piece)) + "!")

    assert [piece for piece in PIECES if not is_read(piece)] == []


@pytest.mark.parametrize(
    ("what", "feed"),
    [
        ("one frame byte by byte", lambda size: split(frame(TEXT, b"x" * size), piece=1)),
        ("small frames at once", lambda size: split(frame(TEXT, b"x") * (size // 8))),
        ("small frames in pieces", lambda size: split(frame(TEXT, b"x" * 200) * (size // 200), piece=3)),
        ("pieces of a message", lambda size: split(frame(0, b"", final=False) * (size // 8), piece=7)),
    ],
)
def test_frames_cost_no_more_than_their_bytes(what: str, feed: Callable[[int], None]):
    assert is_linear(feed, lambda size: size)


def test_a_million_addresses_cost_each_the_same_and_bounded_memory():
    def fill(count: int) -> None:
        buckets = Buckets(0.001, 5, most=1000)
        allowances = Allowances(0.001, 5, most=1000)
        for number in range(count):
            buckets.take(str(number))
            allowances.open(("room", str(number))).calls.take()
            allowances.close(("room", str(number)))
        assert len(buckets) <= 1000 and len(allowances) <= 1000

    assert is_linear(fill, lambda size: size)
    fill(1_000_000)
