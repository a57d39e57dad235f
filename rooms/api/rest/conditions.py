"""Conditions of requests: entity tags, which are versions here, each a whole number in quotes."""

import re
from typing import Annotated

from ninja import Header

from rooms.wire.errors import BadRequest

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
# A proxy that compresses what passes may make a tag weak. It is exact all the same, being a number.
_TAGS = re.compile(rf"{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*")

IfMatch = Annotated[
    str | None,
    Header(
        None,
        alias="If-Match",
        description="Only if it is at this version, or one of several with commas between; `*` is any."
        " Otherwise the answer is 412, with it as it stands",
        examples=['"12"'],
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        None,
        alias="If-None-Match",
        description="`*`: only if it is not there. Otherwise the answer is 412, with it as it stands",
        examples=["*"],
    ),
]


def tag(version: int) -> str:
    return f'"{version}"'


def versions(if_match: str | None) -> list[int] | None:
    """The versions that a header names; None if it is missing or is for any. Raises BadRequest."""
    if if_match is None or if_match.strip() == "*":
        return None
    if not _TAGS.fullmatch(if_match.strip()):
        raise BadRequest('If-Match: expected * or "version", several with commas between')
    # What is no number is no version of anything.
    return [int(text) for text in _TAG.findall(if_match) if re.fullmatch("[0-9]{1,15}", text)]


def is_set(if_match: str | None, if_none_match: str | None) -> bool | None:
    """Whether the headers ask for something that is there, or is not; None if for neither. Raises BadRequest."""
    if if_none_match is not None and if_none_match.strip() != "*":
        raise BadRequest("If-None-Match: expected *")
    if if_none_match is not None and if_match is not None:
        raise BadRequest("If-None-Match: not together with If-Match")
    return False if if_none_match is not None else True if if_match and if_match.strip() == "*" else None
