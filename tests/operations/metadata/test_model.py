"""Session metadata does what a small model of it does, whoever asks for what in whichever order."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from rooms.creation.rooms import create_room
from rooms.models import MetadataEntry, Template, milliseconds
from rooms.operations.arriving import connect
from rooms.operations.engine import memory, statements
from rooms.operations.engine.calls import Answer, Caller
from rooms.operations.leaving import disconnect
from rooms.operations.locks import stop_waiting
from rooms.operations.metadata.lapses import settle_due
from rooms.operations.reaping import reap
from rooms.wire.results import Waiting
from tests.operations.driver import again, ask, call, row, server, visitor
from tests.operations.metadata.audience import Hall
from tests.operations.metadata.model import ABSENT, LATE, LIMITS, WRITERS, Model, Person

NAMES = ("Ann", "Ben", "Cat", "Dan", "Tab")
"""The last is another tab of the first."""
ROLES = ("host", "guest", "viewer")
GRACE = 30
KEYS = (
    "a", "b", "deck:1", "deck:2", "default", "cursor:peer-Ann", "cursor:peer-Ben", "vote:Ann", "vote:Ben", "spotlight",
)  # fmt: skip

LOCKS = ("deck", "stage")

_names = st.sampled_from(NAMES)
_callers = st.integers(0, 9)
"""Which of those who can ask; 9 is the server."""
_keys = st.sampled_from(("a", "a", "a", "b", "b", *KEYS))
_values = st.sampled_from(
    [None, 0, 1, True, "text", [], [1, 2], [[0]], {"n": 1}, {"n": {"m": None}}, "1", "é" * 29, "long" * 30, "long" * 40]
)
_who = st.one_of(st.sampled_from(["owner", "server", "none"]), st.lists(st.sampled_from(ROLES), unique=True))
_readers = st.lists(st.sampled_from(ROLES), unique=True)
_on_leave = st.sampled_from(["remove", "null", "keep"])
_expires_in = st.sampled_from([1, 2.5, 10, 40])


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


_patterns = st.sampled_from(["a", "b", "deck:*", "deck:1", "*", "cursor:$peer", "vote:$user", "$peer", "default", "c*"])
_rule = st.builds(
    lambda key, fields: {"key": key, **fields},
    _patterns,
    _some(
        write=_who,
        create=_who,
        remove=_who,
        read=_readers,
        max_bytes=st.sampled_from([1, 4, 20]),
        on_leave=_on_leave,
        expires_in=st.sampled_from([3, 20]),
        lock=st.sampled_from(LOCKS),
    ),
)
_rules = st.lists(_rule, max_size=4)
_paths = st.sampled_from(["", "/0", "/1", "/-", "/n", "/n/m", "/01", "/x"])
_steps = st.one_of(
    st.builds(lambda path, value: {"op": "add", "path": path, "value": value}, _paths, _values),
    st.builds(lambda path, value: {"op": "replace", "path": path, "value": value}, _paths, _values),
    st.builds(lambda path, value: {"op": "test", "path": path, "value": value}, _paths, _values),
    st.builds(lambda path: {"op": "remove", "path": path}, _paths),
)
_patches = st.one_of(
    st.sampled_from([{}, {"n": 2}, {"n": None}, {"n": {"m": 1}}]), st.lists(_steps, min_size=1, max_size=2)
)
_what = st.one_of(
    st.builds(lambda data: {"data": data}, _values),
    st.builds(lambda data: {"data": data}, _values),
    st.just({"remove": True}),
    st.builds(lambda by: {"increment": by}, st.sampled_from([1, -2, 0.5, 0])),
    st.builds(lambda patch: {"patch": patch}, _patches),
)
_owners = st.sampled_from([True, True, False, *(f"peer-{name}" for name in NAMES), "peer-Nobody"])
_how = st.one_of(st.just({}), _some(owner=_owners, on_leave=_on_leave, expires_in=_expires_in))
_under = st.sampled_from([None, None, *LOCKS])
"""The lock that a write is made under, with its token as it stands."""
_versions = st.sampled_from(["", "", "", "right", "wrong"])


class Clock:
    """The database's."""

    def __init__(self) -> None:
        self.milliseconds = 1_700_000_000_000

    def now(self, cursor: Any = None) -> datetime:
        return datetime.fromtimestamp(self.milliseconds // 1000, UTC).replace(
            microsecond=self.milliseconds % 1000 * 1000
        )


class Room(RuleBasedStateMachine):
    """A room with a host, Kim, who stays. ``lost`` are those present without a socket, by name: since when."""

    clock: Clock

    @initialize(rules=_rules)
    def open(self, rules: list[dict[str, Any]]) -> None:
        self.room = create_room()
        memory._remembered.clear()
        template = Template.objects.create(name=self.room.id, roles=self.room.template.roles, metadata_rules=rules)
        type(self.room).objects.filter(pk=self.room.pk).update(template=template)
        self.room.refresh_from_db()
        self.model = Model(self.clock.milliseconds, template_rules=rules)
        self.hall = Hall(self.room.id)
        self.callers: dict[str, Caller] = {}
        self.lost: dict[str, int] = {}
        self.timed_out: set[str] = set()
        self.tokens: set[int] = set()
        self._connections, self._comings = itertools.count(1), itertools.count(1)
        for name, role in zip(("Kim", *NAMES), ("host", "guest", "host", "guest", "viewer", "guest"), strict=True):
            self.callers[name] = visitor(self.room, name, role)
            if name == "Tab":
                self.callers[name] = again(self.callers[name], owner=self.callers["Ann"].owner)
            self._come(name)
            self._observe(name, ["a", "b", "deck:1", "default", "spotlight"])

    # --- Asking

    def _ask(self, name: str, method: str, /, **params: Any) -> Answer:
        """Make a call, and deliver what comes of it."""
        return self._took(name, call(self._caller(name), method, **params))

    def _took(self, name: str, answer: Answer) -> Answer:
        for listener in self.hall.listeners.values():
            listener.heard.clear()
        self.hall.take(self._caller(name), answer)
        return answer

    def _caller(self, name: str) -> Caller:
        return self.callers[name] if name else server(self.room)

    def _key(self, key: str) -> str:
        """``vote:Ann`` is the one with Ann's person."""
        kind, _, name = key.partition(":")
        known = self.model.people.get(name)
        return f"vote:{known.person}" if kind == "vote" and known else key

    def _can_ask(self, name: str) -> bool:
        return self.model.people[name].present and name not in self.lost

    def _who(self, number: int) -> str:
        present = [name for name in self.model.people if self._can_ask(name)]
        return present[number % len(present)] if number < 9 else ""

    def _change(self, key: str, what: dict[str, Any], how: dict[str, Any], version: str) -> dict[str, Any]:
        key = self._key(key)
        change = {"key": key, **what, **how}
        if version:
            self.model.lapse()
            entry = self.model.entries.get(key)
            change["if_change_version"] = (entry.version if entry else 0) + (version == "wrong")
        return change

    # --- Writing and reading

    def _lock(self, under: str | None) -> tuple[str, int] | None:
        self.model.lapse()
        if under is None:
            return None
        found = self.model.locks.get(under)
        return under, found.token if found and found.token > 0 else 1

    @rule(who=_callers, key=_keys, what=_what, how=_how, version=_versions, under=_under)
    def set(
        self, who: int, key: str, what: dict[str, Any], how: dict[str, Any], version: str, under: str | None
    ) -> None:
        name = self._who(who)
        if "patch" in what or "increment" in what:
            what = {"data": 1}
        change = self._change(key, what, how, version)
        lock = self._lock(under)
        expected = self.model.update(name, [change], lock)
        params = {field: value for field, value in change.items() if field != "remove"}
        answer = self._ask(name, "set-metadata", **params, if_lock=lock and {"name": lock[0], "token": lock[1]})
        self._compare(answer, expected and expected[0])
        self._check(one_call=True)

    @rule(
        who=_callers,
        changes=st.lists(st.tuples(_keys, _what, _how, _versions), min_size=1, max_size=3),
        under=_under,
    )
    def update(self, who: int, changes: list[Any], under: str | None) -> None:
        name = self._who(who)
        wanted = list({change[0]: self._change(*change) for change in changes}.values())
        lock = self._lock(under)
        expected = self.model.update(name, wanted, lock)
        if_lock = lock and {"name": lock[0], "token": lock[1]}
        answer = self._ask(name, "update-metadata", changes=wanted, if_lock=if_lock)
        self._compare(answer, expected)
        self._check(one_call=True)

    @rule(who=_callers, name=_names, how=st.sampled_from([None, None, {}, {"owner": True}, {"on_leave": "keep"}]))
    def light(self, who: int, name: str, how: dict[str, Any] | None) -> None:
        """Put somebody into the spotlight, as their own entry or in some other way."""
        peer_id = self.callers[name].peer_id
        terms = {"owner": peer_id, "on_leave": "null"} if how is None else how
        self.set(who=who, key="spotlight", what={"data": peer_id}, how=terms, version="", under=None)

    @rule(who=_callers, key=_keys, expires_in=_expires_in)
    def touch(self, who: int, key: str, expires_in: float) -> None:
        name, key = self._who(who), self._key(key)
        expected = self.model.touch(name, key, expires_in)
        self._compare(self._ask(name, "touch-metadata", key=key, expires_in=expires_in), expected)
        self._check()

    @rule(who=_callers, key=_keys)
    def get(self, who: int, key: str) -> None:
        name, key = self._who(who), self._key(key)
        self.model.lapse()
        expected = self.model.wire(key) if self.model.may_read(name, key) else None
        self.model.reasons = {403}
        self._compare(self._ask(name, "get-metadata", key=key), expected)
        self._check()

    def _compare(self, answer: Answer, expected: Any) -> None:
        """``expected`` is the entry that is answered, or are those; of which what is ABSENT is not told; or None."""
        if expected is None:
            assert answer.error is not None and answer.error.code in self.model.reasons, (answer, self.model.reasons)
            return
        assert answer.error is None, (answer.error.as_wire(), expected)
        result = {name: value for name, value in answer.result.items() if name != "seq"}
        entries = expected if isinstance(expected, list) else [expected]
        assert result.get("entries", [result]) == [
            {field: value for field, value in entry.items() if value is not ABSENT} for entry in entries
        ]

    @rule(name=_names, keys=st.lists(_keys, unique=True, max_size=LIMITS["MAX_KEYS"]))
    def listen(self, name: str, keys: list[str]) -> None:
        if self._can_ask(name):
            self._observe(name, [self._key(key) for key in keys])

    def _observe(self, name: str, keys: list[str]) -> None:
        self.model.lapse()
        self.model.people[name].observed = set(keys)
        assert self._ask(name, "listen-metadata-change", keys=keys).error is None
        self._check()

    # --- Roles and rules

    @rule(name=_names, role=st.sampled_from(ROLES))
    def give_role(self, name: str, role: str) -> None:
        if self.model.people[name].present:
            self.model.lapse()
            for person in self.model.people.values():
                if person.person == self.model.people[name].person:
                    person.role = role
            peer_id = self.callers[name].peer_id
            assert self._ask("Kim", "role-change-request", requested_for=peer_id, role=role, force=True).error is None
            self._check()

    @rule(who=_callers, rules=_rules)
    def set_rules(self, who: int, rules: list[dict[str, Any]]) -> None:
        name = self._who(who)
        self.model.lapse()
        answer = self._ask(name, "set-metadata-rules", rules=rules)
        if not name or self.model.people[name].role == "host":
            assert answer.error is None
            self.model.rules = rules
        else:
            assert answer.error is not None and answer.error.code == 403
        self._check()

    # --- Locks

    @rule(
        who=_callers,
        lock_name=st.sampled_from(LOCKS),
        seconds=st.sampled_from([None, None, 5, 30]),
        wait=st.sampled_from([None, 3_000, 20_000, 60_000]),
    )
    def lock(self, who: int, lock_name: str, seconds: float | None, wait: int | None) -> None:
        name = self._who(who)
        self.model.lapse()
        answer = self._ask(name, "lock", name=lock_name, expires_in=seconds, wait_ms=wait)
        may, must = self._may_lock(name, lock_name)
        if answer.error and answer.error.code == 403:
            assert not must
        else:
            assert may
            expected = self.model.lock(name, lock_name, seconds, wait)
            self._learn_tokens()
            assert (answer.error.code if answer.error else None) == (None if expected else 409)
            if expected:
                told = {field: value for field, value in answer.result.items() if field != "seq"}
                assert told == self._lock_wire(lock_name)
                assert isinstance(answer.for_socket, Waiting) == (expected.holder != name)
        self._check()

    def _may_lock(self, name: str, lock_name: str) -> tuple[bool, bool]:
        """Whether the caller may have the lock, and whether it must be let; what is between is left open."""
        if not name:
            return False, False
        role = self.model.people[name].role
        rules = [rule for rule in (*self.model.rules, *self.model.template_rules) if rule.get("lock") == lock_name]
        named = any(
            role in who
            for rule in rules
            for who in rule.values()
            if isinstance(who, list) and who is not rule.get("read")
        )
        return named or role in WRITERS, named or (role in WRITERS and not rules)

    @precondition(lambda self: self.model.locks)
    @rule(who=_callers, lock_name=st.sampled_from(LOCKS), stale=st.sampled_from([False, False, False, True]))
    def unlock(self, who: int, lock_name: str, stale: bool) -> None:
        name = self._who(who)
        self.model.lapse()
        found = self.model.locks.get(lock_name)
        stale = stale or found is None or found.token < 0  # of which nobody is told yet who has it now
        answer = self._ask(name, "unlock", name=lock_name, token=1 if stale or not found else found.token)
        if stale or not found:
            assert answer.error is not None and answer.error.code == 409
        elif name and found.holder != name and self.model.people[name].role != "host":
            assert answer.error is not None and answer.error.code == 403
        else:
            assert answer.error is None
            self.model.pass_on(lock_name)
            self._learn_tokens()
        self._check()

    @precondition(lambda self: any(lock.waiting for lock in self.model.locks.values()))
    @rule(who=st.integers(0, 8), lock_name=st.sampled_from(LOCKS))
    def give_up(self, who: int, lock_name: str) -> None:
        name = self._who(who)
        self.model.lapse()
        found = self.model.locks.get(lock_name)
        until = next((waiter[1] for waiter in (found.waiting if found else []) if waiter[0] == name), 0)
        answer = self._took(name, ask(self.callers[name], stop_waiting, name=lock_name, until=until))
        if found and found.holder == name:
            assert answer.error is None
        else:
            assert answer.error is not None and answer.error.code == 409
            if found:
                found.waiting = [waiter for waiter in found.waiting if waiter[0] != name]
        self._check()

    def _lock_wire(self, lock_name: str) -> dict[str, Any]:
        lock = self.model.locks[lock_name]
        wire = {"name": lock_name, "holder": self.callers[lock.holder].peer_id, "token": lock.token}
        return wire if lock.expires_at is None else {**wire, "expires_at": lock.expires_at}

    def _learn_tokens(self) -> None:
        """Take over the token of who got a lock: its event's number, which the listeners see to, and so the highest."""
        told = self.hall.listeners["peer-Kim"].locks
        for lock_name, lock in self.model.locks.items():
            if lock.token < 0:
                lock.token = told[lock_name]["token"]
                assert lock.token not in self.tokens
                self.tokens.add(lock.token)

    # --- Coming and going

    @precondition(lambda self: any(not person.present for person in self.model.people.values()))
    @rule(name=_names)
    def come(self, name: str) -> None:
        if not self.model.people[name].present and name not in self.timed_out:
            self._come(name)

    def _come(self, name: str) -> None:
        self.model.lapse()
        self.callers[name] = again(self.callers[name], f"conn-{next(self._connections)}")
        answer = self._ask(name, "join", name=name)
        assert answer.error is None
        peer = row(self.callers[name])
        self.model.people[name] = Person(peer.peer_id, peer.person, peer.role, came=next(self._comings))
        self._check()

    @rule(name=_names)
    def leave(self, name: str) -> None:
        if self._can_ask(name):
            self.model.leave(name, by=name)
            assert self._ask(name, "leave").error is None
            self._check()

    @rule(name=_names)
    def lose(self, name: str) -> None:
        if self._can_ask(name):
            self.model.lapse()
            self.hall.lose(self.callers[name].peer_id)
            self.lost[name] = self.clock.milliseconds
            self._took(name, ask(self.callers[name], disconnect))
            self.model.people[name].connected = False
            self._check()

    @precondition(lambda self: self.lost or self.timed_out)
    @rule(data=st.data(), with_place=st.booleans(), by_join=st.booleans())
    def come_back(self, data: st.DataObject, with_place: bool, by_join: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.lost.keys() | self.timed_out)))
        self.model.lapse()
        place = self.hall.listeners[self.callers[name].peer_id].place if with_place else None
        self.callers[name] = again(self.callers[name], f"conn-{next(self._connections)}")
        was_reaped = name in self.timed_out
        if by_join:
            answer = self._ask(name, "join", name=name, **({"resume": place} if place else {}))
        else:
            answer = self._took(name, ask(self.callers[name], connect, place=place))
        assert answer.error is None
        self.lost.pop(name, None)
        self.model.people[name].connected = True
        self.model.people[name].connection += 1
        self.timed_out.discard(name)
        person = self.model.people[name]
        person.present = True
        person.role = row(self.callers[name]).role
        if was_reaped:
            person.came = next(self._comings)
        if was_reaped and by_join:
            person.observed = set()
        self._check()
        for frame in self.hall.listeners[person.peer_id].heard:
            for value in frame["params"]["values"] if frame["method"] == "on-metadata-change" else ():
                assert self.model.may_read(name, value["key"]) or not value["change_version"], "what it may not read"

    # --- Time

    @rule(seconds=st.sampled_from([0.5, 1, 2.5, 10, 20]))
    def time_passes(self, seconds: float) -> None:
        self.clock.milliseconds += round(seconds * 1000)
        self.model.now = self.clock.milliseconds

    @rule()
    def settle(self) -> None:
        self.model.lapse()
        self._took("", ask(server(self.room), settle_due))
        self._check(one_call=True)

    @rule()
    def reap(self) -> None:
        self.model.lapse()
        overdue = [name for name, since in self.lost.items() if since <= self.clock.milliseconds - GRACE * 1000]
        for name in overdue:
            del self.lost[name]
            self.timed_out.add(name)
        self.model.leave(*overdue, by="")
        self._took("", ask(server(self.room), reap))
        self._check()

    # --- What must be so

    def _check(self, *, one_call: bool = False) -> None:
        self._learn_tokens()
        stored = {
            entry.key: (
                ABSENT if entry.data is None else json.loads(entry.data),
                entry.change_version,
                entry.updated_by,
                milliseconds(entry.updated_at),
                entry.owner,
                entry.on_leave,
                entry.expires_at and milliseconds(entry.expires_at),
            )
            for entry in MetadataEntry.objects.filter(session__room_id=self.room.id, session__ended_at=None)
        }
        assert stored == {
            key: (entry.data, entry.version, entry.by, entry.at, entry.owner, entry.on_leave, entry.expires_at)
            for key, entry in self.model.entries.items()
            if entry.version
        }
        for name, person in self.model.people.items():
            if not person.present or name in self.lost:
                continue
            listener = self.hall.listeners[person.peer_id]
            assert _as_told(self.model, listener.held) == _as_told(self.model, self.model.known_by(name)), name
            assert listener.locks == {lock_name: self._lock_wire(lock_name) for lock_name in self.model.locks}, name
            if one_call:
                news = [frame for frame in listener.heard if frame["method"] == "on-metadata-change"]
                assert len(news) <= 2, "what was due and the call, each in one"


def _as_told(model: Model, held: dict[str, Any]) -> dict[str, Any]:
    """Without when an entry expires that was prolonged since it was told."""
    return {
        key: {name: field for name, field in value.items() if name != "expires_at" or not model.entries[key].touched}
        for key, value in held.items()
    }


def _run(monkeypatch: pytest.MonkeyPatch, limits: Any, *, examples: int, steps: int) -> None:
    for name, most in LIMITS.items():
        setattr(limits, name, most)
    limits.PEER_GRACE, limits.LEASE_TTL = GRACE, LATE / 2000
    clock = Clock()
    monkeypatch.setattr(statements, "now", clock.now)

    class OneRoom(Room):
        pass

    OneRoom.clock = clock
    how = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(OneRoom, settings=how)


@pytest.mark.matrix
def test_whatever_is_done_is_as_the_model_says(database, monkeypatch, settings):
    _run(monkeypatch, settings, examples=25, steps=40)


@pytest.mark.matrix
@pytest.mark.soak
def test_whatever_is_done_for_long_is_as_the_model_says(database, monkeypatch, settings):
    _run(monkeypatch, settings, examples=1500, steps=80)
