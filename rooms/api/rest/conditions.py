"""Conditions of requests: entity tags, which are versions here, see wire/tags.py."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Field, Schema

from rooms.wire.errors import BadRequest
from rooms.wire.tags import is_among

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
# A proxy that compresses what passes makes a tag weak. It is exact all the same, being a version.
_TAGS = re.compile(rf"{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*")


NOT_MODIFIED: dict[Any, Any] = {304: None}
"""``response=`` of an endpoint that looks at NoneMatch, besides what else it answers."""


def _read(name: str, tags: str) -> list[str]:
    """The tags without what is around them. Raises BadRequest."""
    if not _TAGS.fullmatch(tags.strip()):
        raise BadRequest(f'{name}: expected * or "version", several with commas between')
    return _TAG.findall(tags)


def tagged(response: HttpResponse, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer, with its ``tag`` as the ETag of the response."""
    response["ETag"] = f'"{answer["tag"]}"'
    return answer


class Match(Schema):
    """The condition of a request that may take something away."""

    if_match: Annotated[
        str | None,
        Field(
            alias="If-Match",
            description="Only if it is at this version, or one of several with commas between; `*` is any."
            " Otherwise the answer is 412, with it as it stands",
            examples=['"12-66f1a1b2c3d4e5f601234567"'],
        ),
    ] = None

    def tags(self) -> list[str] | None:
        """Those of which it may have one; None for any. Raises BadRequest."""
        if self.if_match is None or self.if_match.strip() == "*":
            return None
        return _read("If-Match", self.if_match)

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
            examples=['"12-66f1a1b2c3d4e5f601234567"'],
        ),
    ] = None

    def names(self, tag: str) -> bool:
        """Whether this is the tag of what is known already. Raises BadRequest."""
        if self.if_none_match is None:
            return False
        return self.if_none_match.strip() == "*" or is_among(tag, _read("If-None-Match", self.if_none_match))


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
