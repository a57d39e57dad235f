"""``/v2/active-rooms/{room}/metadata``: the session metadata of a live room."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Router, Schema

from rooms.api.rest.frame import perform
from rooms.operations.metadata.reading import get_metadata
from rooms.operations.metadata.writing import set_metadata

router = Router(tags=["Session metadata"])


class Value(Schema):
    data: Annotated[Any, Field(description="Any JSON value")]


@router.get("/{key}")
def get_entry(request: HttpRequest, room_id: str, key: str) -> Any:
    """The entry of a key."""
    return perform(request, room_id, get_metadata, key=key)


@router.put("/{key}")
def put_entry(request: HttpRequest, room_id: str, key: str, payload: Value) -> Any:
    """Set a key."""
    return perform(request, room_id, set_metadata, key=key, data=payload.data)
