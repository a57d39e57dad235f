"""One peer's connection: moves frames between its socket and the hub, and decides nothing about rooms.

One class, and a long one, for all of it shares one state: whether the socket is open and its peer in the room.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings

from rooms.access import tokens
from rooms.access.allowances import allowances, check_socket, too_fast
from rooms.access.callers import caller_of, place_in, read_claims
from rooms.delivery import hub as hubs
from rooms.delivery.hub import Connection
from rooms.delivery.lock_waits import LockWaits, Then
from rooms.delivery.membership import Membership
from rooms.observe import metrics
from rooms.operations.admission import check_peer_id
from rooms.operations.arriving import connect
from rooms.operations.engine import clock
from rooms.operations.engine.calls import Answer, Caller
from rooms.operations.engine.gate import METHODS
from rooms.operations.leaving import disconnect
from rooms.operations.locks import stop_waiting
from rooms.process import lease
from rooms.sockets.consumer import FAREWELL, SocketConsumer
from rooms.sockets.framing import framed
from rooms.sockets.requests import MAX_WAITING, Requests
from rooms.wire import frames
from rooms.wire.close_codes import (
    BUG,
    PAGE_CLOSED,
    RESTART,
    SENT_AWAY,
    TOKEN_EXPIRED,
    TOO_MANY_REFUSALS,
    TOO_SLOW,
    refused,
)
from rooms.wire.errors import NotFound, NotJoined, RoomError, TooFast, Unauthorized, VersionConflict
from rooms.wire.events import Numbered
from rooms.wire.frames import Request
from rooms.wire.parameters import bind
from rooms.wire.rates import Allowance
from rooms.wire.results import Attachment, Observation, Passing, Waiting, Welcome

log = logging.getLogger("rooms.consumers")

_A_YEAR = 365 * 24 * 60 * 60.0  # no timer counts to 1e300

# What clients tell of media and of themselves; there is nothing to do about it.
_IGNORED = frozenset({"analytics", "track-update", "trickle", "answer"})
# On a socket that has not joined, any other call shows a client that believes it is still in a session.
_BEFORE_JOIN = frozenset({"join", "ping", "analytics", "leave"})
# These count against the looser rate.
_CHEAP = frozenset({"ping", "leave", *_IGNORED})


def _preview_info(room_id: str, preview: Mapping[str, Any]) -> dict[str, Any]:
    session_id = preview["room"].get("session_id", "")
    return {"session_id": session_id, "room_id": room_id, "peer_count": preview["peer_count"], "track_count": 0}


class PeerConsumer(SocketConsumer):
    """See the module."""

    caller: Caller
    membership: Membership | None = None
    allowance: Allowance | None = None
    expiry: asyncio.TimerHandle | None = None
    waits: LockWaits | None = None
    is_moved = False
    """Whether this process closed the socket so that the peer comes back: nobody is told that it is away."""

    # --- Arriving and parting -------------------------------------------------------------------

    async def _enter(self, query: Mapping[str, str]) -> None:
        self.requests = Requests(self._start)
        self.frame_limit = settings.MAX_FRAME_BYTES  # looking a setting up takes as long as reading a short frame
        try:
            claims = await read_claims(query.get("token", ""))
            check_peer_id(query.get("peer", ""))
            place = place_in(query)
            self.hub, self.owner = hubs.get(), (claims.room_id, claims.owner)
            self.allowance = allowances(self.hub).open(self.owner)
            check_socket(self.allowance)
        except RoomError as error:
            self._refuse_socket(error)
            return
        self.caller = caller_of(claims, query, self.conn_id)
        good_for = min(max(0, claims.expires_at + tokens.LEEWAY - time.time()), _A_YEAR)
        self.expiry = self.loop.call_later(good_for, self._expire)
        # Before anything is read of the room, so that nothing falls between.
        feed = await self.hub.open_feed(claims.room_id)
        self.membership = Membership(feed, self.caller, self.outbox, self._sent_away, self._granted)
        revoked = partial(self._expire, "token: its access key was revoked")
        self.hub.connections[self.conn_id] = Connection(self.close_socket, self.outbox, claims.access_key, revoked)
        self.hub.submit(connect, self.caller, {"place": place}, self._welcome)

    def _welcome(self, answer: Answer) -> None:
        if answer.error:
            self._refuse_socket(answer.error)
            return
        if self.closed:
            return
        try:
            self._greet(answer)
            self.requests.finish()
        except Exception:
            self._fail("an answer could not be given")

    def _greet(self, answer: Answer) -> None:
        welcome = answer.for_socket
        assert isinstance(welcome, Welcome) and self.membership
        resumes = "session_id" in answer.result
        if resumes:
            self._tell("on-resume", answer.result)
        self._tell("on-policy-change", welcome.policy)
        self.membership.told_policy = welcome.policy
        if welcome.attachment:
            self._attach(welcome.attachment, answer.seq, placed=resumes)
        elif welcome.preview:
            self._tell("room-state", welcome.preview)
            self._tell("session-info", _preview_info(self.caller.room_id, welcome.preview))

    def _attach(self, attachment: Attachment, seq: int, *, placed: bool) -> None:
        assert self.membership
        self.membership.attach(attachment, seq=seq, placed=placed)
        if self.caller.worker != lease.worker_id():
            # This process was declared dead meanwhile, and took its peers back perhaps before this one was stored.
            self.close_socket(RESTART)

    def _sent_away(self, code: int) -> None:
        """The feed has let go of the peer."""
        if code == SENT_AWAY:
            self.loop.call_later(FAREWELL, self.close_socket, code)
        else:
            self.close_socket(code)

    def _part(self) -> None:
        """The socket is closed. Whatever is not done here is made good by the lease and the reaper."""
        if self.expiry:
            self.expiry.cancel()
        if self.waits:
            self.waits.cancel()
        if self.allowance:
            allowances(self.hub).close(self.owner)
        if self.membership is None:
            return
        self.hub.connections.pop(self.conn_id, None)
        self.membership.detach()
        if not self.is_moved and self.closed_with != RESTART:
            told = {"page_closed": self.closed_with == PAGE_CLOSED}
            self.hub.submit(disconnect, self.caller, told, lambda answer: None)
        self.hub.close_feed(self.membership.feed)

    def close_socket(self, code: int) -> None:
        self.closed, self.is_moved = True, code == RESTART
        self.requests.clear()
        if self.membership:
            self.membership.dismiss()
        super().close_socket(code)

    def _expire(self, why: str = "token: expired") -> None:
        """The token is good no longer; with a new one the peer can come back."""
        self._tell("on-error", Unauthorized(why).as_wire())
        self.close_socket(TOKEN_EXPIRED)

    def _refuse_socket(self, error: RoomError) -> None:
        metrics.REFUSALS.labels(error.code).inc()
        context = self._context(code=error.code, why=error.message)
        log.info("a socket is refused", extra={"context": context, "kind": error.code})
        if error.code == 429:
            # Clients take an error for the end; from this they come back, later.
            self.close_socket(TOO_MANY_REFUSALS)
        else:
            self._tell("on-error", error.as_wire())
            self.close_socket(refused(error.code))

    def _context(self, **more: Any) -> dict[str, Any]:
        place = {"room": self.caller.room_id, "peer": self.caller.peer_id} if self.membership else {}
        return {**place, **super()._context(**more)}

    # --- Requests -------------------------------------------------------------------------------

    def _receive(self, text: str | None) -> None:
        if self.closed:
            return
        try:
            request = frames.parse(text, limit=self.frame_limit)
        except RoomError as error:
            self._refuse(getattr(error, "request_id", None), error)
            return
        cheap = request.method in _CHEAP or request.method not in METHODS
        if self.membership is None or self.allowance is None:
            self._refuse_request(request, Unauthorized("token: not accepted"))
        elif not (self.allowance.others if cheap else self.allowance.calls).take():
            self._refuse_request(request, too_fast(self.allowance, cheap=cheap))
        elif request.method == "ping":
            self._respond(request.id, {"timestamp": int(clock.seconds() * 1000), "seq": self.membership.place})
        elif not self.requests.add(request):
            too_many = TooFast(f"at most {MAX_WAITING} requests may wait for their answers")
            self._refuse_request(request, too_many)

    def _start(self, request: Request) -> bool:
        """Have a request run, and return whether it does."""
        assert self.membership
        if not self.membership.member and request.method not in _BEFORE_JOIN:
            self._tell("on-peer-leave-request", {"reason": "session expired", "room_end": False})
        if request.method in _IGNORED:
            return False
        try:
            operation = METHODS.get(request.method)
            if operation is None:
                raise NotFound("method: not known")
            arguments = bind(operation.parameters, request.params)
        except RoomError as error:
            self._refuse_request(request, error)
            return False
        if request.method == "join":
            # The process may have another lease than when the socket was opened.
            self.caller = replace(self.caller, worker=lease.worker_id())
        self.hub.submit(operation, self.caller, arguments, partial(self._answered, request))
        return True

    def _answered(self, request: Request, answer: Answer) -> None:
        if self.closed:
            return
        assert self.membership
        try:
            if answer.error:
                self._refuse_request(request, answer.error)
                if isinstance(answer.error, NotJoined) and self.membership.follows(answer.session_id):
                    # Events would have said so by now: the database has gone back to before this connection.
                    self.close_socket(TOO_SLOW)
                    return
            elif isinstance(given := answer.for_socket, Attachment):
                self._joined(request, answer.result, given, answer.seq)
            elif isinstance(given, Waiting):
                self._wait(request, given, answer.result)
            else:
                self._respond_placed(request, answer.result)
                if isinstance(given, Observation):
                    self.membership.observe(given)
                elif isinstance(given, Passing):
                    self.hub.pass_on(self.caller.room_id, answer.session_id, given)
            if self.waits and not self.membership.member:
                self.waits.give_up()  # by this very call the peer has left
            self.requests.finish()
        except Exception:
            # Also one of the next request, which is started here.
            self._fail("an answer could not be given")

    def _joined(self, request: Request, result: Mapping[str, Any], attachment: Attachment, seq: int) -> None:
        """Begin from the place that a join is answered with, also for a peer that got something on this socket."""
        assert self.membership
        self.membership.dismiss()
        self._respond(request.id, result)
        self._attach(attachment, seq, placed=True)

    # --- Locks that are waited for

    def _wait(self, request: Request, wait: Waiting, lock: Mapping[str, Any]) -> None:
        if self.waits is None:
            self.waits = LockWaits(self.loop, self._stop_waiting, self._respond_placed, self._refuse_request)
        self.waits.wait(request, wait, lock)

    def _granted(self, event: Numbered) -> None:
        if self.waits:
            self.waits.granted(event)

    def _stop_waiting(self, wait: Waiting, then: Then) -> None:
        arguments = {"name": wait.name, "until": wait.until}
        self.hub.submit(stop_waiting, self.caller, arguments, lambda answer: self.closed or then(answer))

    # --- What is said

    def _respond_placed(self, request: Request, result: Mapping[str, Any]) -> None:
        assert self.membership
        self._respond(request.id, self.membership.with_place(result))

    def _respond(self, request_id: str | int | None, result: Any) -> None:
        if request_id is not None and self.membership:
            self.membership.write(frames.response(request_id, result))

    def _refuse_request(self, request: Request, error: RoomError) -> None:
        self._refuse(request.id, error, request.method)

    def _refuse(self, request_id: str | int | None, error: RoomError, method: str = "") -> None:
        """Answer with an error. One without a request to belong to is a notification."""
        metrics.REFUSALS.labels(error.code).inc()
        context = self._context(id=request_id, method=method[:64], code=error.code, why=error.message)
        # Whoever is too fast would fill the log as well.
        level = logging.DEBUG if error.code == 429 else logging.INFO
        log.log(level, "a request is refused", extra={"context": context, "kind": error.code})
        self._write(frames.failure(request_id, error))
        if error.code == 500:
            self.close_socket(BUG)
        elif error.code < 500 and error.code != VersionConflict.code:  # which is what conditions are for
            self._count_refusal()

    def _tell(self, method: str, params: Any) -> None:
        self._write(frames.notification(method, params))

    def _write(self, text: str) -> None:
        if self.membership:
            self.membership.write(text)
        else:
            self.outbox.put(framed(text))
