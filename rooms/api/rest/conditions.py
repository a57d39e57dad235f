"""Conditions of requests: entity tags, which are versions here, each a whole number in quotes."""

import re
from typing import Annotated, Any

from ninja import Field, Schema

from rooms.wire.errors import BadRequest

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
# A proxy that compresses what passes makes a tag weak. It is exact all the same, being a number.
_TAGS = re.compile(rf"{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*")


NOT_MODIFIED: dict[Any, Any] = {304: None}
"""``response=`` of an endpoint that looks at NoneMatch, besides what else it answers."""


def _versions(name: str, tags: str) -> list[int]:
    """The versions that tags name. Raises BadRequest."""
    if not _TAGS.fullmatch(tags.strip()):
        raise BadRequest(f'{name}: expected * or "version", several with commas between')
    # What is no number is no version of anything.
    return [int(text) for text in _TAG.findall(tags) if re.fullmatch("[0-9]{1,15}", text)]


class Match(Schema):
    """The condition of a request that may take something away."""

    if_match: Annotated[
        str | None,
        Field(
            alias="If-Match",
            description="Only if it is at this version, or one of several with commas between; `*` is any."
            " Otherwise the answer is 412, with it as it stands",
            examples=['"12"'],
        ),
    ] = None

    def versions(self) -> list[int] | None:
        """The versions that it may be at; None for any. Raises BadRequest."""
        if self.if_match is None or self.if_match.strip() == "*":
            return None
        return _versions("If-Match", self.if_match)

    def is_set(self) -> bool | None:
        """Whether it has to be there, or must not; None if it may be either. Raises BadRequest."""
        return True if self.if_match and self.if_match.strip() == "*" else None


class NoneMatch(Schema):
    """The condition of a request that only reads."""

    if_none_match: Annotated[
        str | None,
        Field(
            alias="If-None-Match",
            description="Only if it is at another version than this, or than several with commas between. Otherwise"
            " the answer is 304, without it",
            examples=['"12"'],
        ),
    ] = None

    def names(self, version: int) -> bool:
        """Whether this is a version that is known already. Raises BadRequest."""
        if self.if_none_match is None:
            return False
        return self.if_none_match.strip() == "*" or version in _versions("If-None-Match", self.if_none_match)


class Conditions(Match):
    """The conditions of a request that may make something."""

    if_none_match: Annotated[
        str | None,
        Field(
            alias="If-None-Match",
            description="`*`: only if it is not there. Otherwise the answer is 412, with it as it stands",
            examples=["*"],
        ),
    ] = None

    def is_set(self) -> bool | None:
        if self.if_none_match is None:
            return super().is_set()
        if self.if_none_match.strip() != "*":
            raise BadRequest("If-None-Match: expected *")
        if self.if_match is not None:
            raise BadRequest("If-None-Match: not together with If-Match")
        return False


def tag(version: int) -> str:
    return f'"{version}"'
