"""What things cost, in seconds of one core: measured by bench/measure_costs.py, the rest assumed."""

import json
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("measured.json")
_measured: dict[str, float] = json.loads(SOURCE.read_text())["costs"]

# Measured, seconds of one process of hmsroom.
MESSAGE_SQLITE = _measured["message_sqlite"]
"""To read, store and answer one message, on SQLite: 200 rooms of 5 with 32 messages under way, less deliveries."""

MESSAGE = _measured["message"]
"""The same with PostgreSQL and Redis, one process."""

POSTGRES = _measured["postgres"]
"""What PostgreSQL takes for it, beside the process."""

RING = _measured["ring"]
"""To tell another process, or to hear it: what a message costs more with a second process, by each of the two."""

DELIVERY = _measured["delivery"]
"""One message to one peer, each by itself: a room of 1,000 with coalescing off."""

DELIVERY_TOGETHER = _measured["delivery_together"]
"""The same where frames follow each other within COALESCE_MS."""

JOIN = _measured["join"]
"""One socket and its join, without telling the others: from the CPU of 250 and of 1,000 joins into one room."""

ANNOUNCEMENT = _measured["announcement"]
"""To tell one peer of one join, from the same two."""

INIT = _measured["init"]
"""``/init``, which is asked before each socket, on a connection of its own."""

PREFLIGHT = _measured["preflight"]
"""What the browser asks before it where the page is of another origin, as in cells it is."""

# Assumed.
TOGETHER = 250.0
"""Messages a second in a room from which on frames follow each other, at 4 ms."""

COMMITS = 2000.0
"""Commits a second of one PostgreSQL that waits for its disk."""

SET = 8.0
"""Messages that are stored in one transaction in a busy cell."""

SOCKETS = 20_000
"""Sockets of one process; 5,000 are measured."""

SOCKET_KIB = 22
"""Of memory for a socket that does nothing: `memory_kib` of bench/latest.json."""

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
    cores = messages * (MESSAGE + RING * rings(peers, processes) + delivery(messages) * (peers - 1))
    return Load(cores, messages / SET, peers)


def delivery(messages: float) -> float:
    """Seconds for one delivery in a session of so many messages a second."""
    return DELIVERY_TOGETHER if messages >= TOGETHER else DELIVERY


def rings(peers: int, processes: int) -> float:
    """Times that a message is told or heard between processes: once, and by each other one where somebody is."""
    occupied = processes * (1 - (1 - 1 / processes) ** peers)
    return occupied if occupied > 1 else 0.0


def arrival(peers: int) -> float:
    """Seconds of one process until one more of a session's peers is in, half of whom are there already on average."""
    return PREFLIGHT + INIT + JOIN + ANNOUNCEMENT * peers / 2


def most_messages(processes: int) -> float:
    """Messages a second in rooms of five that so many processes can do, with PostgreSQL and Redis."""
    return FULL * processes / (MESSAGE + RING * rings(5, processes) + 4 * DELIVERY)


def most_on_sqlite() -> float:
    """The same of one process with SQLite."""
    return FULL / (MESSAGE_SQLITE + 4 * DELIVERY)


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
