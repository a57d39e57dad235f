"""``/v2/active-rooms/{room}/messages``: what was said in a live room."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from rooms.api.rest.frame import answers, perform
from rooms.api.rest.pages import Filters
from rooms.operations.kept import list_messages

router = Router(tags=["Messages"])

MessageId = Annotated[str, Field(description="Id of the message", examples=["0f1e2d3c4b5a69788796a5b40000002a"])]
PeerId = Annotated[str, Field(description="Id of a peer", examples=["3f1c0a7e"])]


class Said(Schema):
    """What is said."""

    message: Annotated[str, Field(description="`MAX_MESSAGE_CHARS` characters at most", examples=["Hello"])]
    type: Annotated[str, Field(description="`chat` is for people to read, others for the app", examples=["chat"])]


class SenderInfo(Schema):
    """How the sender was called."""

    name: Annotated[str, Field(description="What others saw", examples=["Alice"])]
    data: Annotated[str, Field(description="Always empty", examples=[""])]
    user_id: Annotated[str, Field(description="As the sender's token said", examples=["alice-1"])]


class Sender(Schema):
    """Who sent it, as of then."""

    peer_id: PeerId
    person: Annotated[str, Field(description="The same for all peers of one person", examples=["p7c1b2"])] = ""
    role: Annotated[str, Field(description="Name of the role", examples=["host"])]
    groups: Annotated[list[str], Field(description="Names of the groups", examples=[["_handraise"]])]
    info: SenderInfo


class Message(Schema):
    """A message, as sockets are told it."""

    message_id: MessageId
    timestamp: Annotated[int, Field(description="When, milliseconds since 1970", examples=[1795816800000])]
    private: Annotated[bool, Field(description="Whether it was for one peer alone", examples=[False])]
    info: Said
    peer: Annotated[
        Sender | None,
        Field(
            description="Who sent it; missing where the server did", examples=[{"peer_id": "3f1c0a7e", "role": "host"}]
        ),
    ] = None
    mentions: Annotated[list[str], Field(description="Peers that it is about", examples=[["3f1c0a7e"]])] = []
    reply_to: Annotated[MessageId, Field(description="Which message it answers; missing for none")] = ""
    edited_at: Annotated[int, Field(description="When it was changed last", examples=[1795816800000])] = 0
    roles: Annotated[list[str], Field(description="Whom it was for; missing for all", examples=[["host"]])] = []
    peer_id: Annotated[PeerId, Field(description="Whom a private one was for")] = ""


class Messages(Schema):
    limit: Annotated[int, Field(description="How many at most", examples=[10])]
    data: Annotated[list[Message], Field(description="The newest first")]
    last: Annotated[str, Field(description="`before` of the next page; empty at the end", examples=[""])]


class MessagesQuery(Filters):
    before: Annotated[str, Field(max_length=64, description="Id of a message; only those before it", examples=[""])] = (
        ""
    )
    limit: Annotated[int, Field(ge=1, le=100, description="How many at most, 1 to 100", examples=[10])] = 10


@router.get("/{room_id}/messages", **answers(Messages, 404), exclude_unset=True)
def get_messages(request: HttpRequest, room_id: str, query: Query[MessagesQuery]) -> Any:
    """The messages that the session keeps, also those to roles and peers, until it ends: the last `KEPT_MESSAGES`."""
    found = perform(request, room_id, list_messages, before=query.before or None, limit=query.limit)
    return {"limit": query.limit, "data": found["messages"], "last": found["last"]}
