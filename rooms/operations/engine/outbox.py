"""What back ends are told by webhooks, written in the transaction of what it tells.

Made only where there is an endpoint: that is read with a room's lock, so whatever begins after an endpoint was made
follows it.
"""

import json
import uuid
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings

from rooms.models import Peer, Room, Session
from rooms.operations.engine.calls import Call
from rooms.operations.engine.transaction import Cursor
from rooms.wire import webhooks
from rooms.wire.effects import Came, Left, RoleChanged, SentAway
from rooms.wire.errors import Forbidden, RoomError
from rooms.wire.events import End, Numbered
from rooms.wire.rates import Bucket
from rooms.wire.webhooks import METADATA, NEVER, Fact, Wish, is_within, microseconds, moment

if TYPE_CHECKING:
    from rooms.operations.engine.work import Work

_ENDPOINTS = """
    SELECT id, room_id, gone, enabled, CAST(events AS text), CAST(metadata_keys AS text), metadata_values,
        CAST(spans AS text)
    FROM rooms_webhookendpoint WHERE room_id IS NULL AND NOT gone OR room_id IN ({rooms}) ORDER BY created_at, id
"""
_INSERT = """
    INSERT INTO rooms_webhookdelivery
    (endpoint_id, stream, event_id, room_id, session_id, seq, name, body, at, state, attempts, status, error)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'waiting', 0, 0, '')
"""
# One that waits for its next try goes on waiting: what comes later is not told before.
_WAKE = """
    INSERT INTO rooms_webhookstream (endpoint_id, stream, next_at, claim) VALUES (%s, %s, %s, '')
    ON CONFLICT (endpoint_id, stream) DO UPDATE SET next_at = rooms_webhookstream.next_at
"""

_refusals = Bucket(5, 50)
"""Of those who could not come in so many are told: anybody with a token may try as often as sockets are let in."""


class _Endpoint(NamedTuple):
    """See WebhookEndpoint. That somebody left it is told if the arrival was within each of ``spans``."""

    id: str
    room_id: str | None
    gone: bool
    enabled: bool
    wish: Wish
    spans: tuple[Sequence[int], ...]


class Outbox:
    """What a transaction will tell. ``room_ids`` are all its rooms."""

    def __init__(self, work: "Work", cursor: Cursor) -> None:
        self._work, self._cursor = work, cursor
        self._found: list[_Endpoint] | None = None
        self._rows: list[tuple[Any, ...]] = []
        self._parting: dict[tuple[str, str], str] = {}

    def parts(self, peer: Peer) -> None:
        """Remember what a peer held that is about to leave and keeps nothing."""
        self._parting[peer.session_id, peer.peer_id] = peer.metadata

    def note(self, call: Call | None, session: Session, events: Sequence[Numbered], end: End | None = None) -> None:
        """Note what is to be told of a call's events, or of what was due, and of the session's end.

        Before the session is ended, for those who are in it are told to leave.
        """
        # Messages, by far the most of events, are told to nobody.
        if not end and not any(event.effect or event.kind == "on-metadata-change" for event in events):
            return
        endpoints = self._endpoints(session.room)
        if not endpoints:
            return
        reason = ""
        for event in events:
            # Comes before those who leave by it, and alone says why.
            if isinstance(event.effect, SentAway):
                reason = json.loads(event.body).get("reason", "")
            if event.kind == "on-metadata-change" and not any(endpoint.wish.keys for endpoint in endpoints):
                continue
            for fact in self._facts(call, session, event, reason):
                self._tell(endpoints, session.room, session.id, fact)
        if end:
            for fact in self._of_end(session, end, reason):
                self._tell(endpoints, session.room, session.id, fact)

    def refused(self, call: Call, error: RoomError) -> None:
        """Note that somebody with a token for a room could not come in."""
        room = self._work.rooms.get(call.caller.room_id)
        if room is None or not call.caller.peer_id or not isinstance(error, Forbidden):
            return
        endpoints = self._endpoints(room)
        if not endpoints or not _refusals.take():
            return
        caller = call.caller
        name = call.arguments.get("name") or caller.name
        who = _who(caller.peer_id, caller.user_id, name, "", caller.role)
        data = {**_of_room(room), **who, "joined_at": NEVER, "error_message": error.message}
        # By the room, for it need not have a session.
        self._tell(endpoints, room, "", Fact("peer.join.failure", self._work.now, 0, data))

    def _facts(self, call: Call | None, session: Session, event: Numbered, reason: str) -> Iterator[Fact]:
        now, seq = self._work.now, event.seq
        match event.effect:
            case Came(peer_id):
                if seq == 1:
                    # Told before the first of its numbers.
                    yield Fact("session.open.success", now, 0, _of_session(session, 0))
                data = _of_session(session, seq) | _of_peer(self._peer(session, peer_id))
                yield Fact("peer.join.success", now, seq, data)
            case Left(peer_id):
                peer = self._peer(session, peer_id)
                yield self._left(session, seq, peer, peer.leave_reason, reason)
            case RoleChanged(peer_id, before, _):
                told = {"previous_role": before, "role_changed_at": moment(now)}
                # Who accepts an offer does not say of whom it was.
                if call and call.operation.method == "role-change-request" and call.caller.peer_id:
                    told["role_change_requested_by"] = call.caller.peer_id
                data = _of_session(session, seq) | _of_peer(self._peer(session, peer_id)) | told
                yield Fact("role.change.success", now, seq, data)
            case SentAway(None):
                locks = bool(call and call.arguments.get("lock"))
                ended: dict[str, Any] = {"lock_room": locks, "reason": reason, "source": _source(call)}
                if call and call.caller.peer_id:
                    ended["peer_id"] = call.caller.peer_id
                yield Fact("room.end.success", now, seq, _of_session(session, seq) | ended)
            case _ if event.kind == "on-metadata-change" and not (event.audience.peer or event.audience.roles):
                # What is told to a peer or a role alone is no change, but what it may read from now on.
                heads = self._work.entry_heads(session)
                removed = {share.key for share in event.audience.entries if not heads[share.key].size}
                entries = webhooks.entries_of(event.body, removed)
                by = {"source": _source(call)}
                yield Fact(METADATA, now, seq, _of_session(session, seq) | by, entries)

    def _of_end(self, session: Session, end: End, reason: str) -> Iterator[Fact]:
        now, seq = self._work.now, session.seq
        # By numbers that no event has: each fact of a session has its own, and they rise.
        for peer in self._work.present(session):
            seq += 1
            yield self._left(session, seq, peer, Peer.Leave.ENDED, reason)
        seconds = int((now - session.started_at).total_seconds())
        told = {"session_stopped_at": moment(now), "session_duration": seconds, "reason": end.reason}
        yield Fact("session.close.success", now, seq + 1, _of_session(session, seq + 1) | told)

    def _left(self, session: Session, seq: int, peer: Peer, why: str, message: str) -> Fact:
        now = self._work.now
        held = self._parting.pop((session.id, peer.peer_id), peer.metadata)
        seconds = int((now - peer.joined_at).total_seconds())
        told: dict[str, Any] = {"left_at": moment(now), "duration": seconds, "reason": str(why), "user_data": held}
        if message:
            told["message"] = message
        data = _of_session(session, seq) | _of_peer(peer) | told
        return Fact("peer.leave.success", now, seq, data, joined_at=peer.joined_at)

    def _peer(self, session: Session, peer_id: str) -> Peer:
        peer = self._work.peer(session, peer_id)
        assert peer is not None
        return peer

    # --- Rows

    def _endpoints(self, room: Room) -> list[_Endpoint]:
        """Those that are told what happens in a room."""
        if self._found is None:
            rooms = list(self._work.rooms)
            marks = ", ".join(["%s"] * len(rooms))
            self._cursor.execute(_ENDPOINTS.format(rooms=marks), rooms)
            self._found = [
                _Endpoint(
                    key, room_id, bool(gone), bool(enabled), _wish(events, keys, bool(values)), (json.loads(spans),)
                )
                for key, room_id, gone, enabled, events, keys, values, spans in self._cursor.fetchall()
            ]
        of_room = [endpoint for endpoint in self._found if endpoint.room_id == room.id]
        # Also if all are off: the room is then told of nowhere.
        if own := [endpoint for endpoint in of_room if not endpoint.gone]:
            return [endpoint for endpoint in own if endpoint.enabled]
        # Of its gone one: when those of all rooms were told of this one.
        spans = [endpoint.spans[0] for endpoint in of_room]
        return [
            endpoint._replace(spans=(*endpoint.spans, *spans))
            for endpoint in self._found
            if endpoint.room_id is None and endpoint.enabled
        ]

    def _tell(self, endpoints: Sequence[_Endpoint], room: Room, session_id: str, fact: Fact) -> None:
        event_id = str(uuid.uuid4())
        for endpoint in endpoints:
            data = webhooks.data_for(fact, endpoint.wish)
            if data is None or _is_of_before(fact, endpoint):
                continue
            body = webhooks.text(event_id, settings.ACCESS_KEY, fact, data)
            stream = session_id or room.id
            whose = (room.id, session_id, fact.seq, fact.name)
            self._rows.append((endpoint.id, stream, event_id, *whose, body, self._work.at))

    def flush(self) -> None:
        """Write everything that was noted since it was called last."""
        if self._rows:
            self._cursor.executemany(_INSERT, self._rows)
            wake(self._cursor, [row[:2] for row in self._rows], self._work.at)
            self._rows = []


def wake(cursor: Cursor, streams: Collection[tuple[str, str]], at: int) -> None:
    """Have these streams, ``(endpoint, stream)``, told; ``at`` is now, in milliseconds."""
    if streams:
        cursor.executemany(_WAKE, [(*stream, at) for stream in sorted(set(streams))])


def _is_of_before(fact: Fact, endpoint: _Endpoint) -> bool:
    """Whether it tells that somebody left who was never said to have come."""
    if fact.joined_at is None:
        return False
    joined_at = microseconds(fact.joined_at)
    return not all(is_within(spans, joined_at) for spans in endpoint.spans)


@lru_cache(maxsize=512)
def _wish(events: str, keys: str, with_values: bool) -> Wish:
    return Wish(frozenset(json.loads(events)), tuple(json.loads(keys)), with_values)


# --- Fields -------------------------------------------------------------------------------------


def _of_room(room: Room) -> dict[str, Any]:
    return {"room_id": room.id, "room_name": room.name, "template_id": room.template_id}


def _of_session(session: Session, seq: int) -> dict[str, Any]:
    started_at = moment(session.started_at)
    return {**_of_room(session.room), "session_id": session.id, "session_started_at": started_at, "seq": seq}


def _who(peer_id: str, user_id: str, name: str, data: str, role: str) -> dict[str, Any]:
    who = {"peer_id": peer_id, "user_id": user_id, "user_name": name, "user_data": data}
    return {**who, "role": role, "type": "regular"}


def _of_peer(peer: Peer) -> dict[str, Any]:
    who = _who(peer.peer_id, peer.user_id, peer.name, peer.metadata, peer.role)
    return {**who, "joined_at": moment(peer.joined_at)}


def _source(call: Call | None) -> str:
    """Who it was, in the service's word for a peer and ours for others."""
    if call is None:
        return "server"
    return "peer" if call.caller.peer_id else call.caller.source
