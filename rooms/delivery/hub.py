"""One hub per process: it has operations run, and brings what they cause to the sockets of this process.

It lives on the event loop; ``perform_now`` serves synchronous code.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction

from rooms.delivery.doorbell import Doorbell
from rooms.delivery.feed import Feed, news_of
from rooms.delivery.giving_way import giving_way
from rooms.delivery.order import Arrival, Missed
from rooms.delivery.positions import Positions, missed
from rooms.delivery.writer import Writer
from rooms.observe import metrics
from rooms.observe.background import attempt, keep_doing, release_connection, spawn
from rooms.observe.logs import describe
from rooms.operations.engine import gate
from rooms.operations.engine.calls import Answer, Call, Caller, Operation
from rooms.sockets.outbox import Outbox
from rooms.wire.close_codes import RESTART
from rooms.wire.errors import HeldUp
from rooms.wire.events import End
from rooms.wire.results import Passing

log = logging.getLogger("rooms.hub")


_LOOK_SECONDS = 2.5
"""Between two looks at each socket for whether it reads; at most, for it may be given up after a shorter time."""

_SOON = 0.25
"""Seconds for which synchronous code waits for what it can also read by itself."""

Done = Callable[[Answer], object]


class Connection(NamedTuple):
    """A socket of this process: how to close it with a code, what waits to be sent, and whose key signed its token.

    ``revoke`` closes it because its access key is good no longer.
    """

    close: Callable[[int], None]
    outbox: Outbox
    access_key: str
    revoke: Callable[[], None]


class _Asked(NamedTuple):
    """Who waits for an answer, whose feed it passes, and since when (seconds)."""

    done: Done
    feed: Feed | None
    at: float


class Hub:
    """See the module. Made by ``get``, on the event loop that it then belongs to."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.name = secrets.token_hex(8)
        self.feeds: dict[str, Feed] = {}
        self.ticked_at = self._look_at = time.monotonic()
        self._positions = Positions()
        self.connections: dict[str, Connection] = {}
        """By conn id."""
        self._writer: Writer[_Asked] = Writer(self._finished)
        self._reader = ThreadPoolExecutor(2, thread_name_prefix="reader")
        self._doorbell = Doorbell(self.name, self.feeds, self._heard, self._pass)
        self._doorbell.start()
        self._tasks = [
            spawn(keep_doing(self._check_positions, every=lambda: settings.POSITION_CHECK_INTERVAL)),
            spawn(keep_doing(self._tick, every=lambda: min(1.0, settings.LEASE_TTL / 4))),
        ]

    # --- Operations -----------------------------------------------------------------------------

    def submit(
        self, operation: Operation, caller: Caller, arguments: Mapping[str, Any], done: Done, *, aside: bool = True
    ) -> None:
        """Have an operation run. done gets the answer in its place: after the events before it, before those after.

        One that reads is run aside, or else with those that write, which remember the room, and has no place then.
        """
        feed = self.feeds.get(caller.room_id)
        if feed and not operation.reads:
            feed.order.in_flight += 1  # news of others waits for what was committed before it, and reads commit nothing
        call = Call(operation, caller, arguments, feed.order.session_id if feed else "")
        now = time.perf_counter()
        if operation.reads and aside:
            self._reader.submit(self._answer_reading, call, _Asked(done, feed, now))
        else:
            self._writer.submit(call, _Asked(done, None if operation.reads else feed, now))

    def _answer_reading(self, call: Call, asked: _Asked) -> None:
        with giving_way():
            answer = gate.read(call)
            attempt(release_connection)
        try:
            self.loop.call_soon_threadsafe(self._finished, [(answer, asked)])
        except RuntimeError:
            pass  # the loop was closed meanwhile: nobody is left to be told

    async def perform(
        self, operation: Operation, caller: Caller, *, aside: bool = True, **arguments: Any
    ) -> Mapping[str, Any]:
        """The result of an operation, run as by ``submit``. Raises RoomError."""
        future: asyncio.Future[Answer] = self.loop.create_future()

        def settle(answer: Answer) -> None:
            if not future.done():
                future.set_result(answer)

        self.submit(operation, caller, arguments, settle, aside=aside)
        answer = await future
        if answer.error:
            raise answer.error
        return answer.result

    def _finished(self, answered: list[tuple[Answer, _Asked]]) -> None:
        now = time.perf_counter()
        feeds = set()
        for answer, (done, feed, at) in answered:
            metrics.OPERATION_SECONDS.observe(answer.call.operation.name, now - at)
            if feed:
                reads = answer.call.operation.reads
                if not reads:
                    feed.order.in_flight -= 1
                feed.arrive(news_of(answer, done, reads=reads))
                feeds.add(feed)
            else:
                attempt(done, answer)
        # After all have arrived, so that what they cause is written together.
        for feed in feeds:
            attempt(feed.advance)
        self.ring(answer for answer, _ in answered)

    def ring(self, answers: Iterable[Answer]) -> None:
        """Tell other processes what these answers caused."""
        if not self._doorbell.reaches_others:
            return
        told: dict[tuple[str, str], Arrival] = {}
        for answer in answers:
            if answer.events or answer.end:
                news = told.setdefault((answer.call.caller.room_id, answer.session_id), news_of(answer))
                if news.seq < answer.seq:
                    news.events, news.seq = [*news.events, *answer.events], answer.seq
                news.end = answer.end or news.end
        for (room_id, _), news in told.items():
            attempt(self._doorbell.publish, room_id, news)

    def take_from_thread(self, answers: Sequence[Answer]) -> None:
        """Deliver what synchronous code of this process committed, and tell the others."""
        for answer in answers:
            if answer.events or answer.end:
                attempt(self._heard, answer.call.caller.room_id, news_of(answer))
        self.ring(answers)

    # --- Feeds ----------------------------------------------------------------------------------

    async def open_feed(self, room_id: str) -> Feed:
        """The room's feed, kept until ``close_feed`` was called as often as this."""
        feed = self.feeds.get(room_id)
        if feed is None:
            feed = self.feeds[room_id] = Feed(room_id, self._read)
            feed.users += 1
            metrics.ROOMS.set(len(self.feeds))
            # Heard first, then read: nothing falls between.
            try:
                await self._doorbell.listen(room_id)
            except asyncio.CancelledError:
                self.close_feed(feed)  # its socket is gone meanwhile
                raise
        else:
            feed.users += 1
        return feed

    def close_feed(self, feed: Feed) -> None:
        feed.users -= 1
        # It is made anew from the rows when somebody comes, and so holds nothing that could be old.
        if not feed.users:
            del self.feeds[feed.room_id]
            metrics.ROOMS.set(len(self.feeds))

    def _heard(self, room_id: str, arrival: Arrival) -> None:
        if feed := self.feeds.get(room_id):
            feed.arrive(arrival)
            feed.advance()

    def pass_on(self, room_id: str, session_id: str, passing: Passing) -> None:
        """Tell the members of a session, in all processes, something that is kept nowhere."""
        self._pass(room_id, session_id, passing)
        if self._doorbell.reaches_others:
            attempt(self._doorbell.pass_on, room_id, session_id, passing)

    def _pass(self, room_id: str, session_id: str, passing: Passing) -> None:
        if feed := self.feeds.get(room_id):
            feed.pass_on(session_id, passing)

    async def read(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function that reads the database returns; it runs in a thread."""

        def run() -> Any:
            try:
                with giving_way():
                    return function(*arguments)
            finally:
                release_connection()

        return await self.loop.run_in_executor(self._reader, run)

    async def _read(self, session_id: str, after: int, until: int, history: str) -> Missed | End | None:
        found: Missed | End | None = await self.read(missed, session_id, after, until, history)
        return found

    async def _check_positions(self) -> None:
        """Find what was missed although no later event told of the gap, and what was told and is no more."""
        places = {feed.order.session_id: feed.order.place for feed in self.feeds.values() if feed.order.session_id}
        try:
            elsewhere = await self.read(self._positions.elsewhere, places)
        except Exception as error:
            log.warning("positions cannot be checked", extra={"context": {"why": describe(error)}})
            return
        followed = {feed.order.session_id: feed for feed in self.feeds.values()} if elsewhere else {}
        for session_id, found in elsewhere.items():
            feed = followed.get(session_id)
            if feed and not feed.order.in_flight:
                attempt(feed.compare, found)

    async def _tick(self) -> None:
        """Show that the event loop is alive, and find sockets that do not read."""
        self.ticked_at = time.monotonic()
        if self.ticked_at >= self._look_at:
            self._look_at = self.ticked_at + min(_LOOK_SECONDS, settings.MAX_UNSENT_SECONDS / 4)
            for open_now in list(self.connections.values()):
                attempt(open_now.outbox.check, self.ticked_at)

    def access_keys(self) -> set[str]:
        """Those that signed the tokens of this process's sockets."""
        return {connection.access_key for connection in list(self.connections.values())}

    def revoke_tokens(self, access_keys: Collection[str]) -> None:
        """Close the sockets whose tokens one of these keys signed."""
        for connection in list(self.connections.values()):
            if connection.access_key in access_keys:
                attempt(connection.revoke)

    def close_connection(self, conn_id: str) -> None:
        """Close the socket of a connection, whose client may come back."""
        if found := self.connections.get(conn_id):
            attempt(found.close, RESTART)

    async def settle(self) -> None:
        """Wait until everything that was submitted is stored."""
        while not self._writer.idle:  # noqa: ASYNC110, an event would cost every call something
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._doorbell.close()
        await self.loop.run_in_executor(None, self._writer.close)
        self._reader.shutdown(wait=True)


# --- The process's hub ------------------------------------------------------------------------------

_hub: Hub | None = None


def get() -> Hub:
    """The hub of this process, made if need be. Call it on the event loop."""
    global _hub
    loop = asyncio.get_running_loop()
    if _hub is None or _hub.loop is not loop:
        _hub = Hub()
    return _hub


def current() -> Hub | None:
    """The hub of this process, if there is one; for other threads."""
    return _hub if _hub and not _hub.loop.is_closed() else None


async def close() -> None:
    """Stop the hub; for tests and for the end of the process."""
    global _hub
    if _hub and _hub.loop is asyncio.get_running_loop():
        hub, _hub = _hub, None
        await hub.close()


def perform_now(
    operation: Operation, caller: Caller, *, patience: float = gate.LOCK_SECONDS, **arguments: Any
) -> Mapping[str, Any]:
    """The result of an operation, run in the calling thread. Raises RoomError, HeldUp after ``patience`` seconds.

    For synchronous code: the admin, the reaper, commands. Peers are told when the surrounding transaction commits.
    """
    call = Call(operation, caller, arguments)
    [answer] = [gate.read(call)] if operation.reads else gate.run([call], patience=patience)
    # Also of a call that was refused: what was due in the session was done before it.
    if answer.events or answer.end:
        transaction.on_commit(lambda: _tell([answer]))
    if answer.error:
        raise answer.error
    return answer.result


def read_among_others(operation: Operation, caller: Caller, **arguments: Any) -> Mapping[str, Any]:
    """As ``perform_now`` for an operation that reads; if that is soon, with what the sockets ask of this process.

    So many who come at once share a transaction, and what is remembered of the room.
    """
    if hub := current():
        performing = asyncio.run_coroutine_threadsafe(
            hub.perform(operation, caller, aside=False, **arguments), hub.loop
        )
        with suppress(TimeoutError, CancelledError, HeldUp):
            return performing.result(_SOON)
        performing.cancel()
    return perform_now(operation, caller, **arguments)


def _tell(answers: Sequence[Answer]) -> None:
    hub = current()
    if hub:
        hub.loop.call_soon_threadsafe(hub.take_from_thread, answers)
