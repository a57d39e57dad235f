"""A client's connection: how it comes, loses its socket and comes again, asks, and is answered."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from rooms.wire.close_codes import SENT_AWAY
from tests.simulation.network import Socket
from tests.simulation.scheduler import Due

if TYPE_CHECKING:
    from tests.simulation.world import World

_PATIENCE = 6.0
"""Seconds after which a client gives up a socket on which it was not answered."""

Answered = Callable[[dict[str, Any]], None]


class Connecting(ABC):
    """See the module. ``wants`` is whether it is to be in the room; ``inside`` whether it is, as far as it knows."""

    def __init__(self, world: "World", name: str, room_id: str, token: str) -> None:
        self.world = world
        self.scheduler = world.scheduler
        self.name = name
        self.room_id = room_id
        self.token = token
        self.peer_id = name
        self.wants = self.inside = False
        self.socket: Socket | None = None
        self.sockets: list[Socket] = []
        """All that were opened in this life, the last ones."""
        self._lives = 0
        self._ids = 0
        self._asked: dict[str, tuple[str, Answered | None]] = {}
        self._patience: Due | None = None
        self._retrying: Due | None = None

    @abstractmethod
    def place(self) -> dict[str, Any] | None:
        """What the next socket's address says of where to go on from."""

    @abstractmethod
    def begin_life(self) -> None:
        """Forget what it held."""

    @abstractmethod
    def begin_socket(self, *, asks_to_resume: bool) -> None:
        """There is a new socket, or none any more."""

    @abstractmethod
    def opened(self, socket: Socket) -> None:
        """The socket is open."""

    @abstractmethod
    def hear(self, socket: Socket, text: str) -> None:
        """Take a frame."""

    # --- Coming and going

    def enter(self) -> None:
        """Come as a newcomer."""
        self._lives += 1
        self.peer_id = f"{self.name}.{self._lives}"
        self.wants, self.inside = True, False
        self.begin_life()
        self._connect()

    def go(self) -> None:
        """Leave for good."""
        if self.socket and self.inside:
            self.call("leave")
        self.stay_out()

    def stay_out(self) -> None:
        """Close the socket, and open no other."""
        self._forget_socket()
        self.wants = self.inside = False

    def lose(self, seconds: float) -> None:
        """Lose the connection, and come again after so many seconds."""
        self._forget_socket()
        self._retry(seconds)

    def come_elsewhere(self) -> None:
        """Open another socket for this peer while the server still has the first."""
        self.socket = None
        self._connect()

    def _forget_socket(self) -> None:
        if self.socket:
            self.socket.drop()
        self.socket = None
        self.begin_socket(asks_to_resume=False)
        self._wait_no_more()

    def _connect(self) -> None:
        self._wait_no_more()
        if not self.wants:
            return
        process = self.world.choose_process()
        if process is None:
            self._retry(1)
            return
        self.scheduler.note(self.peer_id, "connects to", process.name)
        place = self.place()
        self._asked = {}
        self.begin_socket(asks_to_resume=place is not None)
        self.socket = Socket(process, self, urlencode({"peer": self.peer_id, "token": self.token, **(place or {})}))
        self.sockets = [*(socket for socket in self.sockets if socket.open), self.socket]
        self._wait()

    def _retry(self, seconds: float) -> None:
        self._wait_no_more()
        self._retrying = self.scheduler.after(seconds, self._connect)

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = self.scheduler.after(_PATIENCE, self._give_up)

    def _wait_no_more(self) -> None:
        for due in (self._patience, self._retrying):
            if due:
                due.cancel()
        self._patience = self._retrying = None

    def _give_up(self) -> None:
        self._patience = None
        self.scheduler.note(self.peer_id, "gives its socket up")
        self.lose(self.scheduler.random.uniform(0, 1))

    def closed(self, socket: Socket, code: int) -> None:
        """The socket was closed."""
        self.scheduler.note(self.peer_id, "closed with", code)
        if socket is not self.socket:
            return
        self.scheduler.sometimes(f"closed with {code}")
        self.socket = None
        self.begin_socket(asks_to_resume=False)
        self._wait_no_more()
        if not self.wants:
            return
        if code == SENT_AWAY or code // 10 in (440, 441):
            self.wants = self.inside = False
        else:
            self._retry(self.scheduler.random.uniform(0, 1.5))

    # --- Requests

    def call(self, method: str, answered: Answered | None = None, **params: Any) -> None:
        """Ask for something; ``answered`` gets the result, if it is not refused."""
        if self.socket is None:
            return
        self._ids += 1
        number = f"{self.name}-{self._ids}"
        self._asked[number] = method, answered
        self.socket.parts = self.socket.parts or method in ("leave", "end-room")
        self.scheduler.note(self.peer_id, "asks", method, number)
        self.socket.say(orjson.dumps({"id": number, "method": method, "params": params, "jsonrpc": "2.0"}).decode())
        self._wait()

    def _answer(self, number: str) -> tuple[str, Answered | None]:
        """What was asked under a number that is answered now."""
        asked = self._asked.pop(number)
        self._heard()
        return asked

    def _heard(self) -> None:
        """Be patient again, unless there is something that is not answered."""
        if not self._asked and self._patience:
            self._patience.cancel()
            self._patience = None
