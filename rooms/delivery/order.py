"""The order of a room's news, wherever it comes from: each number once, after all before it.

Pure: it takes news and the time, and says what is next, what has to be read first, and when to look again.
"""

import heapq
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rooms.wire.events import End, Numbered
from rooms.wire.results import Attachment

PATIENCE = 0.02
"""Seconds for which a number that is missing may still come by itself."""


@dataclass(slots=True)
class Arrival:
    """News of a session: of this process with the answer to a call, or of another one.

    ``done`` gives the answer to whoever asked, ``answers`` is the id of the peer that did if it gets what it asked
    for, and ``attachment`` is of the peer that came by the call. ``reads`` is of an answer that was read beside the
    writer, of whose answers some may be under way yet.
    """

    session_id: str
    seq: int
    events: Sequence[Numbered] = ()
    end: End | None = None
    done: Callable[[], object] | None = None
    history: str = ""
    attachment: Attachment | None = None
    answers: str = ""
    reads: bool = False

    @property
    def first(self) -> int:
        """The number that the place must have reached all but one of."""
        return self.events[0].seq if self.events else self.seq + 1

    def __lt__(self, other: "Arrival") -> bool:
        return self.first < other.first


class Gap(NamedTuple):
    """What has to be read: the events of a session after a place, up to a number.

    ``told`` are the histories that news named which wait for it.
    """

    session_id: str
    after: int
    until: int
    history: str
    told: frozenset[str]


class Missed(NamedTuple):
    """Events that were read, and which run of the database wrote the last of the session."""

    events: Sequence[Numbered]
    history: str


class Order:
    """See the module. ``seq`` is the number of the last event that was delivered.

    ``history`` is the run of the database that wrote it, as far as it is known.
    """

    def __init__(self) -> None:
        self.session_id, self.seq, self.history = "", 0, ""
        self.in_flight = 0  # calls of this process that are not answered yet
        self.gap: Gap | None = None  # while it is read nothing is next
        self.look_at = math.inf
        self._local: deque[Arrival] = deque()
        self._reads: list[Arrival] = []
        self._remote: list[Arrival] = []
        self._early: list[Arrival] = []
        self.past: set[str] = set()  # histories that the database has forgotten, or left: news of these is none

    @property
    def place(self) -> tuple[int, str]:
        return self.seq, self.history

    def arrive(self, arrival: Arrival) -> None:
        """Take news; ``next`` gives it as soon as everything before it was."""
        if arrival.done is not None:
            (self._reads if arrival.reads else self._local).append(arrival)
        elif arrival.session_id == self.session_id:
            heapq.heappush(self._remote, arrival)
        elif self.in_flight:
            # Perhaps of the session that an answer under way leads to, perhaps of one that is over.
            self._early.append(arrival)

    def next(self, now: float) -> Arrival | Gap | None:
        """The news to deliver before anything else is asked for, or what is to be read before there is any."""
        if self.gap:
            return None
        if self._local:
            # One that is of another session is not ahead: its caller is answered all the same.
            if not self._is_ahead(self._local[0]):
                return self._local.popleft()
            return self._next_remote() or self._read(self._local[0].first - 1)
        if self._reads and (read := self._next_read()):
            return read
        # A set of this process may have committed between two that are told by others, or before what was read: its
        # answers, which have their place among the events, come first.
        if self.in_flight:
            return None
        self._early.clear()
        if self._remote and (remote := self._next_remote()):
            return remote
        if (self._remote or self._reads) and self.look_at == math.inf:
            self.look_at = now + PATIENCE
        return None

    def _next_remote(self) -> Arrival | None:
        return heapq.heappop(self._remote) if self._remote and not self._is_ahead(self._remote[0]) else None

    def _next_read(self) -> Arrival | None:
        for index, arrival in enumerate(self._reads):
            if not self._is_ahead(arrival):
                return self._reads.pop(index)
        return None

    def _is_ahead(self, arrival: Arrival) -> bool:
        """Whether something is missing before news that else would be taken.

        With news of another run of the database it is to be seen whether that goes on from where the feed is.
        """
        if arrival.session_id != self.session_id or arrival.history in self.past:
            return False
        if not arrival.events:
            return arrival.seq > self.seq
        if arrival.events[0].seq > self.seq + 1:
            return True
        return arrival.history != self.history and bool(arrival.history and self.history)

    def look(self) -> Gap | None:
        """What is to be read now that ``look_at`` is past, if news still waits for it."""
        self.look_at = math.inf
        waiting = [*self._remote, *self._reads]
        if not waiting or self.gap or self.in_flight:
            return None
        return self._read(max(arrival.first - 1 for arrival in waiting))

    def compare(self, seq: int) -> Gap | None:
        """What is to be read of a session that has got so far in the database."""
        return self._read(seq) if seq > self.seq and not self.gap else None

    def _read(self, until: int) -> Gap:
        waiting = [*list(self._local)[:1], *self._remote]
        told = frozenset(arrival.history for arrival in waiting if arrival.events and arrival.history)
        # It may be empty: whether news of another history goes on from here is all that there is to know then.
        self.gap = Gap(self.session_id, self.seq, max(until, self.seq), self.history, told)
        return self.gap

    def close(self, gap: Gap) -> bool:
        """Go on after a gap was read, or could not be; whether the session is still the one that it was of."""
        self.gap = None
        return gap.session_id == self.session_id

    def begin(self, session_id: str, seq: int, history: str) -> None:
        """Follow another session from a place on."""
        self.session_id, self.seq, self.history = session_id, seq, history
        for early in self._early:
            if early.session_id == session_id:
                heapq.heappush(self._remote, early)
        self._early.clear()

    def turn_to(self, history: str, *, told: frozenset[str] = frozenset()) -> bool:
        """Go on in a history, which may be another one, and then the answer is True.

        Those that were ``told`` of before the database was read, and are not in it, are of one that it forgot.
        """
        left = self.history
        if history:
            self.history = history
        if self.history:
            self.past |= ({left} | told) - {self.history, ""}
        return self.history != left

    def forget(self) -> None:
        """Follow no session."""
        # What has an answer with it stays: somebody waits for each.
        self.session_id, self.seq, self.history, self.look_at = "", 0, "", math.inf
        self._remote.clear()
        self.past.clear()
