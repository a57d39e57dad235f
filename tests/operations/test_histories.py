"""Places of clients, and of which history of the database they are: a restart goes on, a restored copy does not."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from rooms.creation.rooms import create_room
from rooms.models import Room, Session, Template, Worker
from rooms.operations.engine import journal, memory
from rooms.operations.engine.calls import Answer, Caller
from rooms.operations.engine.transaction import Cursor
from tests.conftest import using
from tests.operations.driver import again, attachment, call, do, live_session, position, resume_with_join, say, visitor


@contextmanager
def restored() -> Iterator[None]:
    """What the block writes is lost, as if a copy of the database from before it was put back."""
    kinds = [kind._default_manager for kind in apps.get_app_config("rooms").get_models()]
    saved = [list(kind.all()) for kind in kinds]
    yield
    for kind in kinds:
        if kind.model not in (Room, Template):
            kind.all().delete()
    for row in itertools.chain.from_iterable(saved):
        row.save()
    memory._remembered.clear()


def restart(name: str) -> None:
    """Another process serves the database file, or the database was started again."""
    Worker.objects.update(dead_at=timezone.now())
    Worker.objects.create(id=name, last_seen=timezone.now())
    memory._remembered.clear()


def place_of(answer: Answer) -> dict[str, Any]:
    return {name: answer.result[name] for name in ("session_id", "seq", "history")}


def outcome(answer: Answer) -> str:
    [how] = [name for name in ("resumed", "resync") if answer.result.get(name)]
    assert (attachment(answer).replay is None) == (how == "resync")
    return how


@pytest.fixture
def bob_at(room: Room) -> tuple[Caller, Caller, dict[str, Any]]:
    """Alice, Bob, and the place that Bob has reached on the first run of the database."""
    Worker.objects.create(id="first", last_seen=timezone.now())
    alice, bob = visitor(room, "Alice", "host"), visitor(room, "Bob", "guest")
    do(alice, "join", name="Alice")
    place = place_of(call(bob, "join", name="Bob"))
    assert place["history"] == "first"
    return alice, bob, place


def test_every_answer_to_a_join_names_the_history(bob_at, resume):
    alice, bob, place = bob_at
    for answer in (call(bob, "join", name="Bob"), resume(bob, place), call(again(alice), "join", name="Alice")):
        assert (answer.result["history"], answer.history) == ("first", "first")
    restart("second")
    assert resume(bob, place).result["history"] == "second"


def test_a_place_of_a_history_that_the_database_does_not_know_ends_in_a_resync(bob_at, resume):
    _, bob, place = bob_at
    for history in ("another", "", "first ", "x" * 64):
        assert outcome(resume(bob, {**place, "history": history})) == "resync"
    assert outcome(resume(bob, place)) == "resumed"


def test_a_place_that_says_no_history_is_good_as_long_as_there_was_one(bob_at, resume):
    alice, bob, place = bob_at
    del place["history"]
    assert outcome(resume(bob, place)) == "resumed"
    assert outcome(resume(bob, {**place, "history": None})) == "resumed"
    restart("second")
    say(alice, "hello")
    assert outcome(resume(bob, place)) == "resync"


def test_a_restart_that_loses_nothing_is_resumed_over(bob_at, resume):
    alice, bob, place = bob_at
    say(alice, "before")
    restart("second")
    say(alice, "after")
    restart("third")
    answer = resume(bob, place)
    assert outcome(answer) == "resumed"
    replay = attachment(answer).replay or []
    assert [event.seq for event in replay if event.kind == "on-broadcast"] == [place["seq"] + 1, place["seq"] + 2]
    [session] = Session.objects.all()
    assert [name for name, _ in session.histories] == ["first", "second", "third"]


def test_after_a_backup_was_put_back_with_new_events_over_the_same_numbers_all_is_told_anew(bob_at, resume):
    alice, bob, place = bob_at
    with restored():
        for _ in range(3):
            say(alice, "forgotten")
        ahead = {**place, "seq": position(bob.room_id)}
    restart("second")
    # Before anything new is written, too: the place is beyond what the database has.
    assert outcome(resume(bob, ahead)) == "resync"
    for _ in range(5):
        say(alice, "new, under the numbers of what was forgotten")
    assert position(bob.room_id) > ahead["seq"]
    assert outcome(resume(bob, ahead)) == "resync"
    # What was written before the copy was made is past in both histories.
    assert outcome(resume(bob, place)) == "resumed"
    # A place reached since is of the new history, and not of the one before.
    reached = place_of(call(again(bob, "conn-x"), "join", name="Bob"))
    assert outcome(resume(bob, reached)) == "resumed"
    assert outcome(resume(bob, {**reached, "history": "first"})) == "resync"


def test_a_copy_that_is_put_back_again_and_again_is_another_each_time(bob_at, resume):
    alice, bob, _ = bob_at
    places = []
    for name in ("second", "third", "fourth"):
        with restored():
            restart(name)
            say(alice, "forgotten")
            places.append(place_of(call(again(bob, f"conn-{name}"), "join", name="Bob")))
        restart(f"{name} again")
        say(alice, "new")
        for place in places:
            assert outcome(resume(bob, place)) == "resync"


def test_of_histories_the_last_are_remembered(bob_at, resume):
    alice, bob, place = bob_at
    for number in range(journal.MAX_HISTORIES - 1):
        restart(f"run {number}")
        say(alice, "hello")
    assert outcome(resume(bob, place)) == "resumed"
    restart("one more")
    say(alice, "hello")
    assert outcome(resume(bob, place)) == "resync"
    session = live_session(Room.objects.get(id=bob.room_id))
    assert session is not None
    assert len(session.histories) == journal.MAX_HISTORIES


def test_a_new_session_knows_nothing_of_the_histories_of_the_last(bob_at):
    alice, bob, place = bob_at
    do(alice, "end-room")
    answer = call(again(bob, "conn-2"), "join", name="Bob", resume=place)
    assert outcome(answer) == "resync"
    session = live_session(Room.objects.get(id=bob.room_id))
    assert session is not None
    assert session.histories == [["first", 1]]


@pytest.mark.parametrize(
    "place", [{"history": 7}, {"history": "x" * 65}, {"history": ["first"]}, {"seq": 2**60}, {"seq": 1e300}]
)
def test_a_place_has_a_form(bob_at, place):
    _, bob, known = bob_at
    error = resume_with_join(bob, {**known, **place}).error
    assert error is not None
    assert (error.code, error.message.split(":")[0]) == (400, f"resume.{next(iter(place))}")


@pytest.mark.postgres
def test_with_postgres_the_history_is_its_run(database, postgres, room, resume):
    """It survives processes of ours, and not a start of the database."""
    alice = visitor(room, "Alice", "host")
    place = place_of(call(alice, "join", name="Alice"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time()")
        [started] = cursor.fetchone()
    assert int(place["history"].partition("-")[0], 16) == round(started.timestamp() * 1000)
    restart("another process of ours")
    say(alice, "hello")
    answer = resume(alice, place)
    assert (outcome(answer), answer.result["history"]) == ("resumed", place["history"])
    assert len(place["history"]) <= 64
    Session.objects.update(histories=[["run before", 1]])
    memory._remembered.clear()
    say(again(alice, f"conn-{position(room.id) - 1}"), "hello")
    assert [name for name, _ in Session.objects.get().histories] == ["run before", place["history"]]
    assert outcome(resume(alice, place)) == "resync"


@pytest.mark.postgres
def test_with_postgres_a_dump_that_is_put_back_is_another_history_although_the_database_runs_on(database, postgres):
    """Whether it goes into a database that was made anew, or into tables that were."""
    histories: list[str] = []
    for prepare in ("SELECT 1", "ALTER TABLE rooms_session RENAME TO before; CREATE TABLE rooms_session (LIKE before)"):
        with using(postgres.create_database()):
            call_command("migrate", interactive=False, verbosity=0)
            for statement in ("SELECT 1", prepare):
                with transaction.atomic(), Cursor() as cursor:
                    cursor.execute(statement, ())
                    room = create_room(name=f"room {len(histories)}".replace(" ", ""))
                    places, _ = memory.lock(cursor, [room.id], patience=1)
                    histories.append(places[room.id].history)
    assert histories[0] == histories[1]
    assert len(set(histories)) == 3
