"""A cell: processes of one core each over one PostgreSQL."""

from dataclasses import dataclass, field

from scale import costs
from scale.sessions import Session


@dataclass(slots=True)
class Cell:
    """``waiting`` is what arrivals of a storm still need, in seconds of one core."""

    number: int
    processes: int
    sessions: dict[int, Session] = field(default_factory=dict)
    cores: float = 0.0
    commits: float = 0.0
    sockets: int = 0
    waiting: float = 0.0

    def take(self, session: Session) -> None:
        session.cell = self.number
        self.sessions[session.number] = session
        self._count(session, 1)

    def let_go(self, session: Session) -> None:
        del self.sessions[session.number]
        session.cell = None
        self._count(session, -1)

    def settle(self, session: Session) -> None:
        """All of the session's first people are there."""
        self._count(session, -1)
        session.arriving = 0.0
        self._count(session, 1)

    def grow(self, session: Session, peers: int, load: costs.Load, arriving: float) -> None:
        """One of its sessions asks for more from now on."""
        self._count(session, -1)
        session.peers, session.load, session.arriving = peers, load, arriving
        self._count(session, 1)

    def _count(self, session: Session, sign: int) -> None:
        self.cores += sign * (session.load.cores + session.arriving)
        self.commits += sign * session.load.commits
        self.sockets += sign * session.load.sockets

    @property
    def used(self) -> float:
        """Share of what the cell can do that its sessions ask for, by what is scarcest; more than 1 is too much."""
        return max(self.shares.values())

    @property
    def shares(self) -> dict[str, float]:
        return {
            "cores": self.cores / self.processes,
            "commits": self.commits / costs.COMMITS,
            "sockets": self.sockets / (costs.SOCKETS * self.processes),
        }

    def work(self, seconds: float) -> None:
        """Let in who waits, with what the sessions leave of the cores."""
        self.waiting = max(0.0, self.waiting - max(0.0, self.processes - self.cores) * seconds)
