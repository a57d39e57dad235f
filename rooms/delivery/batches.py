"""What is to be written to a room's members, together: frames that wait for others, for whom, and until when.

Pure: it takes frames and the time, and says when to write and what.
"""

import math
from collections.abc import Mapping
from typing import TypeAlias

from rooms.delivery.roster import Member
from rooms.sockets.framing import framed

_REST = 4
"""How much longer than writing to a room the pause before the next time is, as far as frames can wait."""

_MAX_GAP = 0.05
"""Seconds that a frame waits at most for others to go with it."""

_HEAD_COUNT_GAP, _LARGE_HEAD_COUNT_GAP = 0.5, 2.0
"""Seconds between two head counts told to a room, and to a large one."""

Batch: TypeAlias = tuple[bytes, Mapping[Member, bytes]]
"""Frames to write now: what all members get together, and what some get by themselves in place of that."""


class Batches:
    """See the module. ``due`` and ``count_due`` are when to write what is pending, and when to tell the head count.

    ``cost`` is how many seconds the last writing took, to be set after it.
    """

    def __init__(self, gap: float) -> None:
        self.gap = gap
        # A frame, who is passed over, and who alone gets it.
        self.pending: list[tuple[str, Member | None, Member | None]] = []
        self.due = self.count_due = math.inf
        self.cost = 0.0
        self._newcomers: dict[Member, int] = {}
        self._taken_at, self._counted_at = -math.inf, 0.0

    def welcome(self, member: Member) -> None:
        """Pass a new member over with what is pending: it got the state as it is after that."""
        if self.pending:
            self._newcomers[member] = len(self.pending)

    def is_due(self, now: float, *, patient: bool = False) -> bool:
        """Whether what is pending is to be written now, or else when; patient is for those who come and go."""
        if not self.pending:
            return False
        at = self._taken_at
        if self.gap:
            # A large room is written to so seldom that most of the time is left for everything else.
            at += min(max(self.gap, self.cost * _REST), _MAX_GAP)
            if patient:
                at = max(at, now + _MAX_GAP)
        if self.due <= at:
            return False  # a time is set already, and is soon enough
        self.due = at if at > now else math.inf
        return at <= now

    def take(self, members: Mapping[str, Member], now: float) -> Batch:
        """What is pending, which is to be written now."""
        pending, self.pending = self.pending, []
        newcomers, self._newcomers = self._newcomers, {}
        self.due, self._taken_at = math.inf, now
        frames, common, own = [], [], dict.fromkeys(newcomers, b"")
        for text, but, only in pending:
            wire = framed(text)
            frames.append((wire, but, only))
            if only is None:
                common.append(wire)
            if special := but or only:
                own[special] = b""
        for member in own:
            # Who is a member no more gets what was for it alone.
            since = newcomers.get(member, 0) if members.get(member.peer_id) is member else len(frames)
            wires = []
            for number, (wire, but, only) in enumerate(frames):
                if only is member or (only is None and but is not member and number >= since):
                    wires.append(wire)
            own[member] = b"".join(wires)
        return b"".join(common), own

    def count_soon(self, now: float, *, large: bool) -> None:
        """Have everybody told the head count, at most twice a second."""
        if self.count_due == math.inf:
            gap = _LARGE_HEAD_COUNT_GAP if large else _HEAD_COUNT_GAP
            self.count_due = max(now, self._counted_at + gap)

    def counted(self, now: float) -> None:
        self.count_due, self._counted_at = math.inf, now

    def forget(self) -> None:
        """Let nothing be due any more."""
        self.due = self.count_due = math.inf
