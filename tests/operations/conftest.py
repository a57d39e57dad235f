"""Alice hosts, Bob is a guest, Victor only watches; all three are in the room. Carol is in another room."""

import pytest

from rooms.creation import create_room
from rooms.models import Room
from rooms.operations.engine.calls import Caller
from tests.operations.driver import do, visitor


def _join(room: Room, name: str, role: str) -> Caller:
    caller = visitor(room, name, role)
    do(caller, "join", name=name)
    return caller


@pytest.fixture
def room(db: None) -> Room:
    return create_room(title="Team", name="team")


@pytest.fixture
def alice(room: Room) -> Caller:
    return _join(room, "Alice", "host")


@pytest.fixture
def bob(alice: Caller, room: Room) -> Caller:
    return _join(room, "Bob", "guest")


@pytest.fixture
def victor(bob: Caller, room: Room) -> Caller:
    return _join(room, "Victor", "viewer")


@pytest.fixture
def carol(db: None) -> Caller:
    return _join(create_room(title="Other", name="other"), "Carol", "host")
