"""How log lines look, what they are told by, and what must never be in them."""

import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the HTTP request that is being answered."""

# A value is what is assigned to the name, or follows the quoted name. After "token: " there are words, which say why
# one is refused, or something so long that it is none. Nothing goes back over what it has passed: a line may be long.
_TOKEN = re.compile(
    r"""((?:token["']?\s*+(?:=|%3D) | token["']\s*+: | authorization["']?\s*+(?:[=:]|%3D))
        \s*+["']?+(?:bearer\b\s*+)?+["']?+)[^\s"'&,}]+
      | (token\s*+:\s*+)[^\s"'&,}]{20,}""",
    re.IGNORECASE | re.VERBOSE,
)
_RUN = re.compile(r"[\w.%-]+")
_JWT = "eyJ"
"""How a JWT begins: ``{"`` in base64."""
_CODE = re.compile(r"(/r/)[^\s/\"'?]+")

_PLAIN = re.compile(r"[\w.:/@+%-]+")


def hide_tokens(text: str) -> str:
    """The text with the value of every token and room code in it replaced."""
    hidden = _TOKEN.sub(r"\1\2[token]", text)
    if _JWT in hidden:
        hidden = _RUN.sub(_hide_jwt, hidden)
    return _CODE.sub(r"\1[code]", hidden)


def _hide_jwt(run: re.Match[str]) -> str:
    """What is before a token in a run of its characters; also a token that was cut short."""
    before, found, rest = run[0].partition(_JWT)
    return f"{before}[token]" if found and len(rest) >= 8 else run[0]


def describe(error: BaseException) -> str:
    """An error on one line, for those whose traceback tells nothing more."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


MAX_MESSAGE = 4000
MAX_VALUE = 200
"""Characters of a message, and of one value beside it, that are written."""


def cut(text: str, limit: int = MAX_VALUE) -> str:
    """The text, or its beginning and its end if it is long."""
    return text if len(text) <= limit else f"{text[: limit - limit // 4]}…{text[-(limit // 4) :]}"


class Bounded(logging.Filter):
    """Keeps strangers from filling the log: of each kind of line it lets 60 a minute through, cut to a length.

    A kind is the place in the code that writes it, and ``extra={"kind": …}``. The next line of a kind says how many
    were left out before it. Who came and went is told of everybody: the rates bound that.
    """

    LINES_A_MINUTE = 60
    _UNBOUNDED = frozenset({"rooms.presence"})

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        # By kind: the end of its minute, the lines let through in it, and those left out since the last one.
        self._kinds: dict[tuple[str, int, object], list[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.DEBUG and record.name not in self._UNBOUNDED:
            left_out = self._count((record.pathname, record.lineno, getattr(record, "kind", "")))
            if left_out is None:
                return False
            if left_out:
                record.context = {**(getattr(record, "context", None) or {}), "left_out": left_out}
        longest = MAX_MESSAGE
        if _is_strangers(record):
            # What they sent is at fault, and no line of ours.
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            longest = MAX_VALUE
        message = record.getMessage()
        if len(message) > longest:
            record.msg, record.args = cut(message, longest), None
        return True

    def _count(self, kind: tuple[str, int, object]) -> int | None:
        """How many lines were left out before this one; None if it is to be left out as well."""
        now = self._clock()
        with self._lock:
            state = self._kinds.setdefault(kind, [0, 0, 0])
            if now >= state[0]:
                state[0], state[1] = now + 60, 0
            if state[1] >= self.LINES_A_MINUTE:
                state[2] += 1
                return None
            state[1] += 1
            left_out, state[2] = int(state[2]), 0
            return left_out


def _is_strangers(record: logging.LogRecord) -> bool:
    """Whether others log an error, with a traceback, for what a client sent."""
    error = record.exc_info[1] if record.exc_info else None
    return record.name.startswith("django.security.") or (
        record.name == "uvicorn.error" and isinstance(error, UnicodeError)
    )


class HideTokens(logging.Filter):
    """Tokens arrive in query strings, which servers like to log."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = hide_tokens(message)
        if hidden != message:
            record.msg, record.args = hidden, None
        return True


class BugsOnly(logging.Filter):
    """Of what Django says about refused requests only our own mistakes: 503 is logged where it comes from."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", 500) == 500


class LineFormatter(logging.Formatter):
    """``time level logger message name=value …``: the context given as ``extra={"context": {…}}`` comes last.

    Values that are not one plain word are quoted as in JSON, so that none can pass for another or for a line.
    """

    default_msec_format = "%s.%03d"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        context = {**(getattr(record, "context", None) or {})}
        if request_id.get():
            context["request"] = request_id.get()
        return " ".join(
            [super().formatMessage(record), *(f"{name}={quoted(value)}" for name, value in context.items())]
        )

    def formatException(self, exc_info: object) -> str:
        return hide_tokens(cut(super().formatException(exc_info), 4 * MAX_MESSAGE))  # type: ignore[arg-type]


def quoted(value: object) -> str:
    """A value as it stands in a line, which nothing in it ends."""
    # Cut twice: a token is found only whole, and looking for it takes its time.
    text = cut(hide_tokens(cut(str(value), MAX_MESSAGE)))
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


class RequestIds:
    """Middleware: gives each request an id, the proxy's if it sent one, that log lines and the answer carry."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        # It goes into log lines and back into a header, so not whatever a client says.
        name = given if re.fullmatch(r"[\w-]{1,64}", given) else secrets.token_hex(8)
        token = request_id.set(name)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response.headers["X-Request-ID"] = name
        return response
