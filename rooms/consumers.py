"""One peer's connection: moves frames between its socket and the hub, and decides nothing about rooms."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from rooms.access import tokens
from rooms.delivery import hub as hubs
from rooms.delivery.feed import Feed, Member
from rooms.delivery.hub import Connection
from rooms.observe import metrics
from rooms.operations.admission import check_peer_id
from rooms.operations.arriving import Place, connect
from rooms.operations.engine import clock
from rooms.operations.engine.calls import Answer, Caller
from rooms.operations.engine.gate import METHODS
from rooms.operations.leaving import disconnect
from rooms.process import lease
from rooms.sockets.fastpath import open_outbox
from rooms.sockets.outbox import framed
from rooms.wire import frames
from rooms.wire.close_codes import BUG, SENT_AWAY, TOKEN_EXPIRED, TOO_MANY_REFUSALS, refused
from rooms.wire.errors import NotFound, NotJoined, RoomError, TooFast, Unauthorized
from rooms.wire.frames import Request
from rooms.wire.parameters import bind, fields_of
from rooms.wire.rates import OTHERS, Allowance, Allowances
from rooms.wire.results import Attachment, Observation, Welcome
from rooms.wire.sdk_versions import is_legacy

log = logging.getLogger("rooms.consumers")

MAX_WAITING = 64
"""Requests of one socket that may wait for their turn."""

MAX_REFUSALS = 100
REFUSALS_WINDOW = 10.0
"""A socket that is refused so often within so many seconds is closed."""

_FAREWELL = 1.0
"""Seconds that a client has to close the socket itself once it was sent away: it ends more cleanly so."""

_A_YEAR = 365 * 24 * 60 * 60.0  # no timer counts to 1e300

PARAMETERS = fields_of(Place)
"""What the address of a socket says of the place that its peer comes back with, if it says anything."""

# What clients tell of media and of themselves; there is nothing to do about it.
_IGNORED = frozenset({"analytics", "track-update", "trickle", "answer"})
# On a socket that has not joined, any other call shows a client that believes it is still in a session.
_BEFORE_JOIN = frozenset({"join", "ping", "analytics", "leave"})
# These may be under way together; any other waits for those before it.
_UNORDERED = frozenset({"broadcast"})
# These count against the looser rate.
_CHEAP = frozenset({"ping", "leave", *_IGNORED})


def _place_in(query: Mapping[str, str]) -> dict[str, Any] | None:
    """The place that an address names, or None. Raises BadRequest, also if it names half a place."""
    given: dict[str, Any] = {field.name: query[field.name] for field in PARAMETERS if field.name in query}
    if re.fullmatch("-?[0-9]{1,16}", given.get("seq", "")):
        given["seq"] = int(given["seq"])
    return bind(PARAMETERS, given) if given else None


_allowances_of: WeakKeyDictionary[hubs.Hub, Allowances] = WeakKeyDictionary()


def _allowances(hub: hubs.Hub) -> Allowances:
    if hub not in _allowances_of:
        _allowances_of[hub] = Allowances(settings.RATE_LIMIT, settings.RATE_BURST)
    return _allowances_of[hub]


class PeerConsumer(AsyncWebsocketConsumer):
    """See the module. Has a receive loop of its own: no channel of the layer, no thread hop for each event."""

    # Thousands wait idle: what most of them never need stands here, and not in each.
    feed: Feed | None = None
    member: Member | None = None
    caller: Caller
    allowance: Allowance | None = None
    expiry: asyncio.TimerHandle | None = None
    told_role = ""
    abandoned = closed = reading = in_order = False
    placed = False  # whether the client knows its place, and was sent all up to where the feed is
    under_way = 0
    refusals: Sequence[float] = ()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        query = scope["query_string"].decode("latin-1")
        del scope  # long, and held as long as this runs
        await receive()  # websocket.connect
        self.conn_id = secrets.token_hex(8)
        await send({"type": "websocket.accept"})
        self.outbox = open_outbox(send, self._abandon, self._take, self._flooded)
        self.loop = asyncio.get_running_loop()
        self.task = asyncio.current_task()
        self.waiting: list[Request] = []
        self.frame_limit = settings.MAX_FRAME_BYTES  # looking a setting up takes as long as reading a short frame
        metrics.SOCKETS.inc()
        try:
            await self._enter({name: values[0] for name, values in parse_qs(query).items()})
            del query
            self.reading = True
            while True:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    break
                self._receive(message.get("text"))
        except asyncio.CancelledError:
            if not self.abandoned:
                raise
        except Exception:
            self._fail("a connection failed")
        finally:
            self._part()
            metrics.SOCKETS.dec()

    def _abandon(self) -> None:
        """End this application, so that the server lets go of the connection."""
        self.abandoned = True
        if self.task:
            self.task.cancel()

    # --- Arriving and parting -------------------------------------------------------------------

    async def _enter(self, query: Mapping[str, str]) -> None:
        try:
            claims = tokens.read(query.get("token", ""))
            peer_id = query.get("peer", "")
            check_peer_id(peer_id)
            place = _place_in(query)
            self.hub = hubs.get()
            self._open_allowance(claims)
        except RoomError as error:
            self._refuse_socket(error)
            return
        self.caller = Caller(
            room_id=claims.room_id,
            peer_id=peer_id,
            owner=claims.owner,
            user_id=claims.user_id,
            role=claims.role,
            conn_id=self.conn_id,
            worker=lease.worker_id(),
            legacy=is_legacy(query.get("user_agent_v2") or query.get("user_agent") or ""),
        )
        good_for = min(max(0, claims.expires_at + tokens.LEEWAY - time.time()), _A_YEAR)
        self.expiry = self.loop.call_later(good_for, self._expire)
        self.feed = await self.hub.open_feed(claims.room_id)
        self.hub.connections[self.conn_id] = Connection(self.close_socket, self.outbox)
        self.in_order = True
        self.under_way = 1
        self.hub.submit(connect, self.caller, {"place": place}, self._welcome)

    def _open_allowance(self, claims: tokens.Claims) -> None:
        """Count this socket against what its owner may ask for. Raises TooFast."""
        self.owner = claims.room_id, claims.owner
        self.allowance = _allowances(self.hub).open(self.owner)
        most = 2 * settings.MAX_PEERS_PER_OWNER  # a peer's next socket may open before its last one is closed
        if self.allowance.sockets > most:
            raise TooFast(f"at most {most} sockets at once")
        if not self.allowance.calls.take():
            raise TooFast(f"at most {settings.RATE_LIMIT:g} requests and sockets a second")

    def _welcome(self, answer: Answer) -> None:
        if answer.error:
            self._refuse_socket(answer.error)
            return
        try:
            assert isinstance(answer.for_socket, Welcome)
            self._greet(answer.result, answer.for_socket)
            self._finished()
        except Exception:
            self._fail("an answer could not be given")

    def _greet(self, result: Mapping[str, Any], welcome: Welcome) -> None:
        if "session_id" in result:
            self._tell("on-resume", result)
            self.placed = True
        self._tell("on-policy-change", welcome.policy)
        self.told_role = welcome.policy["name"]
        if welcome.attachment:
            self._attach(welcome.attachment)
        elif welcome.preview:
            self._tell("room-state", welcome.preview)
            self._tell("session-info", self._preview_info(welcome.preview))

    def _preview_info(self, preview: dict[str, Any]) -> dict[str, Any]:
        return {
            "session_id": preview["room"].get("session_id", ""),
            "room_id": self.caller.room_id,
            "peer_count": preview["peer_count"],
            "track_count": 0,
        }

    def _attach(self, attachment: Attachment) -> None:
        assert self.feed
        if self.closed:
            return
        self.member = Member(
            peer_id=attachment.peer_id,
            conn_id=self.conn_id,
            role=attachment.role,
            observed=attachment.observed,
            legacy=self.caller.legacy,
            outbox=self.outbox,
            gone=self._gone,
        )
        metrics.PEERS.inc()
        self.feed.attach(self.member, attachment, told_role=self.told_role)

    def _gone(self, code: int | None) -> None:
        """The feed has let go of this socket's peer; code is what to close the socket with, if it is to be."""
        if self.member:
            metrics.PEERS.dec()
            self.member = None
            self.placed = False
        if code == SENT_AWAY:
            self.loop.call_later(_FAREWELL, self.close_socket, code)
        elif code is not None:
            self.close_socket(code)

    def _part(self) -> None:
        """The socket is closed. Whatever is not done here is made good by the lease and the reaper."""
        self.closed = True
        if self.expiry:
            self.expiry.cancel()
        if self.allowance:
            _allowances(self.hub).close(self.owner)
        if self.feed is None:
            return
        self.hub.connections.pop(self.conn_id, None)
        if self.member:
            self.feed.detach(self.member)
            self._gone(None)
        self.hub.submit(disconnect, self.caller, {}, lambda answer: None)
        self.hub.close_feed(self.feed)

    def close_socket(self, code: int) -> None:
        """Close the socket after what was sent; it gets nothing more, and nothing more is taken from it."""
        self.closed = True
        self.waiting.clear()
        if self.member and self.feed:
            self.feed.dismiss(self.member)
            self._gone(None)
        self.outbox.close(code)

    def _expire(self) -> None:
        """The token is good no longer; with a new one the peer can come back."""
        self._tell("on-error", Unauthorized("token: expired").as_wire())
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

    def _fail(self, what: str) -> None:
        log.exception(what, extra={"context": self._context()})
        self.close_socket(BUG)

    def _context(self, **more: Any) -> dict[str, Any]:
        """What a log line about this socket carries."""
        place = {"room": self.caller.room_id, "peer": self.caller.peer_id} if self.feed else {}
        return {**place, "conn": self.conn_id, **more}

    # --- Requests -------------------------------------------------------------------------------

    def _take(self, text: str) -> bool:
        """Take a frame that did not pass the server's queue. Not while frames may wait there, nor after the end."""
        if not self.reading or self.closed:
            return False
        try:
            self._receive(text)
        except Exception:
            self._fail("a frame failed")
        return True

    def _receive(self, text: str | None) -> None:
        if self.closed:
            return
        try:
            request = frames.parse(text, limit=self.frame_limit)
        except RoomError as error:
            self._refuse(getattr(error, "request_id", None), error)
            return
        if self.feed is None or self.allowance is None:
            self._refuse(request.id, Unauthorized("token: not accepted"), request.method)
        elif request.method in _CHEAP or request.method not in METHODS:
            self._receive_cheap(request)
        elif not self.allowance.calls.take():
            self._refuse(request.id, TooFast(f"at most {settings.RATE_LIMIT:g} requests a second"), request.method)
        else:
            self._queue(request)

    def _receive_cheap(self, request: Request) -> None:
        assert self.allowance
        if not self.allowance.others.take():
            limit = settings.RATE_LIMIT * OTHERS
            self._refuse(request.id, TooFast(f"at most {limit:g} such requests a second"), request.method)
        elif request.method == "ping":
            self._answer_ping(request)
        else:
            self._queue(request)

    def _queue(self, request: Request) -> None:
        if len(self.waiting) >= MAX_WAITING:
            too_many = TooFast(f"at most {MAX_WAITING} requests may wait for their answers")
            self._refuse(request.id, too_many, request.method)
        else:
            self.waiting.append(request)
            self._next()

    def _answer_ping(self, request: Request) -> None:
        seq = self.feed.last_seq if self.feed and self.placed else 0
        self._respond(request.id, {"timestamp": int(clock.seconds() * 1000), "seq": seq})

    def _next(self) -> None:
        """Start what may be started: requests run in order, but for messages, which may be under way together."""
        while self.waiting:
            unordered = self.waiting[0].method in _UNORDERED
            if self.under_way and (self.in_order or not unordered):
                return
            self.in_order = not unordered
            self._start(self.waiting.pop(0))

    def _start(self, request: Request) -> None:
        if not self.member and request.method not in _BEFORE_JOIN:
            self._tell("on-peer-leave-request", {"reason": "session expired", "room_end": False})
        if request.method in _IGNORED:
            return
        try:
            operation = METHODS.get(request.method)
            if operation is None:
                raise NotFound("method: not known")
            arguments = bind(operation.parameters, request.params)
        except RoomError as error:
            self._refuse(request.id, error, request.method)
            return
        if request.method == "join":
            # The process may have another lease than when the socket was opened.
            self.caller = replace(self.caller, worker=lease.worker_id())
        self.under_way += 1
        assert self.feed
        self.hub.submit(operation, self.caller, arguments, lambda answer: self._answered(request, answer))

    def _answered(self, request: Request, answer: Answer) -> None:
        try:
            if answer.error:
                self._refuse(request.id, answer.error, request.method)
            elif isinstance(given := answer.for_socket, Attachment):
                self._joined(request, answer.result, given)
            else:
                self._respond(request.id, self._with_place(answer.result))
                if isinstance(given, Observation) and self.member and self.feed:
                    self.feed.observe(self.member, given.keys, given.values)
            self._finished()
        except Exception:
            # Also one of the next request, which is started here.
            self._fail("an answer could not be given")

    def _finished(self) -> None:
        self.under_way -= 1
        self._next()

    def _joined(self, request: Request, result: Mapping[str, Any], attachment: Attachment) -> None:
        """Begin from the place that a join is answered with, also for a peer that got something on this socket."""
        assert self.feed
        if self.member:
            self.feed.dismiss(self.member)
            self._gone(None)
        self._respond(request.id, result)
        self._attach(attachment)
        self.placed = self.member is not None

    def _with_place(self, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """A result that tells no place where the client was not sent everything up to it."""
        return result if self.placed or "seq" not in result else {**result, "seq": 0}

    def _respond(self, request_id: str | int | None, result: Any) -> None:
        if request_id is not None:
            self._write(frames.response(request_id, result))

    def _refuse(self, request_id: str | int | None, error: RoomError, method: str = "") -> None:
        """Answer with an error. One without a request to belong to is a notification."""
        metrics.REFUSALS.labels(error.code).inc()
        context = self._context(id=request_id, method=method[:64], code=error.code, why=error.message)
        # Whoever is too fast would fill the log as well.
        level = logging.DEBUG if error.code == 429 else logging.INFO
        log.log(level, "a request is refused", extra={"context": context, "kind": error.code})
        if isinstance(error, NotJoined) and self.member:
            # Another connection holds the peer: this one gets nothing that the other should get.
            assert self.feed
            self.feed.detach(self.member)
            self._gone(None)
        self._write(frames.failure(request_id, error))
        if error.code == 500:
            self.close_socket(BUG)
        elif error.code < 500:
            self._count_refusal()

    def _count_refusal(self) -> None:
        now = time.monotonic()
        self.refusals = [*(at for at in self.refusals if now - at < REFUSALS_WINDOW), now]
        if len(self.refusals) >= MAX_REFUSALS and not self.outbox.closing:
            self._flooded()

    def _flooded(self) -> None:
        """The client sends more than it may in any case: close its socket, also if it does not."""
        if not self.outbox.closing:
            log.info("a socket was refused too often", extra={"context": self._context()})
            self.close_socket(TOO_MANY_REFUSALS)
        self.loop.call_later(_FAREWELL, self.outbox.cut)

    def _tell(self, method: str, params: Any) -> None:
        self._write(frames.notification(method, params))

    def _write(self, text: str) -> None:
        if self.member and self.feed:
            self.feed.write(self.member, text)
        else:
            self.outbox.put(framed(text))
