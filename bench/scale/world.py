"""Sessions, cells and a router on virtual time, and what befalls them: the same sessions whatever the policy."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from scale import costs
from scale.cells import Cell
from scale.router import COMES_BACK, Router
from scale.seen import Hot, Seen, Storm
from scale.sessions import MAX_PEERS, Session, Sessions, each_second

ARRIVING = 60.0
"""Seconds in which the first people of a session come."""

REPORTS, DELAY = 10, 5
"""Seconds between two reports of a cell, and until the router has them."""

UNNOTICED = 10.0
"""Seconds until the router takes a cell that does not answer for lost."""

DYING, DRAINED, RESTARTED = 0, 1, 2
"""The cells that something befalls."""

DOWN = 5.0
"""Seconds for which a cell that is started again answers nobody."""

HOT_RATE, HOT_SECONDS = 200.0, 240.0
"""Messages a second in a room that becomes hot, with as many people as a room may hold; and how long it lasts at
least.
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds at which things happen; sessions ``use`` this share of the cores. A drained cell is emptied at
    ``emptied``, and the router loses its table when it ``forgets``.
    """

    cells: int = 8
    processes: int = 4
    use: float = 0.63
    dies: int = 600
    added: int = 1200
    hot: int = 1500
    restarted: int = 1800
    forgets: int = 2400
    drained: int = 2700
    emptied: int = 3300
    end: int = 3600


DEFAULT = Plan()


class World:
    def __init__(self, policy: str, seed: int, plan: Plan = DEFAULT) -> None:
        self.plan = plan
        self.seen = Seen()
        self.cells = {number: Cell(number, plan.processes) for number in range(plan.cells)}
        self.live: dict[int, Session] = {}  # by room
        self.router = Router(policy, list(self.cells), seed)
        self._gone: set[int] = set()
        self._last: dict[int, int] = {}  # of a room, the cell of its last session
        self._taken: dict[int, float] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._now = 0.0
        self._sessions = Sessions(seed, each_second(plan.use, plan.cells, plan.processes), plan.processes)
        self._new: int | None = None  # the cell that was added
        self._asks = 0.0  # lookups a second of those who come for the first time
        self._people = 0
        self._hot: Session | None = None

        self._second = 0
        self._prepare()

    def _prepare(self) -> None:
        plan = self.plan
        for number, session in enumerate(self._sessions.at_start()):
            if number % 100 == 0:
                self.router.report(self._loads())
            self._begin(session, arriving=False)
        self.router.report(self._loads())
        self._at(self._sessions.wait(), self._next)
        self._at(plan.dies, lambda: self._die(DYING))
        self._at(plan.added, self._add)
        self._at(plan.hot, self._heat)
        self._at(plan.restarted, lambda: self._restart(RESTARTED))
        self._at(plan.forgets, self._forget)
        self._at(plan.drained, lambda: self.router.cells.remove(DRAINED))
        self._at(plan.emptied, lambda: self._lose(DRAINED, known_from=plan.emptied))

    def run(self, until: int | None = None) -> Seen:
        """Go on to a second, by default to the end."""
        end = self.plan.end if until is None else until
        while self._second < end:
            while self._events and self._events[0][0] < self._second + 1:
                self._now, _, act = heapq.heappop(self._events)
                act()
            self._now = self._second + 1.0
            self._tick(self._second)
            self._second += 1
        return self.seen

    def check(self) -> None:
        """No session is lost, and none is twice."""
        placed = [session.number for cell in self.cells.values() for session in cell.sessions.values()]
        homeless = [session.number for session in self.live.values() if session.cell is None]
        assert sorted(placed + homeless) == sorted(session.number for session in self.live.values())
        assert self.seen.begun == self.seen.ended + len(self.live)
        for session in self.live.values():
            assert session.cell is None or session.number in self.cells[session.cell].sessions
            assert session.cell is None or self.router.table[session.room] == session.cell

    def _at(self, time: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._order), act))

    # --- Sessions ---------------------------------------------------------------------------------

    def _next(self) -> None:
        self._begin(self._sessions.next(self._now, self.live), arriving=True)
        self._at(self._now + self._sessions.wait(), self._next)

    def _begin(self, session: Session, *, arriving: bool) -> None:
        self.seen.begun += 1
        self._people += session.peers
        self.live[session.room] = session
        self._at(session.ends, lambda: self._end(session))
        if arriving:
            session.arriving = session.peers * costs.arrival(session.peers) / ARRIVING
            self._asks += session.peers / ARRIVING
            self._at(self._now + ARRIVING, lambda: self._settle(session))
        self._place(session)
        if session.cell in self._gone:  # the router does not know yet
            self._scatter(session, self._storm)

    def _place(self, session: Session) -> None:
        cell = self.cells[self.router.place(session, self._share(session))]
        self.seen.returned += session.room in self._last
        self.seen.rooms_moved += self._last.get(session.room, cell.number) != cell.number
        self._last[session.room] = cell.number
        cell.take(session)

    def _share(self, session: Session) -> float:
        return (session.load.cores + session.arriving) / self.plan.processes

    def _settle(self, session: Session) -> None:
        self._asks -= session.peers / ARRIVING
        if session.cell is not None:
            self.cells[session.cell].settle(session)

    def _end(self, session: Session) -> None:
        self.seen.ended += 1
        self._people -= session.peers
        del self.live[session.room]
        if session.cell is not None:
            self.cells[session.cell].let_go(session)
        self.router.table.pop(session.room, None)

    # --- What befalls them ------------------------------------------------------------------------

    @property
    def _storm(self) -> Storm:
        return self.seen.storms[-1]

    def _die(self, number: int) -> None:
        known = self._now + UNNOTICED
        self._at(known, lambda: self.router.cells.remove(number))
        self._lose(number, known_from=known)

    def _lose(self, number: int, known_from: float) -> None:
        """The cell's sessions are over; their people come back, to wherever the router then says."""
        self._gone.add(number)
        sessions = list(self.cells[number].sessions.values())
        self.seen.storms.append(Storm(self._now, known_from, len(sessions)))
        for session in sessions:
            self._scatter(session, self._storm)

    def _restart(self, number: int) -> None:
        """The cell comes back with all of its sessions, and so do their people."""
        sessions = list(self.cells[number].sessions.values())
        self.seen.storms.append(Storm(self._now, self._now + DOWN, len(sessions)))
        for session in sessions:
            self._scatter(session, self._storm, back_to=number)

    def _scatter(self, session: Session, storm: Storm, back_to: int | None = None) -> None:
        """Its people look for it; the first to arrive has it placed, unless it goes back to where it was."""
        assert session.cell is not None
        self.cells[session.cell].let_go(session)
        if back_to is None:
            del self.router.table[session.room]
        session.arriving = 0.0
        storm.peers += session.peers
        times = sorted(self.router.come_back(session, self._now, storm.known_from))
        storm.last_arrival = max(storm.last_arrival, times[-1])
        for at in times:
            self._at(at, lambda: self._arrive(session, back_to))

    def _arrive(self, session: Session, back_to: int | None) -> None:
        if self.live.get(session.room) is not session:
            return  # over before everybody was back
        if session.cell is None and back_to is not None:
            self.cells[back_to].take(session)
        elif session.cell is None:
            self._place(session)
        assert session.cell is not None
        self.cells[session.cell].waiting += costs.arrival(session.peers)

    def _add(self) -> None:
        self._new = max(self.cells) + 1
        self.cells[self._new] = Cell(self._new, self.plan.processes)
        self.router.cells.append(self._new)

    def _heat(self) -> None:
        """A room in which some people talk fills within a minute, and everybody talks."""
        settled = [session for session in self.live.values() if session.cell is not None and not session.arriving]
        lasting = [session for session in settled if session.ends > self._now + HOT_SECONDS]
        session = min(lasting, key=lambda session: (session.ends, session.number))
        assert session.cell is not None
        cell = self.cells[session.cell]
        self._hot, self.seen.hot = session, Hot(cell.used, len(cell.sessions) - 1)
        self._people += MAX_PEERS - session.peers
        self._asks += MAX_PEERS / ARRIVING
        arriving = MAX_PEERS * costs.arrival(MAX_PEERS) / ARRIVING
        cell.grow(session, MAX_PEERS, costs.load(MAX_PEERS, HOT_RATE, self.plan.processes), arriving)
        self._at(self._now + ARRIVING, lambda: self._settle(session))

    def _forget(self) -> None:
        live = [session for session in self.live.values() if session.cell is not None]
        self.seen.torn, self.seen.known_after = self.router.forget(live, self._now, len(self._up))

    # --- Each second ------------------------------------------------------------------------------

    @property
    def _up(self) -> list[Cell]:
        return [cell for number, cell in self.cells.items() if number not in self._gone]

    def _loads(self) -> dict[int, float]:
        return {cell.number: cell.used for cell in self._up}

    def _tick(self, second: int) -> None:
        up = self._up
        if second % REPORTS == 0:
            self._taken = self._loads()
        if second % REPORTS == DELAY:
            self.router.report(self._taken)
        for cell in up:
            cell.work(1.0)
        self.seen.look(second, up)
        if self._hot and self._hot.cell is not None and self.live.get(self._hot.room) is self._hot:
            self.seen.hot.look(self.cells[self._hot.cell])
        if self._new is not None:
            new = self.cells[self._new]
            self.seen.look_at_new(new, [cell for cell in up if cell is not new], second - self.plan.added)
        again = self._people / COMES_BACK
        self.seen.lookups.append(self._asks + again + self.router.lookups.pop(second, 0))
        self.seen.questions.append(self.router.questions.pop(second, 0))
