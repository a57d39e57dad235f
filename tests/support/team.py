"""Fixtures: a room with Alice, who hosts, and Bob, a guest. Both are in it."""

from typing import Any

import pytest

from rooms.creation.rooms import create_room
from rooms.models import Room
from rooms.operations.engine.calls import Caller
from tests.operations.driver import do, visitor


def joined(room: Room, name: str, role: str, **params: Any) -> Caller:
    """Somebody who is in the room."""
    caller = visitor(room, name, role)
    do(caller, "join", name=name, **params)
    return caller


@pytest.fixture
def room(db: None) -> Room:
    return create_room(title="Team", name="team")


@pytest.fixture
def alice(room: Room) -> Caller:
    return joined(room, "Alice", "host")


@pytest.fixture
def bob(alice: Caller, room: Room) -> Caller:
    return joined(room, "Bob", "guest")
