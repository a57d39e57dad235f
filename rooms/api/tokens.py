"""``/v2/token``: a token for the holder of a room code."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, NotRequired, TypedDict

from django.http import HttpRequest

from rooms.access import tokens
from rooms.api.http import body, endpoint, limit_address
from rooms.models import Peer, RoomCode
from rooms.operations.persons import remembered
from rooms.wire.errors import Forbidden, NotFound, Removed
from rooms.wire.parameters import Chars, bind, fields_of


class Wanted(TypedDict):
    code: Annotated[str, Chars(1, 24)]
    user_id: NotRequired[Annotated[str, Chars(0, "MAX_USER_ID_CHARS")] | None]
    secret: NotRequired[Annotated[str, Chars(16, 128)] | None]


PARAMETERS = fields_of(Wanted)


@endpoint("POST")
def token(request: HttpRequest) -> dict[str, Any]:
    """``{token, expires_at}`` for ``{code, user_id?, secret?}``.

    ``user_id`` is for others to see. ``secret`` is what the client proves itself with next time: who sends the same one
    again is the same owner, and who sends none is somebody new. Raises NotFound if there is no such code, Forbidden if
    it or its room is closed, but for those who are inside; its data tells who was removed of that too.
    """
    limit_address(request)
    wanted = bind(PARAMETERS, body(request))
    code, user_id, secret = wanted["code"], wanted.get("user_id") or str(uuid.uuid4()), wanted.get("secret") or ""
    found = RoomCode.objects.select_related("room").filter(code=code).first()
    if found is None:
        raise NotFound("code: no such room code")
    owner = tokens.owner_by_secret(secret)
    if not (found.enabled and found.room.enabled) and not _is_inside(owner, found):
        why = "code: the room is closed" if found.enabled else "code: it opens the room no longer"
        raise Forbidden(why, data=_removal(owner, found))
    signed, expires_at = tokens.sign(found.room_id, found.role, user_id, owner=owner)
    return {"token": signed, "expires_at": datetime.fromtimestamp(expires_at, UTC).isoformat().replace("+00:00", "Z")}


def _is_inside(owner: str, code: RoomCode) -> bool:
    """Whether an owner has a peer in the room: who was there when it, or the code, was closed may come back."""
    # With the same role, or a dead code would give somebody who is inside another one.
    live = Peer.objects.filter(session__room_id=code.room_id, session__ended_at=None)
    peers = live.filter(owner=owner, joined_role=code.role)
    return peers.exclude(state=Peer.State.LEFT).exists()


def _removal(owner: str, code: RoomCode) -> Any:
    """What an owner is told who was removed from the room's session, None for others."""
    person = remembered(code.room_id, owner)
    return Removed(person.reason).data if person and person.removed_at else None
