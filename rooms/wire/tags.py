"""Entity tags of what a session holds, by which HTTP tells versions apart. Pure."""

from collections.abc import Collection


def tag_of(version: int, session_id: str) -> str:
    """The tag of a version. With its session, for in the next one versions begin anew."""
    return f"{version}-{session_id}"


def is_among(tag: str, given: Collection[str]) -> bool:
    """Whether one of those given is the tag, or the version alone, which is one of whichever session goes on."""
    return tag in given or tag.partition("-")[0] in given
