"""Roles given and taken, removal, the end of a session."""

import itertools
import sys
from dataclasses import replace

import pytest

from rooms.models import AuditEntry, Event, Message, Peer, Person, Session
from rooms.operations import moderation
from rooms.operations.admission import admit
from rooms.operations.arriving import MAX_LEFT_OF_OWNER, connect
from rooms.operations.engine.calls import Caller
from rooms.wire.effects import Left, RoleChanged, SentAway
from tests.operations.driver import (
    again,
    ask,
    call,
    change_role,
    do,
    kinds,
    live_session,
    refused,
    row,
    server,
    told,
    visitor,
)

# --- Roles --------------------------------------------------------------------------------------


def test_a_forced_role_is_told_to_the_peer_first_and_then_to_everybody(alice, bob, victor, room):
    answer = call(alice, "role-change-request", requested_for="peer-Bob", role="host", force=True)

    assert row(bob).role == "host"
    assert [event.kind for event in answer.events] == ["on-policy-change", "on-peer-update"]
    assert kinds(bob, answer.events) == ["on-policy-change", "on-peer-update"]
    assert kinds(alice, answer.events) == kinds(victor, answer.events) == ["on-peer-update"]
    policy, update = told(bob, answer.events)
    assert policy[1]["name"] == "host"
    assert set(policy[1]["known_roles"]) == {"host", "guest", "viewer"}
    assert update[1]["role"] == "host"
    assert answer.events[0].effect == RoleChanged("peer-Bob", "guest", "host")


@pytest.mark.parametrize("given_before", [False, True])
def test_a_role_that_is_held_already_is_no_change(alice, bob, room, given_before):
    if given_before:
        for role in ("viewer", "guest"):
            do(alice, "role-change-request", requested_for="peer-Bob", role=role, force=True)
    rows = (Peer, Person, Session, AuditEntry)
    before = [list(kind._default_manager.values()) for kind in rows]
    change_role(room, "guest", maxPeerCount=-1)  # nor is it refused

    for answer in (
        call(alice, "role-change-request", requested_for="peer-Bob", role="guest", force=True),
        call(alice, "role-change-request", roles=["guest"], role="guest", force=True),
        call(server(room), "role-change-request", requested_for="peer-Bob", role="guest", force=True),
        ask(server(room), moderation.change_peer, peer_id="peer-Bob", role="guest"),
    ):
        assert (answer.error, list(answer.events)) == (None, [])
    assert [list(kind._default_manager.values()) for kind in rows] == before


def test_a_role_that_is_held_already_is_given_where_another_would_hold_later(alice, bob, room):
    """Of who gave another to one tab of its own: what is given to it holds for the person."""
    henry = visitor(room, "Henry", "host")
    do(henry, "join", name="Henry")
    other = again(henry, peer_id="peer-Henry-2")
    do(other, "join", name="Henry")
    do(other, "role-change-request", requested_for="peer-Henry-2", role="guest", force=True)
    do(other, "leave")
    assert row(henry).role == "host"
    assert not call(alice, "role-change-request", requested_for="peer-Henry", role="host", force=True).error
    third = again(henry, peer_id="peer-Henry-3")
    do(third, "join", name="Henry")
    assert row(third).role == "host"


def test_all_holders_of_some_roles_change_at_once(alice, bob, victor, room):
    answer = call(alice, "role-change-request", roles=["guest", "viewer"], role="host", force=True)

    assert {peer.role for peer in Peer.objects.all()} == {"host"}
    assert kinds(bob, answer.events) == ["on-policy-change", "on-peer-update", "on-peer-update"]
    assert kinds(alice, answer.events) == ["on-peer-update", "on-peer-update"]


def test_somebody_who_is_asked_keeps_the_role_until_accepting(alice, bob, victor):
    answer = call(alice, "role-change-request", requested_for="peer-Bob", role="host")

    [(kind, request)] = told(bob, answer.events)
    assert kind == "on-role-change-request"
    assert (request["requested_by"], request["role"]) == ("peer-Alice", "host")
    assert told(victor, answer.events) == told(alice, answer.events) == []
    assert row(bob).role == "guest"

    answer = call(bob, "role-change", role="host", token=request["token"], requested_by="peer-Alice")
    assert row(bob).role == "host"
    assert kinds(bob, answer.events) == ["on-policy-change", "on-peer-update"]


def test_the_server_asks_in_nobodys_name(alice, bob, room):
    answer = call(server(room), "role-change-request", requested_for="peer-Bob", role="host")
    [(_, request)] = told(bob, answer.events)
    assert set(request) == {"role", "token"}


@pytest.fixture
def offer(alice: Caller, bob: Caller, victor: Caller) -> str:
    """What lets Bob become a host."""
    answer = call(alice, "role-change-request", requested_for="peer-Bob", role="host")
    return str(told(bob, answer.events)[0][1]["token"])


def test_an_offer_is_for_one_peer(victor, offer):
    assert refused(victor, "role-change", role="host", token=offer)[0] == 403


def test_an_offer_is_for_one_role(bob, offer):
    assert refused(bob, "role-change", role="viewer", token=offer)[0] == 403


def test_an_offer_is_for_one_session(alice, bob, victor, offer):
    do(alice, "end-room")
    do(bob, "join", name="Bob")
    assert refused(bob, "role-change", role="host", token=offer)[0] == 403


def test_an_offer_does_not_undo_a_demotion_of_its_owner_meanwhile(alice, bob, offer):
    do(bob, "leave")
    tab = replace(bob, peer_id="peer-Bob-2", conn_id="conn-tab")
    do(tab, "join", name="Bob")
    do(alice, "role-change-request", requested_for="peer-Bob-2", role="viewer", force=True)
    do(bob, "join", name="Bob")

    assert refused(bob, "role-change", role="host", token=offer)[0] == 403
    assert row(bob).role == "viewer"


def test_an_offer_outlives_that_the_role_of_before_is_given_once_more_which_is_no_change(alice, bob, offer):
    do(alice, "role-change-request", requested_for="peer-Bob", role="guest", force=True)
    do(bob, "role-change", role="host", token=offer)
    assert row(bob).role == "host"


def test_an_offer_does_not_outlive_a_role_that_is_given_and_given_back(alice, bob, offer):
    for role in ("viewer", "guest"):
        do(alice, "role-change-request", requested_for="peer-Bob", role=role, force=True)
    assert refused(bob, "role-change", role="host", token=offer)[0] == 403


def test_an_offer_does_not_undo_a_demotion(alice, bob, offer):
    do(bob, "role-change", role="host", token=offer)
    do(alice, "role-change-request", requested_for="peer-Bob", role="guest", force=True)
    assert refused(bob, "role-change", role="host", token=offer)[0] == 403


def test_an_offer_does_not_undo_a_demotion_of_somebody_whose_row_was_forgotten(alice, bob, offer):
    do(bob, "role-change", role="host", token=offer)
    do(alice, "role-change-request", requested_for="peer-Bob", role="guest", force=True)
    do(bob, "leave")
    for number in range(MAX_LEFT_OF_OWNER + 1):
        other = again(bob, peer_id=f"peer-Bob-{number}")
        do(other, "join", name="Bob")
        do(other, "leave")
    do(bob, "join", name="Bob")
    assert refused(bob, "role-change", role="host", token=offer)[0] == 403


def test_an_offer_to_one_peer_does_not_undo_a_demotion_of_its_owners_other(alice, bob, offer):
    other = again(bob, peer_id="peer-Bob-2", role="viewer")
    do(other, "join", name="Bob")
    do(alice, "role-change-request", requested_for="peer-Bob-2", role="guest", force=True)
    assert refused(bob, "role-change", role="host", token=offer)[0] == 403


@pytest.mark.parametrize(
    ("method", "params"),
    [("peer-leave-request", {}), ("role-change-request", {"role": "guest", "force": True})],
    ids=["removed", "demoted"],
)
def test_an_offer_is_void_when_who_made_it_may_give_roles_no_more(alice, bob, victor, room, method, params):
    henry = visitor(room, "Henry", "host")
    do(henry, "join", name="Henry")
    token = told(bob, call(henry, "role-change-request", requested_for="peer-Bob", role="host").events)[0][1]["token"]
    do(alice, method, requested_for="peer-Henry", **params)

    assert refused(bob, "role-change", role="host", token=token)[0] == 403
    assert row(bob).role == "guest"


def test_an_offer_is_void_when_its_makers_role_may_give_roles_no_more(bob, room, offer):
    change_role(room, "host", permissions={"changeRole": False})
    assert refused(bob, "role-change", role="host", token=offer)[0] == 403


def test_an_offer_holds_when_who_made_it_leaves(alice, bob, victor, offer):
    do(alice, "leave")
    do(bob, "role-change", role="host", token=offer)
    assert row(bob).role == "host"


def test_an_offer_tells_no_owner(alice, bob, offer):
    claims = moderation._signer.unsign_object(offer)
    assert alice.owner not in claims and bob.owner not in claims


def test_an_offer_expires(alice, bob, monkeypatch):
    monkeypatch.setattr(moderation, "OFFER_SECONDS", -1)
    answer = call(alice, "role-change-request", requested_for="peer-Bob", role="host")
    token = told(bob, answer.events)[0][1]["token"]
    assert refused(bob, "role-change", role="host", token=token)[0] == 403


@pytest.mark.parametrize("token", ["", "x", "a:b", "é", "[]:x"])
def test_a_made_up_offer_is_refused(bob, token):
    assert refused(bob, "role-change", role="host", token=token)[0] == 403


def test_a_role_takes_no_more_than_it_may(alice, bob, victor, room):
    change_role(room, "host", maxPeerCount=2)

    assert refused(alice, "role-change-request", roles=["guest", "viewer"], role="host", force=True)[0] == 403
    assert [row(bob).role, row(victor).role] == ["guest", "viewer"]
    do(alice, "role-change-request", requested_for="peer-Bob", role="host", force=True)
    assert refused(alice, "role-change-request", requested_for="peer-Victor", role="host", force=True)[0] == 403


def test_giving_many_a_role_costs_each_of_them_the_same(alice, room):
    def calls_for(many: int, role: str, before: str) -> int:
        people = [f"{role}-{number}" for number in range(many)]
        for name in people:
            do(visitor(room, name, before), "join", name=name)
        counted = itertools.count()
        sys.setprofile(lambda frame, event, argument: event == "call" and next(counted))
        try:
            do(alice, "role-change-request", roles=[before], role=role, force=True)
        finally:
            sys.setprofile(None)
        return next(counted)

    few = calls_for(40, "viewer", "guest")
    assert calls_for(160, "host", "guest") < 6 * few


def test_a_role_that_admits_nobody_can_be_given_to_nobody(alice, bob, room):
    change_role(room, "viewer", maxPeerCount=-1)
    assert refused(alice, "role-change-request", requested_for="peer-Bob", role="viewer", force=True)[0] == 403


def test_roles_peers_and_parameters_that_do_not_exist(alice, bob):
    assert refused(alice, "role-change-request", requested_for="peer-Bob", role="king", force=True)[0] == 404
    assert refused(alice, "role-change-request", requested_for="nobody", role="host", force=True)[0] == 404
    assert refused(alice, "role-change-request", role="host", force=True)[0] == 400


# --- Removal ------------------------------------------------------------------------------------


def test_a_removed_peer_is_told_why_and_the_others_that_it_left(alice, bob, victor):
    answer = call(alice, "peer-leave-request", requested_for="peer-Bob", reason="enough")

    assert told(bob, answer.events) == [
        ("on-peer-leave-request", {"requested_by": "peer-Alice", "reason": "enough", "room_end": False})
    ]
    assert answer.events[0].effect == SentAway("peer-Bob")
    for other in (alice, victor):
        kind, body = told(other, answer.events)[-1]
        assert (kind, body["peer_id"]) == ("on-peer-leave", "peer-Bob")
    assert kinds(alice, answer.events) == ["on-removed-change", "on-peer-leave"]
    assert kinds(victor, answer.events) == ["on-peer-leave"]
    assert answer.events[-1].effect == Left("peer-Bob")
    assert (row(bob).state, row(bob).leave_reason) == ("left", "peer kicked")
    assert refused(bob, "broadcast", info={"message": "still here"})[0] == 410


def test_a_removed_peer_comes_back_neither_by_opening_a_socket_nor_by_joining(alice, bob):
    do(alice, "peer-leave-request", requested_for="peer-Bob", reason="enough")
    for operation in (admit, connect):
        error = ask(again(bob), operation).error
        assert error is not None
        assert (error.code, error.message) == (403, "removed from this session: enough")
    assert refused(again(bob), "join", name="Bob") == (403, "removed from this session: enough")
    assert row(bob).present is False


def test_nobody_removes_itself(alice, bob):
    assert refused(alice, "peer-leave-request", requested_for="peer-Alice")[0] == 400
    assert row(alice).present


def test_removing_the_last_peer_ends_the_session(alice, room):
    answer = call(server(room), "peer-leave-request", requested_for="peer-Alice", reason="closing")

    assert answer.end is not None
    assert live_session(room) is None
    body = next(event.body for event in answer.events if event.kind == "on-peer-leave-request")
    assert "requested_by" not in body


def test_a_removed_peer_that_is_away_is_gone_for_good(alice, bob):
    Peer.objects.filter(peer_id="peer-Bob").update(state="reconnecting")
    do(alice, "peer-leave-request", requested_for="peer-Bob")
    assert row(bob).leave_reason == "peer kicked"


# --- The end ------------------------------------------------------------------------------------


def test_the_end_is_told_to_everybody_but_its_caller(alice, bob, victor, room):
    answer = call(alice, "end-room", reason="over")

    expected = ("on-peer-leave-request", {"requested_by": "peer-Alice", "reason": "over", "room_end": True})
    assert told(bob, answer.events) == told(victor, answer.events) == [expected]
    assert told(alice, answer.events) == []
    assert [event.effect for event in answer.events] == [SentAway(None)]
    assert answer.end is not None
    assert (answer.end.reason, answer.end.by) == ("over", "peer-Alice")


def test_the_end_leaves_who_was_there_and_nothing_that_they_wrote(alice, bob, room):
    do(bob, "set-metadata", key="topic", data="tea")
    do(bob, "group-join", name="_handraise")
    do(bob, "broadcast", info={"message": "hi"}, client_id="1")
    do(alice, "end-room", reason="over")

    session = Session.objects.get()
    assert (session.end_reason, session.ended_by, session.messages) == ("over", "peer-Alice", 1)
    assert session.ended_at is not None
    assert not Event.objects.exists()
    assert not Message.objects.exists()
    assert not session.entries.exists()
    left = Peer.objects.order_by("id").values_list("name", "role", "state", "leave_reason", "metadata", "groups")
    assert list(left) == [
        ("Alice", "host", "left", "server removed peer", "", []),
        ("Bob", "guest", "left", "server removed peer", "", []),
    ]
    assert all(peer.left_at == session.ended_at for peer in Peer.objects.all())


def test_an_ended_room_can_be_used_again(alice, bob, room):
    ended = live_session(room)
    do(alice, "end-room")
    assert refused(bob, "broadcast", info={"message": "hello?"})[0] == 410

    do(bob, "join", name="Bob")
    assert live_session(room) != ended


def test_a_locked_room_lets_nobody_in(alice, bob, room):
    do(alice, "end-room", lock=True)
    room.refresh_from_db()
    assert room.enabled is False
    assert refused(bob, "join", name="Bob") == (403, "room not available")


def test_the_server_ends_a_session_in_an_operators_name(alice, bob, room):
    answer = call(server(room), "end-room", reason="maintenance")
    assert told(alice, answer.events) == [("on-peer-leave-request", {"reason": "maintenance", "room_end": True})]
    assert Session.objects.get().ended_by == "operator"


def test_there_is_nothing_to_end_in_an_empty_room(room):
    assert refused(server(room), "end-room")[0] == 404


@pytest.mark.parametrize("method", ["peer-leave-request", "end-room"])
def test_a_reason_has_a_limit(alice, bob, room, method):
    extra = {"requested_for": "peer-Bob"} if method == "peer-leave-request" else {}
    assert refused(alice, method, reason="x" * 201, **extra)[0] == 400
    do(alice, method, reason="x" * 200, **extra)


def test_nothing_reaches_another_room(alice, bob, carol):
    assert refused(alice, "peer-leave-request", requested_for="peer-Carol")[0] == 404
    assert row(carol).present
    do(alice, "end-room")
    assert row(carol).present


def test_a_stranger_may_do_nothing(alice, room):
    eve = visitor(room, "Eve", "host")
    assert refused(eve, "role-change-request", requested_for="peer-Alice", role="guest", force=True)[0] == 410
    assert refused(eve, "peer-leave-request", requested_for="peer-Alice")[0] == 410
    assert refused(eve, "end-room")[0] == 410


def test_a_removed_peer_does_not_resume(alice, bob):
    session_id = Peer.objects.get(peer_id="peer-Bob").session_id
    do(alice, "peer-leave-request", requested_for="peer-Bob", reason="enough")

    place = {"session_id": session_id, "seq": 2}
    assert refused(bob, "join", name="Bob", resume=place) == (403, "removed from this session: enough")
    assert Peer.objects.get(peer_id="peer-Bob").state == Peer.State.LEFT
    [person] = do(alice, "peers-removed")["removed"]
    do(alice, "peer-let-in", person=person["person"])
    assert do(bob, "join", name="Bob", resume=place)["resync"] is True


def test_a_tab_that_its_own_person_removed_does_not_resume_by_itself(alice, room):
    tab = visitor(room, "Alice", "host", peer_id="peer-tab", conn_id="conn-tab")
    do(tab, "join", name="Alice")
    place = {"session_id": Peer.objects.get(peer_id="peer-tab").session_id, "seq": 2}
    do(alice, "peer-leave-request", requested_for="peer-tab")
    assert refused(tab, "join", name="Alice", resume=place) == (410, "resume: the peer was removed from the session")
    do(tab, "join", name="Alice")
