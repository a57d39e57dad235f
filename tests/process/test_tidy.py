"""What is kept for a time only is really deleted, and nothing else."""

import threading
from datetime import timedelta

import psycopg
import pytest
from django.contrib.sessions.models import Session as Login
from django.db import connection
from django.utils import timezone

from rooms.creation.rooms import create_room
from rooms.models import AuditEntry, Peer, Room, RoomCode, Session, Worker, milliseconds
from rooms.operations import reaping
from rooms.operations.engine import audit
from rooms.process import reaper
from rooms.process.lease import Lease
from rooms.process.reaper import Reaper, tidy

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Room:
    return create_room(title="Tea")


def ended(room: Room, *, days_ago: float) -> Session:
    """A session of one peer that ended so long ago."""
    at = timezone.now() - timedelta(days=days_ago)
    session = Session.objects.create(room=room, started_at=at - timedelta(hours=1), ended_at=at)
    Peer.objects.create(session=session, peer_id="alice", joined_at=session.started_at, left_at=at, state="left")
    return session


def test_sessions_and_their_peers_are_kept_for_history_days(room, settings):
    settings.HISTORY_DAYS = 2
    kept, _ = ended(room, days_ago=1.9), ended(room, days_ago=2.1)
    live = Session.objects.create(room=room, started_at=timezone.now() - timedelta(days=40))

    tidy(timezone.now())

    assert set(Session.objects.all()) == {kept, live}
    assert {peer.session for peer in Peer.objects.all()} == {kept}
    assert Room.objects.get() == room


def test_a_long_history_goes_bit_by_bit(room, settings, monkeypatch):
    settings.HISTORY_DAYS = 1
    monkeypatch.setattr(reaper, "_MOST_TIDIED", 2)
    for _ in range(5):
        ended(room, days_ago=3)

    left = []
    for _ in range(3):
        tidy(timezone.now())
        left.append(Session.objects.count())

    assert left == [3, 1, 0]


def test_dead_leases_are_kept_for_a_day():
    now = timezone.now()
    for name, dead_at in {"live": None, "just": now, "long": now - timedelta(days=1, minutes=1)}.items():
        Worker.objects.create(id=name, last_seen=now, dead_at=dead_at)

    tidy(now)

    assert set(Worker.objects.values_list("id", flat=True)) == {"live", "just"}


def test_the_reaper_tidies(room, settings):
    settings.HISTORY_DAYS = 1
    ended(room, days_ago=2)

    Reaper(Lease()).run_once()

    assert not Session.objects.exists()


def test_of_those_who_left_a_running_session_the_last_are_kept_however_many_there_were(room, monkeypatch):
    monkeypatch.setattr(reaping, "MAX_DEPARTED", 3)
    monkeypatch.setattr(reaping, "_MOST_FORGOTTEN", 2)
    now = timezone.now()
    for one in (room, create_room(title="Coffee")):
        live = Session.objects.create(room=one, started_at=now)
        for number in range(10):
            at = now - timedelta(seconds=number)
            Peer.objects.create(session=live, peer_id=f"{number}", joined_at=at, left_at=at, state="left")
        Peer.objects.create(session=live, peer_id="here", joined_at=now)

    Reaper(Lease()).run_once()

    for session in Session.objects.all():
        assert set(session.peers.values_list("peer_id", flat=True)) == {"0", "1", "2", "here"}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_room_that_is_held_keeps_no_other_from_being_tidied(database, monkeypatch):
    monkeypatch.setattr(reaping, "MAX_DEPARTED", 0)
    now = timezone.now()
    rooms = [create_room(name=name) for name in "abc"]
    for one in rooms:
        live = Session.objects.create(room=one, started_at=now)
        Peer.objects.create(session=live, peer_id="gone", joined_at=now, left_at=now, state="left")
        Peer.objects.create(session=live, peer_id="here", joined_at=now)
    for held in rooms:
        with psycopg.connect(**connection.get_connection_params()) as other:
            other.execute("SELECT FROM rooms_room WHERE id = %s FOR UPDATE", [held.pk])
            Reaper(Lease()).run_once()
        assert not Peer.objects.filter(peer_id="gone").exclude(session__room=held).exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_unused_room_that_is_held_is_not_waited_for(database, settings):
    settings.ROOM_DAYS = 1
    rooms = [create_room(name=name) for name in "abc"]
    Room.objects.update(created_at=timezone.now() - timedelta(days=2))
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT FROM rooms_room WHERE id = %s FOR UPDATE", [rooms[1].pk])
        waits = threading.Timer(5, other.close)
        waits.start()
        Reaper(Lease()).run_once()
        waits.cancel()
        assert not other.closed
        assert list(Room.objects.all()) == [rooms[1]]
    Reaper(Lease()).run_once()
    assert not Room.objects.exists()


def used(name: str, *, days_ago: float, made: float = 40) -> Room:
    """A room that was made so many days ago, and in which somebody was last so long ago."""
    room = create_room(name=name)
    Room.objects.filter(pk=room.pk).update(created_at=timezone.now() - timedelta(days=made))
    ended(room, days_ago=days_ago)
    return room


def test_rooms_that_nobody_used_for_room_days_go_with_their_codes_and_history(settings):
    settings.ROOM_DAYS, settings.HISTORY_DAYS = 30, 365
    used("used", days_ago=29)
    used("unused", days_ago=31)
    live = used("live", days_ago=39)
    Session.objects.create(room=live, started_at=timezone.now() - timedelta(days=35))
    create_room(name="new")
    never = create_room(name="never")
    Room.objects.filter(pk=never.pk).update(created_at=timezone.now() - timedelta(days=31))

    tidy(timezone.now())

    assert set(Room.objects.values_list("name", flat=True)) == {"used", "live", "new"}
    assert set(RoomCode.objects.values_list("room__name", flat=True)) == {"used", "live", "new"}
    assert Session.objects.filter(room=live).count() == 2


def test_rooms_stay_where_room_days_is_off(settings):
    settings.HISTORY_DAYS = 365
    room = used("unused", days_ago=500, made=900)

    tidy(timezone.now())

    assert Room.objects.get() == room


def test_unused_rooms_go_bit_by_bit(settings, monkeypatch):
    settings.ROOM_DAYS, settings.HISTORY_DAYS = 30, 365
    monkeypatch.setattr(reaper, "_MOST_TIDIED", 2)
    room = used("much-used", days_ago=50, made=60)
    for days in (51, 52):
        ended(room, days_ago=days)

    left = []
    for _ in range(2):
        tidy(timezone.now())
        left.append((Session.objects.count(), Room.objects.count()))

    assert left == [(1, 1), (0, 0)]


def audited(*days_ago: float) -> None:
    """Entries of the audit, the oldest first."""
    for days in days_ago:
        at = milliseconds(timezone.now() - timedelta(days=days))
        AuditEntry.objects.create(at=at, what="login", source="admin")


def test_the_audit_is_kept_for_audit_days_and_goes_bit_by_bit(settings, monkeypatch):
    settings.AUDIT_DAYS = 2
    monkeypatch.setattr(audit, "_STEP", 2)
    monkeypatch.setattr(audit, "_MOST_FORGOTTEN", 4)
    audited(9, 8, 7, 6, 5, 2.1, 1.9, 0)

    left = []
    for _ in range(3):
        tidy(timezone.now())
        left.append(AuditEntry.objects.count())

    assert left == [4, 2, 2]


def test_an_audit_that_is_switched_off_goes(settings):
    settings.AUDIT_DAYS = 0
    audited(9, 0.1)

    tidy(timezone.now())

    assert not AuditEntry.objects.exists()


def test_expired_logins_go():
    now = timezone.now()
    for key, expires in {"good": now + timedelta(days=1), "expired": now - timedelta(seconds=1)}.items():
        Login.objects.create(session_key=key, session_data="", expire_date=expires)

    tidy(now)

    assert [login.session_key for login in Login.objects.all()] == ["good"]
