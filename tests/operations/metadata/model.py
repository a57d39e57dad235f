"""What session metadata is to do, in a few lines and by other means than the server's.

Entries are kept by value, nothing is cached, and every call is tried on a copy that takes the place of the model if the
call stands. A refusal is right if it is one of those that there is a reason for.
"""

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rooms.wire.events import compact

JSON = Any


class ABSENT:
    """The value of a key that is not set."""


WRITERS = ("host", "guest")
"""The roles that may write where no rule says anything."""

LIMITS = {"MAX_VALUE_BYTES": 160, "MAX_STORE_BYTES": 240, "MAX_KEYS": 5}
LATE = 30_000  # milliseconds after which every process that is dead is known to be: twice LEASE_TTL
UNLIMITED = {"default", "pinnedMessages", "spotlight"}
"""Keys that count neither as keys nor by what they hold."""


@dataclass
class Entry:
    data: JSON = ABSENT
    version: int = 0
    by: str = ""
    at: int = 0
    owner: str = ""
    on_leave: str = ""
    expires_at: int | None = None
    touched: bool = False
    """Whether it was prolonged since its last version, which nobody is told."""


@dataclass
class Person:
    peer_id: str
    person: str
    role: str
    present: bool = True
    came: int = 0
    """Which coming of anybody that was, of all in their order."""
    connected: bool = True
    connection: int = 0
    observed: set[str] = field(default_factory=set)


@dataclass
class Lock:
    """Who holds it, and since which event.

    ``waiting`` are who waits, until when, for how long it wants it, and over which of its connections.
    """

    holder: str
    token: int
    expires_at: int | None = None
    waiting: list[tuple[str, int, float | None, int]] = field(default_factory=list)


@dataclass
class Model:
    """``now`` is in milliseconds. ``people`` are by name; the server is nobody of them, and called by an empty one."""

    now: int
    rules: list[dict[str, JSON]] = field(default_factory=list)
    template_rules: list[dict[str, JSON]] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)
    reasons: set[int] = field(default_factory=set)
    """The codes with which the last call may have been refused."""

    # --- Rules

    def rule(self, key: str) -> dict[str, JSON]:
        for rule in (*self.rules, *self.template_rules):
            parts = re.split(r"(\*$|(?:(?<=:)|^)\$(?:peer|user)(?=:|\*|$))", rule["key"])
            pattern = "".join(
                ".*" if part == "*" else "[^:]+" if part in ("$peer", "$user") else re.escape(part) for part in parts
            )
            if rule["key"].endswith("$peer"):
                pattern = pattern.removesuffix("[^:]+") + ".+"  # an id may have colons
            if re.fullmatch(pattern, key, re.DOTALL):
                return rule
        return {}

    def may_read(self, name: str, key: str) -> bool:
        readers = self.rule(key).get("read")
        return not name or readers is None or self.people[name].role in readers

    def may_write(self, name: str, key: str, entry: Entry, *, removes: bool) -> bool:
        rule = self.rule(key)
        kind = "remove" if removes else "create" if entry.data is ABSENT else "write"
        who = rule.get(kind, rule.get("write"))
        if not name:
            return who != "none"
        person = self.people[name]
        own = {"$peer": person.peer_id, "$user": person.person}
        patterns = rule.get("key", "").split(":")
        segments = zip(patterns, key.split(":", len(patterns) - 1), strict=False)
        if any(pattern in own and own[pattern] != segment for pattern, segment in segments):
            return False
        # Where nobody is the owner it is as without the rule.
        if who is None or (who == "owner" and not entry.owner):
            return person.role in WRITERS
        return entry.owner == person.peer_id if who == "owner" else person.role in who if who != "server" else False

    # --- Calls

    def update(
        self, name: str, changes: Sequence[dict[str, JSON]], if_lock: "tuple[str, int] | None"
    ) -> "list[dict[str, JSON]] | None":
        """The answer's entries, or None if the call is to be refused, for one of ``reasons``."""
        self.lapse()
        self.reasons = set()
        for change in changes:
            self._check_lock(name, change["key"], if_lock)
        after = copy.deepcopy(self)
        after.reasons = self.reasons
        answers = [after._change(name, change) for change in copy.deepcopy(list(changes))]
        self._weigh(after)
        if self.reasons:
            return None
        self.entries = after.entries
        return [
            self.wire(change["key"]) if stays else {**self.wire(change["key"]), "data": ABSENT}
            for change, stays in zip(changes, answers, strict=True)
        ]

    def _change(self, name: str, change: dict[str, JSON]) -> bool:
        """Make a change; whether the answer has the value."""
        key, rule = change["key"], self.rule(change["key"])
        entry = self.entries.setdefault(key, Entry())
        removes, reads = bool(change.get("remove")), self.may_read(name, key)
        if not self.may_write(name, key, entry, removes=removes):
            self.reasons.add(403)
        if change.get("if_change_version") not in (None, entry.version):
            self.reasons.add(409)
        if not reads and ("patch" in change or "increment" in change):
            self.reasons.add(403)
        data = ABSENT if removes else self._value(change, entry.data)
        stands = data is entry.data if removes or entry.data is ABSENT else compact(data) == compact(entry.data)
        owner, on_leave, expires_at = self._terms(name, change, rule, entry, stands=stands and reads)
        if removes:
            owner, on_leave, expires_at = "", "", None
        if self.reasons:
            return False
        same = stands and (removes or (owner, on_leave, expires_at) == (entry.owner, entry.on_leave, entry.expires_at))
        # Whoever may not read a key is not told that its value stands.
        if not (same and reads):
            size = 0 if removes else len(compact(data).encode())
            if size > min(LIMITS["MAX_VALUE_BYTES"], rule.get("max_bytes", 10**9)):
                self.reasons.add(413)
            by = self.people[name].peer_id if name else ""
            self.entries[key] = Entry(data, entry.version + 1, by, self.now, owner, on_leave, expires_at)
        return reads or "data" in change

    def _terms(self, name: str, change: dict[str, JSON], rule: dict[str, JSON], entry: Entry, *, stands: bool) -> Any:
        wanted, on_leave = change.get("owner"), change.get("on_leave") or rule.get("on_leave")
        owner = ""
        if isinstance(wanted, str):
            owner = wanted
            if not any(person.peer_id == wanted and person.present for person in self.people.values()):
                self.reasons.add(404)
        elif wanted or (wanted is None and (on_leave or rule.get("write") == "owner")):
            owner = self.people[name].peer_id if name else entry.owner
        on_leave = (on_leave or "remove") if owner else ""
        seconds = change.get("expires_in") or rule.get("expires_in")
        until = self.now + round(seconds * 1000) if seconds else None
        # A rule says nothing new of what stands.
        if stands and owner and entry.owner and (change.get("owner"), change.get("on_leave")) == (None, None):
            owner, on_leave = entry.owner, entry.on_leave
        if stands and until is not None and not change.get("expires_in"):
            until = entry.expires_at or until
        return owner, on_leave, until

    def _value(self, change: dict[str, JSON], before: JSON) -> JSON:
        if "data" in change:
            return change["data"]
        self._weigh_value(change.get("patch"))
        held = None if before is ABSENT else copy.deepcopy(before)
        try:
            if "increment" in change:
                held = 0 if held is None else held
                if type(held) not in (int, float):
                    raise ValueError
                total = held + change["increment"]
                return int(total) if total == int(total) else total
            if isinstance(change["patch"], dict):
                return merged(held, change["patch"])
            for step in change["patch"]:
                held = stepped(held, step)
                self._weigh_value(held)
            return held
        except (ValueError, KeyError, IndexError, TypeError):
            self.reasons.add(422)
            return None

    def _weigh_value(self, value: JSON) -> None:
        if len(compact(value).encode()) > LIMITS["MAX_VALUE_BYTES"]:
            self.reasons.add(413)

    def _weigh(self, after: "Model") -> None:
        sizes = [
            sum(
                len((key + compact(entry.data)).encode())
                for key, entry in one.entries.items()
                if entry.data is not ABSENT and key not in UNLIMITED
            )
            for one in (self, after)
        ]
        keys = [
            sum(entry.data is not ABSENT and key not in UNLIMITED for key, entry in one.entries.items())
            for one in (self, after)
        ]
        if sizes[1] > max(sizes[0], LIMITS["MAX_STORE_BYTES"]) or keys[1] > max(keys[0], LIMITS["MAX_KEYS"]):
            self.reasons.add(413)

    def _check_lock(self, name: str, key: str, if_lock: "tuple[str, int] | None") -> None:
        """A write names the lock that it is made under, and a rule may ask for one."""
        needed = self.rule(key).get("lock")
        if if_lock:
            found = self.locks.get(if_lock[0])
            if not found or found.token != if_lock[1] or (name and found.holder != name):
                self.reasons.add(409)
        if needed and needed != (if_lock and if_lock[0]) and (name or needed in self.locks):
            self.reasons.add(409)

    def touch(self, name: str, key: str, expires_in: float) -> "dict[str, JSON] | None":
        self.lapse()
        entry = self.entries.get(key, Entry())
        allowed = self.may_write(name, key, entry, removes=False)
        self.reasons = ({404} if entry.data is ABSENT else set()) | (set() if allowed else {403})
        self._check_lock(name, key, None)
        if self.reasons:
            return None
        entry.expires_at, entry.touched = self.now + round(expires_in * 1000), True
        return self.wire(key) if self.may_read(name, key) else {**self.wire(key), "data": ABSENT}

    # --- What happens by itself

    def lapse(self) -> None:
        """Remove what is past its time; a call of anybody in the room has this done first."""
        for key, entry in self.entries.items():
            if entry.expires_at is not None and entry.expires_at <= self.now:
                self.entries[key] = Entry(ABSENT, entry.version + 1, "", self.now)
        for lock_name, lock in list(self.locks.items()):
            if lock.expires_at is not None and lock.expires_at <= self.now:
                self.pass_on(lock_name)

    def leave(self, *names: str, by: str) -> None:
        """They leave at once. ``by`` is whose call it is, by name; empty for the server."""
        self.lapse()
        gone = [self.people[name] for name in names]
        for person in gone:
            person.present = False
        heirs = {person.peer_id: self._other_peer(person.person) or person.peer_id for person in gone}
        author = self.people[by].peer_id if by else ""
        for key, entry in self.entries.items():
            data, owner = entry.data, entry.owner
            if key == "spotlight":
                data = heirs.get(data, data) if isinstance(data, str) else data
                owner = heirs.get(owner, owner)
            on_leave, until = entry.on_leave, entry.expires_at
            if owner in heirs:
                data = {"keep": data, "null": None, "remove": ABSENT}[on_leave]
                owner, on_leave, until = "", "", None if data is ABSENT else until
            if (data, owner) != (entry.data, entry.owner):
                self.entries[key] = Entry(data, entry.version + 1, author, self.now, owner, on_leave, until)

        for lock_name, lock in list(self.locks.items()):
            lock.waiting = [waiter for waiter in lock.waiting if waiter[0] not in names]
            if lock.holder in names:
                self.pass_on(lock_name)

    def _other_peer(self, person: str) -> str:
        """The id of the peer to which the spotlight of a person goes over when another leaves; empty if none stays."""
        staying = [one for one in self.people.values() if one.present and one.person == person]
        staying.sort(key=lambda one: (not one.connected, one.came))
        return staying[0].peer_id if staying else ""

    # --- Locks

    def pass_on(self, lock_name: str) -> None:
        """Give a lock to who waits for it longest. Its token is not known before it is told: -1."""
        lock = self.locks.pop(lock_name)
        waiting = [waiter for waiter in lock.waiting if self._waits(waiter)]
        # Whoever has lost its connection comes after the others.
        for chosen in sorted(waiting, key=lambda waiter: not self.people[waiter[0]].connected)[:1]:
            self.locks[lock_name] = self._given(chosen[0], chosen[2])
            self.locks[lock_name].waiting = [waiter for waiter in waiting if waiter != chosen]

    def _waits(self, waiter: tuple[str, int, float | None, int]) -> bool:
        """Whether somebody does yet: in time, or over the connection by which it would have said long ago that not."""
        person = self.people[waiter[0]]
        if not person.present:
            return False
        late = self.now - waiter[1]
        return late < 0 or (late > LATE and person.connected and person.connection == waiter[3])

    def _given(self, name: str, seconds: float | None) -> Lock:
        return Lock(name, -1, None if seconds is None else self.now + round(seconds * 1000))

    def lock(self, name: str, lock_name: str, seconds: float | None, wait: int | None) -> "Lock | None":
        """The lock as it is then, or None if it is held by somebody else, for whom nobody waits."""
        lock = self.locks.get(lock_name)
        if lock is None:
            self.locks[lock_name] = self._given(name, seconds)
        elif lock.holder == name:
            if seconds is not None:
                lock.expires_at = self.now + round(seconds * 1000)
        elif not wait:
            return None
        else:
            lock.waiting = [waiter for waiter in lock.waiting if self._waits(waiter)]
            mine = (name, self.now + wait, seconds, self.people[name].connection)
            if any(waiter[0] == name for waiter in lock.waiting):
                lock.waiting = [mine if waiter[0] == name else waiter for waiter in lock.waiting]
            else:
                lock.waiting.append(mine)
        return self.locks[lock_name]

    # --- What somebody knows

    def wire(self, key: str) -> dict[str, JSON]:
        entry = self.entries.get(key, Entry())
        told = {"key": key, "data": None if entry.data is ABSENT else entry.data, "change_version": entry.version}
        if entry.version:
            told |= {"updated_by": entry.by, "updated_at": entry.at}
        if entry.owner:
            told["owner"] = entry.owner
        if entry.expires_at is not None:
            told["expires_at"] = entry.expires_at
        return told

    def known_by(self, name: str) -> dict[str, JSON]:
        """What an observer holds, by key."""
        keys = [key for key in self.people[name].observed if self.may_read(name, key)]
        return {key: self.wire(key) for key in keys if self.entries.get(key, Entry()).version}


# --- Patches


def merged(value: JSON, patch: JSON) -> JSON:
    if not isinstance(patch, dict):
        return patch
    value = value if isinstance(value, dict) else {}
    kept = {name: entry for name, entry in value.items() if name not in patch}
    return kept | {name: merged(value.get(name), change) for name, change in patch.items() if change is not None}


def stepped(value: JSON, step: dict[str, JSON]) -> JSON:
    """The value after a step of RFC 6902. Raises ValueError, KeyError, IndexError or TypeError."""
    path = step["path"].split("/")[1:]
    match step["op"]:
        case "test":
            if compact(found(value, path)) != compact(step["value"]):
                raise ValueError
            return value
        case "remove":
            found(value, path)
            return placed(value, path, "remove", None)
        case "replace":
            found(value, path)
            return placed(value, path, "replace", step["value"])
        case _:
            return placed(value, path, "add", step["value"])


def found(value: JSON, path: list[str]) -> JSON:
    for name in path:
        value = value[number(name)] if isinstance(value, list) else fields(value)[name]
    return value


def placed(value: JSON, path: list[str], how: str, new: JSON) -> JSON:
    if not path:
        if how == "remove":
            raise ValueError
        return new
    name, *rest = path
    if isinstance(value, list):
        if rest:
            value[number(name)] = placed(value[number(name)], rest, how, new)
        elif how == "add":
            place = len(value) if name == "-" else number(name)
            if place > len(value):
                raise IndexError
            value.insert(place, new)
        elif how == "remove":
            del value[number(name)]
        else:
            value[number(name)] = new
    elif rest:
        fields(value)[name] = placed(value[name], rest, how, new)
    elif how == "remove":
        del fields(value)[name]
    else:
        fields(value)[name] = new
    return value


def fields(value: JSON) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def number(name: str) -> int:
    if not re.fullmatch("0|[1-9][0-9]*", name):
        raise ValueError
    return int(name)
