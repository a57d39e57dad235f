"""Losing the connection, finding it again, and getting what was missed."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rooms.models import Peer
from rooms.operations.arriving import connect
from rooms.operations.engine import memory
from rooms.operations.engine.calls import Caller
from rooms.operations.engine.gate import run
from rooms.operations.leaving import disconnect
from rooms.operations.reaping import mark_lost, reap, reclaim
from rooms.wire.effects import CameBack
from rooms.wire.events import Numbered
from rooms.wire.results import Welcome
from tests.operations.driver import (
    again,
    ask,
    attachment,
    call,
    do,
    kinds,
    live_session,
    position,
    prepare,
    refused,
    resume_with_join,
    resume_with_socket,
    row,
    server,
    told,
    welcome,
)


def shown(events: Sequence[Numbered] | None) -> list[tuple[int, str]]:
    return [(event.seq, event.kind) for event in events or ()]


# --- The connection -----------------------------------------------------------------------------


def test_i06_a_peer_that_comes_back_keeps_everything_and_nobody_sees_it_leave(alice, bob):
    do(alice, "role-change-request", requested_for="peer-Bob", role="host", force=True)
    do(bob, "peer-update", data='{"status":"away"}')
    do(bob, "group-join", name="_handraise")
    do(bob, "listen-metadata-change", keys=["topic"])
    do(alice, "set-metadata", key="topic", data="tea")
    kept = ("joined_at", "joined_seq", "role", "name", "metadata", "groups", "observed")
    before = Peer.objects.filter(peer_id="peer-Bob").values(*kept).get()

    gone = ask(bob, disconnect)
    [(kind, body)] = told(alice, gone.events)
    assert (kind, body["peer_id"], body["state"]) == ("on-peer-state", "peer-Bob", "reconnecting")
    assert row(bob).gone_at is not None

    back = ask(again(bob), connect)
    [(kind, body)] = told(alice, back.events)
    assert (kind, body["state"]) == ("on-peer-state", "connected")
    assert Peer.objects.filter(peer_id="peer-Bob").values(*kept).get() == before
    assert row(bob).gone_at is None
    assert isinstance(back.for_socket, Welcome)
    found = back.for_socket.attachment
    assert found is not None
    assert (found.role, found.observed) == ("host", frozenset({"topic"}))
    assert [(value["key"], value["data"]) for value in found.values] == [("topic", "tea")]
    assert back.for_socket.policy["name"] == "host"


def test_observed_keys_that_hold_nothing_are_told_as_null_after_a_reconnect(alice, bob):
    do(bob, "listen-metadata-change", keys=["topic", "other"])
    do(alice, "set-metadata", key="topic", data="tea")
    do(alice, "set-metadata", key="topic")
    found = welcome(again(bob)).attachment
    assert found is not None
    assert {value["key"]: (value["data"], value["change_version"]) for value in found.values} == {
        "topic": (None, 2),
        "other": (None, 0),
    }


def test_i07_a_late_disconnect_of_an_old_socket_changes_nothing(alice, bob):
    ask(again(bob), connect)
    late = ask(bob, disconnect)
    assert late.error is not None
    assert late.error.code == 410
    assert (row(bob).state, row(bob).conn_id) == ("connected", "conn-2")


def test_i07_the_old_of_two_sockets_can_do_nothing_more(alice, bob):
    answer = ask(again(bob), connect)
    assert [event.effect for event in answer.events] == [CameBack(row(bob).as_wire(), "conn-2")]
    assert kinds(alice, answer.events) == []
    assert refused(bob, "leave")[0] == 410
    assert refused(bob, "broadcast", info={"message": "old"})[0] == 410
    do(again(bob), "broadcast", info={"message": "new"})


def test_a_peer_that_left_is_not_found_again(alice, bob):
    do(bob, "leave")
    assert welcome(again(bob)).attachment is None
    assert row(bob).present is False


def test_a_removed_peer_is_not_found_again(alice, bob):
    do(alice, "peer-leave-request", requested_for="peer-Bob")
    refusal = ask(again(bob), connect)
    assert (refusal.for_socket, list(refusal.events)) == (None, [])
    assert refusal.error is not None
    assert refusal.error.as_wire() == {
        "code": 403,
        "message": "removed from this session",
        "data": {"removed": True, "reason": ""},
    }
    assert row(bob).present is False


# --- Those who do not come back -----------------------------------------------------------------


def lost_for(caller: Caller, seconds: float) -> None:
    ask(caller, disconnect)
    Peer.objects.filter(peer_id=caller.peer_id).update(gone_at=timezone.now() - timedelta(seconds=seconds))


def test_i05_a_peer_that_stays_away_leaves_once(alice, bob, room, settings):
    settings.PEER_GRACE = 60
    lost_for(bob, 59)
    assert not ask(server(room), reap).events

    lost_for(bob, 61)
    answer = ask(server(room), reap)
    [(kind, body)] = told(alice, answer.events)
    assert (kind, body["peer_id"], body["reason"]) == ("on-peer-leave", "peer-Bob", "websocket closed")
    assert not ask(server(room), reap).events


def test_when_the_last_stays_away_the_session_ends(alice, room):
    lost_for(alice, 10_000)
    assert ask(server(room), reap).end is not None
    assert live_session(room) is None
    assert not ask(server(room), reap).events


def test_a_peer_that_timed_out_comes_back_as_itself(alice, bob, room):
    do(bob, "peer-update", data='{"status":"away"}')
    lost_for(bob, 10_000)
    ask(server(room), reap)

    answer = ask(again(bob), connect)
    assert kinds(alice, answer.events) == ["on-peer-join"]
    peer = row(bob)
    assert (peer.state, peer.name, peer.metadata, peer.left_at) == ("connected", "Bob", '{"status":"away"}', None)
    assert peer.joined_seq == answer.seq


def test_the_peers_of_a_dead_process_are_reconnecting_since_it_was_last_seen(alice, bob, victor, room):
    gone_at = timezone.now() - timedelta(seconds=20)
    lost = {"conn_ids": ["conn-Bob", "conn-Victor", "conn-of-nobody"], "worker": "worker-1"}
    answer = ask(server(room), mark_lost, **lost, gone_at=gone_at)

    assert sorted(body["peer_id"] for _, body in told(alice, answer.events)) == ["peer-Bob", "peer-Victor"]
    assert (row(bob).state, row(bob).gone_at) == ("reconnecting", gone_at)
    assert row(alice).state == "connected"
    assert not ask(server(room), mark_lost, **lost, gone_at=gone_at).events


def test_i10_a_process_that_was_declared_dead_takes_its_peers_back(alice, bob, room):
    lost = {"conn_ids": ["conn-Bob"], "worker": "worker-1", "gone_at": timezone.now()}
    ask(server(room), mark_lost, **lost)
    answer = ask(server(room), reclaim, conn_ids=["conn-Bob", "conn-of-nobody"], worker="worker-2")

    assert answer.result["held"] == ["conn-Bob"]
    assert (row(bob).state, row(bob).worker, row(bob).gone_at) == ("connected", "worker-2", None)
    assert kinds(alice, answer.events) == ["on-peer-state"]

    # Whoever found it dead may say so late.
    assert not ask(server(room), mark_lost, **lost).events
    assert row(bob).state == "connected"


# --- Resuming -----------------------------------------------------------------------------------


@pytest.mark.matrix
def test_i22_a_resume_brings_exactly_what_was_missed(database, alice, bob, victor, room, resume):
    place = position(room.id)
    session_id = call(bob, "get-metadata").session_id
    do(bob, "listen-metadata-change", keys=["topic"])
    ask(bob, disconnect)
    do(alice, "broadcast", info={"message": "for all"})  # place + 2
    do(alice, "broadcast", info={"message": "for Victor"}, peer_id="peer-Victor")
    do(alice, "broadcast", info={"message": "for Bob"}, peer_id="peer-Bob")  # place + 4
    do(alice, "broadcast", info={"message": "for hosts"}, roles=["host"])
    do(alice, "set-metadata", key="topic", data="tea")  # place + 6
    do(alice, "set-metadata", key="other", data="tea")
    do(victor, "leave")  # place + 8

    answer = resume(bob, {"session_id": session_id, "seq": place})
    assert answer.result["resumed"] is True
    assert shown(attachment(answer).replay) == [
        (place + 2, "on-broadcast"),
        (place + 4, "on-broadcast"),
        (place + 6, "on-metadata-change"),
        (place + 8, "on-peer-leave"),
    ]
    assert not attachment(answer).values

    answer = resume(bob, {"session_id": session_id, "seq": place + 6})
    assert shown(attachment(answer).replay) == [(place + 8, "on-peer-leave")]
    answer = resume(bob, {"session_id": session_id, "seq": answer.seq})
    assert (answer.result["resumed"], attachment(answer).replay) == (True, [])


def test_i22_what_cannot_be_resumed_is_resynchronised(alice, bob, room, settings, resume):
    settings.JOURNAL_EVENTS, settings.JOURNAL_SECONDS = 8, 0
    session_id, place = call(bob, "get-metadata").session_id, position(room.id)
    joined = row(bob).joined_seq

    for foreign, seq in (("0" * 24, place), (session_id, place + 100), (session_id, joined - 1), (session_id, -1)):
        answer = resume(bob, {"session_id": foreign, "seq": seq})
        assert answer.result.get("resync") is True, (foreign, seq)
        assert "resumed" not in answer.result
        assert attachment(answer).replay is None

    for _ in range(140):
        do(alice, "broadcast", info={"message": "hi"})
    assert resume(bob, {"session_id": session_id, "seq": place}).result["resync"] is True
    assert resume(bob, {"session_id": session_id, "seq": position(room.id) - 5}).result["resumed"] is True


@pytest.mark.matrix
def test_the_journal_is_read_once_for_those_who_come_back_one_after_the_other(database, alice, bob, victor, room):
    at = position(room.id)
    place = {"session_id": call(bob, "get-metadata").session_id, "seq": at}
    message_id = do(alice, "broadcast", info={"message": "said"})["message_id"]
    for who in (bob, victor):
        ask(who, disconnect)

    def back(who: Caller) -> tuple[list[tuple[int, str]], int]:
        with CaptureQueriesContext(connection) as asked:
            replay = attachment(resume_with_socket(who, place)).replay
        return shown(replay), sum("FROM rooms_event" in query["sql"] for query in asked.captured_queries)

    assert back(bob) == ([(at + 1, "on-broadcast"), (at + 3, "on-peer-state")], 1)
    # What came after it was read is added, here that Bob is back, and what somebody else says.
    do(alice, "broadcast", info={"message": "more"})
    assert back(victor) == ([(at + 1, "on-broadcast"), (at + 4, "on-peer-state"), (at + 5, "on-broadcast")], 0)

    do(alice, "message-edit", id=message_id, message="meant")
    replay = attachment(resume_with_socket(bob, place)).replay
    assert "said" not in "".join(event.body for event in replay or ())
    assert "meant" in "".join(event.body for event in replay or ())


@pytest.mark.matrix
def test_of_what_was_read_of_the_journal_little_is_remembered(database, alice, bob, room, settings, monkeypatch):
    place = {"session_id": call(bob, "get-metadata").session_id, "seq": position(room.id)}
    do(alice, "broadcast", info={"message": "x" * 100})
    for _ in range(2):
        resume_with_socket(bob, place)
    assert place["session_id"] in memory._pasts
    settings.MAX_UNSENT_BYTES = 100
    do(alice, "broadcast", info={"message": "hi"})
    assert place["session_id"] not in memory._pasts
    settings.MAX_UNSENT_BYTES = 10_000
    resume_with_socket(bob, place)
    monkeypatch.setattr(memory, "PAST_SECONDS", -1)
    do(alice, "broadcast", info={"message": "hi"})
    assert place["session_id"] not in memory._pasts
    monkeypatch.setattr(memory, "PAST_SECONDS", 10)
    resume_with_socket(bob, place)
    do(alice, "end-room")
    assert place["session_id"] not in memory._pasts


def test_what_was_missed_is_measured_in_bytes(alice, bob, room, settings, resume):
    settings.MAX_UNSENT_BYTES = 10_000
    session_id, place = call(bob, "get-metadata").session_id, position(room.id)
    do(alice, "broadcast", info={"message": "x" * 4000})
    assert resume(bob, {"session_id": session_id, "seq": place}).result["resumed"] is True
    place = position(room.id)
    do(alice, "broadcast", info={"message": "\U0001f468" * 4000})
    assert resume(bob, {"session_id": session_id, "seq": place}).result["resync"] is True


def test_a_resume_into_a_later_session_is_a_fresh_join(alice, room):
    session_id, place = call(alice, "get-metadata").session_id, position(room.id)
    do(alice, "leave")
    answer = resume_with_join(alice, {"session_id": session_id, "seq": place})
    assert (answer.result["resync"], answer.result["session_id"] != session_id) == (True, True)
    assert attachment(answer).replay is None


@pytest.mark.parametrize("how", ["left", "over"])
def test_a_socket_finds_no_peer_with_a_place_in_a_session_that_it_is_not_in(alice, bob, room, how):
    session_id, place = call(bob, "get-metadata").session_id, position(room.id)
    do(bob, "leave")
    if how == "over":
        do(alice, "leave")
    answer = ask(again(bob), connect, place={"session_id": session_id, "seq": place})
    assert isinstance(answer.for_socket, Welcome)
    assert (answer.for_socket.attachment, list(answer.events)) == (None, [])
    assert answer.result.keys() <= {"seq"}


def test_a_peer_that_timed_out_comes_back_with_its_place_to_the_full_state(alice, bob, room):
    session_id, place = call(bob, "get-metadata").session_id, position(room.id)
    lost_for(bob, 10_000)
    ask(server(room), reap)
    answer = ask(again(bob), connect, place={"session_id": session_id, "seq": place})
    assert kinds(alice, answer.events) == ["on-peer-join"]
    assert answer.result["resync"] is True
    assert attachment(answer).replay is None


def test_i23_a_replay_holds_the_messages_to_the_role_of_that_moment(alice, bob, room, resume):
    session_id, place = call(bob, "get-metadata").session_id, position(room.id)
    ask(bob, disconnect)
    sent = {}
    for text, role in (("as guest", "guest"), ("as host", "host"), ("guest again", "guest")):
        do(alice, "role-change-request", requested_for="peer-Bob", role=role, force=True)
        for to in ("guest", "host"):
            sent[text, to] = do(alice, "broadcast", info={"message": text}, roles=[to])["seq"]

    replay = attachment(resume(bob, {"session_id": session_id, "seq": place})).replay
    messages = [event.seq for event in replay or () if event.kind == "on-broadcast"]
    assert messages == [sent["as guest", "guest"], sent["as host", "host"], sent["guest again", "guest"]]


def test_i23_nobody_gets_what_was_written_before_it_came(alice, bob, room, resume):
    session_id, place = call(bob, "get-metadata").session_id, position(room.id)
    do(bob, "leave")
    do(alice, "broadcast", info={"message": "while Bob was out"})
    do(bob, "join", name="Bob")
    answer = resume(bob, {"session_id": session_id, "seq": place})
    assert answer.result["resync"] is True
    assert attachment(answer).replay is None


def test_what_the_resuming_transaction_itself_did_before_is_replayed_too(alice, bob, room):
    session_id, place = call(bob, "get-metadata").session_id, position(room.id)
    answers = run(
        [
            prepare(alice, "broadcast", info={"message": "in the same set"}),
            prepare(again(bob), "join", name="Bob", resume={"session_id": session_id, "seq": place}),
        ]
    )
    assert shown(attachment(answers[1]).replay) == [(place + 1, "on-broadcast")]
