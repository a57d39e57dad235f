"""Whom an event is for, and the frame it becomes. Needs no database."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.wire.events import EVERYBODY, NOBODY, Audience, Numbered, Share, values_body
from tests.support.audiences import observing

NOTHING: frozenset[str] = frozenset()

audiences = st.builds(
    Audience,
    but=st.text(max_size=5),
    peer=st.text(max_size=5),
    roles=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    entries=st.lists(
        st.builds(Share, st.text(max_size=5), st.none() | st.lists(st.text(max_size=5), max_size=2).map(tuple)),
        max_size=3,
    ).map(tuple),
    nobody=st.booleans(),
)


@settings(deadline=None)
@given(audiences)
def test_an_audience_is_stored_and_read_again(audience):
    again = Audience.decode(audience.encode())
    for peer_id in ("", "p", audience.but, audience.peer):
        for role in ("guest", *audience.roles):
            for observed in (NOTHING, frozenset(share.key for share in audience.entries)):
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
        (observing("topic"), False, True),
        (observing("other"), False, False),
    ],
)
def test_who_gets_an_event(audience, alice, bob):
    """Alice is a host and observes nothing, Bob a guest who observes ``topic``."""
    assert audience.includes("alice", "host", NOTHING) is alice
    assert audience.includes("bob", "guest", frozenset({"topic"})) is bob


def test_a_row_of_an_earlier_version_names_one_key():
    assert Audience.decode('{"key":"topic"}') == observing("topic")


@pytest.mark.parametrize(
    ("role", "observed", "keys"),
    [
        ("host", "abc", "abc"),
        ("guest", "abc", "ac"),
        ("guest", "bc", "c"),
        ("host", "b", "b"),
    ],
)
def test_of_an_event_everybody_gets_the_entries_that_are_for_them(role, observed, keys):
    texts = [json.dumps({"key": key, "data": "é" * n}) for n, key in enumerate("abc")]
    readers = [None, ("host",), None]
    shares = [Share(key, who, len(text)) for key, who, text in zip("abc", readers, texts, strict=True)]
    event = Numbered(1, "on-metadata-change", values_body(texts), Audience(entries=tuple(shares)))
    assert event.audience.includes("p", role, frozenset(observed))
    shown = json.loads(event.shown_to(role, frozenset(observed)).frame())
    assert [value["key"] for value in shown["params"]["values"]] == list(keys)


def test_the_empty_key_is_a_key():
    assert not Audience.decode(observing("").encode()).includes("alice", "host", NOTHING)


def test_a_frame_holds_the_number_beside_its_params():
    frame = Numbered(7, "on-broadcast", '{"a":"é"}', EVERYBODY).frame()
    assert json.loads(frame) == {"method": "on-broadcast", "params": {"a": "é"}, "seq": 7}
