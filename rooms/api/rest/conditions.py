"""Conditions of requests: entity tags, which are versions here, each a whole number in quotes."""

import re
from typing import Annotated

from ninja import Field, Schema

from rooms.wire.errors import BadRequest

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
# A proxy that compresses what passes may make a tag weak. It is exact all the same, being a number.
_TAGS = re.compile(rf"{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*")


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
        if not _TAGS.fullmatch(self.if_match.strip()):
            raise BadRequest('If-Match: expected * or "version", several with commas between')
        # What is no number is no version of anything.
        return [int(text) for text in _TAG.findall(self.if_match) if re.fullmatch("[0-9]{1,15}", text)]

    def is_set(self) -> bool | None:
        """Whether it has to be there, or must not; None if it may be either. Raises BadRequest."""
        return True if self.if_match and self.if_match.strip() == "*" else None


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
