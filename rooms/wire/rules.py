"""Rules of session metadata: who may write and read which keys, and what holds for their entries.

Plain data, in a room and behind it in its template: the first rule whose key fits counts, and no other.
"""

import functools
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Literal

from rooms.wire.events import compact, size_of

Who = tuple[str, ...] | Literal["owner", "server", "none"] | None
"""Roles, the entry's owner, the server, or nobody; None where a rule says nothing."""

ON_LEAVE = ("remove", "null", "keep")
"""What becomes of an entry when its owner leaves."""

MAX_RULES = 100
"""Of a room, and of a template."""

MAX_ROLES_NAMED = 100
"""By one field of a rule."""

MAX_RULES_BYTES = 16 * 1024
"""Of all rules of a room, or of a template, as compact JSON."""

MAX_EXPIRES_IN = 7 * 24 * 3600
"""Seconds."""

_MAX_KEPT = 512
"""Keys of which it is remembered which rule is theirs: a client may ask for any, and new ones each time."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for a key. ``wire`` is the rule as it was written; of a key without a rule it is empty.

    ``own`` are the segments of the key that must be the writer's: ``(place, "$peer" or "$user")``.
    """

    key: str = ""
    write: Who = None
    create: Who = None
    remove: Who = None
    read: tuple[str, ...] | None = None
    lock: str = ""
    max_bytes: int | None = None
    on_leave: str = ""
    expires_in: int | None = None
    wire: Mapping[str, Any] = field(default_factory=dict)
    own: tuple[tuple[int, str], ...] = ()

    @property
    def keeps_for_a_time(self) -> bool:
        """Whether entries belong to somebody or expire of which a write says nothing."""
        return self.write == "owner" or bool(self.on_leave or self.expires_in)

    def readable_by(self, role: str) -> bool:
        return self.read is None or role in self.read

    def is_own(self, key: str, *, peer_id: str, person: str) -> bool:
        """Whether the segments of the key that stand for the writer name this one."""
        # In the last segment of a rule stands all that follows: an id may have colons.
        segments = key.split(":", self.key.count(":"))
        return all(segments[place] == (peer_id if who == "$peer" else person) for place, who in self.own)


NO_RULE = Rule()


class Rules:
    """The rules of a room as they are stored, those of its template after its ``own``, so many from the first on."""

    def __init__(self, of_room: object, of_template: object = ()) -> None:
        own = usable_rules(of_room)
        self.wires, self.own = (*own, *usable_rules(of_template)), len(own)
        self._rules = [(_fits(rule.key), rule) for rule in map(_parse, self.wires)]
        self._found: dict[str, Rule] = {}

    def of(self, key: str) -> Rule:
        """The rule for a key; NO_RULE if there is none."""
        if not self._rules:
            return NO_RULE
        rule = self._found.get(key)
        if rule is None:
            rule = next((rule for fits, rule in self._rules if fits(key)), NO_RULE)
            # All at once: which of them is asked for again nobody knows, and to find out costs each look.
            if len(self._found) >= _MAX_KEPT:
                self._found.clear()
            self._found[key] = rule
        return rule

    def under(self, lock: str) -> list[Rule]:
        """The rules by which a lock is needed to write."""
        return [rule for _, rule in self._rules if rule.lock == lock]

    def readable(self, keys: Sequence[str], role: str) -> list[str]:
        """Those of the keys that a role may read."""
        return [key for key in keys if self.of(key).readable_by(role)]


def stored_rules(of_room: object, of_template: object) -> Rules:
    """The rules that are stored, made once for all who read the same: to make fifty takes longer than a write."""
    return _stored_rules(compact(of_room), compact(of_template))


@functools.lru_cache(maxsize=512)
def _stored_rules(of_room: str, of_template: str) -> Rules:
    return Rules(json.loads(of_room), json.loads(of_template))


def _parse(wire: Mapping[str, Any]) -> Rule:
    given: Any = {name: tuple(value) if isinstance(value, list) else value for name, value in wire.items()}
    places = enumerate(wire["key"].split(":"))
    own = tuple((place, segment) for place, segment in places if segment in ("$peer", "$user"))
    return Rule(**given, wire=wire, own=own)


def _fits(pattern: str) -> Callable[[str], bool]:
    """Tells whether a key is one of those that the pattern stands for."""
    rest = pattern.endswith("*")
    segments = pattern.removesuffix("*").split(":")
    if not {"$peer", "$user"} & set(segments):
        start = pattern[:-1]
        return (lambda key: key.startswith(start)) if rest else pattern.__eq__

    def fits(key: str) -> bool:
        # In the last part stands all that follows.
        parts = key.split(":", len(segments) - 1)
        if len(parts) < len(segments):
            return False
        for segment, part in zip(segments[:-1], parts, strict=False):
            if segment != part and (segment not in ("$peer", "$user") or not part):
                return False
        last, part = segments[-1], parts[-1]
        if last in ("$peer", "$user"):
            return part != "" and (last == "$peer" or ":" not in part)
        return part.startswith(last) if rest else part == last

    return fits


def renamed_in_rules(rules: Iterable[Mapping[str, Any]], old: str, new: str) -> list[dict[str, Any]]:
    """Rules of the right form after a role got another name."""

    def renamed(who: Any) -> Any:
        return [new if role == old else role for role in who] if isinstance(who, list) else who

    return [{name: renamed(value) for name, value in rule.items()} for rule in rules]


def usable_rules(stored: object) -> list[Mapping[str, Any]]:
    """Stored rules. One that was stored by hand and is of a wrong form lets nobody do anything with its key."""
    usable: list[Mapping[str, Any]] = []
    for rule in stored if isinstance(stored, list) else ():
        if not any(_faults(rule, None)):
            usable.append(rule)
        elif isinstance(rule, dict) and _is_pattern(rule.get("key")):
            usable.append({"key": rule["key"], "write": "none", "read": []})
    return usable


# --- Rules that somebody wrote ------------------------------------------------------------------


def check_rules(given: object, path: str, *, roles: Iterable[str] | None = None) -> None:
    """Raises ValueError, which begins with the path of the field, unless given is a list of rules.

    With ``roles``, those are all that a rule may name.
    """
    if not isinstance(given, list):
        raise ValueError(f"{path}: expected a list of rules")
    if len(given) > MAX_RULES:
        raise ValueError(f"{path}: {len(given)} rules, at most {MAX_RULES}")
    if (size := size_of(compact(given))) > MAX_RULES_BYTES:
        raise ValueError(f"{path}: {size} bytes, at most {MAX_RULES_BYTES}")
    known = None if roles is None else frozenset(roles)
    for place, rule in enumerate(given):
        for name, wrong in itertools.chain(_faults(rule, known), _misspelt(rule)):
            raise ValueError(f"{path}[{place}]{name}: {wrong}")


def _faults(rule: object, roles: Set[str] | None) -> Iterator[tuple[str, str]]:
    """What is wrong with a rule: the field, with a dot before it, and what was expected."""
    if not isinstance(rule, dict):
        yield "", "expected an object"
        return
    for name, value in {"key": None, **rule}.items():
        if name not in _CHECKS:
            yield f".{str(name)[:40]}", f"no field of a rule; those are {', '.join(_CHECKS)}"
            continue
        fits, expected = _CHECKS[name]
        if not fits(value):
            yield f".{name}", f"expected {expected}"
        elif roles is not None and isinstance(value, list) and (unknown := set(value) - roles):
            yield f".{name}", f"there is no role {min(unknown)}"


def _misspelt(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What would be a key for itself, and was hardly meant to be: such a rule would protect nothing."""
    segments = rule["key"].split(":")
    if any("$" in segment and segment not in ("$peer", "$user") for segment in segments):
        yield ".key", "expected $ in $peer and $user only, each between colons or at an end"


def _is_roles(value: object) -> bool:
    if not isinstance(value, list) or len(value) > MAX_ROLES_NAMED:
        return False
    return all(type(role) is str and 0 < len(role) <= 100 for role in value)


def _is_who(value: object) -> bool:
    return value in ("owner", "server", "none") if isinstance(value, str) else _is_roles(value)


def _is_pattern(value: object) -> bool:
    """A key; ``*`` stands at its end only, ``$peer`` and ``$user`` for a whole segment."""
    if not (isinstance(value, str) and 0 < size_of(value) <= 128) or "*" in value[:-1]:
        return False
    # A segment that something follows in is no name of anybody.
    return "$peer*" not in value and "$user*" not in value


def _is_count(most: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and 0 < value <= most


_WHO = 'a list of roles, "owner", "server" or "none"'
_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "key": (_is_pattern, "1 to 128 bytes, with * at the end only"),
    "write": (_is_who, _WHO),
    "create": (_is_who, _WHO),
    "remove": (_is_who, _WHO),
    "read": (_is_roles, "a list of roles"),
    "lock": (lambda value: isinstance(value, str) and 0 < len(value) <= 64, "the name of a lock, 1 to 64 characters"),
    "max_bytes": (_is_count(2**31 - 1), "a whole number from 1"),
    "on_leave": (lambda value: value in ON_LEAVE, f"one of {', '.join(ON_LEAVE)}"),
    "expires_in": (_is_count(MAX_EXPIRES_IN), f"seconds, 1 to {MAX_EXPIRES_IN}"),
}
