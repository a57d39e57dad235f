"""What an event does to a room, as it is stored and sent. Needs no database."""

import json
from typing import get_args

import pytest

from rooms.wire import effects
from rooms.wire.effects import (
    Came,
    CameBack,
    Effect,
    Granted,
    Left,
    Refresh,
    RoleChanged,
    RoomChanged,
    SentAway,
    StateChanged,
    Updated,
)

BOB = {"peer_id": "bob", "state": "connected", "name": "Bob"}

STORED = [
    (Came("bob", "conn"), '{"peer": "bob", "attached": ["bob", "conn"]}'),
    (CameBack(BOB, "conn"), json.dumps({"state_of": BOB, "attached": ["bob", "conn"]})),
    (StateChanged(BOB), json.dumps({"state_of": BOB})),
    (Updated("bob"), '{"peer": "bob"}'),
    (RoleChanged("bob", "guest", "host"), '{"role": ["bob", "guest", "host"]}'),
    (SentAway("bob"), '{"sent_away": "bob"}'),
    (SentAway(None), '{"sent_away": "*"}'),
    (Left("bob"), '{"left": "bob"}'),
    (Granted("a"), '{"granted": "a"}'),
    (RoomChanged(), '{"room_changed": true}'),
    (Refresh(7), '{"refresh": 7}'),
]


@pytest.mark.parametrize(("effect", "stored"), STORED)
def test_rows_of_a_journal_and_messages_are_read_by_every_version(effect: Effect, stored: str):
    """They are there when a server is upgraded, and for a while both versions may serve a room."""
    assert json.dumps(effects.encode(effect)) == stored
    assert effects.decode(json.loads(stored)) == effect
    assert type(effects.decode(json.loads(stored))) is type(effect)


def test_every_effect_has_such_a_form():
    assert {type(effect) for effect, _ in STORED} == set(get_args(Effect))


def test_what_a_later_version_adds_is_passed_over():
    assert effects.decode({}) is None
    assert effects.decode({"colour": "red"}) is None
    assert effects.decode({"peer": "bob", "colour": "red"}) == Updated("bob")
