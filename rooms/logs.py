"""How log lines look, what they are told by, and what must never be in them."""

import json
import logging
import re
import secrets
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
            [super().formatMessage(record), *(f"{name}={_value(value)}" for name, value in context.items())]
        )

    def formatException(self, exc_info: object) -> str:
        return hide_tokens(super().formatException(exc_info))  # type: ignore[arg-type]


def _value(value: object) -> str:
    text = hide_tokens(str(value))
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


class RequestIds:
    """Middleware: gives each request an id, the proxy's if it sent one, that log lines and the answer carry."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        name = given if re.fullmatch(r"[\w-]{1,64}", given) else secrets.token_hex(8)
        token = request_id.set(name)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response.headers["X-Request-ID"] = name
        return response
