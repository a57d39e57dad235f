"""What peers are told of roles, and of the rules of session metadata."""

from typing import Any

from rooms.models import Room
from rooms.wire.roles import NO_PERMISSIONS, known_roles


def policy(room: Room, role: str) -> dict[str, Any]:
    """What a peer is told of its role and of all others, with ``on-policy-change``."""
    template = room.template
    known = template.policy if role in template.policy else {**template.policy, **known_roles({role: NO_PERMISSIONS})}
    return {
        "name": role,
        "known_roles": known,
        "template_id": template.id,
        "plugins": {"metadata": _rules(room)} if room.rules.wires else {},
        "app_data": {},
    }


def _rules(room: Room) -> dict[str, Any]:
    """All rules that hold, and how many of them, from the first on, are the room's own: the rest is its template's."""
    return {"rules": room.rules.wires, "room_rules": room.rules.own}
