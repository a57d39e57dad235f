"""``/v2/active-rooms/{room}/locks``: the locks of a live room."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Field, Header, Router, Schema, Status

from rooms.api.rest import paths  # noqa: F401, makes {name:…}
from rooms.api.rest.conditions import NOT_MODIFIED, Match, NoneMatch, tagged
from rooms.api.rest.frame import answers, perform
from rooms.operations.locks import list_locks, read_lock, revoke_lock

router = Router(tags=["Locks"])

Seq = Annotated[int, Field(description="The number of the session's last event when this was so", examples=[104])]


class Lock(Schema):
    """A lock, as sockets are told it."""

    name: Annotated[str, Field(description="1 to 64 characters", examples=["deck"])]
    holder: Annotated[
        str | None, Field(description="The id of the peer that holds it; null for a free one", examples=["3f1c0a7e"])
    ]
    token: Annotated[int | None, Field(description="Grows with every holder; null for a free one", examples=[98])]
    expires_at: Annotated[
        int, Field(description="When it is freed by itself, milliseconds since 1970", examples=[1795817400000])
    ] = 0


class OneLock(Lock):
    seq: Seq


class Locks(Schema):
    locks: Annotated[list[Lock], Field(description="Those that somebody holds, 100 at most")]
    seq: Seq


@router.get("/{room_id}/locks", **answers(Locks, 404), exclude_unset=True)
def get_locks(request: HttpRequest, room_id: str) -> Any:
    """The locks that somebody holds."""
    return perform(request, room_id, list_locks)


@router.get("/{room_id}/locks/{name:name}", **answers(OneLock, 404, also=NOT_MODIFIED), exclude_unset=True)
def get_lock(
    request: HttpRequest, response: HttpResponse, room_id: str, name: str, conditions: Header[NoneMatch]
) -> Any:
    """A lock that somebody holds, with its token as `ETag`. 304: it is held under the token of `If-None-Match`."""
    lock = tagged(response, perform(request, room_id, read_lock, name=name))
    return Status(304, None) if conditions.names(lock["tag"]) else lock


@router.delete("/{room_id}/locks/{name:name}", **answers(OneLock, 404, 412), exclude_unset=True)
def release_lock(request: HttpRequest, room_id: str, name: str, conditions: Header[Match]) -> Any:
    """Free a lock whoever holds it. The answer is the lock as it is then: the next who waited may hold it."""
    return perform(request, room_id, revoke_lock, name=name, tags=conditions.tags())
