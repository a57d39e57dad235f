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
        "plugins": {"metadata": {"rules": room.rules.wires}} if room.rules.wires else {},
        "app_data": {},
    }
