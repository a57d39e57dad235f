"""``/init``: where a client with a token asks for the socket's address. Whoever must be refused is refused here."""

import secrets
from typing import Any

from django.http import HttpRequest

from rooms.access import tokens
from rooms.api.http import bearer, endpoint, own_origin
from rooms.delivery.hub import read_among_others
from rooms.operations.admission import admit, check_peer_id
from rooms.operations.engine.calls import Caller
from rooms.process import drain
from rooms.wire.errors import Unavailable


@endpoint("GET")
def init(request: HttpRequest) -> dict[str, Any]:
    """``{endpoint, config}`` for the holder of a token who may enter its room with this peer id.

    Never 404: published clients repeat such a call for ever.
    """
    if drain.under_way():
        raise Unavailable("the server restarts, try again")
    claims = tokens.read(bearer(request))
    peer_id = request.GET.get("peer_id") or secrets.token_hex(16)  # some client that has not chosen one yet
    check_peer_id(peer_id)
    caller = Caller(
        room_id=claims.room_id,
        peer_id=peer_id,
        owner=claims.owner,
        user_id=claims.user_id,
        role=claims.role,
        source="socket",
    )
    # Else the socket refuses, and published clients would try that again for ever.
    read_among_others(admit, caller)
    return {
        "endpoint": f"ws{own_origin(request).removeprefix('http')}/v2/ws",
        # Tells clients that a role without media needs no WebRTC.
        "config": {"enabledFlags": ["nonWebRTCDisableOffer"]},
    }
