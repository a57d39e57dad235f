"""A request on its way to the gate, and what comes back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from rooms.wire.errors import RoomError
from rooms.wire.events import End, Numbered
from rooms.wire.parameters import Parameter
from rooms.wire.results import NOTHING, ForSocket, Outcome

Source = Literal["socket", "page", "rest", "admin", "command", "server"]
"""From where a call comes; what comes of the server is of its own accord."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, by what a checked token or the server itself claims.

    ``peer_id`` is empty when the server asks, for somebody of that ``name`` or by itself. ``owner`` is who the token is
    known to belong to, ``user_id`` what it is shown as. ``legacy`` marks a client from before the
    session store, which tells others of its metadata changes by a broadcast of its own. ``session_id`` is the session
    that is meant, blank for whichever is live.
    """

    room_id: str
    peer_id: str = ""
    owner: str = ""
    user_id: str = ""
    role: str = ""
    conn_id: str = ""
    worker: str = ""
    legacy: bool = False
    name: str = ""
    source: Source = "server"
    session_id: str = ""

    @property
    def is_server(self) -> bool:
        return not self.peer_id


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts from outside of a room: an administrator, an access key or a command, by its ``name``."""

    name: str = ""
    source: Source = "server"

    def caller(self, room_id: str, session_id: str = "") -> Caller:
        """The same as the caller of an operation, in that session alone if one is named."""
        return Caller(room_id, name=self.name, source=self.source, session_id=session_id)


SERVER = Author()
"""The server itself."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A function that peers can call by a method name, or that only the server calls (``method`` empty).

    ``joined`` is false for the few that a caller may ask for before it is in the session. One that ``reads`` changes
    nothing and asks the database alone, so that it need not wait for those that write, nor they for it.
    """

    name: str
    function: Callable[..., Outcome]
    method: str
    requires: str
    joined: bool
    parameters: tuple[Parameter, ...]
    reads: bool = False


class Call(NamedTuple):
    """An operation to be run for a caller, with arguments of the right form. ``follows`` as in Context."""

    operation: Operation
    caller: Caller
    arguments: Mapping[str, Any] = NOTHING
    follows: str = ""


class Answer(NamedTuple):
    """What became of a call. ``seq`` is its place among the events of the session: all up to it come before it.

    ``history`` is the run of the database that the place is of, see Session.histories.
    """

    call: Call
    result: Mapping[str, Any] = NOTHING
    error: RoomError | None = None
    session_id: str = ""
    seq: int = 0
    events: Sequence[Numbered] = ()
    end: End | None = None
    for_socket: ForSocket | None = None
    history: str = ""
