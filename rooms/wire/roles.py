"""Roles and what they may do. A template is a set of roles, kept as JSON in the service's own form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rooms.wire.errors import BadRequest
from rooms.wire.names import clean_name
from rooms.wire.rules import check_rules

MAX_PRIORITY = 5
"""Of the least important roles."""

JSONObject = Mapping[str, Any]

# A template must grant them. Names of the signaling protocol, but for the last.
GRANTED = ("endRoom", "removeOthers", "changeRole", "pollRead", "pollWrite", "manageRoom")
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
    # True itself: "false" and 1, stored by hand, grant nothing.
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
            # Tried by making all that is ever made of it.
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
    publish = _not_null(wire.get("publishParams"))
    publish.setdefault("audio", {"bitRate": 32, "codec": "opus"})
    publish.setdefault("video", {"bitRate": 300, "codec": "vp8", "frameRate": 30, "width": 480, "height": 360})
    publish.setdefault("screen", {"bitRate": 500, "codec": "vp8", "frameRate": 10, "width": 1280, "height": 720})
    publish.update(allowed=[], simulcast={}, videoSimulcastLayers={"layers": []}, screenSimulcastLayers={"layers": []})
    return {
        "name": role.name,
        "priority": role.priority,
        "publishParams": publish,
        "subscribeParams": {"maxSubsBitRate": 3200, **_not_null(wire.get("subscribeParams")), "subscribeToRoles": []},
        "permissions": {name: name in role.permissions for name in PERMISSIONS + MEDIA},
    }


def _not_null(params: JSONObject | None) -> dict[str, Any]:
    """Null is as if it were missing, also to clients, which would look into it."""
    return {name: value for name, value in dict(params or {}).items() if value is not None}


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
    """Raises ValueError unless it is ``{roles: {name: role}, settings: {…}, plugins: {metadata: {rules: […]}}}``, of
    which the last two may be missing, with the path of the field that is not.

    Fields that nothing here reads may be of any form: templates made elsewhere have more of them.
    """
    for path, value, kind in _fields(given):
        if not _KINDS[kind](value):
            raise ValueError(f"{path}: expected {kind}")
    assert isinstance(given, dict)
    # Misspelt rules would protect nothing.
    if unknown := ((given.get("plugins") or {}).get("metadata") or {}).keys() - {"rules"}:
        raise ValueError(f"plugins.metadata.{min(unknown)[:40]}: there is rules, and nothing else")
    check_rules(rules_of(given), "plugins.metadata.rules", roles=list(given["roles"]))


def rules_of(template: JSONObject) -> list[JSONObject]:
    """The rules of session metadata that a template has, checked or not."""
    plugin = (template.get("plugins") or {}).get("metadata") or {}
    rules: list[JSONObject] = [] if (given := plugin.get("rules")) is None else given
    return rules


def shows_as_written(name: str) -> bool:
    """Whether a name of a role or a template is at most MAX_ROLE_CHARS long, and nothing of it shows otherwise."""
    try:
        return name != "" and clean_name(name, limit=MAX_ROLE_CHARS) == name
    except BadRequest:
        return False


NAME = f"a name of 1 to {MAX_ROLE_CHARS} characters, none of them invisible, and no white space around it"
_CODED = {"bitRate": "a number from 0", "codec": "text"}
_PICTURE = {**_CODED, **dict.fromkeys(("frameRate", "width", "height"), "a number from 0")}
_LAYERS = ("videoSimulcastLayers", "screenSimulcastLayers")
_KINDS: dict[str, Any] = {
    "an object": lambda value: isinstance(value, dict),
    f"1 to {MAX_ROLES} roles": lambda value: 0 < len(value) <= MAX_ROLES,
    NAME: shows_as_written,
    "the same as its key": lambda value: value is True,
    "text": lambda value: isinstance(value, str),
    "a list of texts": lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    "a list of objects": lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
    "a number from 0": lambda value: type(value) in (int, float) and 0 <= value <= _WHOLE_MOST,
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
        # Escaped, for what is wrong with it may not show.
        yield f"roles.{name[:MAX_ROLE_CHARS]!a}", name, NAME
        yield f"roles.{name}", role, "an object"
        yield from _role_fields(name, role)
    yield from _within("", given, settings="an object")
    yield from _within("settings", given.get("settings") or {}, region="text", roomState="an object")
    state = (given.get("settings") or {}).get("roomState") or {}
    plugins = given.get("plugins") or {}
    yield from _within("", given, plugins="an object")
    yield from _within("plugins", plugins, metadata="an object")
    yield from _within("settings.roomState", state, enabled="true or false", sendPeerList="true or false")


def _role_fields(name: str, role: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    path = f"roles.{name}"
    yield from _within(path, role, name="text", priority="a whole number from 0", maxPeerCount="a whole number from -1")
    yield f"{path}.name", role.get("name") in (None, name), "the same as its key"
    params = dict.fromkeys(("permissions", "publishParams", "subscribeParams"), "an object")
    yield from _within(path, role, **params)
    permissions, publish, subscribe = (role.get(field) or {} for field in params)
    yield from _within(f"{path}.permissions", permissions, **dict.fromkeys(_SWITCHES, "true or false"))

    path = f"roles.{name}.publishParams"
    yield from _within(path, publish, allowed="a list of texts", audio="an object", video="an object")
    yield from _within(path, publish, screen="an object", simulcast="an object", **dict.fromkeys(_LAYERS, "an object"))
    for media, kinds in (("audio", _CODED), ("video", _PICTURE), ("screen", _PICTURE)):
        yield from _within(f"{path}.{media}", publish.get(media) or {}, **kinds)
    for field in _LAYERS:
        yield from _within(f"{path}.{field}", publish.get(field) or {}, layers="a list of objects")

    path = f"roles.{name}.subscribeParams"
    yield from _within(path, subscribe, maxSubsBitRate="a number from 0", subscribeToRoles="a list of texts")
    yield from _within(path, subscribe, subscribeDegradation="an object")


def _within(path: str, value: Mapping[str, Any], **kinds: str) -> Iterator[tuple[str, Any, str]]:
    """Fields of an object, which may be missing or null."""
    for name, kind in kinds.items():
        if value.get(name) is not None:
            yield f"{path}.{name}".lstrip("."), value[name], kind
