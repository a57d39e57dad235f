"""``/v2/rooms``: rooms, made, looked for and changed."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from rooms import creation
from rooms.api.rest.pages import PageQuery, page
from rooms.models import Room
from rooms.wire.errors import NotFound

router = Router(tags=["Rooms"])


class RoomBody(Schema):
    """What of a room can be given; what is left out stays as it is."""

    name: Annotated[str | None, Field(max_length=100, description="Letters, digits, . - : and _")] = None
    enabled: Annotated[bool | None, Field(description="Whether anybody may enter")] = None


class RoomQuery(PageQuery):
    name: Annotated[str, Field(max_length=100, description="The whole name, in any case")] = ""
    enabled: Annotated[bool, Field(description="Rooms that may be entered, or those that may not")] = True


@router.post("")
def create_room(request: HttpRequest, payload: RoomBody) -> dict[str, Any]:
    """Make a room; of an existing name, change and return that one."""
    given = payload.dict(exclude_none=True)
    found = Room.objects.filter(name__iexact=given["name"]).first() if given.get("name") else None
    room = creation.change_room(found.pk, **given) if found else creation.create_room(**given)
    return shown(room)


@router.get("")
def list_rooms(request: HttpRequest, query: Query[RoomQuery]) -> dict[str, Any]:
    """Rooms, newest first."""
    rooms = Room.objects.filter(enabled=query.enabled).select_related("template")
    if query.name:
        rooms = rooms.filter(name__iexact=query.name)
    return page(rooms, query, shown)


@router.get("/{room_id}")
def get_room(request: HttpRequest, room_id: str) -> dict[str, Any]:
    """One room."""
    return shown(find(room_id))


@router.post("/{room_id}")
def update_room(request: HttpRequest, room_id: str, payload: RoomBody) -> dict[str, Any]:
    """Change what of a room is given."""
    return shown(creation.change_room(find(room_id).pk, **payload.dict(exclude_none=True)))


def find(room_id: str) -> Room:
    """Raises NotFound."""
    room = Room.objects.select_related("template").filter(pk=room_id).first()
    if room is None:
        raise NotFound("room: no such room")
    return room


def shown(room: Room) -> dict[str, Any]:
    return {"id": room.pk, "name": room.name, "enabled": room.enabled, "created_at": room.created_at}
