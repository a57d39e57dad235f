"""The journal: numbers, reading, trimming, and whom a replay is for."""

import json
import re
from collections.abc import Iterator
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rooms.creation.rooms import create_room
from rooms.models import Event as Row
from rooms.models import Message, Room, Session, milliseconds
from rooms.operations.engine import journal, repetitions
from rooms.operations.engine.transaction import Cursor
from rooms.wire.effects import CameBack, Effect, Left, RoleChanged, StateChanged
from rooms.wire.events import NOBODY, Audience, Event, Numbered, Stored
from tests.operations.driver import call, do, journalled, position, visitor
from tests.support.audiences import observing

HELLO = {"message": "hello"}


@pytest.fixture
def session(room: Room) -> Session:
    return Session.objects.create(room=room)


def append(*entries: tuple[Session, list[Numbered]], at: int) -> None:
    with Cursor() as cursor:
        journal.append(cursor, entries, at=at)


def trim(session: Session, *, most: int) -> None:
    with Cursor() as cursor:
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
    audience = Audience(but="p", roles=("host", "guest"))
    change = Event("on-x", '{"a":"é"}', audience, RoleChanged("p", "guest", "host"))
    numbered = journal.number(session, [change, Event("on-y", "{}")])
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


@pytest.mark.matrix
@pytest.mark.parametrize("last", [1, 63, 64, 65, 200])
def test_what_is_read_back_is_the_same_from_its_end(database, session, last):
    written = write(session, *map(str, range(last)))
    for after in (0, 1, last - 1, last):
        past = journal.Past(session.id, history="", until=last, asked=64)
        assert list(past.newest_first(after=after)) == written[after:][::-1]


@pytest.mark.parametrize("gone", [0, 5, 136])
def test_what_several_ask_for_is_read_once(session, gone):
    written = write(session, *map(str, range(200)))
    Row.objects.filter(session=session, seq__lte=gone).delete()
    past = journal.Past(session.id, history="", until=200, asked=3)
    for after in (197, gone, 150, 199, gone):
        assert list(past.newest_first(after=after)) == written[after:][::-1]
    with CaptureQueriesContext(connection) as queries:
        for after in (gone, 150):
            list(past.newest_first(after=after))
    assert not queries.captured_queries
    if gone:
        assert list(past.newest_first(after=gone - 1)) == [*written[gone:][::-1], None]


@pytest.mark.parametrize("gone", [1, 64, 136, 137])
def test_what_was_trimmed_ends_what_is_read_back(session, gone):
    write(session, *map(str, range(200)))
    Row.objects.filter(session=session, seq__lte=gone).delete()
    past = journal.Past(session.id, history="", until=200, asked=200)
    assert [event and event.seq for event in past.newest_first(after=0)] == [*range(200, gone, -1), None]
    assert None not in past.newest_first(after=gone)


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
        do(alice, "set-metadata", key="n", data=f"{number} é")
    assert Row.objects.count() <= 16 + 64
    session = Session.objects.get()
    sizes = [len("".join(texts).encode()) for texts in Row.objects.values_list("audience", "body", "facts")]
    assert session.journal_bytes == sum(sizes)
    do(alice, "leave")
    assert not Row.objects.exists()


# --- Messages -----------------------------------------------------------------------------------


def talk(session: Session, count: int, *, at: int = 0, text: str = "x") -> None:
    """Write messages, and as many other events between them."""
    for _ in range(count):
        session.messages += 1
        stored = Stored(f"{session.messages:032x}", session.messages, "alice", "")
        events = [Event("on-broadcast", json.dumps(text), stored=stored), Event("on-x", '"y"')]
        append((session, journal.number(session, events)), at=at or milliseconds(timezone.now()))


def kept_messages(session: Session) -> list[int]:
    return list(Message.objects.filter(session=session).order_by("seq").values_list("number", flat=True))


def test_the_last_messages_are_kept_although_the_journal_is_trimmed(session, settings):
    settings.JOURNAL_EVENTS, settings.JOURNAL_SECONDS, settings.CLIENT_ID_SECONDS = 10, 0, 0
    settings.KEPT_MESSAGES = 50
    talk(session, 200, at=1)
    trim(session, most=1000)
    assert kept_messages(session) == list(range(151, 201))
    assert kept(session) == [seq for seq in range(391, 401) if seq % 2 == 0]


def test_fewer_messages_are_kept_if_they_take_too_much_space(session, settings):
    settings.JOURNAL_EVENTS, settings.JOURNAL_SECONDS, settings.CLIENT_ID_SECONDS = 10, 0, 0
    settings.KEPT_MESSAGES, settings.JOURNAL_MAX_BYTES = 1000, 5000
    talk(session, 200, text="x" * 98)
    trim(session, most=1000)
    numbers = kept_messages(session)
    assert numbers == list(range(201 - len(numbers), 201))
    assert 5000 - 100 <= session.journal_bytes == 100 * len(numbers) + 3 * len(kept(session)) <= 5000


def test_messages_that_may_be_repeated_yet_are_kept_beyond_the_last(session, settings):
    settings.JOURNAL_EVENTS, settings.JOURNAL_SECONDS, settings.CLIENT_ID_SECONDS = 10, 0, 300
    settings.KEPT_MESSAGES = 5
    now = milliseconds(timezone.now())
    talk(session, 100, at=now - 301_000)
    talk(session, 100, at=now - 290_000)
    trim(session, most=1000)
    assert kept_messages(session) == list(range(101, 201))


def test_after_a_trim_what_is_read_is_all_of_it_or_nothing(session, settings):
    """Messages that stay longer than the events between them make no history of holes."""
    settings.JOURNAL_EVENTS, settings.JOURNAL_SECONDS, settings.CLIENT_ID_SECONDS = 10, 0, 0
    talk(session, 100, at=1)
    trim(session, most=1000)
    assert len(kept_messages(session)) == 100
    for after in range(200):
        found = journal.read(session.id, after=after, until=200)
        assert found is None or [event.seq for event in found] == list(range(after + 1, 201))
        # The odd ones are messages: with the last event that was trimmed before it, one may begin at a message.
        assert (found is not None) == (after >= 190), after


@pytest.mark.matrix
def test_kept_messages_are_gone_with_the_session(database, room):
    alice = visitor(room, "Alice", "host")
    do(alice, "join", name="Alice")
    do(alice, "broadcast", info=HELLO)
    assert Message.objects.count() == 1
    do(alice, "end-room")
    assert not Message.objects.exists()


OTHERS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO rooms_message (session_id, seq, number, message_id, peer_id, client_id, audience, body, at)
    SELECT %s, i, i, 'm', 'peer-Alice', CAST(i AS text), '', '{}', 1 FROM n
"""


@pytest.mark.matrix
def test_what_was_sent_is_found_by_its_session_first_however_many_there_are_elsewhere(database, room):
    """In other sessions are many messages, of the same peer id and under the same client ids."""
    elsewhere = [Session.objects.create(room=create_room(name=f"other{number}")) for number in range(3)]
    with connection.cursor() as cursor:
        for other in elsewhere:
            cursor.execute(OTHERS, [other.id])
        cursor.execute("ANALYZE")
    alice = visitor(room, "Alice", "host")
    do(alice, "join", name="Alice")
    first = do(alice, "broadcast", info=HELLO, client_id="7")
    repetitions._remembered.clear()
    with CaptureQueriesContext(connection) as queries:
        assert do(alice, "broadcast", info=HELLO, client_id="7") == first
        found = do(alice, "broadcast", info=HELLO, client_id="8")["message_id"]
        do(alice, "pin-message", id=found)
    asked = [query["sql"] for query in queries if re.search(r"(FROM|JOIN) \"?rooms_message", query["sql"])]
    assert len(asked) == 4
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    for statement in asked:
        with connection.cursor() as cursor:
            cursor.execute(explain + statement.replace("%", "%%"))
            plan = "\n".join(str(column) for line in cursor.fetchall() for column in line)
        if connection.vendor == "sqlite":
            assert re.search(r"SEARCH (m|rooms_message) USING .*\(session_id=\?", plan), plan
            assert not re.search(r"SCAN (m|rooms_message)\b", plan), plan
        else:
            assert "Seq Scan on rooms_message" not in plan
            assert "session_id" in plan.partition("Index Cond")[2].partition("\n")[0], plan


# --- Whom a replay is for -----------------------------------------------------------------------


def numbered(seq: int, audience: Audience, effect: Effect | None = None) -> Numbered:
    return Numbered(seq, "on-x", "{}", audience, effect)


def replayed(*events: Numbered, role: str = "guest") -> list[int]:
    found = journal.addressed_to(reversed(events), peer_id="bob", role=role, observed=frozenset({"topic"}))
    assert found is not None
    return [event.seq for event in found]


@pytest.mark.parametrize("audience", [Audience(), Audience(peer="alice")])
def test_a_replay_asks_for_no_more_than_it_takes_to_know_that_it_is_too_long(audience):
    asked = []

    def without_end() -> Iterator[Numbered]:
        for seq in count(1_000_000, -1):
            asked.append(seq)
            yield Numbered(seq, "on-x", "x" * 100, audience)

    assert journal.addressed_to(without_end(), peer_id="bob", role="guest", observed=frozenset(), most=1000) is None
    assert len(asked) <= 41


def test_a_replay_of_which_something_is_not_kept_is_none():
    events = [numbered(3, Audience()), numbered(2, Audience(peer="alice")), None]
    assert journal.addressed_to(events, peer_id="bob", role="guest", observed=frozenset()) is None


def test_a_replay_tells_of_each_connection_the_last_state_alone():
    lost, found = StateChanged({"peer_id": "alice"}), CameBack({"peer_id": "alice"}, "conn")
    other = StateChanged({"peer_id": "carol"})
    effects: list[Effect | None] = [lost, found, other, Left("alice"), None, lost, found]
    assert replayed(*[numbered(seq, Audience(), effect) for seq, effect in enumerate(effects, 1)]) == [3, 4, 5, 7]
    hidden = numbered(2, NOBODY, found)
    assert replayed(numbered(1, Audience(), lost), hidden) == [1]


def test_a_replay_passes_over_what_is_for_others():
    assert replayed(
        numbered(1, Audience()),
        numbered(2, Audience(but="bob")),
        numbered(3, Audience(peer="bob")),
        numbered(4, Audience(peer="alice")),
        numbered(5, Audience(roles=("guest",))),
        numbered(6, Audience(roles=("host",))),
        numbered(7, observing("topic")),
        numbered(8, observing("other")),
        numbered(9, Audience(nobody=True)),
        numbered(10, Audience(but="bob", roles=("guest",))),
    ) == [1, 3, 5, 7]


def test_i23_a_replay_looks_back_through_the_changes_of_role():
    to_guests, to_hosts = Audience(roles=("guest",)), Audience(roles=("host",))
    assert replayed(
        numbered(1, to_guests),
        numbered(2, to_hosts),
        numbered(3, Audience(peer="bob"), RoleChanged("bob", "guest", "host")),
        numbered(4, to_guests),
        numbered(5, to_hosts),
        numbered(6, Audience(peer="alice"), RoleChanged("alice", "host", "guest")),
        numbered(7, to_hosts),
        numbered(8, Audience(peer="bob"), RoleChanged("bob", "host", "viewer")),
        numbered(9, to_hosts),
        role="viewer",
    ) == [1, 3, 5, 7, 8]
