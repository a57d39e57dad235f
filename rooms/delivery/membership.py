"""A socket and its peer among the members of a room's feed."""

from collections.abc import Callable, Mapping
from typing import Any

from rooms.delivery.feed import Feed
from rooms.delivery.roster import Member
from rooms.observe import metrics
from rooms.operations.engine.calls import Caller
from rooms.sockets.framing import framed
from rooms.sockets.outbox import Outbox
from rooms.wire.events import Numbered
from rooms.wire.results import NOTHING, Attachment, Observation


class Membership:
    """Whether a socket's peer is a member of the feed, from its opening to its end.

    ``told_policy`` is what the client was told of roles and rules before it became a member, ``placed`` whether it
    knows from which number on it was sent everything. ``lost`` is called when the feed lets go of the peer, with the
    code to close the socket with, if it is to be closed; ``granted`` with the event by which the peer gets a lock.
    """

    __slots__ = ("_caller", "_granted", "_lost", "_outbox", "feed", "member", "placed", "told_policy")

    def __init__(
        self,
        feed: Feed,
        caller: Caller,
        outbox: Outbox,
        lost: Callable[[int], object],
        granted: Callable[[Numbered], object],
    ) -> None:
        self.feed = feed
        self.member: Member | None = None
        self.told_policy: Mapping[str, Any] = NOTHING
        self._caller, self._outbox, self._lost, self._granted = caller, outbox, lost, granted
        self.placed = False

    @property
    def place(self) -> int:
        """The number up to which the client was sent everything; 0 if that cannot be said."""
        return self.feed.order.seq if self.placed else 0

    def with_place(self, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """A result, which tells no place where the client was not sent everything up to it."""
        return result if self.placed or "seq" not in result else {**result, "seq": 0}

    def attach(self, attachment: Attachment, *, seq: int, placed: bool) -> None:
        """Make the peer a member, which is sent the state as it was at number ``seq``, and then what follows."""
        self.member = Member(
            peer_id=attachment.peer_id,
            conn_id=self._caller.conn_id,
            role=attachment.role,
            observed=attachment.observed,
            legacy=self._caller.legacy,
            outbox=self._outbox,
            gone=self._gone,
            granted=self._granted,
            came=attachment.came,
            since=attachment.since,
        )
        self.placed = placed
        metrics.PEERS.inc()
        # Before anything else is written: what follows on this socket is news after this state.
        told, self.told_policy = self.told_policy, NOTHING  # what it hears from now on is not kept
        self.feed.attach(self.member, attachment, seq=seq, told_policy=told)

    def follows(self, session_id: str) -> bool:
        """Whether the peer is a member, and of this session."""
        return self.member is not None and self.feed.order.session_id == session_id

    def observe(self, observation: Observation) -> None:
        if self.member:
            self.feed.observe(self.member, observation.keys, observation.values)

    def write(self, text: str) -> None:
        """Send a frame, after the events that were delivered before."""
        if self.member:
            self.feed.write(self.member, text)
        else:
            self._outbox.put(framed(text))

    def dismiss(self) -> None:
        """The peer gets what is pending, but nothing later."""
        if self.member:
            self.feed.dismiss(self.member)
            self._gone(None)

    def detach(self) -> None:
        """The peer gets nothing more."""
        if self.member:
            self.feed.detach(self.member)
            self._gone(None)

    def _gone(self, code: int | None) -> None:
        # The feed and the socket's end may both say so.
        if self.member:
            metrics.PEERS.dec()
            self.member, self.placed = None, False
        if code is not None:
            self._lost(code)
