"""Of every operation it is decided what the audit has of it: that, once, by its author, and no secrets."""

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection

import rooms.operations
from rooms.creation import codes, templates
from rooms.creation import rooms as creation
from rooms.models import AuditEntry, Lock, Message, Person, Room, RoomCode
from rooms.operations.engine.audit import WHATS
from rooms.operations.engine.calls import Author, Caller, Operation
from rooms.operations.metadata.entries import PINS_KEY
from rooms.wire.roles import DEFAULT_TEMPLATE, PERMISSIONS
from tests.operations.driver import ask, call, change_role, do, live_session, say, visitor
from tests.support.permissions import SOUP
from tests.support.server import ROOT

VALUE = "what-is-stored"
"""Is in every value that the tests write."""

SAID = "what-is-said"
"""Is in every message."""

OTHER = {"requested_for": "peer-Other"}


@pytest.fixture
def stage(room: Room) -> Room:
    """Alice may do everything. Somebody else is there, holds a lock, said something; somebody was removed; polls."""
    change_role(room, "host", permissions=dict.fromkeys(PERMISSIONS, True))
    for name, role in (("Alice", "host"), ("Other", "guest"), ("Removed", "guest"), ("Third", "viewer")):
        do(visitor(room, name, role), "join", name=name)
    nobody, other = Caller(room.id), visitor(room, "Other", "guest")
    do(other, "lock", name="deck")
    do(nobody, "set-metadata", key="timer", data=1)
    say(other, f"{SAID} first")
    do(nobody, "pin-message", id=say(other, f"{SAID} and pinned"))
    do(nobody, "peer-leave-request", requested_for="peer-Removed")
    do(nobody, "group-add", peer_id="peer-Other", name="tables")
    for poll_id in ("draft", "running"):
        do(nobody, "poll-info-set", poll_id=poll_id, title=f"{SAID}?")
        do(nobody, "poll-questions-set", poll_id=poll_id, questions=[SOUP])
    do(nobody, "poll-start", poll_id="running")
    return room


def message(number: int) -> str:
    return Message.objects.order_by("seq")[number].message_id


def offered(room: Room) -> dict[str, Any]:
    """How Alice takes the role that she is asked to take."""
    [event] = call(Caller(room.id), "role-change-request", requested_for="peer-Alice", role="guest").events
    body = json.loads(event.body)
    return {"role": body["role"], "token": body["token"]}


class Decision(NamedTuple):
    """What the audit has of a call by a peer, and of one by an administrator, a key or a command, who are no peers.

    None if they cannot make it. ``arguments`` may be a function of the room.
    """

    arguments: dict[str, Any] | Callable[[Room], dict[str, Any]]
    by_peer: list[str] | None
    by_act: list[str] | None


def both(arguments: dict[str, Any] | Callable[[Room], dict[str, Any]], *whats: str) -> Decision:
    """The same, whoever does it: it changes what all share, or is power over others."""
    return Decision(arguments, list(whats), list(whats))


def act(arguments: dict[str, Any], what: str) -> Decision:
    """What peers do all the time."""
    return Decision(arguments, [], [what])


def own(arguments: dict[str, Any] | Callable[[Room], dict[str, Any]]) -> Decision:
    """What a peer does with itself, and the server cannot do."""
    return Decision(arguments, [], None)


SET, REMOVE = "metadata.set", "metadata.remove"

DECISIONS: dict[str, list[Decision]] = {
    "set-metadata": [
        both({"key": "topic", "data": VALUE}, SET),
        both({"key": "timer"}, REMOVE),
        both({"key": "timer", "data": 1, "expires_in": 60}, SET),
        both({"key": "timer", "data": 1}),
        both({"key": "never"}),
    ],
    "update-metadata": [
        both({"changes": [{"key": "a", "data": VALUE}, {"key": "timer", "increment": 1}]}, SET, SET),
        both({"changes": [{"key": "timer", "patch": [{"op": "replace", "path": "", "value": VALUE}]}]}, SET),
        both({"changes": [{"key": "timer", "remove": True}, {"key": "never", "remove": True}]}, REMOVE),
        both({"changes": [{"key": "a", "data": VALUE}], "change_id": "one"}, SET),
    ],
    "touch-metadata": [act({"key": "timer", "expires_in": 60}, "metadata.touch")],
    "pin-message": [both(lambda room: {"id": message(0)}, SET, SET), both(lambda room: {"id": message(1)})],
    "unpin-message": [both(lambda room: {"id": message(1)}, SET, SET), both(lambda room: {"id": message(0)})],
    "set-metadata-rules": [
        both({"rules": [{"key": "spotlight", "write": ["host"]}]}, "rules.change"),
        both({"rules": []}),
    ],
    "set-room": [
        both({"locked": True, "slow_mode": 5, "description": "What we do"}, "room.change"),
        both({"history": 7}, "room.change"),
        both({"locked": False, "slow_mode": 0, "description": ""}),
    ],
    "room-codes": [both({})],
    "replace-room-code": [both({"role": "guest"}, "code.replace")],
    "lock": [own({"name": "stage"})],
    "unlock": [both(lambda room: {"name": "deck", "token": Lock.objects.get(name="deck").token}, "lock.release")],
    "end-room": [both({}, "session.end"), both({"lock": True, "reason": "late"}, "session.end")],
    "peer-leave-request": [both({"requested_for": "peer-Third"}, "peer.remove")],
    "peer-let-in": [
        both(
            lambda room: {"person": Person.objects.get(name="Removed", removed_at__isnull=False).person}, "peer.let-in"
        )
    ],
    "role-change-request": [
        both({**OTHER, "role": "viewer", "force": True}, "peer.role"),
        both({**OTHER, "role": "guest", "force": True}),
        both({"roles": ["guest", "host"], "role": "viewer", "force": True}, "peer.role", "peer.role"),
        act({**OTHER, "role": "viewer"}, "peer.offer-role"),
    ],
    "role-change": [Decision(offered, ["peer.role"], None)],
    "group-add": [act({"peer_id": "peer-Other", "name": "late"}, "peer.group")],
    "group-remove": [act({"peer_id": "peer-Other", "name": "tables"}, "peer.group")],
    "broadcast": [
        act({"info": {"message": SAID}}, "message.send"),
        act({"info": {"message": SAID}, "peer_id": "peer-Other"}, "message.send"),
    ],
    "message-edit": [own(lambda room: {"id": say(visitor(room, "Alice", "host"), SAID), "message": SAID * 2})],
    "message-delete": [both(lambda room: {"id": message(0)}, "message.delete")],
    "clear-messages": [both({}, SET, SET, "message.clear")],
    "message-react": [own(lambda room: {"id": message(0), "emoji": "👍"})],
    "message-history": [own({})],
    "peer-typing": [own({})],
    "poll-info-set": [act({"title": SAID}, "poll.set")],
    "poll-questions-set": [act({"poll_id": "draft", "questions": [SOUP]}, "poll.set")],
    "poll-start": [act({"poll_id": "draft"}, "poll.start"), both({"poll_id": "running"})],
    "poll-stop": [act({"poll_id": "running"}, "poll.stop")],
    "join": [own({"name": "Alice"})],
    "leave": [own({})],
    "peer-update": [own({"name": "Alicia"})],
    "group-join": [own({"name": "tables"})],
    "group-leave": [own({"name": "tables"})],
    "poll-response": [own({"poll_id": "running", "responses": [{"question": 1, "option": 1}]})],
    "listen-metadata-change": [own({"keys": ["timer"]})],
    "get-metadata": [both({"key": "timer"})],
    "get-peer": [both({"peer_id": "peer-Other"})],
    "locks": [both({})],
    "peers-removed": [both({})],
}
"""By method, for all that do not only read."""

BY_OTHERS: dict[str, list[tuple[dict[str, Any], list[str]]]] = {
    "change_entry": [
        ({"change": {"key": "topic", "data": VALUE}}, [SET]),
        ({"change": {"key": "timer", "data": 1}}, []),
    ],
    "revoke_lock": [({"name": "deck"}, ["lock.release"])],
    "change_peer": [
        ({"peer_id": "peer-Other", "name": "Otto", "role": "viewer"}, ["peer.role", "peer.update"]),
        ({"peer_id": "peer-Other", "name": "Otto", "role": "viewer"}, []),
    ],
    "remove_role": [({"role": "viewer"}, ["peer.remove"])],
    "read_entry": [({"key": "timer"}, [])],
    "list_entries": [({}, [])],
    "read_lock": [({"name": "deck"}, [])],
}
"""By name, for what administrators, access keys and commands alone can call, see Decision."""

UNASKED = {
    "admit": "only reads",
    "list_messages": "only reads",
    "end_overlong": "test_audit: the session ends",
    "connect": "a peer comes in; the rows of peers tell when",
    "disconnect": "a peer's connection is lost",
    "mark_lost": "a peer's connection is lost",
    "reclaim": "a peer's connection is found again",
    "reap": "test_audit: whose keys and locks go is told, and that the session ends",
    "settle_due": "test_audit: what expires is told",
    "stop_waiting": "nobody gets a lock, or loses one",
    "stop_overdue_polls": "a poll is no metadata, and nobody did it",
    "template_changed": "the change of the template is told once, and not in each of its rooms",
    "forget_departed": "rows that nobody is shown any more",
}
"""Why the audit has nothing of its own of operations that no peer can call."""


def operations() -> Iterator[Operation]:
    """All that there are."""
    for module in pkgutil.walk_packages(rooms.operations.__path__, "rooms.operations."):
        found = importlib.import_module(module.name)
        yield from (value for value in vars(found).values() if isinstance(value, Operation))


def test_of_every_operation_it_is_decided_what_the_audit_has_of_it():
    known = list(operations())
    assert {operation.method for operation in known if operation.method and not operation.reads} == set(DECISIONS)
    assert {operation.name for operation in known if not operation.method} == {*BY_OTHERS, *UNASKED}


CASES = [(method, decision) for method, decisions in DECISIONS.items() for decision in decisions]
ACTING = [Author("olga", "admin"), Author("back end", "rest"), Author("manage.py", "command")]


def since(place: int) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(pk__gt=place).order_by("pk"))


def place() -> int:
    return AuditEntry.objects.values_list("pk", flat=True).order_by("-pk").first() or 0


def arguments(decision: Decision, room: Room) -> dict[str, Any]:
    return decision.arguments(room) if callable(decision.arguments) else decision.arguments


@pytest.mark.parametrize(("method", "decision"), CASES, ids=lambda value: str(value)[:30])
def test_i43_what_a_peer_does_is_in_the_audit_as_decided_once_and_as_its_own(stage, method, decision):
    given, before, session = arguments(decision, stage), place(), live_session(stage)
    do(visitor(stage, "Alice", "host"), method, **given)

    entries = since(before)
    assert [entry.what for entry in entries] == decision.by_peer
    expected = ("socket", "peer-Alice", "Alice", stage.id, "Team", session and session.id)
    assert {_author(entry) for entry in entries} <= {expected}


def _author(entry: AuditEntry) -> tuple[str, ...]:
    return (entry.source, entry.author_id, entry.author, entry.room_id, entry.room_name, entry.session_id)


@pytest.mark.parametrize("author", ACTING, ids=lambda author: author.source)
@pytest.mark.parametrize(("method", "decision"), CASES, ids=lambda value: str(value)[:30])
def test_i43_what_others_do_is_in_the_audit_as_decided_once_and_as_their_own(stage, method, decision, author):
    given, before, session = arguments(decision, stage), place(), live_session(stage)
    answer = call(author.caller(stage.id), method, **given)

    entries = since(before)
    assert (answer.error is not None) == (decision.by_act is None), answer.error
    assert [entry.what for entry in entries] == (decision.by_act or [])
    expected = (author.source, "", author.name, stage.id, "Team", session and session.id)
    assert {_author(entry) for entry in entries} <= {expected}


@pytest.mark.parametrize("author", ACTING, ids=lambda author: author.source)
@pytest.mark.parametrize("name", BY_OTHERS)
def test_i43_what_others_alone_can_do_is_in_the_audit_as_decided_once_and_as_their_own(stage, name, author):
    [operation] = {found for found in operations() if found.name == name}
    for given, whats in BY_OTHERS[name]:
        before, session = place(), live_session(stage)
        answer = ask(author.caller(stage.id), operation, **given)

        entries = since(before)
        assert answer.error is None and [entry.what for entry in entries] == whats
        expected = (author.source, "", author.name, stage.id, "Team", session and session.id)
        assert {_author(entry) for entry in entries} <= {expected}


def test_i43_versions_of_each_key_are_in_the_audit_without_holes_or_repetition(stage):
    play_session(stage)
    versions: dict[str, list[int]] = {}
    for entry in AuditEntry.objects.filter(what__in=[SET, REMOVE]).order_by("pk"):
        versions.setdefault(entry.key, []).append(entry.version)
    assert {"topic", "timer", "a", "default", PINS_KEY} <= set(versions)
    assert {key: list(range(1, len(held) + 1)) for key, held in versions.items()} == versions
    session = live_session(stage)
    assert session
    assert dict(session.entries.values_list("key", "change_version")) == {
        key: held[-1] for key, held in versions.items()
    }


# --- What is done outside of sessions -----------------------------------------------------------

OLGA = Author("olga", "admin")

MADE: dict[str, Callable[[Room], list[tuple[str, str]]]] = {}
"""By function of ``rooms.creation``: does it as Olga, and tells what the audit is to have of it, with its key."""


def made(function: Callable[[Room], list[tuple[str, str]]]) -> Callable[[Room], list[tuple[str, str]]]:
    MADE[function.__name__] = function
    return function


@made
def create_room(room: Room) -> list[tuple[str, str]]:
    creation.create_room(name="new", author=OLGA)
    return [("room.create", "")]


@made
def change_room(room: Room) -> list[tuple[str, str]]:
    rules = [{"key": "spotlight", "write": ["host"]}]
    creation.change_room(room.pk, title="Tea", enabled=True, size=5, metadata_rules=rules, author=OLGA)
    creation.change_room(room.pk, title="Tea", enabled=True, size=5, metadata_rules=rules, author=OLGA)
    return [("room.change", ""), ("room.change", ""), ("rules.change", "")]


@made
def replace_code(room: Room) -> list[tuple[str, str]]:
    codes.replace_code(room.pk, "guest", author=OLGA)
    return [("code.replace", "guest")]


@made
def delete_room(room: Room) -> list[tuple[str, str]]:
    creation.delete_room(room.pk, author=OLGA)
    return [("session.end", ""), ("room.delete", "")]


@made
def load_template(room: Room) -> list[tuple[str, str]]:
    given = {"roles": DEFAULT_TEMPLATE}
    templates.load_template("other", given, author=OLGA)
    templates.load_template("other", given, author=OLGA)
    templates.load_template("other", {"roles": {"host": DEFAULT_TEMPLATE["host"]}}, author=OLGA)
    return [("template.create", "other"), ("template.change", "other")]


@made
def make_or_change_room(room: Room) -> list[tuple[str, str]]:
    creation.make_or_change_room(name="new", author=OLGA)
    creation.make_or_change_room(name="NEW", title="New", author=OLGA)
    return [("room.create", ""), ("room.change", "")]


@made
def make_codes(room: Room) -> list[tuple[str, str]]:
    room.codes.filter(role="guest").delete()
    codes.make_codes(room.pk, author=OLGA)
    codes.make_codes(room.pk, author=OLGA)
    return [("code.create", "guest")]


@made
def switch_code(room: Room) -> list[tuple[str, str]]:
    for on in (True, False, False):
        codes.switch_code(room.codes.get(role="host").code, on=on, author=OLGA)
    return [("code.change", "host")]


@made
def change_template(room: Room) -> list[tuple[str, str]]:
    for _ in range(2):
        templates.change_template(room.template_id, lambda found: found.roles.pop("viewer", None), author=OLGA)
    return [("template.change", "default")]


OF_THE_SERVER = {"default_template", "delete_unused", "find_room", "named", "replace_held"}


def test_of_every_way_to_make_and_change_rooms_it_is_decided_what_the_audit_has():
    public = {
        name
        for module in (codes, creation, templates)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and name[0] != "_"
    }
    assert public == {*MADE, *OF_THE_SERVER}


def test_whoever_makes_or_changes_rooms_says_whose_act_it_is():
    names = "|".join(MADE)
    of_webhooks = "add|change|remove|set_of_room|add_secret|drop_secrets"
    of_rooms = rf"(?:(?:creation|codes|templates)\.)?(?:{names})"
    acts = rf"{of_rooms}|endpoints\.(?:{of_webhooks})|replays\.start|keys\.(?:create|store|revoke)"
    calls = {
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in (ROOT / "rooms").rglob("*.py")
        if path.parent.name != "creation"
        for found in re.finditer(
            rf"(?<!def )(?<!\w)(?:{acts})\((?!request)(?:[^()]|\([^()]*\)|\((?:[^()]|\([^()]*\))*\))*\)",
            path.read_text(),
        )
    }
    assert len(calls) >= 25
    assert [one for one in calls if "author=" not in one] == []


@pytest.mark.parametrize("name", MADE)
def test_i43_what_is_done_to_rooms_and_templates_is_in_the_audit_once_and_by_its_author(stage, name):
    before = place()
    expected = MADE[name](stage)

    entries = since(before)
    assert [(entry.what, entry.key) for entry in entries] == expected
    assert {(entry.source, entry.author) for entry in entries} == {("admin", "olga")}


# --- What is never in it ------------------------------------------------------------------------


def whole_audit() -> str:
    """All that is in its table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM rooms_auditentry")
        return "\n".join(str(row) for row in cursor.fetchall())


def play_session(room: Room) -> set[str]:
    """Do, as Alice and as Olga, all that neither ends the session nor clears the chat; the tokens that there were."""
    tokens = set()
    for method, decision in CASES:
        if method in ("end-room", "leave", "clear-messages"):
            continue
        for who in (visitor(room, "Alice", "host"), OLGA.caller(room.id)):
            call(Caller(room.id), "role-change-request", requested_for="peer-Alice", role="host", force=True)
            try:
                given = arguments(decision, room)
            except ObjectDoesNotExist:  # that can be done once alone
                continue
            tokens |= {given["token"]} if method == "role-change" else set()
            call(who, method, **given)
    return tokens


def play(room: Room) -> set[str]:
    """Do everything that there is; the secrets that there were."""
    secrets = play_session(room)
    for function in sorted(MADE.values(), key=lambda function: function is delete_room):
        secrets |= set(RoomCode.objects.values_list("code", flat=True))
        function(room)
    return secrets | set(RoomCode.objects.values_list("code", flat=True))


@pytest.mark.parametrize("most", [0, 200])
def test_i43_no_message_and_no_secret_is_ever_in_the_audit(stage, settings, most):
    settings.AUDIT_VALUE_BYTES = most
    do(visitor(stage, "Alice", "host"), "unpin-message", id=message(1))
    AuditEntry.objects.all().delete()
    secrets = play(stage)

    written = whole_audit()
    assert len(secrets) > 6 and "room.delete" in written
    assert [secret for secret in secrets if secret in written] == []
    assert [word for word in (settings.APP_SECRET, settings.SECRET_KEY) if word in written] == []
    # Who pins a message makes it a value.
    assert (SAID in written) == (most > 0)
    assert SAID not in "\n".join(map(str, AuditEntry.objects.exclude(key__in=[PINS_KEY, "default"]).values_list()))


def test_without_bytes_for_values_none_is_in_the_audit(stage, settings):
    settings.AUDIT_VALUE_BYTES = 0
    play(stage)

    written = whole_audit()
    assert SET in written and "topic" in written
    assert VALUE not in written and SAID not in written
    assert not AuditEntry.objects.exclude(old=None, new=None).exists()


def test_every_word_of_the_audit_is_explained():
    section = (ROOT / "docs/operations.md").read_text().partition("\n## Audit\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^|]+)` \|", section, re.MULTILINE)
    assert sorted(word.strip("` ") for row in rows for word in row.split(", ")) == sorted(WHATS)
