"""The record of one room: one line for each thing that a client did or saw, in the order of time."""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from tests.support.server import Message

Outcome = Literal["ok", "fail", "info"]
"""Done, not done, or not known."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``process`` is a peer; ``call`` numbers the calls; ``value`` holds parameters, a result, an error or an event."""

    process: str
    kind: Literal["invoke", "ok", "fail", "info", "enters", "holds", "told"]
    name: str = ""
    call: int = 0
    session: str = ""
    seq: int = 0
    value: Any = None
    time: float = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A call from its start to its end, both lines of the history; one without an answer has no end."""

    process: str
    method: str
    params: Message
    start: int
    end: float = math.inf
    outcome: Outcome = "info"
    session: str = ""
    answer: Message = field(default_factory=dict)

    @property
    def lines(self) -> tuple[int, ...]:
        return (self.start,) if math.isinf(self.end) else (self.start, int(self.end))


@dataclass(slots=True)
class Stay:
    """A stretch of a session that a peer was told without a gap: what came after ``start``, up to ``end``.

    ``told`` are the lines of its events; ``roles`` the roles that it held, each with the number from which on.
    """

    process: str
    session: str
    start: int
    end: int
    roles: list[tuple[int, str]] = field(default_factory=list)
    told: list[tuple[int, Entry]] = field(default_factory=list)

    def covers(self, seq: int) -> bool:
        return self.start < seq <= self.end

    def role_at(self, seq: int) -> str:
        return [role for since, role in self.roles if since <= seq][-1]


class History:
    """What is written while the clients run; ``calls`` and ``stays`` make sense of it afterwards."""

    def __init__(self, entries: list[Entry] | None = None) -> None:
        self.entries = entries or []

    # --- Writing

    def invoke(self, process: str, method: str, params: Message) -> int:
        """Note that a call begins; returns its number."""
        number = len(self.entries)
        self._note(process, "invoke", name=method, call=number, value=params)
        return number

    def end(self, call: int, outcome: Outcome, value: Any = None, *, session: str = "") -> None:
        begun = self.entries[call]
        self._note(begun.process, outcome, name=begun.name, call=call, session=session, value=value)

    def enter(self, process: str, session: str, seq: int) -> None:
        """Note that a peer is in a session and is told all that comes after this number."""
        self._note(process, "enters", session=session, seq=seq)

    def hold(self, process: str, session: str, seq: int, role: str) -> None:
        """Note that a peer has a role for all that comes after this number."""
        self._note(process, "holds", session=session, seq=seq, value=role)

    def told(self, process: str, session: str, event: Message) -> None:
        seq = event.get("seq", 0)
        self._note(process, "told", name=event["method"], session=session, seq=seq, value=event["params"])

    def _note(self, process: str, kind: Any, **rest: Any) -> None:
        self.entries.append(Entry(process, kind, **rest, time=time.time()))

    def save(self, path: Path) -> None:
        path.write_text("".join(json.dumps(asdict(entry)) + "\n" for entry in self.entries))

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls([Entry(**json.loads(line)) for line in path.read_text().splitlines()])

    # --- Reading

    def calls(self, *methods: str) -> list[Call]:
        """All calls of these methods."""
        ends = {entry.call: line for line, entry in enumerate(self.entries) if entry.kind in ("ok", "fail", "info")}
        return [
            self._call(line, ends.get(entry.call))
            for line, entry in enumerate(self.entries)
            if entry.kind == "invoke" and entry.name in methods
        ]

    def _call(self, start: int, end: int | None) -> Call:
        begun = self.entries[start]
        if end is None:
            return Call(begun.process, begun.name, begun.value, start)
        ended = self.entries[end]
        assert ended.kind in ("ok", "fail", "info")
        # Of what became of it nothing is known, so it can still happen later.
        until = math.inf if ended.kind == "info" else end
        return Call(begun.process, begun.name, begun.value, start, until, ended.kind, ended.session, ended.value or {})

    def events(self, method: str) -> Iterator[tuple[int, Entry]]:
        """What anybody was told of this kind, with its line."""
        return (
            (line, entry) for line, entry in enumerate(self.entries) if entry.kind == "told" and entry.name == method
        )

    def stays(self) -> list[Stay]:
        stays: list[Stay] = []
        present: dict[str, Stay] = {}
        for line, entry in enumerate(self.entries):
            if entry.kind == "enters":
                stay = present[entry.process] = Stay(entry.process, entry.session, entry.seq, entry.seq)
                stays.append(stay)
            elif (current := present.get(entry.process)) and entry.session == current.session:
                _extend(current, line, entry)
        return stays


def _extend(stay: Stay, line: int, entry: Entry) -> None:
    if entry.kind == "told":
        stay.told.append((line, entry))
        stay.end = max(stay.end, entry.seq)
    elif entry.kind == "holds":
        stay.roles.append((entry.seq, entry.value))
    elif entry.kind == "ok":
        # An answer comes after everything up to its number.
        stay.end = max(stay.end, entry.value.get("seq", 0))
