"""The journal: numbers, reading, trimming, and whom a replay is for."""

import json

import pytest
from django.db import connection
from django.utils import timezone

from rooms import journal
from rooms.creation import create_room
from rooms.events import Audience, Event, Numbered
from rooms.models import Event as Row
from rooms.models import Room, Session, milliseconds
from tests.operations.driver import call, do, journalled, position

HELLO = {"message": "hello"}


@pytest.fixture
def session(room: Room) -> Session:
    return Session.objects.create(room=room)


def append(*entries: tuple[Session, list[Numbered]], at: int) -> None:
    with connection.cursor() as cursor:
        journal.append(cursor, entries, at=at)


def trim(session: Session, *, most: int) -> None:
    with connection.cursor() as cursor:
        journal.trim(cursor, session, at=milliseconds(timezone.now()), most=most)


def write(session: Session, *texts: str, at: int = 0, audience: Audience | None = None) -> list[Numbered]:
    events = [Event("on-broadcast", json.dumps(text), audience or Audience()) for text in texts]
    numbered = journal.number(session, events)
    append((session, numbered), at=at or milliseconds(timezone.now()))
    return numbered


def kept(session: Session) -> list[int]:
    return list(Row.objects.filter(session=session).order_by("seq").values_list("seq", flat=True))


def test_numbers_have_no_holes_and_follow_the_order_of_commits(alice, bob, room):
    for person in (alice, bob, alice):
        do(person, "broadcast", info=HELLO)
    call(bob, "broadcast", info={})
    do(bob, "get-metadata")
    assert [event.seq for event in journalled(room.id)] == list(range(1, position(room.id) + 1))


def test_what_is_read_is_what_was_written(session):
    facts = {"role": ["p", "guest", "host"]}
    audience = Audience(but="p", roles=("host", "guest"))
    numbered = journal.number(session, [Event("on-x", '{"a":"é"}', audience, facts), Event("on-y", "{}")])
    append((session, numbered), at=1)
    assert journal.read(session.id, after=0, until=2) == numbered
    assert journal.read(session.id, after=1, until=2) == numbered[1:]
    assert journal.read(session.id, after=2, until=2) == []
    session.refresh_from_db()
    assert session.seq == 2


def test_several_sessions_are_written_at_once(session):
    elsewhere = Session.objects.create(room=create_room(name="elsewhere"))
    first = journal.number(session, [Event("on-x", "{}")])
    second = journal.number(elsewhere, [Event("on-y", "{}"), Event("on-z", "{}")])
    append((session, first), (elsewhere, second), at=1)
    assert (kept(session), kept(elsewhere)) == ([1], [1, 2])


def test_what_was_trimmed_cannot_be_read(session):
    write(session, "a", "b", "c")
    Row.objects.filter(session=session, seq=1).delete()
    assert journal.read(session.id, after=0, until=3) is None
    assert journal.read(session.id, after=1, until=4) is None
    found = journal.read(session.id, after=1, until=3)
    assert found is not None
    assert [event.seq for event in found] == [2, 3]


def test_i25_old_events_go_but_the_last_stay_whatever_their_age(session, settings):
    settings.JOURNAL_EVENTS, settings.JOURNAL_SECONDS = 100, 120
    long_ago = milliseconds(timezone.now()) - 121_000
    for _ in range(5):
        write(session, *["x"] * 64, at=long_ago)
    trim(session, most=50)
    assert kept(session) == list(range(51, 321))
    trim(session, most=1000)
    assert kept(session) == list(range(221, 321))


def test_young_events_stay_beyond_the_last(session, settings):
    settings.JOURNAL_EVENTS, settings.JOURNAL_SECONDS = 10, 120
    for _ in range(5):
        write(session, *["x"] * 64)
    assert len(kept(session)) == 320


def test_i25_young_events_go_too_when_there_are_too_many(session, settings):
    settings.JOURNAL_EVENTS, settings.JOURNAL_MAX_EVENTS = 10, 100
    for _ in range(10):
        write(session, *["x"] * 64)
    assert len(kept(session)) <= 100 + 64
    assert kept(session)[-1] == 640


def test_i25_or_when_they_take_too_much_space(session, settings):
    settings.JOURNAL_EVENTS, settings.JOURNAL_MAX_BYTES = 10, 20_000
    for _ in range(10):
        write(session, *["x" * 98] * 64)
    assert session.journal_bytes == 100 * len(kept(session))
    assert session.journal_bytes <= 20_000 + 64 * 100
    session.refresh_from_db()
    assert session.journal_bytes == 100 * len(kept(session))


@pytest.mark.matrix
def test_i25_rows_stay_bounded_in_use_and_are_gone_after_the_end(database, alice, room, settings):
    settings.JOURNAL_EVENTS, settings.JOURNAL_SECONDS = 16, 0
    for number in range(200):
        do(alice, "set-metadata", key="n", data=number)
    assert Row.objects.count() <= 16 + 64
    session = Session.objects.get()
    sizes = [len(body) + len(facts) for body, facts in Row.objects.values_list("body", "facts")]
    assert session.journal_bytes == sum(sizes)
    do(alice, "leave")
    assert not Row.objects.exists()


# --- Whom a replay is for -----------------------------------------------------------------------


def numbered(seq: int, audience: Audience, **facts: object) -> Numbered:
    return Numbered(seq, "on-x", "{}", audience, facts)


def replayed(*events: Numbered, role: str = "guest") -> list[int]:
    found = journal.addressed_to(events, peer_id="bob", role=role, observed=frozenset({"topic"}))
    return [event.seq for event in found]


def test_a_replay_passes_over_what_is_for_others():
    assert replayed(
        numbered(1, Audience()),
        numbered(2, Audience(but="bob")),
        numbered(3, Audience(peer="bob")),
        numbered(4, Audience(peer="alice")),
        numbered(5, Audience(roles=("guest",))),
        numbered(6, Audience(roles=("host",))),
        numbered(7, Audience(key="topic")),
        numbered(8, Audience(key="other")),
        numbered(9, Audience(nobody=True)),
        numbered(10, Audience(but="bob", roles=("guest",))),
    ) == [1, 3, 5, 7]


def test_i23_a_replay_looks_back_through_the_changes_of_role():
    to_guests, to_hosts = Audience(roles=("guest",)), Audience(roles=("host",))
    assert replayed(
        numbered(1, to_guests),
        numbered(2, to_hosts),
        numbered(3, Audience(peer="bob"), role=["bob", "guest", "host"]),
        numbered(4, to_guests),
        numbered(5, to_hosts),
        numbered(6, Audience(peer="alice"), role=["alice", "host", "guest"]),
        numbered(7, to_hosts),
        numbered(8, Audience(peer="bob"), role=["bob", "host", "viewer"]),
        numbered(9, to_hosts),
        role="viewer",
    ) == [1, 3, 5, 7, 8]
