"""Who did what is written down, once, in the transaction of what it tells."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from rooms.creation.rooms import change_room, create_room, delete_room
from rooms.models import AuditEntry, MetadataEntry, Room, milliseconds
from rooms.operations.engine import audit
from rooms.operations.engine.calls import Author, Call, Caller
from rooms.operations.engine.gate import run
from rooms.operations.leaving import EMPTIED, disconnect
from rooms.operations.metadata.lapses import settle_due
from rooms.operations.moderation import OVERLONG, end_overlong
from rooms.operations.reaping import reap
from tests.operations.driver import again, ask, at_once, call, do, live_session, prepare, refused, say, visitor

SOUP = {"of": ["soup", "tea"]}


@pytest.fixture(autouse=True)
def keeps_values(settings):
    settings.AUDIT_VALUE_BYTES = 200


def changes() -> list[tuple[Any, ...]]:
    """What the audit tells of session metadata, from the first change on."""
    told = AuditEntry.objects.filter(what__startswith="metadata.").order_by("pk")
    return list(told.values_list("what", "source", "author", "key", "version", "old", "new"))


# --- Changes of session metadata ----------------------------------------------------------------


def test_a_change_is_written_down_with_author_place_and_values(alice, room):
    do(alice, "set-metadata", key="topic", data="tea")
    do(alice, "set-metadata", key="topic", data=SOUP)

    session, entry = live_session(room), MetadataEntry.objects.get()
    assert session
    common = {
        "source": "socket", "author_id": "peer-Alice", "author": "Alice", "room_id": room.id, "room_name": "Team",
        "session_id": session.id, "key": "topic", "what": "metadata.set", "details": "",
    }  # fmt: skip
    first, second = AuditEntry.objects.filter(what="metadata.set").order_by("pk").values()
    assert first.items() >= {**common, "version": 1, "old": None, "new": '"tea"'}.items()
    assert second.items() >= {**common, "version": 2, "old": '"tea"', "new": '{"of":["soup","tea"]}'}.items()
    assert abs(second["at"] - entry.updated_at.timestamp() * 1000) < 1


def test_each_key_of_several_is_written_down_and_how_it_changed_is_not_asked(alice):
    do(alice, "set-metadata", key="count", data=1)
    wanted: list[dict[str, Any]] = [
        {"key": "topic", "data": {"of": "tea"}},
        {"key": "count", "increment": 2},
        {"key": "gone", "remove": True},
    ]
    do(alice, "update-metadata", changes=wanted)
    do(alice, "update-metadata", changes=[{"key": "topic", "patch": {"hot": True}}, {"key": "count", "remove": True}])

    assert changes() == [
        ("metadata.set", "socket", "Alice", "count", 1, None, "1"),
        ("metadata.set", "socket", "Alice", "topic", 1, None, '{"of":"tea"}'),
        ("metadata.set", "socket", "Alice", "count", 2, "1", "3"),
        ("metadata.set", "socket", "Alice", "topic", 2, '{"of":"tea"}', '{"of":"tea","hot":true}'),
        ("metadata.remove", "socket", "Alice", "count", 3, "3", None),
    ]


def test_pins_are_written_down_as_the_keys_that_they_are(alice, bob):
    message = say(bob, "soup is ready")
    do(alice, "pin-message", id=message)
    do(alice, "unpin-message", id=message)

    assert [change[3:5] for change in changes()] == [
        ("pinnedMessages", 1), ("default", 1), ("pinnedMessages", 2), ("default", 2)
    ]  # fmt: skip


def test_what_changes_nothing_or_is_refused_is_not_written_down(alice):
    do(alice, "set-metadata", key="topic", data="tea")
    before = changes()

    do(alice, "set-metadata", key="topic", data="tea")
    do(alice, "set-metadata", key="never")
    refused(alice, "set-metadata", key="topic", data="milk", if_change_version=0)
    refused(alice, "update-metadata", changes=[{"key": "new", "data": 1}, {"key": "topic", "increment": 1}])
    do(alice, "update-metadata", changes=[{"key": "new", "data": 1}], change_id="one")
    do(alice, "update-metadata", changes=[{"key": "new", "data": 1}], change_id="one")
    do(alice, "touch-metadata", key="topic", expires_in=60)

    assert changes() == [*before, ("metadata.set", "socket", "Alice", "new", 1, None, "1")]


def test_what_is_not_kept_is_not_written_down(alice, monkeypatch):
    append = audit.append

    def append_and_fail(*arguments: Any, **more: Any) -> None:
        append(*arguments, **more)
        raise RuntimeError("after all else was written")

    monkeypatch.setattr(audit, "append", append_and_fail)
    assert call(alice, "set-metadata", key="topic", data="tea").error
    assert not MetadataEntry.objects.exists() and changes() == []


def test_calls_of_one_transaction_are_written_down_each_by_its_author(alice, bob, room):
    named = Caller(room.id, name="olga", source="admin")
    calls = [prepare(who, "set-metadata", key="topic", data=n) for n, who in enumerate((alice, bob, alice, named))]
    run([*calls, Call(disconnect, bob)])

    assert [(change[1], change[2], change[4], change[6]) for change in changes()] == [
        ("socket", "Alice", 1, "0"), ("socket", "Bob", 2, "1"), ("socket", "Alice", 3, "2"), ("admin", "olga", 4, "3")
    ]  # fmt: skip


def test_what_expires_is_the_servers_own_doing(alice, room, later):
    do(alice, "update-metadata", changes=[{"key": "timer", "data": 5, "expires_in": 10}])
    later(11)
    ask(Caller(room.id), settle_due)
    ask(Caller(room.id), settle_due)

    assert changes()[1:] == [("metadata.remove", "expiry", "", "timer", 2, "5", None)]


@pytest.mark.parametrize(
    ("on_leave", "left"),
    [("remove", ("metadata.remove", None)), ("null", ("metadata.set", "null")), ("keep", ("metadata.set", "1"))],
)
def test_what_goes_with_its_owner_is_told_as_that(alice, bob, on_leave, left):
    do(bob, "update-metadata", changes=[{"key": "mine", "data": 1, "owner": True, "on_leave": on_leave}])
    do(bob, "leave")

    what, new = left
    assert changes()[1:] == [(what, "leave", "Bob", "mine", 2, "1", new)]


def test_what_goes_with_an_owner_that_did_not_come_back_is_nobodys_doing(alice, bob, room, later):
    do(bob, "update-metadata", changes=[{"key": "mine", "data": 1, "owner": True}])
    ask(bob, disconnect)
    later(61)
    ask(Caller(room.id), reap)

    assert changes()[1:] == [("metadata.remove", "leave", "", "mine", 2, "1", None)]


def test_how_a_session_ended_by_itself_is_told(alice, room, later):
    Room.objects.update(max_duration_seconds=60)
    later(61)
    ask(Caller(room.id), end_overlong)
    do(again(alice), "join", name="Alice")
    do(again(alice), "leave")

    ends = AuditEntry.objects.filter(what="session.end").order_by("pk").values_list("source", "author", "details")
    assert [(*end[:2], json.loads(end[2])["reason"]) for end in ends] == [
        ("expiry", "", OVERLONG), ("end", "Alice", EMPTIED)
    ]  # fmt: skip


@pytest.mark.matrix
@pytest.mark.django_db(transaction=True)
def test_of_writers_at_the_same_time_each_change_is_written_down_once(database):
    room = create_room(name="tea")
    writers = [visitor(room, f"{number}", "host") for number in range(4)]
    for writer in writers:
        do(writer, "join", name=writer.name)
    at_once([prepare(writers[n % 4], "set-metadata", key="topic", data=f"☕ {n}") for n in range(20)])

    entry = MetadataEntry.objects.get()
    told = changes()
    assert [change[4] for change in told] == list(range(1, 21)) == list(range(1, entry.change_version + 1))
    assert [change[5] for change in told[1:]] == [change[6] for change in told[:-1]]
    assert told[-1][6] == entry.data


@pytest.mark.matrix
@pytest.mark.django_db(transaction=True)
def test_acts_are_written_down_on_every_database(database, settings):
    olga = Author("olga", "admin")
    room = create_room(name="tea", author=olga)
    alice, bob = visitor(room, "Alice", "host"), visitor(room, "Bob", "guest")
    for caller in (alice, bob):
        do(caller, "join", name=caller.name)
    do(bob, "update-metadata", changes=[{"key": "mine", "data": "ö" * 200, "owner": True}])
    change_room(room.pk, title="Tea", author=olga)
    call(olga.caller(room.pk), "peer-leave-request", requested_for="peer-Bob", reason="late")
    delete_room(room.pk, author=olga)

    told = AuditEntry.objects.filter(room_id=room.pk).order_by("pk").values_list("what", "source", "author", "details")
    assert [row[:3] for row in told] == [
        ("room.create", "admin", "olga"),
        ("metadata.set", "socket", "Bob"),
        ("room.change", "admin", "olga"),
        ("peer.remove", "admin", "olga"),
        ("metadata.remove", "leave", "olga"),
        ("session.end", "admin", "olga"),
        ("room.delete", "admin", "olga"),
    ]
    assert json.loads(told[3][3]) == {"peer": "peer-Bob", "name": "Bob", "reason": "late"}
    removed = AuditEntry.objects.get(what="metadata.remove")
    assert removed.old == '"' + "ö" * 99 + "…"
    settings.AUDIT_DAYS = 0
    audit.forget_old(timezone.now())
    assert not AuditEntry.objects.exists()


def test_rows_of_a_clock_that_was_ahead_keep_no_others(db, monkeypatch):
    monkeypatch.setattr(audit, "_MOST_FORGOTTEN", 2)
    now = timezone.now()
    for days in (-400, -400, -400, 40, 39, 38, 1):
        AuditEntry.objects.create(at=milliseconds(now - timedelta(days=days)), what="room.change")
    left = []
    for _ in range(2):
        audit.forget_old(now)
        kept = AuditEntry.objects.order_by("pk").values_list("at", flat=True)
        left.append([round((milliseconds(now) - at) / 86_400_000) for at in kept])
    assert left == [[-400, -400, -400, 38, 1], [-400, -400, -400, 1]]


# --- What is kept -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most", "text", "kept"),
    [
        (10, '"12345678"', '"12345678"'),
        (10, '"123456789"', '"123456789…'),
        (5, '"öäü"', '"öä…'),
        (4, '"öäü"', '"ö…'),
        (8, '"öäü"', '"öäü"'),
        (3, '"🍵"', '"…'),
        (0, '"tea"', None),
    ],
)
def test_a_long_value_is_cut_between_characters_and_marked(alice, settings, most, text, kept):
    settings.AUDIT_VALUE_BYTES = most
    do(alice, "set-metadata", key="topic", data=json.loads(text))
    do(alice, "set-metadata", key="topic")

    assert [change[5:] for change in changes()] == [(None, kept), (kept, None)]


def test_without_audit_days_nothing_is_written_down(alice, settings):
    settings.AUDIT_DAYS = 0
    do(alice, "set-metadata", key="topic", data="tea")
    assert not AuditEntry.objects.filter(what="metadata.set").exists()


def test_the_audit_outlives_session_and_room(alice, room):
    do(alice, "set-metadata", key="topic", data="tea")
    do(alice, "leave")
    Room.objects.all().delete()

    told = AuditEntry.objects.get(what="metadata.set")
    assert (told.room_id, told.room_name, told.key) == (room.id, "Team", "topic")
