"""Alice hosts, Bob is a guest, Victor only watches; all three are in the room. Carol is in another room."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from rooms.creation.rooms import create_room
from rooms.models import Room
from rooms.operations.engine import clock
from rooms.operations.engine.calls import Caller
from tests.operations.driver import Resume, resume_with_join, resume_with_socket
from tests.support.team import joined


@pytest.fixture(params=[resume_with_socket, resume_with_join], ids=["socket", "join"])
def resume(request: pytest.FixtureRequest) -> Resume:
    way: Resume = request.param
    return way


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass, in seconds."""
    begun, passed = clock.now(), timedelta()

    def let_pass(seconds: float) -> None:
        nonlocal passed
        passed += timedelta(seconds=seconds)

    monkeypatch.setattr(clock, "now", lambda: begun + passed)
    return let_pass


@pytest.fixture
def victor(bob: Caller, room: Room) -> Caller:
    return joined(room, "Victor", "viewer")


@pytest.fixture
def carol(db: None) -> Caller:
    return joined(create_room(title="Other", name="other"), "Carol", "host")
