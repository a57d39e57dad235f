"""Whom an event is for, and the frame it becomes. Needs no database."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.wire.events import EVERYBODY, NOBODY, Audience, Numbered

NOTHING: frozenset[str] = frozenset()

audiences = st.builds(
    Audience,
    but=st.text(max_size=5),
    peer=st.text(max_size=5),
    roles=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    key=st.none() | st.text(max_size=5),
    nobody=st.booleans(),
)


@settings(deadline=None)
@given(audiences)
def test_an_audience_is_stored_and_read_again(audience):
    again = Audience.decode(audience.encode())
    for peer_id in ("", "p", audience.but, audience.peer):
        for role in ("guest", *audience.roles):
            for observed in (NOTHING, frozenset({audience.key or ""})):
                assert again.includes(peer_id, role, observed) == audience.includes(peer_id, role, observed)


def test_everybody_takes_no_space():
    assert EVERYBODY.encode() == ""
    assert Audience.decode("") == EVERYBODY
    assert Audience.decode(NOBODY.encode()) == NOBODY


@pytest.mark.parametrize(
    ("audience", "alice", "bob"),
    [
        (EVERYBODY, True, True),
        (NOBODY, False, False),
        (Audience(but="alice"), False, True),
        (Audience(peer="alice"), True, False),
        (Audience(but="alice", peer="alice"), False, False),
        (Audience(roles=("host",)), True, False),
        (Audience(roles=("host", "guest")), True, True),
        (Audience(but="alice", roles=("host", "guest")), False, True),
        (Audience(key="topic"), False, True),
        (Audience(key="other"), False, False),
    ],
)
def test_who_gets_an_event(audience, alice, bob):
    """Alice is a host and observes nothing, Bob a guest who observes ``topic``."""
    assert audience.includes("alice", "host", NOTHING) is alice
    assert audience.includes("bob", "guest", frozenset({"topic"})) is bob


def test_the_empty_key_is_a_key():
    assert not Audience.decode(Audience(key="").encode()).includes("alice", "host", NOTHING)


def test_a_frame_holds_the_number_beside_its_params():
    frame = Numbered(7, "on-broadcast", '{"a":"é"}', EVERYBODY).frame()
    assert json.loads(frame) == {"method": "on-broadcast", "params": {"a": "é"}, "seq": 7}
