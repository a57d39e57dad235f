"""Audiences of events that are of one key."""

from typing import Any

from rooms.wire.events import Audience, Share


def observing(key: str, readers: tuple[str, ...] | None = None, **others: Any) -> Audience:
    """Whoever observes a key, or of them the roles that may read it."""
    return Audience(entries=(Share(key, readers),), **others)
