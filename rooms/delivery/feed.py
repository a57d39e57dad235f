"""A room's events on their way to the sockets of this process: in the order of their numbers, each once.

A feed follows one session. It holds what can be rebuilt from the rows: the place it has reached, everybody's peer
object ready to be listed, and the members, which are the peers whose sockets are here.
"""

import asyncio
import heapq
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings

from rooms.observe import metrics
from rooms.observe.background import attempt, spawn
from rooms.observe.logs import describe
from rooms.operations.engine.calls import Answer
from rooms.sockets.outbox import GONE, Outbox, Tally, framed
from rooms.wire.close_codes import OPENED_ELSEWHERE, SENT_AWAY, TOO_SLOW
from rooms.wire.effects import Came, CameBack, Left, Refresh, RoleChanged, SentAway, StateChanged, Updated
from rooms.wire.events import Audience, End, Numbered, compact
from rooms.wire.frames import notification
from rooms.wire.results import Attachment, Welcome

log = logging.getLogger("rooms.feed")

_PATIENCE = 0.02
"""Seconds for which a number that is missing may still come by itself."""

_REST = 4
"""How much longer than writing to a room the pause before the next time is, as far as frames can wait."""

_MAX_GAP = 0.05
"""Seconds that a frame waits at most for others to go with it."""

_SESSION_INFO_GAP, _LARGE_SESSION_INFO_GAP = 0.5, 2.0
"""Seconds between two head counts told to a room, and to a large one."""

_COMINGS_AND_GOINGS = frozenset({"on-peer-join", "on-peer-leave", "on-peer-state"})
"""News that can wait a moment for more of the kind, and that the members of a large room are not told at all."""

_NOBODY: frozenset[Any] = frozenset()


@dataclass(eq=False, slots=True)
class Member:
    """A peer whose socket is here. ``gone`` tells its consumer that it is a member no more, and the close code.

    ``told`` are the observed keys whose values it was sent when it came or asked for them; changes after ``place``, the
    number of the last event before it came, it was sent as well.
    """

    peer_id: str
    conn_id: str
    role: str
    observed: frozenset[str]
    legacy: bool
    outbox: Outbox
    gone: Callable[[int | None], None]
    told: Set[str] = frozenset()
    place: int = 0
    since: int = 0


@dataclass(slots=True)
class Arrival:
    """News of a session: of this process with the answer to a call, or of another one.

    ``reads`` is of an answer that was read beside the writer, of whose answers some may be under way yet.
    """

    session_id: str
    seq: int
    events: Sequence[Numbered]
    end: End | None
    answer: Answer | None = None
    done: Callable[[Answer], object] | None = None
    history: str = ""
    reads: bool = False

    @classmethod
    def of(cls, answer: Answer, done: Callable[[Answer], object] | None = None, *, reads: bool = False) -> "Arrival":
        """What an answer brings; with ``done`` the answer too, in its place."""
        given = answer if done else None
        return cls(answer.session_id, answer.seq, answer.events, answer.end, given, done, answer.history, reads)

    @property
    def first(self) -> int:
        """The number that the feed must have reached all but one of."""
        return self.events[0].seq if self.events else self.seq + 1

    def __lt__(self, other: "Arrival") -> bool:
        return self.first < other.first


class Missed(NamedTuple):
    """Events that were read, and which run of the database wrote the last of the session."""

    events: Sequence[Numbered]
    history: str


Fetch = Callable[[str, int, int, str], Awaitable[Missed | End | None]]
"""Reads the events of a session after a number, up to another, for who got the former in a history.

None if they are gone, or if the session's past is not that of this history; the End if the session is over.
"""


class Feed:
    """See the module. All methods are called on the event loop."""

    def __init__(self, room_id: str, fetch: Fetch) -> None:
        self.room_id = room_id
        self.session_id = ""
        self.last_seq = 0
        self.history = ""  # the run of the database that wrote the last event, as far as it is known
        self.users = 0  # sockets of this process in the room, joined or not
        self.in_flight = 0  # calls of this process that are not answered yet
        self.peers: dict[str, str] = {}
        self._room = "{}"
        self._large = False
        self.members: dict[str, Member] = {}
        # By key of the session's metadata: the number of its last change, and how many members observe it.
        self._changed: dict[str, int] = {}
        self._observing: Counter[str | None] = Counter()
        self._fetch = fetch
        self._loop = asyncio.get_running_loop()
        self._local: list[Arrival] = []
        self._reads: list[Arrival] = []
        self._remote: list[Arrival] = []
        self._early: list[Arrival] = []
        self._past: set[str] = set()  # histories that the database has forgotten, or left
        self._fetching = False
        self._patience: asyncio.TimerHandle | None = None
        # What waits to be written: a frame, who is passed over, and who alone gets it.
        self._pending: list[tuple[str, Member | None, Member | None]] = []
        self._newcomers: set[Member] = set()
        # How to write to the members.
        self._writes: dict[Member, Callable[[bytes], object]] = {}
        self._common = Tally()
        self._flushing: asyncio.TimerHandle | None = None
        self._flush_at = 0.0
        self._gap = settings.COALESCE_MS / 1000
        self._flush_after = 0.0
        # Events since the last time that something was written or a time was set for it, and whether all can wait.
        self._delivered, self._patient = 0, True
        self._counting: asyncio.TimerHandle | None = None
        self._counted_at = 0.0

    # --- News -----------------------------------------------------------------------------------

    def arrive(self, arrival: Arrival) -> None:
        """Take news; ``advance`` delivers what it brings as soon as everything before it was."""
        if arrival.answer is not None:
            (self._reads if arrival.reads else self._local).append(arrival)
        elif arrival.session_id == self.session_id:
            heapq.heappush(self._remote, arrival)
        elif self.in_flight:
            # Perhaps of the session that an answer under way leads to, perhaps of one that is over.
            self._early.append(arrival)

    def advance(self) -> None:
        """Deliver what is next, as far as it goes."""
        self._take_next()
        if self._delivered:
            metrics.EVENTS.inc(self._delivered)
            self._flush_soon(patient=self._patient)
            self._delivered, self._patient = 0, True

    def _take_next(self) -> None:
        if self._fetching:
            return
        while self._local:
            arrival = self._local[0]
            if self._is_ahead(arrival):
                if self._remote and not self._is_ahead(self._remote[0]):
                    self._take(heapq.heappop(self._remote))
                    continue
                self._start_fetch(arrival.first - 1)
                return
            self._local.pop(0)
            self._take(arrival)
        self._take_reads()
        # A set of this process may have committed between two that are told by others, or before what was read: its
        # answers, which have their place among the events, come first.
        if self.in_flight:
            return
        self._early.clear()
        while self._remote and not self._is_ahead(self._remote[0]):
            self._take(heapq.heappop(self._remote))
        self._take_reads()
        if (self._remote or self._reads) and self._patience is None:
            self._patience = self._loop.call_later(_PATIENCE, self._lose_patience)

    def _take_reads(self) -> None:
        reads, self._reads = self._reads, []
        for arrival in reads:
            if self._is_ahead(arrival):
                self._reads.append(arrival)
            else:
                self._take(arrival)

    def _is_ahead(self, arrival: Arrival) -> bool:
        """Whether something is missing before news that else would be taken.

        With news of another run of the database it is to be seen whether that goes on from where the feed is.
        """
        if arrival.session_id != self.session_id or arrival.history in self._past:
            return False
        return arrival.first > self.last_seq + 1 or self._is_of_another_history(arrival)

    def _is_of_another_history(self, arrival: Arrival) -> bool:
        return bool(arrival.events and self.history and arrival.history and arrival.history != self.history)

    def _lose_patience(self) -> None:
        self._patience = None
        waiting = [*self._remote, *self._reads]
        if waiting and not self._fetching and not self.in_flight:
            self._start_fetch(max(arrival.first - 1 for arrival in waiting))

    @property
    def place(self) -> tuple[int, str]:
        return self.last_seq, self.history

    def compare(self, found: int | End | None) -> None:
        """Go to where the session is in the database; None if the feed's place is not in its past."""
        if found is None:
            self.lose_place()
        elif isinstance(found, End):
            self.finish(found)
        elif found > self.last_seq and not self._fetching:
            self._start_fetch(found)
        self.advance()  # what waits for a place that is lost, or a session that is over, waits no more

    def _start_fetch(self, until: int) -> None:
        self._fetching = True
        metrics.GAP_REPAIRS.inc()
        spawn(self._repair(self.session_id, max(until, self.last_seq)))

    async def _repair(self, session_id: str, until: int) -> None:
        waiting = [*self._local[:1], *self._remote]
        try:
            missed = await self._fetch(session_id, self.last_seq, until, self.history)
        except Exception as error:
            context = {"session": session_id, "why": describe(error)}
            log.error("missed events cannot be read", extra={"context": context})
            await asyncio.sleep(1)
            missed = Missed((), self.history)  # asked for again as long as something waits for them
            waiting.clear()
        self._fetching = False
        if session_id == self.session_id:
            if missed is None:
                self.lose_place()
            elif isinstance(missed, End):
                self.finish(missed)
            else:
                self._turn_to(missed.history)
                # What was told before the database was read, of a history that is not in it, is of one that it forgot.
                self._past |= {arrival.history for arrival in waiting if self._is_of_another_history(arrival)}
                attempt(self._deliver, missed.events)
        self.advance()

    def _turn_to(self, history: str) -> None:
        """Go on in another history, and let clients know, whose places are of it from now on."""
        if history and history != self.history:
            self._past |= {self.history} - {""}
            self.history = history
            if self.members:
                self._pending.append((self._session_info(), None, None))
                self._flush_soon()

    def lose_place(self) -> None:
        """What was missed is no longer kept, or what was told never was: everybody starts over from the full state."""
        metrics.RESYNCS.inc(len(self.members))
        log.warning("a place in the journal is lost", extra={"context": {"session": self.session_id}})
        self.close_all(TOO_SLOW)
        self._forget()

    def _take(self, arrival: Arrival) -> None:
        # An error in here must not keep an answer from its caller, nor others from theirs.
        attempt(self._follow, arrival)
        if arrival.answer and arrival.done:
            attempt(arrival.done, arrival.answer)

    def _follow(self, arrival: Arrival) -> None:
        given = arrival.answer.for_socket if arrival.answer else None
        attachment = given.attachment if isinstance(given, Welcome) else given
        if arrival.session_id == self.session_id:
            if arrival.history in self._past:
                return
            if not self.history:
                self._turn_to(arrival.history)
            self._deliver(arrival.events)
            if arrival.end:
                self.finish(arrival.end)
        elif isinstance(attachment, Attachment) and attachment.peers is not None:
            self._begin(arrival, attachment, attachment.peers)

    def _begin(self, arrival: Arrival, attachment: Attachment, peers: Mapping[str, str]) -> None:
        """Follow the session of a peer that came."""
        if self.session_id:
            self.finish(None)
        self.session_id, self.last_seq, self.history = arrival.session_id, arrival.seq, arrival.history
        for peer_id, wire in peers.items():
            self._list(peer_id, wire)
        self._room, self._large = compact(attachment.room), attachment.large
        for early in self._early:
            if early.session_id == self.session_id:
                heapq.heappush(self._remote, early)
        self._early.clear()

    # --- Events ---------------------------------------------------------------------------------

    def _deliver(self, events: Sequence[Numbered]) -> None:
        for event in events:
            if event.seq <= self.last_seq:
                continue
            self._delivered += 1
            self._patient = self._patient and event.kind in _COMINGS_AND_GOINGS
            self.last_seq = event.seq
            if event.effect is None:
                self._spread(event)
            else:
                self._learn(event)
                self._spread(event)
                self._follow_up(event)
        if not self._gap:
            self._flush()

    def _learn(self, event: Numbered) -> None:
        """Take over what must be known before the event is spread."""
        match event.effect:
            case Came(peer_id, conn_id):
                self._list(peer_id, event.body)
                self._attached_elsewhere(peer_id, conn_id)
            case CameBack(peer, conn_id):
                self._list(peer["peer_id"], compact(peer))
                self._attached_elsewhere(peer["peer_id"], conn_id)
            case StateChanged(peer):
                self._list(peer["peer_id"], compact(peer))
            case Updated(peer_id):
                self._list(peer_id, event.body)
            case RoleChanged(peer_id, _, role) if member := self.members.get(peer_id):
                member.role = role

    def _attached_elsewhere(self, peer_id: str, conn_id: str) -> None:
        member = self.members.get(peer_id)
        if member and member.conn_id != conn_id:
            notice = notification("on-error", {"code": OPENED_ELSEWHERE, "message": "opened in another tab"})
            self._send_away(member, notice, OPENED_ELSEWHERE)
        self._count_soon()

    def _follow_up(self, event: Numbered) -> None:
        """Do what comes after the event, and let go of those who are no longer in the session."""
        match event.effect:
            case StateChanged({"peer_id": peer_id, "state": "connected"}) if member := self.members.get(peer_id):
                # It always was, but its process was taken for dead meanwhile.
                if own := self._own_update(peer_id):
                    self.write(member, own)
            case SentAway(whom):
                for member in [member for member in self.members.values() if whom in (None, member.peer_id)]:
                    if event.audience.includes(member.peer_id, member.role, member.observed):
                        self._send_away(member, None, SENT_AWAY)
            case Left(peer_id):
                self.peers.pop(peer_id, None)
                if (leaver := self.members.get(peer_id)) is not None:
                    self.detach(leaver)
                    leaver.gone(None)
                self._count_soon()

    def _spread(self, event: Numbered) -> None:
        audience = event.audience
        if audience.nobody or not self.members or (self._large and event.kind in _COMINGS_AND_GOINGS):
            return
        text = event.frame()
        if not (audience.peer or audience.roles or audience.key is not None):
            self._pending.append((text, self.members.get(audience.but), None))
            return
        wire = framed(text)
        self._flush()
        if audience.key is not None:
            self._changed[audience.key] = event.seq
        # A key is most often observed by everybody, who then need not be asked one by one.
        if audience == Audience(key=audience.key) and self._observing[audience.key] == len(self.members):
            self._write_to_all(wire, _NOBODY)
        else:
            for member in self.members.values():
                if audience.includes(member.peer_id, member.role, member.observed):
                    member.outbox.put(wire)
        if isinstance(event.effect, Refresh):
            self._refresh_legacy(event.seq, event.effect.at)

    def _refresh_legacy(self, seq: int, at: int) -> None:
        """Tell clients that know no pushed metadata to fetch it, in the way that their apps listen for."""
        refresh = notification(
            "on-broadcast",
            {
                "message_id": f"refresh-{seq}",
                "timestamp": at,
                "private": False,
                "info": {"message": "refresh", "type": "metadata"},
            },
        )
        for member in self.members.values():
            if member.legacy:
                member.outbox.put(framed(refresh))

    # --- Members --------------------------------------------------------------------------------

    def attach(self, member: Member, attachment: Attachment, *, told_role: str) -> None:
        """Make a peer's socket a member: it gets the state as it is at this number, then what follows.

        ``told_role`` is the role that it was told it has when its socket was opened.
        """
        if attachment.room["session_id"] != self.session_id:
            member.gone(TOO_SLOW)  # the place was lost meanwhile
            return
        self._newcomers.add(member)
        member.since = len(self._pending)
        member.place = self.last_seq
        self.members[member.peer_id] = member
        self._count_observers(frozenset(), member.observed)
        self._writes[member] = member.outbox.write
        member.outbox.follow(self._common)
        if attachment.replay is not None:
            missed = [event for event in attachment.replay if not (self._large and event.kind in _COMINGS_AND_GOINGS)]
            texts = [event.frame() for event in missed]
            member.told = {key for event in attachment.replay if (key := event.audience.key) is not None}
        else:
            texts = [self._peer_list(member.peer_id), self._session_info()]
            if self._large:
                room_info = {"room_id": self.room_id, "large_room_optimization": True}
                texts.append(notification("room-info", room_info))
            if attachment.values:
                texts.append(notification("on-metadata-change", {"values": attachment.values}))
            texts += [notification(method, params) for method, params in attachment.polls]
            member.told = member.observed
        if attachment.had_other_roles or attachment.role != told_role:
            texts.append(notification("on-policy-change", attachment.policy))
        if attachment.returning and (own := self._own_update(member.peer_id)):
            texts.append(own)
        if texts:
            member.outbox.put_state(b"".join(map(framed, texts)))

    def _own_update(self, peer_id: str) -> str | None:
        """What a peer is told of itself where events told it how it was when they happened, or did not tell it."""
        entry = self.peers.get(peer_id)
        return entry and f'{{"method":"on-peer-update","params":{entry[len(compact(peer_id)) + 1 :]}}}'

    def detach(self, member: Member) -> None:
        """Forget a member whose socket is closed, or which is to be attached anew."""
        if self._writes.pop(member, None):
            member.outbox.unfollow()
        if self.members.get(member.peer_id) is member:
            del self.members[member.peer_id]
            self._count_observers(member.observed, frozenset())

    def _count_observers(self, before: frozenset[str], now: frozenset[str]) -> None:
        for key in now - before:
            self._observing[key] += 1
        for key in before - now:
            self._observing[key] -= 1
            if not self._observing[key]:
                del self._observing[key]

    def dismiss(self, member: Member) -> None:
        """Let a member go that is to get what is pending, but nothing later."""
        self._flush()
        self.detach(member)

    def observe(self, member: Member, keys: frozenset[str], values: Sequence[dict[str, Any]]) -> None:
        """Let a member observe these keys from now on; it is sent the values that it has not got."""
        told = {key for key in member.observed if key in member.told or self._changed.get(key, 0) > member.place}
        news = [value for value in values if value["key"] not in told]
        self._count_observers(member.observed, keys)
        member.observed = member.told = keys
        if news:
            self.write(member, notification("on-metadata-change", {"values": news}))

    def write(self, member: Member, text: str) -> None:
        """Send a frame to one member, after the events that were delivered before."""
        if self._pending:
            self._pending.append((text, None, member))
        else:
            member.outbox.put(framed(text))

    def _send_away(self, member: Member, notice: str | None, code: int) -> None:
        self.dismiss(member)
        if notice:
            member.outbox.put(framed(notice))
        member.gone(code)

    def finish(self, end: End | None) -> None:
        """The session is over. Members that have not been told otherwise are told, but not who ended it."""
        self._flush()
        notice = notification(
            "on-peer-leave-request",
            {"reason": end.reason if end else "session ended", "room_end": True},
        )
        for member in list(self.members.values()):
            if end and end.by == member.peer_id:
                self.detach(member)
                member.gone(None)
            else:
                self._send_away(member, notice, SENT_AWAY)
        self._forget()

    def close_all(self, code: int) -> None:
        """Close every member's socket; the peers may come back."""
        self._flush()
        for member in list(self.members.values()):
            self.detach(member)
            member.gone(code)

    def _forget(self) -> None:
        self.session_id, self.last_seq, self.history, self.peers, self._changed = "", 0, "", {}, {}
        self._remote.clear()
        self._past.clear()
        for timer in (self._counting, self._flushing, self._patience):
            if timer:
                timer.cancel()
        self._counting = self._flushing = self._patience = None

    # --- Writing --------------------------------------------------------------------------------

    def _flush_soon(self, *, patient: bool = False) -> None:
        """Write what is pending, now or soon with what follows; patient is for those who come and go."""
        if not self._pending:
            return
        now = self._loop.time()
        at = max(self._flush_after, now + _MAX_GAP if patient and self._gap else 0)
        if self._flushing:
            if self._flush_at <= at:
                return
            self._flushing.cancel()
            self._flushing = None
        if at <= now:
            self._flush()
        else:
            self._flush_at = at  # not every loop's timer can tell
            self._flushing = self._loop.call_at(at, self._flush)

    def _flush(self) -> None:
        """Write what is pending: the frames that all get as one, and to each of the others its own."""
        if self._flushing:
            self._flushing.cancel()
            self._flushing = None
        pending, self._pending = self._pending, []
        newcomers, self._newcomers = self._newcomers, set()
        if not pending:
            return
        started = self._loop.time()
        if len(pending) == 1 and not newcomers:
            [(text, but, only)] = pending
            if only:
                only.outbox.put(framed(text))
            else:
                self._write_to_all(framed(text), {but} if but else _NOBODY)
        else:
            self._write_frames([(framed(text), but, only) for text, but, only in pending], newcomers)
        # A large room is written to so seldom that most of the time is left for everything else.
        cost = self._loop.time() - started
        self._flush_after = started + (min(max(self._gap, cost * _REST), _MAX_GAP) if self._gap else 0)

    def _write_frames(
        self, frames: Sequence[tuple[bytes, Member | None, Member | None]], newcomers: Set[Member]
    ) -> None:
        special = {member for _, but, only in frames if (member := but or only)} | newcomers
        common = b"".join([wire for wire, _, only in frames if only is None])
        if common:
            self._write_to_all(common, special)
        for member in special:
            is_member = self.members.get(member.peer_id) is member
            since = member.since if member in newcomers else 0
            own = [
                wire
                for wire, but, only in frames[since:]
                if only is member or (only is None and but is not member and is_member)
            ]
            if own:
                member.outbox.put(b"".join(own))

    def _write_to_all(self, wire: bytes, but: Set[Member]) -> None:
        self._common.bytes += len(wire)
        passed_over = {member: self._writes.pop(member) for member in but if member in self._writes}
        for write in self._writes.values():
            try:
                write(wire)
            except GONE:
                pass  # one that is gone must not keep the others from theirs
            except Exception:
                log.exception("a frame could not be written", extra={"context": {"room": self.room_id}})
        self._writes |= passed_over
        for member in passed_over:
            member.outbox.spared(len(wire))

    def _list(self, peer_id: str, wire: str) -> None:
        """Keep a peer object ready for the list that newcomers get."""
        self.peers[peer_id] = f"{compact(peer_id)}:{wire}"

    def _peer_list(self, peer_id: str) -> str:
        listed = "" if self._large else ",".join([entry for key, entry in self.peers.items() if key != peer_id])
        return f'{{"method":"peer-list","params":{{"peers":{{{listed}}},"room":{self._room}}}}}'

    def _session_info(self) -> str:
        return notification(
            "session-info",
            {
                "session_id": self.session_id,
                "history": self.history,
                "room_id": self.room_id,
                "peer_count": len(self.peers),
                "track_count": 0,
            },
        )

    def _count_soon(self) -> None:
        """Tell everybody the head count, at most twice a second."""
        if self._counting is None:
            gap = _LARGE_SESSION_INFO_GAP if self._large else _SESSION_INFO_GAP
            wait = self._counted_at + gap - self._loop.time()
            self._counting = self._loop.call_later(max(0, wait), self._tell_count)

    def _tell_count(self) -> None:
        self._counting, self._counted_at = None, self._loop.time()
        if self.members:
            self._pending.append((self._session_info(), None, None))
            self._flush_soon(patient=True)
