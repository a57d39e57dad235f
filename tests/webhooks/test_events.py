"""What happens in a room is told, in the transaction in which it happens, and nothing else."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rooms.creation.rooms import create_room
from rooms.models import Peer, Room, WebhookDelivery
from rooms.operations.engine import statements
from rooms.operations.engine.calls import Caller
from rooms.operations.engine.gate import run
from rooms.operations.leaving import disconnect
from rooms.operations.metadata.governing import set_metadata_rules
from rooms.operations.metadata.lapses import settle_due
from rooms.operations.moderation import end_room
from rooms.operations.reaping import reap
from rooms.webhooks import endpoints
from rooms.wire.webhooks import is_within, switched
from tests.operations.driver import ask, call, do, live_session, prepare, row, server, visitor

pytestmark = pytest.mark.matrix


@pytest.fixture(autouse=True)
def webhooks_to_anywhere(settings: Any, database: str) -> None:
    settings.WEBHOOK_HTTP = True


@pytest.fixture
def room(database: str) -> Room:
    return create_room(name="team")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass, in seconds, by the clock of the database."""
    passed = timedelta()
    real = statements.now

    def let_pass(seconds: float) -> None:
        nonlocal passed
        passed += timedelta(seconds=seconds)

    monkeypatch.setattr(statements, "now", lambda cursor: real(cursor) + passed)
    return let_pass


URL = "https://back.example.org/hook"


def told(**fields: Any) -> list[tuple[str, dict[str, Any]]]:
    """The events that are told, with their data."""
    bodies = WebhookDelivery.objects.filter(**fields).order_by("pk").values_list("body", flat=True)
    return [(event["type"], event["data"]) for event in map(json.loads, bodies)]


def names(**fields: Any) -> list[str]:
    return [name for name, _ in told(**fields)]


def come(room: Room, *people: str, role: str = "host") -> list[Caller]:
    callers = [visitor(room, name, role) for name in people]
    for caller in callers:
        do(caller, "join", name=caller.name, data='{"seat":4}')
    return callers


def test_a_session_is_told_from_its_beginning_to_its_end(room):
    endpoints.add(URL)
    alice, bob = come(room, "Alice", "Bob")
    session = live_session(room)
    assert session is not None
    do(bob, "leave")
    do(alice, "leave")

    happened = told()
    assert [(name, data.get("user_name"), data["seq"]) for name, data in happened] == [
        ("session.open.success", None, 0),
        ("peer.join.success", "Alice", 1),
        ("peer.join.success", "Bob", 2),
        ("peer.leave.success", "Bob", 3),
        ("peer.leave.success", "Alice", 4),
        ("session.close.success", None, 5),
    ]
    for _, data in happened:
        assert (data["room_id"], data["room_name"], data["session_id"]) == (room.id, "team", session.id)
        assert data["template_id"] == room.template_id
    joined, left, closed = happened[1][1], happened[3][1], happened[5][1]
    assert (joined["user_id"], joined["user_data"], joined["role"]) == ("user-Alice", '{"seat":4}', "host")
    assert (left["reason"], left["user_data"]) == ("client request", '{"seat":4}')
    assert left["duration"] <= closed["session_duration"] < 600  # seconds
    assert left["joined_at"] == happened[2][1]["joined_at"] <= left["left_at"]
    assert closed["session_stopped_at"] >= closed["session_started_at"]


def test_who_is_removed_is_told_with_the_reason(room):
    endpoints.add(URL)
    alice, bob = come(room, "Alice", "Bob")
    do(alice, "peer-leave-request", requested_for=bob.peer_id, reason="rude")

    name, data = told()[-1]
    assert (name, data["reason"], data["message"]) == ("peer.leave.success", "peer kicked", "rude")


def test_the_end_of_a_room_tells_each_leave_and_then_the_close(room):
    endpoints.add(URL)
    come(room, "Alice", "Bob")
    ask(Caller(room.id, name="operator", source="rest"), end_room, lock=True, reason="late")

    ended, *left, closed = told()[3:]
    assert (ended[0], ended[1]["lock_room"], ended[1]["reason"]) == ("room.end.success", True, "late")
    assert ended[1]["source"] == "rest"
    assert [(name, data["user_name"], data["reason"], data["message"]) for name, data in left] == [
        ("peer.leave.success", "Alice", "server removed peer", "late"),
        ("peer.leave.success", "Bob", "server removed peer", "late"),
    ]
    assert closed[0] == "session.close.success"
    assert [data["seq"] for _, data in told()] == [0, 1, 2, 3, 4, 5, 6]


def test_who_does_not_come_back_is_told_once(room, settings):
    endpoints.add(URL)
    _, bob = come(room, "Alice", "Bob")
    settings.PEER_GRACE = 0
    ask(bob, disconnect)
    ask(server(room), reap)
    ask(server(room), reap)

    left = [data for name, data in told() if name == "peer.leave.success"]
    assert [(data["user_name"], data["reason"]) for data in left] == [("Bob", "websocket closed")]


def test_a_change_of_role_is_told_with_who_made_it(room):
    endpoints.add(URL)
    alice, bob = come(room, "Alice", "Bob")
    do(alice, "role-change-request", requested_for=bob.peer_id, role="viewer", force=True)

    [data] = [data for name, data in told() if name == "role.change.success"]
    assert (data["previous_role"], data["role"], data["user_name"]) == ("host", "viewer", "Bob")
    assert data["role_change_requested_by"] == alice.peer_id


def test_one_who_cannot_come_in_is_told_without_a_session(room):
    endpoints.add(URL)
    Room.objects.update(enabled=False)
    answer = call(visitor(room, "Eve", "guest"), "join", name="Eve")

    assert answer.error is not None
    [(name, data)] = told()
    assert (name, data["error_message"], data["user_name"]) == ("peer.join.failure", "room not available", "Eve")
    assert "session_id" not in data and data["joined_at"] == "0001-01-01T00:00:00Z"


def test_metadata_is_told_only_of_keys_that_are_named_and_without_values(room):
    endpoints.add(URL, metadata_keys=["score", "seat:*"])
    endpoints.add(URL + "2", metadata_keys=["*"], metadata_values=True, events=["session.open.success"])
    [alice] = come(room, "Alice")
    do(alice, "set-metadata", key="secret", data=1)
    changes = [{"key": "score", "increment": 2}, {"key": "seat:4", "data": "x"}, {"key": "other", "data": None}]
    do(alice, "update-metadata", changes=changes)
    do(alice, "set-metadata", key="score")

    first, second = (
        WebhookDelivery.objects.values_list("endpoint_id", flat=True).distinct().order_by("endpoint__created_at")
    )
    without = [data["changes"] for name, data in told(endpoint_id=first, name="metadata.change.success")]
    peer = alice.peer_id
    assert without == [
        [
            {"key": "score", "change_version": 1, "updated_by": peer, "removed": False},
            {"key": "seat:4", "change_version": 1, "updated_by": peer, "removed": False},
        ],
        [{"key": "score", "change_version": 2, "updated_by": peer, "removed": True}],
    ]
    values = [
        [(change["key"], change["data"]) for change in data["changes"]]
        for name, data in told(endpoint_id=second, name="metadata.change.success")
    ]
    assert values == [[("secret", 1)], [("score", 2), ("seat:4", "x"), ("other", None)], [("score", None)]]
    assert names(endpoint_id=second).count("peer.join.success") == 0


def test_a_rooms_own_endpoint_replaces_those_of_all(room):
    everywhere = endpoints.add(URL)
    own = endpoints.add(URL + "/own", room=room)
    come(room, "Alice")
    come(create_room(name="other"), "Carol")

    assert [data.get("user_name") for _, data in told(endpoint=own)] == [None, "Alice"]
    assert [data.get("user_name") for _, data in told(endpoint=everywhere)] == [None, "Carol"]


def test_several_calls_of_one_transaction_are_told_in_their_order(room):
    endpoints.add(URL)
    alice, bob = (visitor(room, name, "host") for name in ("Alice", "Bob"))
    calls = [
        prepare(alice, "join", name="Alice"), prepare(bob, "join", name="Bob"), prepare(alice, "leave"),
        prepare(alice, "join", name="Alice again"), prepare(bob, "leave"),
    ]  # fmt: skip
    assert [answer.error for answer in run(calls)] == [None] * 5

    assert [(name, data.get("user_name"), data["seq"]) for name, data in told()] == [
        ("session.open.success", None, 0),
        ("peer.join.success", "Alice", 1),
        ("peer.join.success", "Bob", 2),
        ("peer.leave.success", "Alice", 3),
        ("peer.join.success", "Alice again", 4),
        ("peer.leave.success", "Bob", 5),
    ]


def test_nothing_is_told_of_what_was_not_committed(room, monkeypatch):
    endpoints.add(URL)
    monkeypatch.setattr("rooms.operations.engine.journal.append", lambda *_, **__: 1 / 0)
    answer = call(visitor(room, "Alice", "host"), "join", name="Alice")

    assert answer.error is not None and answer.error.code == 500
    assert told() == []


def test_who_was_there_before_the_endpoint_is_not_told_to_leave(room):
    alice, bob = come(room, "Alice", "Bob")
    endpoints.add(URL)
    come(room, "Carol")
    do(bob, "leave")
    do(alice, "end-room")

    left = [data["user_name"] for name, data in told() if name == "peer.leave.success"]
    assert left == ["Carol"]
    assert names()[-1] == "session.close.success"


def test_who_came_while_the_room_had_its_own_endpoint_is_not_told_to_leave_to_another(room):
    endpoints.add(URL)
    own = endpoints.add(URL, room=room)
    [alice] = come(room, "Alice")
    endpoints.remove(own.pk)
    [bob] = come(room, "Bob")
    do(alice, "leave")
    do(bob, "leave")

    assert [data.get("user_name") for _, data in told(endpoint__gone=False)] == ["Bob", "Bob", None]


def test_a_disabled_endpoint_is_told_nothing(room):
    endpoint = endpoints.add(URL)
    [alice] = come(room, "Alice")
    endpoints.change(endpoint.pk, enabled=False)
    do(alice, "leave")

    assert names() == ["session.open.success", "peer.join.success"]
    assert row(alice).leave_reason == Peer.Leave.REQUEST


def test_who_came_before_a_room_had_its_own_endpoint_is_told_to_leave_once_others_have_it_again(room):
    endpoints.add(URL)
    [alice] = come(room, "Alice")
    own = endpoints.add(URL + "/own", room=room)
    [bob] = come(room, "Bob")
    endpoints.remove(own.pk)
    do(bob, "leave")
    do(alice, "leave")

    assert [data.get("user_name") for _, data in told(endpoint__gone=False)] == [None, "Alice", "Alice", None]


JOIN, LEAVE, ROLE = "peer.join.success", "peer.leave.success", "role.change.success"


@pytest.mark.parametrize(
    "changes",
    [
        [{"events": [JOIN, LEAVE, ROLE]}],
        [{"events": [JOIN, LEAVE]}],
        [{"url": URL + "/2"}],
        [{"enabled": False}, {"enabled": True}],
        [{"enabled": False}, {"events": [LEAVE, JOIN, ROLE]}, {"enabled": True}],
    ],
)
def test_who_was_told_to_come_is_told_to_leave_whatever_was_changed_meanwhile(room, changes):
    endpoint = endpoints.add(URL, events=[LEAVE, JOIN])
    [alice] = come(room, "Alice")
    for fields in changes:
        endpoints.change(endpoint.pk, **fields)
    do(alice, "leave")
    assert names() == [JOIN, LEAVE]


@pytest.mark.parametrize(
    ("before", "after"), [({"enabled": False}, {"enabled": True}), ({"events": [LEAVE]}, {"events": [LEAVE, JOIN]})]
)
def test_who_was_not_told_to_come_is_not_told_to_leave(room, before, after):
    endpoint = endpoints.add(URL, events=[LEAVE, JOIN])
    endpoints.change(endpoint.pk, **before)
    [alice] = come(room, "Alice")
    endpoints.change(endpoint.pk, **after)
    [bob] = come(room, "Bob")
    do(alice, "leave")
    do(bob, "leave")

    assert [(name, data["user_name"]) for name, data in told()] == [(JOIN, "Bob"), (LEAVE, "Bob")]


def test_an_endpoint_that_wants_leaves_alone_is_told_them(room):
    endpoints.add(URL, events=[LEAVE])
    [alice] = come(room, "Alice")
    do(alice, "leave")
    assert names() == [LEAVE]


def test_of_many_spans_the_oldest_are_forgotten():
    spans: list[int] = []
    for at in range(100, 160):
        spans = switched(spans, at, on=at % 2 == 0)
    assert spans == list(range(140, 160))
    assert switched(spans, 200, on=False) == spans
    assert [is_within(spans, at) for at in (100, 139, 140, 141, 158, 159, 200)] == [
        False, False, True, False, True, False, False,
    ]  # fmt: skip


def test_what_expires_and_what_goes_with_its_owner_is_told(room, later):
    endpoints.add(URL, metadata_keys=["*"], events=["session.close.success"])
    alice, bob = come(room, "Alice", "Bob")
    do(alice, "update-metadata", changes=[{"key": "soon", "data": 1, "expires_in": 5}])
    do(bob, "update-metadata", changes=[{"key": "own", "data": 1, "owner": True}])
    later(6)
    call(alice, "get-metadata", key="soon")
    ask(server(room), settle_due)
    do(bob, "leave")

    changes = [(data["source"], data["changes"][0]["key"], data["changes"][0]["removed"]) for _, data in told()]
    assert changes == [("peer", "soon", False), ("peer", "own", False), ("server", "soon", True), ("peer", "own", True)]


def test_what_a_role_may_read_from_now_on_is_no_change(room):
    endpoints.add(URL, metadata_keys=["*"], events=["session.close.success"])
    alice, bob = come(room, "Alice", "Bob")
    do(bob, "listen-metadata-change", keys=["k"])
    do(alice, "set-metadata", key="k", data=1)
    ask(server(room), set_metadata_rules, rules=[{"key": "k", "read": ["viewer"]}])
    do(alice, "role-change-request", requested_for=bob.peer_id, role="viewer", force=True)

    assert names() == ["metadata.change.success"]
