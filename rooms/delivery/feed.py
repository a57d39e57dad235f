"""A room's events on their way to the sockets of this process: in the order of their numbers, each once.

A feed follows one session. What is next is decided by its ``order``, who is told what and when by its ``roster`` and
``batches``, which are pure; here are the timers, and what is read of the database.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.conf import settings

from rooms.delivery.batches import Batches
from rooms.delivery.fanout import Fanout
from rooms.delivery.order import Arrival, Gap, Missed, Order
from rooms.delivery.roster import COMINGS_AND_GOINGS, Member, Roster
from rooms.observe import metrics
from rooms.observe.background import attempt, report, spawn
from rooms.observe.logs import describe
from rooms.operations.engine.calls import Answer
from rooms.wire.close_codes import TOO_SLOW
from rooms.wire.events import End, Numbered
from rooms.wire.rates import Bucket
from rooms.wire.results import Attachment, Passing, Welcome

log = logging.getLogger("rooms.feed")

_PAUSE = 1.0
"""Seconds until what could not be read is asked for again."""

_PASSINGS = 20, 40
"""Of what is kept nowhere so much is told a second, and at once: each member may cause it, and all of them hear it."""

Fetch = Callable[[str, int, int, str], Awaitable[Missed | End | None]]
"""Reads the events of a session after a number, up to another, for who got the former in a history.

None if they are gone, or if the session's past is not that of this history; the End if the session is over.
"""


def news_of(answer: Answer, done: Callable[[Answer], object] | None = None, *, reads: bool = False) -> Arrival:
    """What an answer brings; with ``done`` the answer too, in its place."""
    given = answer.for_socket
    attachment = given.attachment if isinstance(given, Welcome) else given
    return Arrival(
        answer.session_id,
        answer.seq,
        answer.events,
        answer.end,
        partial(done, answer) if done else None,
        answer.history,
        attachment if isinstance(attachment, Attachment) else None,
        "" if done is None or answer.error else answer.call.caller.peer_id,
        reads,
    )


class Feed:
    """See the module. All methods are called on the event loop."""

    def __init__(self, room_id: str, fetch: Fetch) -> None:
        self.room_id = room_id
        self.users = 0  # sockets of this process in the room, joined or not
        self._fetch = fetch
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf  # not every loop's timer can tell
        self.order = Order()
        self.arrive = self.order.arrive
        self.roster = Roster(room_id, self.order)
        self._batches = Batches(settings.COALESCE_MS / 1000)
        self._fanout = fanout = Fanout(self.roster, self._batches, self._loop.time)
        self.write, self.observe, self.close_all = fanout.write, fanout.observe, fanout.close_all
        self.detach, self.dismiss = fanout.detach, fanout.dismiss
        self._passings = Bucket(*_PASSINGS, self._loop.time)
        # Events since the last time that something was written or a time was set for it, and whether all can wait.
        self._delivered, self._patient = 0, True

    def attach(self, member: Member, attachment: Attachment, *, seq: int, told_policy: Mapping[str, Any]) -> None:
        """Make a peer's socket a member: it gets the state as it is at number ``seq``, then what follows.

        ``told_policy`` is what it was told of roles and rules when its socket was opened, empty if that may be old.
        """
        # When the database came to be another, all of it was read, also what stands behind an answer under way.
        if attachment.room["session_id"] == self.order.session_id and seq >= self.order.seq:
            self._fanout.attach(member, attachment, told_policy=told_policy)
        else:
            member.gone(TOO_SLOW)  # the place was lost meanwhile

    # --- News

    def advance(self) -> None:
        """Deliver what is next, as far as it goes."""
        now = self._loop.time()
        while news := self.order.next(now):
            if isinstance(news, Gap):
                self._read(news)
            else:
                self._take(news)
        if self._delivered:
            metrics.EVENTS.count += self._delivered
            if self._batches.pending and self._batches.is_due(now, patient=self._patient):
                self._fanout.flush_at(now)
            self._delivered, self._patient = 0, True
        if min(self._batches.due, self._batches.count_due, self.order.look_at) < self._timer_at:
            self._set_timer()

    def _take(self, arrival: Arrival) -> None:
        # An error in here must not keep an answer from its caller, nor others from theirs.
        try:
            self._follow(arrival)
        except Exception as error:
            report(self._follow, error)
        if arrival.done:
            try:
                arrival.done()
            except Exception as error:
                report(arrival.done, error)

    def _follow(self, arrival: Arrival) -> None:
        attachment = arrival.attachment
        if arrival.session_id == self.order.session_id:
            if arrival.history in self.order.past:
                return
            # Nothing has said so far of which run of the database the session is.
            if not self.order.history:
                self._turn_to(arrival.history)
            self._deliver(arrival.events, arrival.answers)
            if arrival.end:
                self.finish(arrival.end, arrival.answers)
        elif attachment and attachment.peers is not None:
            self._begin(arrival, attachment, attachment.peers)

    def _begin(self, arrival: Arrival, attachment: Attachment, peers: Mapping[str, str]) -> None:
        """Follow the session of a peer that came."""
        if self.order.session_id:
            self.finish(None)
        self.order.begin(arrival.session_id, arrival.seq, arrival.history)
        self.roster.begin(attachment, peers)

    def _deliver(self, events: Sequence[Numbered], answers: str = "") -> None:
        """Deliver events, by which a peer may be given what it asked for."""
        order = self.order
        for event in events:
            if event.seq <= order.seq:
                continue
            self._delivered += 1
            self._patient = self._patient and event.kind in COMINGS_AND_GOINGS
            order.seq = event.seq
            if event.effect is None:
                self._fanout.tell(event)
            else:
                self._fanout.tell_with_effect(event, event.effect, answers)
        if not self._batches.gap:
            self._fanout.flush()

    def _turn_to(self, history: str, *, told: frozenset[str] = frozenset()) -> None:
        """Go on in a history; if it is another one let clients know, whose places are of it from now on."""
        if self.order.turn_to(history, told=told):
            self._fanout.tell_session()
            self._flush_if_due(self._loop.time())

    def pass_on(self, session_id: str, passing: Passing) -> None:
        """Tell what is kept nowhere, unless there is too much of it."""
        if session_id == self.order.session_id and not self.roster.large and self._passings.take():
            self._fanout.pass_on(passing)
            self._flush_if_due(self._loop.time(), patient=True)
            self._set_timer()

    # --- What was missed

    def compare(self, found: int | End | None) -> None:
        """Go to where the session is in the database; None if the feed's place is not in its past."""
        if not isinstance(found, int):
            self._break_off(found)
        elif gap := self.order.compare(found):
            self._read(gap)
        self.advance()  # what waits for a place that is lost, or a session that is over, waits no more

    def _read(self, gap: Gap) -> None:
        metrics.GAP_REPAIRS.inc()
        spawn(self._repair(gap))

    async def _repair(self, gap: Gap) -> None:
        try:
            missed = await self._fetch(gap.session_id, gap.after, gap.until, gap.history)
        except Exception as error:
            context = {"session": gap.session_id, "why": describe(error)}
            log.error("missed events cannot be read", extra={"context": context})
            await asyncio.sleep(_PAUSE)
            self.order.close(gap)  # asked for again as long as something waits for it
        else:
            if self.order.close(gap):
                self._make_good(gap, missed)
        self.advance()

    def _make_good(self, gap: Gap, missed: Missed | End | None) -> None:
        if isinstance(missed, Missed):
            self._turn_to(missed.history, told=gap.told)
            attempt(self._deliver, missed.events)
        else:
            self._break_off(missed)

    def _break_off(self, end: End | None) -> None:
        """Stop where the session is over, or where the database knows nothing of the place."""
        if end:
            self.finish(end)
        else:
            self.lose_place()

    def lose_place(self) -> None:
        """What was missed is no longer kept, or what was told never was: everybody starts over from the full state."""
        metrics.RESYNCS.inc(len(self.roster.members))
        log.warning("a place in the journal is lost", extra={"context": {"session": self.order.session_id}})
        self._fanout.close_all(TOO_SLOW)
        self._forget()

    def finish(self, end: End | None, answers: str = "") -> None:
        """The session is over, perhaps as a peer asked that is told so by its answer, and nothing follows."""
        self._fanout.finish(end, answers)
        self._forget()

    def _forget(self) -> None:
        self.order.forget()
        self.roster.forget()
        self._batches.forget()

    # --- Time

    def _set_timer(self) -> None:
        due = min(self._batches.due, self._batches.count_due, self.order.look_at)
        if due < self._timer_at:
            if self._timer:
                self._timer.cancel()
            self._timer, self._timer_at = self._loop.call_at(due, self._wake), due

    def _wake(self) -> None:
        # A timer may be early by the resolution of the loop's clock.
        now = max(self._loop.time(), self._timer_at)
        self._timer, self._timer_at = None, math.inf
        if self._batches.due <= now:
            self._fanout.flush_at(now)
        if self._batches.count_due <= now:
            self._batches.counted(now)
            self._fanout.tell_session()
            self._flush_if_due(now, patient=True)
        if self.order.look_at <= now and (gap := self.order.look()):
            self._read(gap)
        self._set_timer()

    def _flush_if_due(self, now: float, *, patient: bool = False) -> None:
        if self._batches.is_due(now, patient=patient):
            self._fanout.flush_at(now)
