"""What things cost. Measured figures are those of docs/performance.md, of one core; the others are assumed."""

from dataclasses import dataclass

# Measured, seconds of one process.
MESSAGE = 124e-6
"""To read, store and answer one message: 200 rooms of 5 at 34 µs a delivery, less four deliveries.

Of messages without ``client_id``; those of our script have one.
"""

DELIVERY = 3.0e-6
"""One message to one peer, each by itself: a room of 1,000 with coalescing off."""

DELIVERY_TOGETHER = 0.9e-6
"""The same where frames follow each other within COALESCE_MS."""

TOGETHER = 250.0
"""Messages a second in a room from which on they do, at 4 ms."""

RING = 64e-6
"""To tell another process, and to hear it: half of what each message of a room of 200 costs more on two processes."""

JOIN = 1.25e-3
"""One socket and its join, without telling the others: from the CPU of 250 and of 1,000 joins into one room."""

ANNOUNCEMENT = 0.43e-6
"""To tell one peer of one join, from the same two."""

# Assumed.
INIT = 1.0e-3
"""Seconds of one process for ``/init``: a request of Django with five reads."""

COMMITS = 2000.0
"""Commits a second of one PostgreSQL that waits for its disk."""

SET = 8.0
"""Messages that are stored in one transaction in a busy cell."""

SOCKETS = 20_000
"""Sockets of one process; at 27 KiB each, 0.5 GiB."""

FULL = 0.8
"""Of what a cell can do: above it waits grow."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a session asks of its cell: cores, commits a second, sockets."""

    cores: float
    commits: float
    sockets: int


def load(peers: int, messages: float, processes: int) -> Load:
    """Of a session with so many messages a second, whose peers are spread evenly over the processes."""
    cores = messages * (MESSAGE + RING * _rings(peers, processes) + delivery(messages) * (peers - 1))
    return Load(cores, messages / SET, peers)


def delivery(messages: float) -> float:
    """Seconds for one delivery in a session of so many messages a second."""
    return DELIVERY_TOGETHER if messages >= TOGETHER else DELIVERY


def _rings(peers: int, processes: int) -> float:
    """Times that a message is told or heard between processes: once, and by each other one where somebody is."""
    occupied = processes * (1 - (1 - 1 / processes) ** peers)
    return occupied if occupied > 1 else 0.0


def arrival(peers: int) -> float:
    """Seconds of one process until one more of a session's peers is in, half of whom are there already on average."""
    return INIT + JOIN + ANNOUNCEMENT * peers / 2


def largest_by_messages(messages: float, processes: int) -> int:
    """Peers of a session of so many messages a second that no process of an otherwise idle cell is full of."""
    each = FULL / messages - MESSAGE / processes - (RING if processes > 1 else 0.0)
    return max(0, min(SOCKETS * processes, int(each * processes / delivery(messages))))


def largest_by_return(seconds: float, processes: int, *, announced: bool) -> int:
    """Peers of a session that are all back so many seconds after an otherwise idle cell was restarted."""
    most, least = SOCKETS * processes, 0
    while least < most:
        peers = (least + most + 1) // 2
        each = arrival(peers) if announced else arrival(0)
        least, most = (peers, most) if peers * each <= seconds * processes else (least, peers - 1)
    return least
