"""Those who are in a room, and what each of them holds of what reached it: through the real roster, without sockets."""

import json
from collections.abc import Sequence
from typing import Any

from rooms.delivery.order import Order
from rooms.delivery.roster import Member, Roster
from rooms.operations.engine.calls import Answer, Caller
from rooms.wire.effects import Left, SentAway
from rooms.wire.events import Numbered
from rooms.wire.results import Attachment, Observation, Welcome

NOWHERE: Any = None
"""Nothing is written to sockets here."""


class Listener:
    """A peer's client. ``held`` are entries by key, ``locks`` by name, ``heard`` all frames since somebody looked.

    ``place`` is up to where it had got everything when it lost its socket.
    """

    def __init__(self, peer_id: str) -> None:
        self.peer_id = peer_id
        self.held: dict[str, Any] = {}
        self.locks: dict[str, Any] = {}
        self.heard: list[dict[str, Any]] = []
        self.place: dict[str, Any] = {}

    def hear(self, text: str) -> None:
        frame = json.loads(text)
        self.heard.append(frame)
        params = frame["params"]
        if frame["method"] == "on-metadata-change":
            keys = [value["key"] for value in params["values"]]
            assert len(keys) == len(set(keys))
            for value in params["values"]:
                held = self.held.get(value["key"], {"change_version": 0})["change_version"]
                assert not value["change_version"] or value["change_version"] >= held, f"{value} after version {held}"
                self.held[value["key"]] = value
                if not value["change_version"]:  # what it may know no longer
                    del self.held[value["key"]]
        elif frame["method"] == "on-lock-list":
            self.locks = {lock["name"]: lock for lock in params["locks"]}
        elif frame["method"] == "on-lock-change":
            self._take_lock(params, frame["seq"])
        elif frame["method"] == "on-peer-leave":
            owners = {value.get("owner") for value in self.held.values()}
            assert params["peer_id"] not in owners, f"{params['peer_id']} is gone, and its keys are not"
            holders = {lock["holder"] for lock in self.locks.values()}
            assert params["peer_id"] not in holders, f"{params['peer_id']} is gone, and holds a lock"

    def _take_lock(self, lock: dict[str, Any], seq: int) -> None:
        held = self.locks.pop(lock["name"], None)
        if lock["holder"] is None:
            return
        # Who holds it goes on under its token; whoever gets it has the number of this event.
        same = held is not None and (held["holder"], held["token"]) == (lock["holder"], lock["token"])
        assert same or lock["token"] == seq, f"{lock} at {seq} after {held}"
        self.locks[lock["name"]] = {name: value for name, value in lock.items() if name != "reason"}


class Hall:
    """All of a room's sockets, at one process."""

    def __init__(self, room_id: str) -> None:
        self._order = Order()
        self._roster = Roster(room_id, self._order)
        self.listeners: dict[str, Listener] = {}

    def take(self, caller: Caller, answer: Answer) -> None:
        """Deliver what an answer brings, as a feed does: its events, then what is for the socket that asked."""
        given = answer.for_socket
        came = given.attachment if isinstance(given, Welcome) else given
        if not self._order.session_id and isinstance(came, Attachment):
            self._order.begin(answer.session_id, answer.seq, answer.history)
            self._roster.begin(came, came.peers or {})
        for event in answer.events:
            if event.seq > self._order.seq:
                assert event.seq == self._order.seq + 1
                self._deliver(event)
        if isinstance(came, Attachment):
            self._attach(caller, came)
        elif isinstance(given, Observation):
            self._observe(caller.peer_id, given.keys, given.values)

    def lose(self, peer_id: str) -> None:
        if member := self._roster.members.get(peer_id):
            self.listeners[peer_id].place = {"session_id": self._order.session_id, "seq": self._order.seq}
            self._roster.detach(member)

    def _deliver(self, event: Numbered) -> None:
        self._order.seq = event.seq
        if event.effect and (displaced := self._roster.learn(event)):
            self.lose(displaced.peer_id)
        told = self._roster.told(event)
        if told:
            but, chosen = told
            if chosen is None:
                self._write(event.frame(), [member for member in self._roster.members.values() if member is not but])
            else:
                for shown, members in self._roster.shares(event, chosen):
                    self._write(shown.frame(), members)
        match event.effect:
            case SentAway():
                for member in self._roster.sent_away(event.effect, event.audience):
                    self.lose(member.peer_id)
            case Left(peer_id):
                self._roster.remove(peer_id)
                self.lose(peer_id)

    def _write(self, text: str, members: Any) -> None:
        for member in members:
            self.listeners[member.peer_id].hear(text)

    def _attach(self, caller: Caller, attachment: Attachment) -> None:
        peer_id = attachment.peer_id
        if attachment.replay is None:
            self.listeners[peer_id] = Listener(peer_id)
        listener = self.listeners[peer_id]
        conn_id, role, observed = caller.conn_id, attachment.role, attachment.observed
        member = Member(peer_id, conn_id, role, observed, False, NOWHERE, lambda code: None)
        for text in self._roster.attach(member, attachment, told_policy=attachment.policy):
            listener.hear(text)

    def _observe(self, peer_id: str, keys: frozenset[str], values: Sequence[dict[str, Any]]) -> None:
        listener, member = self.listeners[peer_id], self._roster.members[peer_id]
        news = self._roster.observe(member, keys, values)
        if news:
            listener.hear(json.dumps({"method": "on-metadata-change", "params": {"values": news}}))
        listener.held = {key: value for key, value in listener.held.items() if key in keys}
