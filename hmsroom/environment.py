"""Reading the environment: each value becomes what it is, or stops the start with a line that names the variable."""

import math
import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from rooms.access.addresses import Network, host_of, network_of, origin_of

T = TypeVar("T")

DAY = 24 * 60 * 60
MIB = 1024 * 1024
YEARS = 36_500 * DAY
"""More seconds than anything has to wait for, and few enough to be subtracted from a date."""
INTEGER = 2**31 - 1
"""The most that an integer column of PostgreSQL holds."""

_YES, _NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": DAY, "w": 7 * DAY}
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_SPAN = re.compile(rf"({_NUMBER})\s*(ms|s|m|h|d|w)\s*", re.ASCII)
# Of this server's own addresses, see rooms/urls.py.
_TAKEN_PATHS = {"r", "rooms", "init", "v2", "static", "healthz", "readyz", "metrics"}


def unreadable(name: str, problem: str, expected: str) -> ImproperlyConfigured:
    """What to raise for a value that cannot be used."""
    return ImproperlyConfigured(f"{name}: {problem}; expected {expected}.")


class Asked(NamedTuple):
    """A variable: as it is set, None if it is not; what holds then; and whether nobody is to see it."""

    given: str | None
    default: str
    secret: bool


class Environment:
    """Each method reads one variable, and raises ImproperlyConfigured if its value is not of the kind.

    ``asked`` are those that were read so far, by name.
    """

    def __init__(self) -> None:
        self.asked: dict[str, Asked] = {}

    def _given(self, name: str, default: object = "", *, secret: bool = False) -> str | None:
        """The variable as it is set, None if it is not."""
        given = os.environ.get(name)
        self.asked[name] = Asked(given, str(default), secret)
        return given

    def _text(self, name: str, default: object = "", *, secret: bool = False) -> str:
        given = self._given(name, default, secret=secret)
        return str(default) if given is None else given

    def text(self, name: str, *, default: str = "", secret: bool = False) -> str:
        """Any text on one line, without white space around it. A secret is not shown if it is wrong."""
        text = self._text(name, default, secret=secret)
        shown = "the value" if secret else repr(text)
        if text != text.strip():
            raise unreadable(name, f"{shown} begins or ends with white space", "none")
        if not text.isprintable():
            raise unreadable(name, f"{shown} has control characters", "plain text")
        return text

    def bearer(self, name: str) -> str:
        """What clients send in a header, or ""."""
        text = self.text(name, secret=True)
        if not text.isascii():
            raise unreadable(name, "the value has letters that are not ASCII", "none, for no client can send them")
        return text

    def switch(self, name: str, *, default: bool) -> bool:
        """1, true, yes or on; 0, false, no or off."""
        text = self._text(name, "on" if default else "off").strip().lower()
        if text not in _YES | _NO:
            raise unreadable(name, f"{text!r} is neither 1 nor 0", "1, true, yes, on or 0, false, no, off")
        return text in _YES

    def one_of(self, name: str, *choices: str) -> str:
        """One of the choices, the first if the variable is not set."""
        text = self._text(name, choices[0]).strip()
        if text not in choices:
            raise unreadable(name, f"{text!r} is none of its values", " or ".join(choices))
        return text

    def log_level(self, name: str, *, default: str) -> str:
        text = self._text(name, default).strip().upper()
        if text not in _LEVELS:
            raise unreadable(name, f"{text!r} is no level", " or ".join(_LEVELS))
        return text

    # --- Numbers

    def whole(self, name: str, *, default: int, least: int = 0, most: int = INTEGER) -> int:
        expected = f"a whole number from {least} to {most}"
        text = self._text(name, default).strip()
        if not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
            raise unreadable(name, f"{text[:100]!r} is not a whole number", expected)
        # Numbers of thousands of digits are a ValueError of their own.
        number = int(text) if len(text) < 30 else INTEGER + 1
        return self._within(name, number, text, least, most, expected)

    def number(self, name: str, *, default: float, least: float = 0, most: float = 1_000_000) -> float:
        expected = f"a number from {least:g} to {most:g}"
        text = self._text(name, default).strip()
        if not re.fullmatch(rf"[+-]?{_NUMBER}(?:e[+-]?\d+)?", text, re.ASCII | re.IGNORECASE):
            raise unreadable(name, f"{text[:100]!r} is not a number", expected)
        return self._within(name, float(text), text, least, most, expected)

    def span(self, name: str, *, default: float, unit: str = "s", least: float = 0, most: float = YEARS) -> float:
        """A length of time in the unit. A plain number is of that unit; least and most are in seconds.

        One of days takes no smaller units: whoever writes ``1m`` there means a month.
        """
        text = self._text(name, default).strip()
        spoken = f"{_spoken(least)} to {_spoken(most)}"
        example = {"ms": "4 or 4ms", "d": "30, 30d or 4w"}.get(unit, "90, 90s or 1m30s")
        expected = f"a time{' in days or weeks' if unit == 'd' else ''} from {spoken}, such as {example}"
        if unit == "d" and {given for _, given in _SPAN.findall(text)} - {"d", "w"}:
            raise unreadable(name, f"{text[:100]!r} is not in days", expected)
        seconds = seconds_in(text, unit)
        if seconds is None:
            raise unreadable(name, f"{text[:100]!r} is not a time", expected)
        return self._within(name, seconds, text, least, most, expected) / _UNITS[unit]

    def _within(self, name: str, value: T, text: str, least: Any, most: Any, expected: str) -> T:
        if not least <= value <= most:
            word = "more than it can be" if value > most else "less than it can be"
            raise unreadable(name, f"{text[:100]} is {word}", expected)
        return value

    # --- Names and places

    def hosts(self, name: str, *, default: Collection[str]) -> list[str]:
        """Host names, of which ``*`` is any and ``.example.org`` that domain and all within it."""
        found = self._list(name, default, _host_pattern, "names such as rooms.example.org, .example.org, [::1]")
        if not found:
            raise unreadable(name, "it names no host", "one at least, such as rooms.example.org")
        return found

    def origins(self, name: str, *, default: Collection[str] = (), words: Collection[str] = ()) -> list[str]:
        """Origins in the form that browsers send, or some of the words."""
        expected = " or ".join(["origins such as https://app.example.org", *words])
        return self._list(name, default, lambda text: text if text in words else origin_of(text), expected)

    def web_origins(self, name: str) -> list[str]:
        """Origins of pages on the web."""
        return self._list(name, (), _web_origin, "origins such as https://app.example.org")

    def networks(self, name: str) -> list[Network]:
        """Networks and single addresses."""
        expected = "addresses or networks such as 10.0.0.5, 10.0.0.0/8, fd00::/8, separated by commas"
        return self._list(name, (), network_of, expected)

    def public_url(self, name: str) -> str:
        """The origin of a web server, or ""."""
        text = self._text(name).strip()
        if not text:
            return ""
        try:
            return _web_origin(text)
        except ValueError as error:
            # A URL may hold a password, so not all of it is shown.
            shown = repr(text) if "@" not in text else "the value"
            expected = "scheme, host and port alone, as in https://rooms.example.org"
            raise unreadable(name, f"{shown} {error}", expected) from None

    def path(self, name: str, *, default: str) -> str:
        """A path below the root without its first slash and with its last, or ""."""
        given = self._text(name, default).strip()
        text = given.strip("/")
        expected = "a path of letters, digits and - _ . ~, as in staff-7f3a/"
        if not given:
            return ""
        if not text:
            raise unreadable(name, f"{given[:100]!r} is the root, where the rooms are", expected)
        if not re.fullmatch(r"[\w.~-]+(?:/[\w.~-]+)*", text, re.ASCII) or {".", ".."} & set(text.split("/")):
            raise unreadable(name, f"{text!r} is not a plain path", expected)
        if text.partition("/")[0] in _TAKEN_PATHS:
            raise unreadable(name, f"{text!r} is an address of the server's own", expected)
        return f"{text}/"

    def cookie_prefix(self, name: str) -> str:
        text = self._text(name).strip()
        if not re.fullmatch(r"[\w-]{0,64}", text, re.ASCII):
            raise unreadable(name, f"{text!r} cannot begin a cookie's name", "letters, digits, - and _")
        return text

    def _list(self, name: str, default: Collection[str], read: Callable[[str], T], expected: str) -> list[T]:
        given = self._given(name, ", ".join(default))
        texts = default if given is None else [part.strip() for part in given.split(",") if part.strip()]
        found = []
        for text in texts:
            try:
                found.append(read(text))
            except ValueError as error:
                raise unreadable(name, f"{text!r} {error}", expected) from None
        return found

    # --- Databases. Their values hold passwords and are never shown.

    def database(self, name: str, *, default: dict[str, Any]) -> dict[str, Any]:
        """What Django's DATABASES takes."""
        text = self._text(name, secret=True).strip()
        if not text:
            return default
        expected = "postgres://user:password@host:5432/name, or sqlite:////folder/file"
        unread = "it cannot be read (characters such as / ? # @ of a password are written as %2F %3F %23 %40)"
        try:
            if urlsplit(text).scheme not in ("postgres", "postgresql", "sqlite"):
                raise unreadable(name, "it is of another kind", expected)
            found: dict[str, Any] = environ.Env.db_url_config(text)
        except ValueError:
            raise unreadable(name, unread, expected) from None
        if found["NAME"] in ("", ":memory:"):
            raise unreadable(name, "it names no database that lasts", expected)
        if "sqlite" in found["ENGINE"]:
            found["NAME"] = str(Path(found["NAME"]).absolute())
        return found

    def redis_urls(self, name: str) -> list[str]:
        """One Redis, or several that share the rooms among them, separated by commas; each server once."""
        texts = [part.strip() for part in self._text(name, secret=True).split(",") if part.strip()]
        expected = "redis://host:6379/0, rediss://… or unix://…"
        unread = "cannot be read (characters such as , / ? # @ of a password are written as %2C %2F %3F %23 %40)"
        seen: dict[str, str] = {}
        for number, text in enumerate(texts, 1):
            which = f"{number} of {len(texts)}" if len(texts) > 1 else "it"
            try:
                place = redis_place(text)
            except ValueError:
                raise unreadable(name, f"{which} {unread}", expected) from None
            if place in seen:
                problem = f"{which} is the same server as {seen[place]}, {place}"
                raise unreadable(name, problem, "each once, for a Redis tells what is said to all of its databases")
            seen[place] = which
        return texts


def redis_place(url: str) -> str:
    """Where a Redis is, without what lets one in: ``host:port``, or its socket. Raises ValueError for no such URL."""
    from redis import Redis, RedisError  # it takes long to load, and is seldom needed

    try:
        connection = Redis.from_url(url).connection_pool.make_connection()  # knows the options, and does not connect
    except (ValueError, TypeError, RedisError):
        raise ValueError("no URL of a Redis") from None
    where = dict(connection.repr_pieces())
    return str(where.get("path") or f"{where['host']}:{where['port']}")


def seconds_in(text: str, unit: str = "s") -> float | None:
    """The seconds of a length of time as ``1m30s``, or as a plain number of the unit; None if it is neither."""
    if re.fullmatch(_NUMBER, text, re.ASCII):
        return float(text) * _UNITS[unit]
    if re.fullmatch(f"(?:{_SPAN.pattern})+", text, re.ASCII):
        return math.fsum(float(number) * _UNITS[given] for number, given in _SPAN.findall(text))
    return None


def _spoken(seconds: float) -> str:
    for unit in ("d", "h", "m", "s"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds * 1000:g}ms" if seconds else "0"


def _host_pattern(text: str) -> str:
    return text if text == "*" else f".{host_of(text[1:])}" if text.startswith(".") else host_of(text)


def _web_origin(text: str) -> str:
    origin = origin_of(text)
    if not origin.startswith(("http://", "https://")):
        raise ValueError("is neither http:// nor https://")
    return origin


# --- Files --------------------------------------------------------------------------------------


def make_private(directory: Path) -> None:
    """Make the directory for its owner alone, if it is not there. Raises ImproperlyConfigured if it is of no use."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR: {directory} cannot be made: {error.strerror}.") from None
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"DATA_DIR: {directory} cannot be written to. Give it to the user who runs the server, or set another."
        )


def keep_private(path: Path) -> None:
    """Take a file away from all users but its owner, as far as we are the owner."""
    try:
        if path.stat().st_mode & 0o077 and path.is_file():
            path.chmod(0o600)
    except OSError:
        pass  # it is not there, or somebody else's: check --deploy tells


def make_private_database(path: Path) -> None:
    """Make SQLite's file for its owner alone before SQLite does; it gives the files beside it the same rights."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ImproperlyConfigured(f"The database {path} cannot be opened: {error.strerror}.") from None
    for end in ("", "-wal", "-shm"):
        keep_private(path.with_name(path.name + end))
