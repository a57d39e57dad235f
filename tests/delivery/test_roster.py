"""Who gets an event, and what somebody is told who comes. Needs no event loop, no socket and no database."""

import json
from typing import Any

import pytest

from rooms.delivery.order import Order
from rooms.delivery.roster import Member, Roster
from rooms.wire.effects import Came, CameBack, Effect, Left, Refresh, RoleChanged, SentAway, StateChanged, Updated
from rooms.wire.events import EVERYBODY, NOBODY, Audience, Numbered
from rooms.wire.results import NOTHING, Attachment
from tests.support.audiences import observing

SESSION = "s" * 24


def event(audience: Audience = EVERYBODY, effect: Effect | None = None, *, seq: int = 1, body: Any = None) -> Numbered:
    return Numbered(seq, "on-test", json.dumps(body or {}), audience, effect)


def arrived(peer_id: str, **fields: Any) -> Attachment:
    known: dict[str, Any] = {"role": "guest", "observed": frozenset(), "room": {"session_id": SESSION}, "peers": None}
    return Attachment(peer_id, **{**known, **fields})


NOWHERE: Any = None
"""Nothing is written to sockets here."""


def enter(roster: Roster, peer_id: str, *, told_policy: Any = NOTHING, **fields: Any) -> list[dict[str, Any]]:
    """What a peer is told that comes."""
    came = arrived(peer_id, **fields)
    conn_id, legacy = f"conn-{peer_id}", peer_id == "old"
    member = Member(peer_id, conn_id, came.role, came.observed, legacy, NOWHERE, lambda code: None)
    return [json.loads(text) for text in roster.attach(member, came, told_policy=told_policy)]


@pytest.fixture
def roster() -> Roster:
    order = Order()
    order.begin(SESSION, 7, "one")
    made = Roster("r" * 24, order)
    made.begin(arrived("alice"), {"alice": '{"name":"Alice"}', "bob": '{"name":"Bob"}'})
    enter(made, "alice", role="host", observed=frozenset({"k"}))
    enter(made, "bob", observed=frozenset({"k", "l"}))
    enter(made, "old")
    return made


def kinds(told: list[dict[str, Any]]) -> list[str]:
    return [frame["method"] for frame in told]


def reached(roster: Roster, told: Numbered) -> list[str]:
    found = roster.told(told)
    if found is None:
        return []
    but, chosen = found
    return [member.peer_id for member in (roster.members.values() if chosen is None else chosen) if member is not but]


@pytest.mark.parametrize(
    ("audience", "who"),
    [
        (EVERYBODY, ["alice", "bob", "old"]),
        (NOBODY, []),
        (Audience(but="bob"), ["alice", "old"]),
        (Audience(but="stranger"), ["alice", "bob", "old"]),
        (Audience(peer="bob"), ["bob"]),
        (Audience(roles=("host",)), ["alice"]),
        (observing("k"), ["alice", "bob"]),
        (observing("l", but="bob"), []),
    ],
)
def test_who_gets_an_event(roster, audience, who):
    assert reached(roster, event(audience)) == who


def test_nobody_is_asked_one_by_one_about_a_key_that_all_observe(roster):
    roster.detach(roster.members["old"])
    but, chosen = roster.told(event(observing("k")))
    assert (but, list(chosen)) == (None, list(roster.members.values()))
    roster.observe(roster.members["bob"], frozenset(), [])
    assert reached(roster, event(observing("k"))) == ["alice"]


def test_a_large_room_hears_no_comings_and_goings(roster):
    roster.begin(arrived("alice", large=True), {})
    came = Numbered(8, "on-peer-join", "{}", EVERYBODY)
    assert roster.told(came) is None
    assert reached(roster, event()) == ["alice", "bob", "old"]
    told = enter(roster, "carol", replay=[came, event(seq=9)])
    assert [frame["seq"] for frame in told] == [9]


def test_a_large_room_hears_that_those_go_whom_it_has_heard_of(roster):
    roster.begin(arrived("alice", large=True), {})
    left = Numbered(9, "on-peer-leave", "{}", EVERYBODY, Left("carol"))
    assert roster.told(left) is None
    roster.learn(Numbered(8, "on-peer-update", '{"name":"Carol"}', EVERYBODY, Updated("carol")))
    assert reached(roster, left) == ["alice", "bob", "old"]
    roster.remove("carol")
    assert roster.told(left) is None  # it has come and gone again
    back = enter(roster, "dora", replay=[Numbered(8, "on-peer-join", "{}", EVERYBODY, Came("x", "c")), left])
    assert [frame["method"] for frame in back] == ["on-peer-leave"]  # may have heard of it where it was before


def test_a_newcomer_gets_the_others_and_the_place(roster):
    values = [{"key": "k", "data": 1}]
    roster.learn(event(effect=Came("carol", "conn-carol"), body={"name": "Carol"}))
    told = enter(roster, "carol", values=values, polls=[("on-poll-start", {"polls": []})])
    assert [frame["method"] for frame in told] == ["peer-list", "session-info", "on-metadata-change", "on-poll-start"]
    assert told[0]["params"] == {
        "peers": {"alice": {"name": "Alice"}, "bob": {"name": "Bob"}},
        "room": {"session_id": SESSION},
    }
    assert told[1]["params"] == {
        "session_id": SESSION,
        "history": "one",
        "room_id": "r" * 24,
        "peer_count": 3,
        "track_count": 0,
    }


def test_who_resumes_gets_what_was_missed_and_how_it_is_itself(roster):
    told = enter(roster, "bob", replay=[event(seq=6)], with_self=True, policy={"name": "guest"})
    assert [frame["method"] for frame in told] == ["on-test", "on-policy-change", "on-peer-update"]
    assert told[-1]["params"] == {"name": "Bob"}


def test_who_comes_is_told_of_roles_and_rules_what_it_was_not_told_at_the_door(roster):
    policy = {"name": "guest", "plugins": {}}
    assert "on-policy-change" not in kinds(enter(roster, "bob", policy=policy, told_policy=dict(policy)))
    for old in ({**policy, "name": "host"}, {**policy, "plugins": {"metadata": {"rules": []}}}, NOTHING):
        assert "on-policy-change" in kinds(enter(roster, "bob", policy=policy, told_policy=old))


@pytest.mark.parametrize(
    ("effect", "shown"),
    [
        (Came("bob", "conn-bob"), {"of": "the body"}),
        (Updated("bob"), {"of": "the body"}),
        (CameBack({"peer_id": "bob", "state": "connected"}, "conn-bob"), {"peer_id": "bob", "state": "connected"}),
        (StateChanged({"peer_id": "bob", "state": "reconnecting"}), {"peer_id": "bob", "state": "reconnecting"}),
        (RoleChanged("bob", "guest", "host"), {"name": "Bob"}),
        (Refresh(1), {"name": "Bob"}),
    ],
)
def test_what_events_do_to_a_peer_is_listed(roster, effect, shown):
    assert roster.learn(event(effect=effect, body={"of": "the body"})) is None
    assert json.loads(roster.own_update("bob"))["params"] == shown


@pytest.mark.parametrize("effect", [Came("bob", "conn-2"), CameBack({"peer_id": "bob"}, "conn-2")])
def test_a_member_whose_peer_has_another_connection_is_one_no_more(roster, effect):
    assert roster.learn(event(effect=effect)) is roster.members["bob"]


def test_a_role_decides_from_its_event_on(roster):
    roster.learn(event(effect=RoleChanged("bob", "guest", "host")))
    roster.learn(event(effect=RoleChanged("stranger", "guest", "host")))
    assert reached(roster, event(Audience(roles=("host",)))) == ["alice", "bob"]


@pytest.mark.parametrize(
    ("effect", "audience", "who"),
    [
        (SentAway("bob"), Audience(peer="bob"), ["bob"]),
        (SentAway("stranger"), Audience(peer="stranger"), []),
        (SentAway(None), EVERYBODY, ["alice", "bob", "old"]),
        (SentAway(None), Audience(but="alice"), ["bob", "old"]),
    ],
)
def test_whose_sockets_are_closed(roster, effect, audience, who):
    assert [member.peer_id for member in roster.sent_away(effect, audience)] == who


def test_old_clients_are_told_to_fetch(roster):
    [(member, text)] = roster.refresh(9, Refresh(5))
    assert member.peer_id == "old"
    assert json.loads(text)["params"] == {
        "message_id": "refresh-9",
        "timestamp": 5,
        "private": False,
        "info": {"message": "refresh", "type": "metadata"},
    }


def test_who_left_is_listed_no_more(roster):
    assert roster.remove("bob") is roster.members["bob"]
    assert roster.remove("bob") is roster.members["bob"]  # until its socket is let go of
    assert roster.own_update("bob") is None
    roster.detach(roster.members["bob"])
    assert roster.remove("bob") is None


def test_a_member_that_another_has_taken_the_place_of_takes_nobody_with_it(roster):
    before = roster.members["bob"]
    enter(roster, "bob")
    roster.detach(before)
    assert roster.members["bob"] is not before


def values(*keys: str) -> list[dict[str, Any]]:
    return [{"key": key, "data": 1} for key in keys]


def test_who_observes_is_sent_the_values_that_it_was_not_sent_yet(roster):
    bob = roster.members["bob"]
    assert roster.observe(bob, frozenset("km"), values("k", "m")) == values("m")
    assert bob.observed == frozenset("km")
    assert roster.observe(bob, frozenset("kml"), values("k", "m", "l")) == values("l")


def test_who_resumed_was_sent_the_changes_since_but_no_values(roster):
    enter(roster, "carol", observed=frozenset("kl"), replay=[event(observing("k"), seq=6)])
    carol = roster.members["carol"]
    roster.told(event(observing("m"), seq=8))
    assert roster.observe(carol, frozenset("klm"), values("k", "l", "m")) == values("l", "m")

    enter(roster, "dora", observed=frozenset("kl"), replay=[])
    roster.told(event(observing("l"), seq=9))
    assert roster.observe(roster.members["dora"], frozenset("kl"), values("k", "l")) == values("k")


def test_what_one_member_alone_was_told_the_others_are_sent(roster):
    enter(roster, "carol", observed=frozenset("k"), replay=[])
    roster.told(event(observing("k", peer="bob"), seq=8))
    roster.told(event(observing("k", roles=("host",)), seq=9))
    assert roster.observe(roster.members["carol"], frozenset("k"), values("k")) == values("k")
