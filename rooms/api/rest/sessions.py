"""``/v2/sessions``: what ran in rooms, now and before, and who was there."""

from typing import Annotated, Any

from django.db.models import Count, F, Max, OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from rooms.api.rest.frame import answers
from rooms.api.rest.pages import PageOf, PageQuery, page
from rooms.api.rest.shapes import Account, GivenMoment, Moment, RoleName, RoomId, account
from rooms.models import Peer, Session
from rooms.wire.errors import NotFound

router = Router(tags=["Sessions"])

LISTED_PEERS = 100
"""Of each session in a list; a session by itself has all of them."""

SessionId = Annotated[str, Field(description="Id of the session, 24 hex digits", examples=["66f1a1b2c3d4e5f601234567"])]


class SessionPeer(Schema):
    """Somebody who was in a session, with the name and role of the end."""

    id: Annotated[str, Field(description="Id of the peer", examples=["3f1cdb2e-5b0a-4c7e-9a39-2f1f0a8a7d11"])]
    session_id: SessionId
    name: Annotated[str, Field(description="What others saw", examples=["Alice"])]
    role: RoleName
    user_id: Annotated[str, Field(description="As the token said", examples=["alice-1"])]
    joined_at: Moment
    left_at: Annotated[Moment | None, Field(description="Null while the peer is there")]


class SessionAnswer(Schema):
    """One run of a room, from the first join until the last peer left."""

    id: SessionId
    room_id: RoomId
    customer_id: Account
    app_id: Account
    active: Annotated[bool, Field(description="Whether it goes on", examples=[True])]
    created_at: Annotated[Moment, Field(description="When it began")]
    updated_at: Annotated[Moment, Field(description="When somebody last came or went, or it ended")]
    peer_count: Annotated[int, Field(description="How many were in it", examples=[12])]
    peers: Annotated[
        dict[str, SessionPeer],
        Field(
            description=f"Who was in it, by id. In a list {LISTED_PEERS} of each session at most: those who are there"
            " first, then who left last"
        ),
    ]


class SessionQuery(PageQuery):
    room_id: Annotated[RoomId, Field(max_length=24, description="Sessions of this room; none is any")] = ""
    active: Annotated[
        bool | None, Field(description="Those that go on, or those that are over; none is both", examples=[True])
    ] = None
    after: Annotated[GivenMoment | None, Field(description="Begun then or later; RFC 3339, with its zone")] = None
    before: Annotated[GivenMoment | None, Field(description="Begun then or earlier; as `after`")] = None


@router.get("", **answers(PageOf[SessionAnswer]))
def list_sessions(request: HttpRequest, query: Query[SessionQuery]) -> Any:
    """Sessions, newest first; those that are over for `HISTORY_DAYS`."""
    # So many of each session: of a part of a list Django makes a window.
    sessions = _sessions(_peers()[:LISTED_PEERS])
    if query.room_id:
        sessions = sessions.filter(room_id=query.room_id)
    if query.active is not None:
        sessions = sessions.filter(ended_at__isnull=query.active)
    if query.after:
        sessions = sessions.filter(started_at__gte=query.after)
    if query.before:
        sessions = sessions.filter(started_at__lte=query.before)
    return page(sessions, query, shown, order=("-started_at", "-pk"))


@router.get("/{session_id}", **answers(SessionAnswer, 404))
def get_session(request: HttpRequest, session_id: str) -> Any:
    """One session."""
    session = _sessions(_peers()).filter(pk=session_id).first()
    if session is None:
        raise NotFound("session: no such session")
    return shown(session)


PEER_FIELDS = ("session_id", "name", "role", "user_id", "joined_at", "left_at")


def _peers() -> QuerySet[Peer]:
    """Those who are there first, then who left last."""
    fields = Peer.objects.only("peer_id", *PEER_FIELDS)
    return fields.order_by(F("left_at").desc(nulls_first=True), "-joined_at", "-pk")


def _sessions(peers: QuerySet[Peer]) -> QuerySet[Session]:
    """Sessions with these of their peers, and what is told of all of them."""
    of_session = Peer.objects.filter(session=OuterRef("pk")).order_by().values("session")
    numbers = {"peer_count": Count("pk"), "last_joined_at": Max("joined_at"), "last_left_at": Max("left_at")}
    counted = {name: Subquery(of_session.annotate(found=of_all).values("found")) for name, of_all in numbers.items()}
    return Session.objects.annotate(**counted).prefetch_related(Prefetch("peers", peers, to_attr="told"))


def shown(session: Any) -> dict[str, Any]:
    peers = sorted(session.told, key=lambda peer: (peer.joined_at, peer.pk))
    moments = [session.started_at, session.ended_at, session.last_joined_at, session.last_left_at]
    return {
        "id": session.pk,
        "room_id": session.room_id,
        "customer_id": account(),
        "app_id": account(),
        "active": session.ended_at is None,
        "created_at": session.started_at,
        "updated_at": max(filter(None, moments)),
        "peer_count": session.peer_count or 0,
        "peers": {
            peer.peer_id: {"id": peer.peer_id, **{name: getattr(peer, name) for name in PEER_FIELDS}} for peer in peers
        },
    }
