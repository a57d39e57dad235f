"""Sessions: what ran in rooms, now and before, and who was there."""

from datetime import timedelta

import pytest

from rooms.creation.rooms import create_room
from rooms.models import Peer, Session
from tests.api.rest.conftest import is_moment
from tests.operations.driver import do, live_session


def test_a_running_session_is_told_with_all_who_were_in_it(rest, room, alice, bob):
    do(bob, "leave")
    session = live_session(room)
    assert session

    status, answer = rest("GET", f"/sessions/{session.pk}")

    assert status == 200 and is_moment(answer.pop("created_at"))
    peers = answer.pop("peers")
    assert answer.pop("updated_at") == peers["peer-Bob"]["left_at"]
    account = "access-key-of-the-test-run"
    assert answer == {
        "id": session.pk, "room_id": room.pk, "customer_id": account, "app_id": account, "active": True,
        "peer_count": 2,
    }  # fmt: skip
    assert is_moment(peers["peer-Alice"].pop("joined_at")) and is_moment(peers["peer-Bob"]["left_at"])
    assert peers["peer-Alice"] == {
        "id": "peer-Alice", "session_id": session.pk, "name": "Alice", "role": "host", "user_id": "user-Alice",
        "left_at": None,
    }  # fmt: skip


def test_a_session_that_is_over_says_when_everybody_left(rest, room, alice, bob):
    rest("POST", f"/active-rooms/{room.pk}/end-room", {})

    answer = rest("GET", f"/sessions?room_id={room.pk}")[1]["data"][0]
    assert answer["active"] is False
    assert {peer["left_at"] for peer in answer["peers"].values()} == {answer["updated_at"]}


def test_a_session_that_does_not_exist_is_not_found(rest):
    assert rest("GET", "/sessions/nothing") == (
        404,
        {"code": 404, "message": "session: no such session", "details": ["session: no such session"]},
    )


@pytest.fixture
def three(room, alice):
    """A session that goes on, one of the same room that is over, and one of another room, the oldest."""
    other, live = create_room(name="other"), live_session(room)
    assert live
    day = timedelta(days=1)
    over = Session.objects.create(room=room, started_at=live.started_at - day, ended_at=live.started_at)
    oldest = Session.objects.create(room=other, started_at=live.started_at - 2 * day, ended_at=live.started_at)
    return [live.pk, over.pk, oldest.pk]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2]),
        ("?active=true", [0]),
        ("?active=false", [1, 2]),
        ("?active=", [0, 1, 2]),
        ("?room_id={room}", [0, 1]),
        ("?room_id={room}&active=true", [0]),
        ("?room_id=nothing", []),
        ("?after={over}", [0, 1]),
        ("?before={over}", [1, 2]),
        ("?after={over}&before={over}", [1]),
    ],
)
def test_sessions_are_looked_for_newest_first(rest, room, three, query, found):
    over = Session.objects.get(pk=three[1]).started_at.isoformat().replace("+00:00", "Z")
    status, answer = rest("GET", "/sessions" + query.format(room=room.pk, over=over))
    assert status == 200 and answer["last"] == ""
    assert [session["id"] for session in answer["data"]] == [three[place] for place in found]


def test_sessions_are_listed_over_pages_with_as_few_questions_for_many_as_for_one(
    rest, room, three, django_assert_num_queries
):
    first = rest("GET", "/sessions?limit=2")[1]
    assert [session["id"] for session in first["data"]] == three[:2]
    second = rest("GET", f"/sessions?limit=2&start={first['last']}")[1]
    assert [session["id"] for session in second["data"]] == three[2:] and second["last"] == ""

    for session in Session.objects.all():
        for number in range(5):
            fields = {"joined_at": session.started_at, "state": Peer.State.LEFT, "role": "guest"}
            Peer.objects.create(session=session, peer_id=f"p{number}", **fields)
    for limit in (1, 3):
        with django_assert_num_queries(2):
            assert len(rest("GET", f"/sessions?limit={limit}")[1]["data"]) == limit


def crowd(session: Session, number: int, **fields: object) -> None:
    """So many who came one a second, and left in that order unless ``fields`` say else."""
    moments = [session.started_at + timedelta(seconds=n) for n in range(number)]
    Peer.objects.bulk_create(
        Peer(
            session=session, peer_id=f"p{n}", role="guest",
            **{"joined_at": at, "left_at": at + timedelta(hours=1), "state": Peer.State.LEFT, **fields},
        )
        for n, at in enumerate(moments)
    )  # fmt: skip


def test_a_list_shows_of_each_session_those_who_are_there_and_then_who_left_last(rest, room, three):
    live = Session.objects.get(pk=three[0])
    crowd(live, 250)
    crowd(Session.objects.get(pk=three[1]), 3)

    big, small, _ = rest("GET", "/sessions")[1]["data"]

    assert (big["peer_count"], small["peer_count"]) == (251, 3)
    assert set(big["peers"]) == {"peer-Alice", *(f"p{n}" for n in range(151, 250))}
    assert list(small["peers"]) == ["p0", "p1", "p2"]
    alone = rest("GET", f"/sessions/{live.pk}")[1]
    assert len(alone["peers"]) == alone["peer_count"] == 251
    assert alone["updated_at"] == big["updated_at"] == alone["peers"]["p249"]["left_at"]
