"""How log lines look, and what must never be in them."""

import logging
import re

_TOKEN = re.compile(r"((?:token|authorization)[\"']?\s*[=:]\s*(?:bearer\s+)?[\"']?)[^\s\"'&,}]+", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")


def hide_tokens(text: str) -> str:
    """The text with the value of every token in it replaced."""
    return _JWT.sub("[token]", _TOKEN.sub(r"\1[token]", text))


class HideTokens(logging.Filter):
    """Tokens arrive in query strings, which servers like to log."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = hide_tokens(message)
        if hidden != message:
            record.msg, record.args = hidden, None
        return True


class LineFormatter(logging.Formatter):
    """``time level logger message key=value …``: the context given as ``extra={"context": {…}}`` comes last."""

    default_msec_format = "%s.%03d"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        context = getattr(record, "context", None) or {}
        return " ".join([line, *(hide_tokens(f"{name}={value}") for name, value in context.items())])

    def formatException(self, exc_info: object) -> str:
        return hide_tokens(super().formatException(exc_info))  # type: ignore[arg-type]
