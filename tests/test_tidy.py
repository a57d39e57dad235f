"""What is kept for a time only is really deleted, and nothing else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rooms import leases
from rooms.creation import create_room
from rooms.leases import Lease, Reaper, tidy
from rooms.models import Message, Peer, Room, Session, Worker, milliseconds

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
    monkeypatch.setattr(leases, "_MOST_TIDIED", 2)
    for _ in range(5):
        ended(room, days_ago=3)

    left = []
    for _ in range(3):
        tidy(timezone.now())
        left.append(Session.objects.count())

    assert left == [3, 1, 0]


def test_client_ids_are_kept_for_client_id_seconds(room, settings):
    settings.CLIENT_ID_SECONDS = 300
    session, now = Session.objects.create(room=room), timezone.now()
    for age in (299, 301):
        at = milliseconds(now) - age * 1000
        Message.objects.create(
            session=session, peer_id="alice", client_id=str(age), message_id="m", timestamp=at, seq=1
        )

    tidy(now)

    assert [message.client_id for message in Message.objects.all()] == ["299"]


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
