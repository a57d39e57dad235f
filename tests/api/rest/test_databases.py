"""What the resources ask is understood by both databases."""

from typing import Any

import pytest
from django.test import Client

from rooms.access import keys
from rooms.models import Room
from tests.api.rest.conftest import BackEnd
from tests.operations.driver import do, visitor


@pytest.mark.matrix
def test_rooms_codes_peers_and_sessions_are_the_same_on_either_database(database: str):
    back_end = BackEnd(Client(), keys.own())

    def ask(method: str, path: str, body: Any = None) -> Any:
        status, answer = back_end(method, path, body)
        assert status == 200, answer
        return answer

    def over_pages(path: str) -> list[Any]:
        found: list[Any] = []
        start = ""
        while not found or start:
            answer = ask("GET", f"{path}limit=2&start={start}")
            found += answer["data"]
            start = answer["last"]
        return found

    made = [ask("POST", "/rooms", {"name": f"Room-{number}", "max_duration_seconds": 600}) for number in range(5)]
    Room.objects.update(created_at=Room.objects.get(pk=made[0]["id"]).created_at)
    assert {room["id"] for room in over_pages("/rooms?")} == {room["id"] for room in made}
    moment = made[0]["created_at"].replace("Z", "999Z")
    assert len(ask("GET", f"/rooms?before={moment}")["data"]) == 5
    assert [room["id"] for room in ask("GET", "/rooms?name=ROOM-3")["data"]] == [made[3]["id"]]

    room = Room.objects.get(pk=made[0]["id"])
    for name, role in (("Alice", "host"), ("Bob", "guest"), ("Ben", "guest")):
        do(visitor(room, name, role), "join", name=name)
    assert len(over_pages(f"/room-codes/room/{room.pk}?enabled=true&")) == 3
    assert (
        ask("POST", f"/active-rooms/{room.pk}/peers/peer-Bob", {"name": "Robert", "role": "viewer"})["role"] == "viewer"
    )
    assert list(ask("GET", f"/active-rooms/{room.pk}/peers?role=guest")["peers"]) == ["peer-Ben"]
    ask("POST", f"/active-rooms/{room.pk}/send-message", {"message": "hi", "peerId": "peer-Bob"})
    ask("POST", f"/active-rooms/{room.pk}/remove-peers", {"role": "guest"})
    ask("POST", f"/active-rooms/{room.pk}/end-room", {"lock": True})
    for _ in range(2):
        do(visitor(Room.objects.get(pk=made[1]["id"]), "Carol", "host"), "join", name="Carol")
        ask("POST", f"/active-rooms/{made[1]['id']}/end-room")

    sessions = over_pages("/sessions?active=false&")
    assert [session["room_id"] for session in sessions] == [made[1]["id"], made[1]["id"], room.pk]
    assert ask("GET", f"/sessions/{sessions[-1]['id']}") == sessions[-1]
    assert {peer["name"] for peer in sessions[-1]["peers"].values()} == {"Alice", "Robert", "Ben"}
    assert len(ask("GET", f"/sessions?after={sessions[0]['created_at']}")["data"]) == 1
    assert ask("GET", f"/rooms/{room.pk}")["enabled"] is False
