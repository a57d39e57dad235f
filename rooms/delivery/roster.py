"""Who is in a room: everybody's peer object, ready to be listed, and the members, with what each of them was told.

Pure: it takes events and says who gets them, and what somebody is to be told who comes.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from rooms.delivery.order import Order
from rooms.wire.effects import Came, CameBack, Left, Refresh, RoleChanged, RoomChanged, SentAway, StateChanged, Updated
from rooms.wire.events import Audience, Numbered, Share, compact
from rooms.wire.frames import notification
from rooms.wire.results import Attachment

if TYPE_CHECKING:
    from rooms.sockets.outbox import Outbox

COMINGS_AND_GOINGS = frozenset({"on-peer-join", "on-peer-leave", "on-peer-state"})
"""News that can wait a moment for more of the kind, and that the members of a large room are told only of those who go
and whom they were told of."""


@dataclass(eq=False, slots=True)
class Member:
    """A peer whose socket is here. ``gone`` tells its consumer that it is a member no more, and the close code;
    ``granted`` that it got a lock, by the event that says so.

    ``came`` numbers its coming, ``since`` the event by which it has its role, 0 for that of its token.
    ``told`` are the observed keys whose values it was sent when it came or asked for them; changes after ``place``, the
    number of the last event before it came, it was sent as well.
    """

    peer_id: str
    conn_id: str
    role: str
    observed: frozenset[str]
    legacy: bool
    outbox: "Outbox"
    gone: Callable[[int | None], None]
    granted: Callable[[Numbered], object] | None = None
    told: Set[str] = frozenset()
    place: int = 0
    came: int = 0
    since: int = 0


Told: TypeAlias = tuple[Member | None, Collection[Member] | None]
"""Who gets an event: all members but one, or those who are chosen."""


class Roster:
    """See the module."""

    def __init__(self, room_id: str, order: Order) -> None:
        self.room_id = room_id
        self.large = False
        self.peers: dict[str, str] = {}
        self.members: dict[str, Member] = {}
        self._room = "{}"
        self._order = order
        # In a large room whom its members were told of, and hold until they are told that these are gone.
        self._heard_of: set[str] = set()
        # By key of the session's metadata: the number of its last change, and the members who observe it, in order.
        self._changed: dict[str, int] = {}
        self._observers: dict[str, dict[Member, None]] = {}

    def begin(self, attachment: Attachment, peers: Mapping[str, str]) -> None:
        """List everybody of a session as somebody finds it who comes."""
        for peer_id, wire in peers.items():
            self._list(peer_id, wire)
        self._room, self.large = compact(attachment.room), attachment.large

    def forget(self) -> None:
        self.peers, self._changed, self._heard_of = {}, {}, set()

    def _list(self, peer_id: str, wire: str) -> None:
        self.peers[peer_id] = f"{compact(peer_id)}:{wire}"

    # --- Events

    def learn(self, event: Numbered) -> Member | None:
        """Take over what must be known before an event is told; the member that is one no more by it."""
        match event.effect:
            case Came(peer_id, conn_id):
                self._list(peer_id, event.body)
                return self._displaced(peer_id, conn_id)
            case CameBack(peer, conn_id):
                self._list(peer["peer_id"], compact(peer))
                return self._displaced(peer["peer_id"], conn_id)
            case StateChanged(peer):
                self._list(peer["peer_id"], compact(peer))
            case Updated(peer_id):
                self._list(peer_id, event.body)
                if self.large:
                    self._heard_of.add(peer_id)
            case RoleChanged(peer_id, _, role) if member := self.members.get(peer_id):
                member.role, member.since = role, event.seq
            case RoomChanged():
                self._room = event.body
        return None

    def _displaced(self, peer_id: str, conn_id: str) -> Member | None:
        member = self.members.get(peer_id)
        return member if member and member.conn_id != conn_id else None

    def told(self, event: Numbered) -> Told | None:
        """Who of the members gets an event; None if nobody does."""
        audience = event.audience
        if audience.nobody or not self.members or self._is_quiet(event, self._heard_of):
            return None
        if audience.peer or audience.roles or audience.came or (audience.entries and audience.but):
            return None, self._reached(audience)
        if not audience.entries:
            return self.members.get(audience.but), None
        for share in audience.entries:
            # Noted for all, since whoever observes it gets this and need not be sent it when it asks again.
            self._changed[share.key] = event.seq
        return None, self._readers(audience.entries)

    def _is_quiet(self, event: Numbered, heard_of: Set[str] | None = None) -> bool:
        """Whether a large room does without an event; with it for those who go of these peers, None for any."""
        if not self.large or event.kind not in COMINGS_AND_GOINGS:
            return False
        gone = event.effect.peer_id if isinstance(event.effect, Left) else None
        return gone is None or (heard_of is not None and gone not in heard_of)

    def _readers(self, entries: Sequence[Share]) -> Collection[Member]:
        """The members who get some of these entries, and need not be asked one by one."""
        if len(entries) == 1 and entries[0].readers is None:
            return self._observers.get(entries[0].key, ())
        if self._are_for_all(entries):
            return self.members.values()
        return dict.fromkeys(
            member
            for share in entries
            for member in self._observers.get(share.key, ())
            if share.readers is None or member.role in share.readers
        )

    def _are_for_all(self, entries: Sequence[Share]) -> bool:
        everybody = len(self.members)
        return all(share.readers is None and len(self._observers.get(share.key, ())) == everybody for share in entries)

    def shares(self, event: Numbered, told: Collection[Member]) -> list[tuple[Numbered, Collection[Member]]]:
        """What each of those who get an event gets of it."""
        entries = event.audience.entries
        if len(entries) < 2 or (len(told) == len(self.members) and self._are_for_all(entries)):
            return [(event, told)]
        sharing: dict[tuple[int, ...], list[Member]] = {}
        for member in told:
            places = tuple(place for place, share in enumerate(entries) if share.is_for(member.role, member.observed))
            sharing.setdefault(places, []).append(member)
        return [(event.with_entries(places), members) for places, members in sharing.items()]

    def _reached(self, audience: Audience) -> list[Member]:
        return [m for m in self.members.values() if audience.includes(m.peer_id, m.role, m.observed, m.came, m.since)]

    def sent_away(self, effect: SentAway, audience: Audience) -> list[Member]:
        """The members whose sockets are to be closed."""
        return [member for member in self._reached(audience) if effect.peer_id in (None, member.peer_id)]

    def refresh(self, seq: int, effect: Refresh) -> Iterator[tuple[Member, str]]:
        """What tells clients that know no pushed metadata to fetch it, in the way that their apps listen for."""
        info = {"message": "refresh", "type": "metadata"}
        params = {"message_id": f"refresh-{seq}", "timestamp": effect.at, "private": False, "info": info}
        text = notification("on-broadcast", params)
        return ((member, text) for member in self.members.values() if member.legacy)

    def remove(self, peer_id: str) -> Member | None:
        """Take a peer off the list; the member that it is."""
        self.peers.pop(peer_id, None)
        self._heard_of.discard(peer_id)
        return self.members.get(peer_id)

    def own_update(self, peer_id: str) -> str | None:
        """What a peer is told of itself where events told it how it was when they happened, or did not tell it."""
        entry = self.peers.get(peer_id)
        # An entry is the peer's id, a colon and the object.
        return entry and f'{{"method":"on-peer-update","params":{entry[len(compact(peer_id)) + 1 :]}}}'

    # --- Members

    def attach(self, member: Member, attachment: Attachment, *, told_policy: Mapping[str, Any]) -> list[str]:
        """Make a peer a member; the frames with the state as it is at this number, which it is to get first.

        ``told_policy`` is what it was told of roles and rules when its socket was opened, empty if that may be old.
        """
        member.place = self._order.seq
        self.members[member.peer_id] = member
        self._observe(member, member.observed)
        # A replay holds changes of keys and no values, so of keys without a change nothing was sent.
        if attachment.replay is None:
            member.told = member.observed
            texts = self._state(attachment)
        else:
            member.told = {share.key for event in attachment.replay for share in event.audience.entries}
            # Whom it was told of before, and perhaps by another process, is not known.
            texts = [event.frame() for event in attachment.replay if not self._is_quiet(event)]
            if attachment.values:
                texts.append(notification("on-metadata-change", {"values": attachment.values}))
        if attachment.had_other_roles or attachment.policy != told_policy:
            texts.append(notification("on-policy-change", attachment.policy))
        if attachment.with_self and (own := self.own_update(member.peer_id)):
            texts.append(own)
        return texts

    def _state(self, attachment: Attachment) -> list[str]:
        texts = [self._peer_list(attachment.peer_id), self.session_info()]
        if self.large:
            texts.append(notification("room-info", {"room_id": self.room_id, "large_room_optimization": True}))
        if attachment.values:
            texts.append(notification("on-metadata-change", {"values": attachment.values}))
        if attachment.locks:
            texts.append(notification("on-lock-list", {"locks": attachment.locks}))
        for method, params in attachment.polls:
            texts.append(notification(method, params))
        return texts

    def _peer_list(self, peer_id: str) -> str:
        listed = "" if self.large else ",".join([entry for key, entry in self.peers.items() if key != peer_id])
        return f'{{"method":"peer-list","params":{{"peers":{{{listed}}},"room":{self._room}}}}}'

    def session_info(self) -> str:
        return notification(
            "session-info",
            {
                "session_id": self._order.session_id,
                "history": self._order.history,
                "room_id": self.room_id,
                "peer_count": len(self.peers),
                "track_count": 0,
            },
        )

    def detach(self, member: Member) -> None:
        # The peer's next socket may be the member by now.
        if self.members.get(member.peer_id) is member:
            del self.members[member.peer_id]
        self._observe_no_more(member, member.observed)

    def observe(self, member: Member, keys: frozenset[str], values: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Let a member observe these keys from now on; those of the values that it has not got."""
        told = {key for key in member.observed if key in member.told or self._changed.get(key, 0) > member.place}
        self._observe_no_more(member, member.observed - keys)
        self._observe(member, keys - member.observed)
        member.observed = member.told = keys
        return [value for value in values if value["key"] not in told]

    def _observe(self, member: Member, keys: frozenset[str]) -> None:
        for key in keys:
            self._observers.setdefault(key, {})[member] = None

    def _observe_no_more(self, member: Member, keys: frozenset[str]) -> None:
        for key in keys:
            observers = self._observers.get(key, {})
            observers.pop(member, None)
            if not observers:
                self._observers.pop(key, None)
