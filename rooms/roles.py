"""Roles and what they may do. A template is a set of roles, kept as JSON in the service's own form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_PRIORITY = 5
"""Of the least important roles."""

JSONObject = Mapping[str, Any]

# Names of the signaling protocol; a template must grant them.
GRANTED = ("endRoom", "removeOthers", "changeRole", "pollRead", "pollWrite")
# Names of our own; held unless a template takes them away, so that templates made elsewhere keep working.
HELD = ("sendMessages", "writeMetadata", "raiseHand")
# Media permissions that clients read; nobody has them here.
MEDIA = ("mute", "unmute", "hlsStreaming", "rtmpStreaming", "browserRecording")

PERMISSIONS = GRANTED + HELD


@dataclass(frozen=True, slots=True)
class Role:
    """One role of a template. ``max_peers``: 0 is no limit, -1 admits nobody."""

    name: str
    priority: int
    permissions: frozenset[str]
    max_peers: int
    sees_preview: bool

    def allows(self, permission: str) -> bool:
        return permission in self.permissions


def absent_role(name: str) -> Role:
    """A role that a peer still holds although the template has it no longer: it may leave, and little else."""
    return Role(name=name, priority=MAX_PRIORITY, permissions=frozenset(), max_peers=0, sees_preview=False)


def parse_role(name: str, wire: JSONObject) -> Role:
    """The role called name, described as in a template."""
    given = wire.get("permissions") or {}
    held = {permission for permission in GRANTED if given.get(permission) is True}
    held |= {permission for permission in HELD if given.get(permission, True) is True}
    return Role(
        name=name,
        priority=int(wire.get("priority") or 1),
        permissions=frozenset(held),
        max_peers=int(wire.get("maxPeerCount") or 0),
        sees_preview=given.get("sendRoomState", True) is not False,
    )


def known_roles(template: Mapping[str, JSONObject]) -> dict[str, JSONObject]:
    """All roles as ``on-policy-change`` tells them, without media whatever the template asks for.

    Old clients need both ``…SimulcastLayers`` fields, newer ones ``simulcast`` and every permission.
    """
    return {name: _policy(parse_role(name, wire), wire) for name, wire in template.items()}


def _policy(role: Role, wire: JSONObject) -> JSONObject:
    publish = dict(wire.get("publishParams") or {})
    publish.setdefault("audio", {"bitRate": 32, "codec": "opus"})
    publish.setdefault("video", {"bitRate": 300, "codec": "vp8", "frameRate": 30, "width": 480, "height": 360})
    publish.setdefault("screen", {"bitRate": 500, "codec": "vp8", "frameRate": 10, "width": 1280, "height": 720})
    publish.update(allowed=[], simulcast={}, videoSimulcastLayers={"layers": []}, screenSimulcastLayers={"layers": []})
    return {
        "name": role.name,
        "priority": role.priority,
        "publishParams": publish,
        "subscribeParams": {"maxSubsBitRate": 3200, **(wire.get("subscribeParams") or {}), "subscribeToRoles": []},
        "permissions": {name: name in role.permissions for name in PERMISSIONS + MEDIA},
    }


NO_PERMISSIONS: JSONObject = {"priority": MAX_PRIORITY, "permissions": dict.fromkeys(GRANTED + HELD, False)}
"""The wire form of an absent role."""


def _permissions(*names: str) -> dict[str, bool]:
    return {name: name in names for name in PERMISSIONS}


DEFAULT_TEMPLATE: dict[str, JSONObject] = {
    "host": {"name": "host", "priority": 1, "permissions": _permissions(*PERMISSIONS)},
    "guest": {
        "name": "guest",
        "priority": 2,
        "permissions": _permissions("pollRead", "sendMessages", "writeMetadata", "raiseHand"),
    },
    "viewer": {"name": "viewer", "priority": 3, "permissions": _permissions("pollRead", "raiseHand")},
}
DEFAULT_SETTINGS: JSONObject = {"roomState": {"enabled": True, "sendPeerList": True}}
