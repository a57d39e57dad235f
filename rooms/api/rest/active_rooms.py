"""``/v2/active-rooms``: who is in a room now, and what a back end does there. Whoever is inside sees it at once."""

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from rooms.api.rest.frame import Act, answers, as_named, perform
from rooms.api.rest.pages import Filters
from rooms.api.rest.rooms import find
from rooms.api.rest.shapes import Account, Moment, RoleName, RoomId, account
from rooms.models import Peer, Session
from rooms.operations.messaging import CHAT, broadcast
from rooms.operations.moderation import change_peer, end_room, remove_peer, remove_role
from rooms.operations.room_settings import set_room
from rooms.wire.errors import BadRequest, NotFound

router = Router(tags=["Active rooms"])

PeerId = Annotated[str, Field(description="Id of the peer", examples=["3f1cdb2e-5b0a-4c7e-9a39-2f1f0a8a7d11"])]
Reason = Annotated[
    str,
    Field(max_length=200, description="What those who go are told, at most 200 characters", examples=["Lesson over"]),
]


# --- Answers --------------------------------------------------------------------------------------


class LiveSession(Schema):
    id: Annotated[str, Field(description="Id of the session, 24 hex digits", examples=["66f1a1b2c3d4e5f601234567"])]
    created_at: Moment
    locked: Annotated[bool, Field(description="Whether nobody new may enter", examples=[False])]
    peers: Annotated[list[PeerId], Field(description="Ids of the peers in it, in the order of joining")]


class ActiveRoomAnswer(Schema):
    """A room that somebody is in."""

    id: RoomId
    name: Annotated[str, Field(description="Name of the room", examples=["standup"])]
    customer_id: Account
    session: LiveSession


class PeerAnswer(Schema):
    """Somebody who is in a room, or whose connection was lost less than PEER_GRACE ago."""

    id: PeerId
    name: Annotated[str, Field(description="What others see", examples=["Alice"])]
    user_id: Annotated[str, Field(description="As the token says", examples=["alice-1"])]
    metadata: Annotated[str, Field(description="What the peer, or a back end, set", examples=['{"team": "red"}'])]
    role: RoleName
    joined_at: Moment


class PeersAnswer(Schema):
    peers: Annotated[dict[str, PeerAnswer], Field(description="By id; empty if none is like that")]


class PeerWithTracks(PeerAnswer):
    tracks: Annotated[dict[str, Any], Field(description="Always empty: there is no media", examples=[{}])] = {}


class Done(Schema):
    message: Annotated[str, Field(description="That it is done", examples=["message sent"])]


# --- Who is there ---------------------------------------------------------------------------------


class PeerQuery(Filters):
    user_id: Annotated[
        str, Field(max_length=128, description="Peers of this user; none is any", examples=["alice-1"])
    ] = ""
    role: Annotated[str, Field(max_length=100, description="Peers with this role; none is any", examples=["host"])] = ""


@router.get("/{room_id}", **answers(ActiveRoomAnswer, 404))
def get_active_room(request: HttpRequest, room_id: str) -> Any:
    """The running session of a room. 404: nobody is in it."""
    room, [session, peers] = find(room_id), _live(room_id)
    live = {"id": session.pk, "created_at": session.started_at, "locked": session.locked}
    live["peers"] = [peer.peer_id for peer in peers]
    return {"id": room.pk, "name": room.name, "customer_id": account(), "session": live}


@router.get("/{room_id}/peers", **answers(PeersAnswer, 404))
def list_active_peers(request: HttpRequest, room_id: str, query: Query[PeerQuery]) -> Any:
    """All who are in a room. 404: nobody is in it."""
    _, peers = _live(room_id)
    wanted = {name: value for name, value in (("user_id", query.user_id), ("role", query.role)) if value}
    chosen = [peer for peer in peers if all(getattr(peer, name) == value for name, value in wanted.items())]
    return {"peers": {peer.peer_id: _shown(peer) for peer in chosen}}


@router.get("/{room_id}/peers/{path:peer_id}", **answers(PeerWithTracks, 404))
def get_active_peer(request: HttpRequest, room_id: str, peer_id: str) -> Any:
    """One who is in a room."""
    peers = _present(find(room_id).pk).filter(peer_id=peer_id)
    if not peers:
        raise NotFound("peer: no such peer in the room")
    return _shown(peers[0])


def _live(room_id: str) -> tuple[Session, list[Peer]]:
    """The running session of a room and who is in it. Raises NotFound."""
    # One read, so that both are of the same moment.
    present = _present(find(room_id).pk).select_related("session")
    peers = list(present.only("peer_id", *PEER_FIELDS, "session__started_at", "session__locked"))
    if not peers:
        raise NotFound("room: nobody is in it")
    return peers[0].session, peers


def _present(room_id: str) -> Any:
    present = Peer.objects.filter(session__room_id=room_id, session__ended_at=None).exclude(state=Peer.State.LEFT)
    return present.order_by("joined_seq")


def _shown(peer: Peer) -> dict[str, Any]:
    return {"id": peer.peer_id, **{name: getattr(peer, name) for name in PEER_FIELDS}}


PEER_FIELDS = ("name", "user_id", "metadata", "role", "joined_at")


# --- What is done to them -------------------------------------------------------------------------


class PeerBody(Act):
    """What is left out, or a name or role that is empty, stays as it is."""

    name: Annotated[str | None, Field(description="What others see; at most `MAX_NAME_CHARS`", examples=["Alice"])] = (
        None
    )
    role: Annotated[str | None, Field(description="A role of the room's template", examples=["host"])] = None
    metadata: Annotated[
        str | None, Field(description="Text of at most `MAX_PEER_METADATA_BYTES`", examples=['{"team": "red"}'])
    ] = None


@router.post("/{room_id}/peers/{path:peer_id}", **answers(PeerWithTracks, 403, 404))
def update_active_peer(request: HttpRequest, room_id: str, peer_id: str, payload: PeerBody) -> Any:
    """Give somebody another name, role or metadata.

    The role holds for all peers of the same user, until the session ends. 403: the role takes nobody more.
    """
    change = {"name": payload.name or None, "role": payload.role or None, "metadata": payload.metadata}
    changed = perform(request, room_id, change_peer, peer_id=peer_id, **change)["peer"]
    info = changed["info"]
    return {
        "id": peer_id,
        "name": info["name"],
        "user_id": info["user_id"],
        "metadata": info["data"],
        "role": changed["role"],
        "joined_at": datetime.fromtimestamp(changed["joined_at"] / 1000, UTC),
    }


_LEFT_OUT = Field(default_factory=str, min_length=1)


class ToSome(Act):
    """An act for one peer, or others."""

    narrowing = ("peer_id", "peerId", "role")

    peer_id: Annotated[PeerId, _LEFT_OUT, Field(description="This peer alone, whatever role is named")]
    peerId: Annotated[PeerId, _LEFT_OUT, Field(description="As peer_id: what the service's server SDK sends")]
    role: Annotated[RoleName, _LEFT_OUT, Field(description="All with this role")]

    def field(self) -> str:
        """By which field the peer is named."""
        return "peerId" if self.peerId and not self.peer_id else "peer_id"

    def peer(self) -> str:
        """The peer that is named, by either field; empty for none. Raises BadRequest."""
        named = {given for given in (self.peer_id, self.peerId) if given}
        if len(named) > 1:
            raise BadRequest("peerId: another one than peer_id")
        return named.pop() if named else ""


class MessageBody(ToSome):
    message: Annotated[
        str, Field(min_length=1, description="What is said; at most `MAX_MESSAGE_CHARS`", examples=["Welcome"])
    ]
    type: Annotated[
        str | None, Field(max_length=64, description="`chat` for people, any other for the app", examples=[CHAT])
    ] = None


@router.post("/{room_id}/send-message", **answers(Done, 404))
def send_message(request: HttpRequest, room_id: str, payload: MessageBody) -> Any:
    """Say something to one peer, to a role, or to everybody in the room; it comes without a sender.

    A peer or role that is null or empty is refused, and so are fields that are not listed here.
    """
    peer_id = payload.peer()
    whom: dict[str, Any] = {"peer_id": peer_id} if peer_id else {"roles": [payload.role]} if payload.role else {}
    info = {"message": payload.message, "type": payload.type or CHAT}
    with as_named({"info.": "", "roles[0]:": "role:", "peer_id:": f"{payload.field()}:"}):
        perform(request, room_id, broadcast, info=info, **whom)
    return {"message": "message sent"}


class RemovalBody(ToSome):
    reason: Reason = ""


@router.post("/{room_id}/remove-peers", **answers(Done, 404))
def remove_peers(request: HttpRequest, room_id: str, payload: RemovalBody) -> Any:
    """Remove somebody, or all with a role; they stay out until the session ends or they are let in again."""
    if peer_id := payload.peer():
        with as_named({"requested_for:": f"{payload.field()}:"}):
            perform(request, room_id, remove_peer, requested_for=peer_id, reason=payload.reason)
    elif payload.role:
        perform(request, room_id, remove_role, role=payload.role, reason=payload.reason)
    else:
        raise BadRequest("peer_id: missing, and so is role")
    return {"message": "peer remove request submitted"}


class EndBody(Act):
    reason: Reason = ""
    lock: Annotated[bool, Field(description="Whether to let nobody into the room afterwards", examples=[False])] = False


@router.post("/{room_id}/end-room", **answers(Done, 404))
def end_active_room(request: HttpRequest, room_id: str, payload: EndBody = EndBody()) -> Any:  # noqa: B008
    """End the session and remove everybody. 404, and nothing is locked: nobody is in the room."""
    perform(request, room_id, end_room, reason=payload.reason, lock=payload.lock)
    return {"message": "session is ending"}


class LockBody(Act):
    locked: Annotated[bool, Field(description="Whether nobody new may enter", examples=[True])]


@router.post("/{room_id}/lock", **answers(Done, 404))
def lock_active_room(request: HttpRequest, room_id: str, payload: LockBody) -> Any:
    """Let nobody new in until the session ends, or let them in again. Who is inside stays. 404: nobody is in it."""
    _live(room_id)
    perform(request, room_id, set_room, locked=payload.locked)
    return {"message": "room locked" if payload.locked else "room unlocked"}
