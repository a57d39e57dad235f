"""Everything that can be done in a room. Importing this package fills ``gate.METHODS``."""

from rooms.operations import (
    directory,
    groups,
    messaging,
    metadata,
    moderation,
    peers,
    persons,
    poll_answers,
    poll_listing,
    polls,
    presence,
)

__all__ = [
    "directory",
    "groups",
    "messaging",
    "metadata",
    "moderation",
    "peers",
    "persons",
    "poll_answers",
    "poll_listing",
    "polls",
    "presence",
]
