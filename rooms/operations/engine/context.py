"""What the gate hands to an operation: who asks, and what the database says of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rooms.models import Peer, Room, Session
from rooms.operations.engine.audit import ACTING, Cause, Entry, What, bounded
from rooms.operations.engine.calls import Caller
from rooms.operations.engine.work import Work
from rooms.wire.errors import Forbidden, NotFound
from rooms.wire.roles import Role


@dataclass(slots=True)
class Context:
    """What is so in the transaction: the room, its live session, the caller's peer and the role it holds now.

    ``known_peer`` is the row of the caller's peer id in the live session, present or not. ``held_role`` is None when
    the server asks. ``follows`` is the session that the caller's process knows the peers of.
    """

    work: Work
    caller: Caller
    room: Room
    live_session: Session | None
    known_peer: Peer | None
    held_role: Role | None
    follows: str = ""

    @property
    def now(self) -> datetime:
        return self.work.now

    @property
    def session(self) -> Session:
        if self.live_session is None:
            raise NotFound("room: nobody is in it")
        return self.live_session

    @property
    def peer(self) -> Peer:
        """The caller's own row. Not for calls that the server makes."""
        assert self.known_peer is not None
        return self.known_peer

    @property
    def role(self) -> Role:
        assert self.held_role is not None
        return self.held_role

    @property
    def actor(self) -> str:
        """The peer id of the caller, empty for the server."""
        return self.caller.peer_id

    @property
    def actor_name(self) -> str:
        return self.known_peer.name if self.known_peer else self.caller.name

    def present_peer(self, peer_id: str, *, field: str = "peer_id") -> Peer:
        """A peer that is in the session. Raises NotFound."""
        peer = self.work.peer(self.session, peer_id)
        if peer is None or not peer.present:
            raise NotFound(f"{field}: no such peer in the room")
        return peer

    def require(self, permission: str) -> None:
        """Raises Forbidden unless the server asks, or the caller's role has the permission."""
        role = self.held_role
        if role is None or role.allows(permission):
            return
        if self.room.template.role(role.name) is None:
            raise Forbidden(f"the room has the role {role.name} no longer")
        raise Forbidden(f"the role {role.name} lacks the permission {permission}")

    def audit(
        self,
        what: What,
        *,
        cause: Cause | None = None,
        key: str = "",
        version: int = 0,
        old: str | None = None,
        new: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write down what is being done, or what follows from it for that cause. ``old`` and ``new`` are JSON text."""
        audited = self.work.audited
        if audited is None:
            return
        session = self.live_session
        entry = Entry(
            what,
            cause or self.caller.source,
            self.caller.peer_id,
            self.actor_name,
            self.room.id,
            str(self.room),
            session.id if session else "",
            key,
            version,
            old,
            new,
            bounded(details),
        )
        audited.append(entry)

    def audit_act(self, what: What, *, key: str = "", details: Mapping[str, Any] | None = None) -> None:
        """Write down what peers do all the time, if an administrator, an access key or a command does it."""
        if self.caller.source in ACTING:
            self.audit(what, key=key, details=details)
