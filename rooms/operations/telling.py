"""Messages that are kept, as peers are told them."""

import json
from typing import Any

from rooms.models import Message, Peer
from rooms.wire.events import Audience

SHOWN_PERSONS = 20
"""Of those who reacted alike so many are named."""


def as_told(row: Message, peer: Peer | None) -> dict[str, Any]:
    """A message as ``on-broadcast`` tells it, with its number and what was done to it since."""
    told = {**as_wire(row), "seq": row.seq}
    if row.reactions:
        held = json.loads(row.reactions)
        told["reactions"] = [_reaction(emoji, persons, peer.person if peer else "") for emoji, persons in held.items()]
    return told


def _reaction(emoji: str, persons: list[str], asking: str) -> dict[str, Any]:
    # The caller's own first, for it may not be among those who are named.
    shown = sorted(persons, key=lambda person: person != asking)[:SHOWN_PERSONS]
    return {"emoji": emoji, "count": len(persons), "persons": shown}


def as_wire(row: Message) -> dict[str, Any]:
    """A message as ``on-broadcast`` tells it. A private one names its receiver in ``peer_id``."""
    receiver = Audience.decode(row.audience).peer
    message: dict[str, Any] = json.loads(row.body)
    return {**message, "peer_id": receiver} if receiver else message
