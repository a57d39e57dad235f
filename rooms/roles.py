"""Roles and what they may do. A template is a set of roles, kept as JSON in the service's own form."""

from collections.abc import Iterator, Mapping
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


def usable_roles(template: object) -> dict[str, JSONObject]:
    """The roles of a template that are of a form which can be used; what was stored by hand may be of any."""
    found = {}
    for name, wire in template.items() if isinstance(template, dict) else ():
        try:
            _policy(parse_role(name, wire), wire)
        except (ValueError, TypeError, AttributeError, OverflowError):
            continue
        found[name] = wire
    return found


def room_state(settings: object) -> JSONObject:
    """What a template's settings let somebody at the door see: ``{enabled, sendPeerList}``."""
    given = settings.get("roomState") if isinstance(settings, dict) else None
    return {**DEFAULT_SETTINGS["roomState"], **(given if isinstance(given, dict) else {})}


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


# --- Templates that somebody wrote --------------------------------------------------------------

MAX_ROLES = 100
MAX_ROLE_CHARS = 100
"""As much as the columns of peers and codes hold."""

_WHOLE_MOST = 2**31 - 1
_SWITCHES = (*PERMISSIONS, *MEDIA, "sendRoomState")


def check_template(given: object) -> None:
    """Raises ValueError unless it is ``{roles: {name: role}, settings: {…}}``, with the path of the field that is not.

    Fields that nothing here reads may be of any form: templates made elsewhere have more of them.
    """
    for path, value, kind in _fields(given):
        if not _KINDS[kind](value):
            raise ValueError(f"{path}: expected {kind}")


_KINDS: dict[str, Any] = {
    "an object": lambda value: isinstance(value, dict),
    f"1 to {MAX_ROLES} roles": lambda value: 0 < len(value) <= MAX_ROLES,
    f"a name of 1 to {MAX_ROLE_CHARS} characters": lambda value: 0 < len(value) <= MAX_ROLE_CHARS,
    "text": lambda value: isinstance(value, str),
    "true or false": lambda value: isinstance(value, bool),
    "a whole number from 0": lambda value: type(value) is int and 0 <= value <= _WHOLE_MOST,
    "a whole number from -1": lambda value: type(value) is int and -1 <= value <= _WHOLE_MOST,
}


def _fields(given: Any) -> Iterator[tuple[str, Any, str]]:
    """Every field that is read: its path, its value, and of what kind it has to be. Each before those within it."""
    yield "the file", given, "an object"
    roles = given.get("roles")
    yield "roles", roles, "an object"
    yield "roles", roles, f"1 to {MAX_ROLES} roles"
    for name, role in roles.items():
        yield f"roles.{name[:MAX_ROLE_CHARS]}", name, f"a name of 1 to {MAX_ROLE_CHARS} characters"
        yield f"roles.{name}", role, "an object"
        yield from _within(f"roles.{name}", role, name="text", priority="a whole number from 0")
        yield from _within(f"roles.{name}", role, maxPeerCount="a whole number from -1")
        yield from _within(
            f"roles.{name}", role, permissions="an object", publishParams="an object", subscribeParams="an object"
        )
        permissions, publish = role.get("permissions") or {}, role.get("publishParams") or {}
        yield from _within(f"roles.{name}.permissions", permissions, **dict.fromkeys(_SWITCHES, "true or false"))
        yield from _within(
            f"roles.{name}.publishParams", publish, audio="an object", video="an object", screen="an object"
        )
    yield from _within("", given, settings="an object")
    yield from _within("settings", given.get("settings") or {}, roomState="an object")
    state = (given.get("settings") or {}).get("roomState") or {}
    yield from _within("settings.roomState", state, enabled="true or false", sendPeerList="true or false")


def _within(path: str, value: Mapping[str, Any], **kinds: str) -> Iterator[tuple[str, Any, str]]:
    """Fields of an object, which may be missing or null."""
    for name, kind in kinds.items():
        if value.get(name) is not None:
            yield f"{path}.{name}".lstrip("."), value[name], kind
