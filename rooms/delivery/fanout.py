"""A room's members: they are told events, in order and as few writes as may be, and let go of.

What to write, to whom and when is decided by ``roster`` and ``batches``, which are pure; here it goes to sockets.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from rooms.delivery.batches import Batches
from rooms.delivery.roster import Member, Roster
from rooms.sockets.framing import framed
from rooms.sockets.outbox import GONE, Tally
from rooms.wire.close_codes import OPENED_ELSEWHERE, SENT_AWAY
from rooms.wire.effects import Came, CameBack, Effect, Granted, Left, Refresh, SentAway, StateChanged
from rooms.wire.events import End, Numbered
from rooms.wire.frames import notification
from rooms.wire.results import Attachment, Passing

log = logging.getLogger("rooms.fanout")


class Fanout:
    """See the module. ``clock`` tells the seconds that ``batches`` counts by."""

    def __init__(self, roster: Roster, batches: Batches, clock: Callable[[], float]) -> None:
        self._roster = roster
        self._batches = batches
        self._clock = clock
        # How to write to the members.
        self._writes: dict[Member, Callable[[bytes], object]] = {}
        self._common = Tally()

    # --- Events ---------------------------------------------------------------------------------

    def tell(self, event: Numbered) -> None:
        """Tell an event to those who get it."""
        told = self._roster.told(event)
        if told is None:
            return
        but, chosen = told
        if chosen is None:
            self._batches.pending.append((event.frame(), but, None))
            return
        # What waits for everybody was before it, and must not be overtaken.
        if self._batches.pending:
            self.flush()
        for shown, members in self._roster.shares(event, chosen):
            wire = framed(shown.frame())
            if len(members) == len(self._roster.members):
                self._write_to_all(wire)
            else:
                for member in members:
                    member.outbox.put(wire)

    def pass_on(self, passing: Passing) -> None:
        """Tell what has no number to those who get it, after the events that were delivered before."""
        told = self._roster.told(Numbered(0, passing.kind, "", passing.audience))
        if told is None:
            return
        but, chosen = told
        text = notification(passing.kind, passing.params)
        if chosen is None:
            self._batches.pending.append((text, but, None))
        for member in chosen or ():
            self.write(member, text)

    def tell_with_effect(self, event: Numbered, effect: Effect, answers: str = "") -> None:
        """Tell an event that changes the room besides; last let go of those who are no longer in the session.

        ``answers`` is the id of a peer that asked for this, and is told so by its answer.
        """
        # First of all, for the older socket of a peer is not told that it is back on the newer.
        if displaced := self._roster.learn(event):
            notice = notification("on-error", {"code": OPENED_ELSEWHERE, "message": "opened in another tab"})
            self._send_away(displaced, OPENED_ELSEWHERE, notice)
        self.tell(event)
        match effect:
            case Came() | CameBack():
                self._count_soon()
            case StateChanged(peer):
                self._correct(peer["peer_id"], peer["state"])
            case Granted(peer_id):
                holder = self._roster.members.get(peer_id)
                if holder and holder.granted:
                    holder.granted(event)
            case Refresh():
                for member, text in self._roster.refresh(event.seq, effect):
                    member.outbox.put(framed(text))
            case SentAway():
                for member in self._roster.sent_away(effect, event.audience):
                    self._send_away(member, SENT_AWAY)
            case Left(peer_id):
                leaver = self._roster.remove(peer_id)
                if leaver and peer_id == answers:
                    self._let_go(leaver, None)
                elif leaver:  # its answer was lost, and it may believe that it is still here
                    notice = notification("on-peer-leave-request", {"reason": "session expired", "room_end": False})
                    self._send_away(leaver, SENT_AWAY, notice)
                self._count_soon()

    def _correct(self, peer_id: str, state: str) -> None:
        """Tell a peer that it is connected, which it always was, if its process was taken for dead meanwhile."""
        member = self._roster.members.get(peer_id)
        if member and state == "connected" and (own := self._roster.own_update(peer_id)):
            self.write(member, own)

    def tell_session(self) -> None:
        """Tell everybody where the session is."""
        if self._roster.members:
            self._batches.pending.append((self._roster.session_info(), None, None))

    def _count_soon(self) -> None:
        self._batches.count_soon(self._clock(), large=self._roster.large)

    # --- Members --------------------------------------------------------------------------------

    def attach(self, member: Member, attachment: Attachment, *, told_policy: Mapping[str, Any]) -> None:
        """Make a peer's socket a member: it gets the state as it is now, then what follows."""
        self._batches.welcome(member)
        texts = self._roster.attach(member, attachment, told_policy=told_policy)
        self._writes[member] = member.outbox.write
        member.outbox.follow(self._common)
        if texts:
            member.outbox.put_state(b"".join(map(framed, texts)))

    def detach(self, member: Member) -> None:
        """Forget a member whose socket is closed."""
        if self._writes.pop(member, None):
            member.outbox.unfollow()
        self._roster.detach(member)

    def dismiss(self, member: Member) -> None:
        """Let a member go that is to get what is pending, but nothing later."""
        self.flush()
        self.detach(member)

    def observe(self, member: Member, keys: frozenset[str], values: Sequence[dict[str, Any]]) -> None:
        """Let a member observe these keys from now on; it is sent the values that it has not got."""
        if news := self._roster.observe(member, keys, values):
            self.write(member, notification("on-metadata-change", {"values": news}))

    def _send_away(self, member: Member, code: int, notice: str = "") -> None:
        self.dismiss(member)
        if notice:
            member.outbox.put(framed(notice))
        member.gone(code)

    def _let_go(self, member: Member, code: int | None) -> None:
        self.detach(member)
        member.gone(code)

    def finish(self, end: End | None, answers: str = "") -> None:
        """Let everybody go, for the session is over. All are told, but not who ended it and is told by its answer."""
        self.flush()
        params = {"reason": end.reason if end else "session ended", "room_end": True}
        notice = notification("on-peer-leave-request", params)
        for member in list(self._roster.members.values()):
            if end and end.by == member.peer_id == answers:
                self._let_go(member, None)
            else:
                self._send_away(member, SENT_AWAY, notice)

    def close_all(self, code: int) -> None:
        """Close every member's socket; the peers may come back."""
        self.flush()
        for member in list(self._roster.members.values()):
            self._let_go(member, code)

    # --- Writing --------------------------------------------------------------------------------

    def write(self, member: Member, text: str) -> None:
        """Send a frame to one member, after the events that were delivered before."""
        if self._batches.pending:
            self._batches.pending.append((text, None, member))
        else:
            member.outbox.put(framed(text))

    def flush(self) -> None:
        """Write what is pending now."""
        if self._batches.pending:
            self.flush_at(self._clock())

    def flush_at(self, now: float) -> None:
        """Write what is pending: the frames that all get as one, and to some their own."""
        # The clock of some loops stands still until they turn.
        started = time.perf_counter()
        common, own = self._batches.take(self._roster.members, now)
        # Those with answers first: they waited, and the others do not know for what.
        for member, wire in own.items():
            if wire:
                member.outbox.put(wire)
        if common:
            self._write_to_all(common, own)
        self._batches.cost = time.perf_counter() - started

    def _write_to_all(self, wire: bytes, but: Collection[Member] = ()) -> None:
        self._common.bytes += len(wire)
        # Taken out for the while: to ask for each of thousands whether it is among them would cost more.
        passed_over = {}
        for member in but:
            if spared := self._writes.pop(member, None):
                passed_over[member] = spared
        for write in self._writes.values():
            try:
                write(wire)
            except GONE:
                pass  # one that is gone must not keep the others from theirs
            except Exception:
                log.exception("a frame could not be written", extra={"context": {"room": self._roster.room_id}})
        self._writes |= passed_over
        for member in passed_over:
            member.outbox.spared(len(wire))
