"""``/v2/token``: a token for the holder of a room code."""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from rooms import tokens
from rooms.api.http import body, endpoint, limit_address
from rooms.errors import BadRequest, Forbidden, NotFound
from rooms.models import RoomCode


@endpoint("POST")
def token(request: HttpRequest) -> dict[str, Any]:
    """``{token, expires_at}`` for ``{code, user_id?}``.

    Raises NotFound if there is no such code, Forbidden if it or its room is closed.
    """
    limit_address(request)
    wanted = body(request)
    code, user_id = wanted.get("code"), wanted.get("user_id") or str(uuid.uuid4())
    if not isinstance(code, str):
        raise BadRequest("code: expected a string")
    if not isinstance(user_id, str) or len(user_id) > settings.MAX_USER_ID_CHARS:
        raise BadRequest(f"user_id: expected a string of at most {settings.MAX_USER_ID_CHARS} characters")
    found = RoomCode.objects.select_related("room").filter(code=code[:24]).first()
    if found is None:
        raise NotFound("code: no such room code")
    if not (found.enabled and found.room.enabled):
        raise Forbidden("code: the room is closed")
    signed, expires_at = tokens.sign(found.room_id, found.role, user_id)
    return {"token": signed, "expires_at": datetime.fromtimestamp(expires_at, UTC).isoformat().replace("+00:00", "Z")}
