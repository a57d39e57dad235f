"""Calls of operations as a socket would make them, and what of their events reaches whom."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from django.db import connection

import rooms.operations  # noqa: F401  fills METHODS
from rooms.models import Peer, Room, Session, Template
from rooms.operations.arriving import connect
from rooms.operations.engine import journal
from rooms.operations.engine.calls import Answer, Call, Caller, Operation
from rooms.operations.engine.gate import METHODS, run
from rooms.wire.errors import RoomError
from rooms.wire.events import Numbered
from rooms.wire.parameters import bind
from rooms.wire.results import Attachment, Welcome


def visitor(room: Room, name: str, role: str, **claims: Any) -> Caller:
    """Somebody with a token and a socket, who has not joined."""
    known = {
        "peer_id": f"peer-{name}",
        "owner": f"user:user-{name}",
        "user_id": f"user-{name}",
        "conn_id": f"conn-{name}",
        "worker": "worker-1",
        "source": "socket",
    }
    return Caller(room.id, role=role, name=name, **{**known, **claims})


def again(caller: Caller, conn_id: str = "conn-2", **claims: Any) -> Caller:
    """The same peer on another socket."""
    return replace(caller, conn_id=conn_id, **claims)


def welcome(caller: Caller) -> Welcome:
    answer = ask(caller, connect)
    assert isinstance(answer.for_socket, Welcome), answer.error
    return answer.for_socket


def attachment(answer: Answer) -> Attachment:
    """What the hub is to do about a peer that joined, or was found again."""
    found = answer.for_socket.attachment if isinstance(answer.for_socket, Welcome) else answer.for_socket
    assert isinstance(found, Attachment), answer.error
    return found


Resume = Callable[[Caller, dict[str, Any]], Answer]
"""How a peer goes on from a place over another connection."""


def resume_with_socket(caller: Caller, place: dict[str, Any]) -> Answer:
    return ask(again(caller, f"conn-{position(caller.room_id)}"), connect, place=place)


def resume_with_join(caller: Caller, place: dict[str, Any]) -> Answer:
    return call(again(caller, f"conn-{position(caller.room_id)}"), "join", name=caller.name, resume=place)


def server(room: Room) -> Caller:
    return Caller(room.id, name="operator")


def prepare(caller: Caller, method: str, /, **params: Any) -> Call:
    """Parameters go through JSON, as they would on the wire."""
    operation = METHODS[method]
    return Call(operation, caller, bind(operation.parameters, json.loads(json.dumps(params))))


def call(caller: Caller, method: str, /, **params: Any) -> Answer:
    try:
        prepared = prepare(caller, method, **params)
    except RoomError as error:
        return Answer(Call(METHODS[method], caller), error=error)
    return run([prepared])[0]


def do(caller: Caller, method: str, **params: Any) -> dict[str, Any]:
    """The result of a call that succeeds."""
    answer = call(caller, method, **params)
    assert answer.error is None, answer.error.as_wire()
    return dict(answer.result)


def say(who: Caller, text: str, **to: Any) -> str:
    """Send a message; its id."""
    message_id: str = do(who, "broadcast", info={"message": text}, **to)["message_id"]
    return message_id


def refused(caller: Caller, method: str, **params: Any) -> tuple[int, str]:
    """Code and message of a call that is refused, and so changes nothing and tells nobody."""
    before = position(caller.room_id)
    answer = call(caller, method, **params)
    assert answer.error is not None, answer.result
    assert not answer.events
    assert position(caller.room_id) == before
    return answer.error.code, answer.error.message


def error_of(caller: Caller, method: str, **params: Any) -> RoomError:
    """The error of a call that is refused."""
    answer = call(caller, method, **params)
    assert answer.error is not None, answer.result
    return answer.error


def ask(caller: Caller, operation: Operation, **arguments: Any) -> Answer:
    """Run an operation that has no method."""
    return run([Call(operation, caller, arguments)])[0]


def at_once(calls: Sequence[Call]) -> list[Answer]:
    """The answers to calls that are made at the same time, each by a thread of its own."""

    def make(call: Call) -> Answer:
        try:
            return run([call])[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(make, calls))


def position(room_id: str) -> int:
    """The number of the last event of the room's live session."""
    return Session.objects.filter(room_id=room_id, ended_at=None).values_list("seq", flat=True).first() or 0


def journalled(room_id: str, *, after: int = 0) -> list[Numbered]:
    """All events of the room's live session with a greater number."""
    session = Session.objects.get(room_id=room_id, ended_at=None)
    events = journal.read(session.id, after=after, until=session.seq)
    assert events is not None
    return events


def live_session(room: Room) -> Session | None:
    return Session.objects.filter(room=room, ended_at=None).first()


def row(caller: Caller) -> Peer:
    """The newest row of a caller's peer."""
    return Peer.objects.filter(peer_id=caller.peer_id, session__room_id=caller.room_id).latest("session__started_at")


def told(who: Caller, events: Sequence[Numbered]) -> list[tuple[str, dict[str, Any]]]:
    """Kind and body, as it gets it, of those events that reach a peer which is as its row is now."""
    peer = row(who)
    observed = frozenset(peer.observed)
    return [
        (event.kind, json.loads(event.shown_to(peer.role, observed).body))
        for event in events
        if event.audience.includes(peer.peer_id, peer.role, observed)
    ]


def kinds(who: Caller, events: Sequence[Numbered]) -> list[str]:
    return [kind for kind, _ in told(who, events)]


def change_role(room: Room, role: str, **fields: Any) -> None:
    """Edit a role of the room's template; ``permissions`` are added to those it has."""
    template = Template.objects.get(pk=room.template_id)
    wire = template.roles[role]
    wire["permissions"] |= fields.pop("permissions", {})
    template.roles[role] = wire | fields
    template.save()
