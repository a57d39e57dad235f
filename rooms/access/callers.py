"""Who comes over a socket, and from which place, as the socket's address says."""

import re
from collections.abc import Mapping
from typing import Any

from rooms.access import tokens
from rooms.delivery import hub
from rooms.operations.arriving import Place
from rooms.operations.engine.calls import Caller
from rooms.process import lease
from rooms.wire.parameters import bind, fields_of
from rooms.wire.sdk_versions import is_legacy

PARAMETERS = fields_of(Place)
"""What the address of a socket says of the place that its peer comes back with, if it says anything."""


def place_in(query: Mapping[str, str]) -> dict[str, Any] | None:
    """The place that an address names, or None. Raises BadRequest, also if it names half a place."""
    given: dict[str, Any] = {field.name: query[field.name] for field in PARAMETERS if field.name in query}
    if re.fullmatch("-?[0-9]{1,16}", given.get("seq", "")):
        given["seq"] = int(given["seq"])
    return bind(PARAMETERS, given) if given else None


async def read_claims(token: str) -> tokens.Claims:
    """What a token says, without making others wait for the database. Raises Unauthorized."""
    if tokens.names_own_key(token):
        return tokens.read(token)
    claims: tokens.Claims = await hub.get().read(tokens.read, token)
    return claims


def caller_of(claims: tokens.Claims, query: Mapping[str, str], conn_id: str) -> Caller:
    return Caller(
        room_id=claims.room_id,
        peer_id=query["peer"],
        owner=claims.owner,
        user_id=claims.user_id,
        role=claims.role,
        conn_id=conn_id,
        worker=lease.worker_id(),
        legacy=is_legacy(query.get("user_agent_v2") or query.get("user_agent") or ""),
        source="socket",
    )
