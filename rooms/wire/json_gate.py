"""The gate that all JSON and all text from outside passes: what every database and every client can keep."""

import json
import math
import re
from typing import Any

from rooms.wire.errors import BadRequest
from rooms.wire.events import compact

JSON = Any
"""Any JSON value."""

MAX_DEPTH = 32
MAX_NODES = 2000


def load_json(text: str) -> JSON:
    """The value of JSON text that every database and every client can keep.

    Raises BadRequest for what is not JSON (NaN included), numbers beyond 1.8e308, NUL, lone surrogates, more than
    32 levels or 2,000 values. Of a repeated key the last one counts.
    """
    # Before they are made, which takes many times as long as counting the commas between them.
    if text.count(",") >= MAX_NODES - 1 and _STRING.sub("", text).count(",") >= MAX_NODES - 1:
        raise BadRequest(f"JSON: more than {MAX_NODES} values")
    try:
        # White space is looked for here, faster than the decoder would.
        text = text.strip(" \t\n\r")
        value, end = _DECODER.raw_decode(text)
        if end < len(text):
            value = _DECODER.decode(text)  # which says what is wrong
    except RecursionError:
        raise BadRequest(f"JSON: more than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise BadRequest(f"JSON: {error}") from None
    # With few brackets it cannot be deep, and with few commas and colons too it cannot be long.
    if text.count("[") + text.count("{") > MAX_DEPTH or (
        len(text) > MAX_NODES // 2 and text.count(",") + text.count(":") > MAX_NODES // 2
    ):
        _check_shape(value)
    if "\\u" in text or not text.isascii():
        _check_text(compact(value), value)
    return value


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is beyond 1.8e308")
    return number


def _parse_int(text: str) -> int:
    # By its length if possible, for int() is slow of many digits and refuses very many.
    if len(text) > 310 or (len(text) > 300 and math.isinf(float(text))):
        raise ValueError("a number is beyond 1.8e308")
    return int(text)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_parse_float, parse_int=_parse_int)


# One that does not end goes to the end of the text, so that each character is looked at once.
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)


def _check_shape(value: JSON) -> None:
    nodes = 0
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[JSON] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        nodes += len(level)
        if nodes > MAX_NODES:
            raise BadRequest(f"JSON: more than {MAX_NODES} values")
        if not below:
            return
        level = below
    if nodes + len(level) > MAX_NODES:
        raise BadRequest(f"JSON: more than {MAX_NODES} values")
    if any(isinstance(item, dict | list) for item in level):
        raise BadRequest(f"JSON: more than {MAX_DEPTH} levels")


# The text was written by compact(), so an escaped NUL is the only way a NUL can stand in it, unless its backslash is
# itself escaped. From the first backslash of a run only: one regular expression, which looks at each character once.
_UNSTORABLE_JSON = re.compile(r"[\ud800-\udfff]|(?<!\\)(?:\\\\)*\\u0000")


def _check_text(text: str, value: JSON) -> None:
    if found := _UNSTORABLE_JSON.search(text):
        what = "the character NUL" if found.group().endswith("0") else "a lone surrogate"
        where = (_where_unstorable(value) or "").removeprefix(".")
        raise BadRequest(f"{where[:200] or 'JSON'}: {what} cannot be stored")


def _where_unstorable(value: JSON) -> str | None:
    """The place in a value of the first text that cannot be stored, as ``.polls[0]``; that of the object for a key."""
    if isinstance(value, str):
        return None if is_storable(value) else ""
    parts: list[tuple[str, JSON]] = []
    if isinstance(value, dict):
        if not all(map(is_storable, value)):
            return ""
        parts = [(f".{key}", part) for key, part in value.items()]
    elif isinstance(value, list):
        parts = [(f"[{place}]", part) for place, part in enumerate(value)]
    return next((name + inner for name, part in parts if (inner := _where_unstorable(part)) is not None), None)


def is_storable(text: str) -> bool:
    """Whether every database can keep the text: PostgreSQL takes neither NUL nor lone surrogates."""
    return "\x00" not in text and (text.isascii() or not _SURROGATE.search(text))


_SURROGATE = re.compile("[\ud800-\udfff]")
