"""``/v2/room-codes``: short codes that let their holders into a room with one role."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from rooms.api.rest.frame import Act, answers, author
from rooms.api.rest.pages import PageOf, PageQuery, page
from rooms.api.rest.rooms import find
from rooms.api.rest.shapes import Moment, RoleName, RoomId
from rooms.creation import codes as creation
from rooms.models import RoomCode

router = Router(tags=["Room codes"])

Code = Annotated[str, Field(description="Ten letters, which whoever has them enters with", examples=["abc-defg-hij"])]


class RoomCodeAnswer(Schema):
    """A code that opens a room with one role; it never expires."""

    code: Code
    room_id: RoomId
    role: RoleName
    enabled: Annotated[bool, Field(description="Whether the code opens anything", examples=[True])]
    created_at: Moment
    updated_at: Moment


class CodesAnswer(Schema):
    data: Annotated[list[RoomCodeAnswer], Field(description="A code for each role, in the template's order")]


class CodeBody(Act):
    code: Annotated[Code, Field(min_length=1, max_length=24)]
    enabled: Annotated[bool, Field(description="Whether the code is to open its room", examples=[False])]


class CodeQuery(PageQuery):
    role: Annotated[str, Field(max_length=100, description="Codes of this role; none is any", examples=["host"])] = ""
    enabled: Annotated[bool | None, Field(description="Codes that are on, or off; none is both", examples=[True])] = (
        None
    )


@router.post("/room/{room_id}", **answers(CodesAnswer, 403, 404))
def create_codes(request: HttpRequest, room_id: str) -> Any:
    """A code for each role of a room.

    A role that has one which is on keeps it. Codes of roles that the template has no longer are switched off. 403: the
    room is disabled.
    """
    return {"data": creation.make_codes(find(room_id).pk, author=author(request))}


@router.post("/room/{room_id}/role/{path:role}", **answers(RoomCodeAnswer, 403, 404))
def create_code(request: HttpRequest, room_id: str, role: str) -> Any:
    """A code for one role of a room: the one that is on, else a new one. 403: the room is disabled."""
    [code] = creation.make_codes(find(room_id).pk, role, author=author(request))
    return code


@router.get("/room/{room_id}", **answers(PageOf[RoomCodeAnswer], 404))
def list_codes(request: HttpRequest, room_id: str, query: Query[CodeQuery]) -> Any:
    """The codes of a room, newest first, those that are off included."""
    codes = RoomCode.objects.filter(room=find(room_id))
    if query.role:
        codes = codes.filter(role=query.role)
    if query.enabled is not None:
        codes = codes.filter(enabled=query.enabled)
    return page(codes, query)


@router.post("/code", **answers(RoomCodeAnswer, 403, 404))
def switch_code(request: HttpRequest, payload: CodeBody) -> Any:
    """Switch a code on or off. Who is inside stays. 403: its room is disabled, or has its role no longer."""
    return creation.switch_code(payload.code, on=payload.enabled, author=author(request))
