"""``/v2/active-rooms/{room}/metadata``: the session metadata of a live room."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Field, Header, Query, Router, Schema, Status
from pydantic import ValidationInfo, field_validator

from rooms.api.http import json_value
from rooms.api.rest import paths  # noqa: F401, makes {name:…}
from rooms.api.rest.conditions import NOT_MODIFIED, Conditions, NoneMatch, tagged
from rooms.api.rest.frame import Act, answers, as_named, perform
from rooms.api.rest.pages import PageOf, PageQuery, page
from rooms.models import AuditEntry, Session
from rooms.operations.metadata.conditions import change_entry, list_entries, read_entry
from rooms.operations.metadata.writing import MAX_CHANGES, Wanted, update_metadata
from rooms.wire.errors import BadRequest, NotFound, UnknownMediaType
from rooms.wire.parameters import bind, fields_of
from rooms.wire.rules import MAX_EXPIRES_IN

router = Router(tags=["Session metadata"])

MERGE_PATCH, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"

Key = Annotated[str, Field(description="1 to `MAX_KEY_BYTES` bytes, any characters", examples=["slide"])]
AnyValue = Annotated[Any, Field(description="Any JSON value, `MAX_VALUE_BYTES` bytes at most", examples=[7])]
Seq = Annotated[int, Field(description="The number of the session's last event when this was so", examples=[104])]


# --- What is told -------------------------------------------------------------------------------


class Entry(Schema):
    """A key of session metadata, as sockets are told it."""

    key: Key
    data: Annotated[Any, Field(description="The value; null also if the key is not set", examples=[7])]
    change_version: Annotated[
        int, Field(description="Grows by 1 with every change until the session ends; 0 if never set", examples=[12])
    ]
    updated_by: Annotated[
        str, Field(description="The id of the peer that wrote it; empty for the server", examples=["3f1c0a7e"])
    ] = ""
    updated_at: Annotated[
        int, Field(description="When it was written, milliseconds since 1970", examples=[1795816800000])
    ] = 0
    owner: Annotated[str, Field(description="The id of the peer with which it goes", examples=["3f1c0a7e"])] = ""
    expires_at: Annotated[int, Field(description="When it goes, milliseconds since 1970", examples=[1795817400000])] = 0


class OneEntry(Entry):
    seq: Seq


class Past(Schema):
    """A change of a key that was made."""

    id: Annotated[str, Field(description="Of the change", examples=["4711"])]
    change_version: Annotated[int, Field(description="The version that it made", examples=[12])]
    at: Annotated[int, Field(description="When, milliseconds since 1970", examples=[1795816800000])]
    source: Annotated[
        str,
        Field(description="From where: `socket`, `rest`, `admin`, `expiry`, `leave` and so on", examples=["socket"]),
    ]
    updated_by: Annotated[str, Field(description="Id of the peer; empty for the server", examples=["3f1c0a7e"])]
    author: Annotated[str, Field(description="Name of the peer, access key or administrator", examples=["Alice"])]
    removed: Annotated[bool, Field(description="Whether the key was removed", examples=[False])]
    old: Annotated[
        str | None, Field(description="The value before, as JSON text: its first `AUDIT_VALUE_BYTES`", examples=["6"])
    ]
    new: Annotated[str | None, Field(description="The value after, in the same way", examples=["7"])]


class Entries(Schema):
    entries: Annotated[list[Entry], Field(description="`MAX_KEYS` at most")]
    seq: Seq


# --- What can be asked for ----------------------------------------------------------------------


class IfLock(Act):
    """A lock that somebody holds."""

    name: Annotated[str, Field(min_length=1, max_length=64, description="Its name", examples=["deck"])]
    token: Annotated[int, Field(ge=0, description="The token that it is held under", examples=[98])]


Lock = Annotated[IfLock | None, Field(description="Only while this lock is held under this token, else 409")]


class Terms(Act):
    expires_in: Annotated[
        float | None,
        Field(ge=1, le=MAX_EXPIRES_IN, description="Seconds after which it goes", examples=[600]),
    ] = None
    owner: Annotated[
        str | None,
        Field(description="The id of a peer that is in the room: the entry goes with it", examples=["3f1c0a7e"]),
    ] = None
    on_leave: Annotated[
        Literal["remove", "null", "keep"] | None,
        Field(description="What becomes of it when its owner leaves; only with `owner`", examples=["remove"]),
    ] = None
    if_change_version: Annotated[
        int | None,
        Field(ge=0, description="Only if it is at this version, else 409 with it as it stands", examples=[12]),
    ] = None

    @field_validator("on_leave")
    @classmethod
    def _is_of_an_owner(cls, on_leave: str | None, info: ValidationInfo) -> str | None:
        if on_leave is not None and not info.data.get("owner"):
            raise ValueError("expected an owner with it")
        return on_leave


class Value(Terms):
    data: AnyValue
    if_lock: Lock = None


class Change(Terms):
    """A change of one key: one of `data`, `patch`, `increment` and `remove`."""

    @field_validator("*", mode="before")
    @classmethod
    def _null_is_left_out(cls, value: Any, info: ValidationInfo) -> Any:
        return value  # here null is a value, and it counts which fields are there

    key: Key
    data: AnyValue = None
    patch: Annotated[
        dict[str, Any] | list[Any],
        Field(
            description="An object is a merge patch (RFC 7396), a list a JSON Patch (RFC 6902)",
            examples=[{"title": "Q3"}],
        ),
    ] = {}
    increment: Annotated[float, Field(description="What is added to a number, −2^53 to 2^53", examples=[1])] = 0
    remove: Annotated[bool, Field(description="Take the key away", examples=[True])] = False


class Changes(Act):
    changes: Annotated[list[Change], Field(min_length=1, max_length=MAX_CHANGES, description="Of different keys")]
    change_id: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=64,
            description="Repeated under the same id, by any back end, within `CLIENT_ID_SECONDS`, it changes nothing",
            examples=["5d0b6c1e"],
        ),
    ] = None
    if_lock: Lock = None


class EntriesQuery(Schema):
    prefix: Annotated[str, Field(description="Only keys that begin so", examples=["deck:"])] = ""


# --- Resources ----------------------------------------------------------------------------------

ENTRY = "/{room_id}/metadata/{name:key}"

MAX_LOOKED_BACK = 10_000
"""Rows of the audit of a room, for the history of a key."""


@router.get("/{room_id}/metadata", **answers(Entries, 404), exclude_unset=True)
def list_metadata(request: HttpRequest, room_id: str, query: Query[EntriesQuery]) -> Any:
    """All keys that are set, in their order, with their values."""
    return perform(request, room_id, list_entries, prefix=query.prefix)


@router.post("/{room_id}/metadata", **answers(Entries, 403, 404, 409, 422), exclude_unset=True)
def change_metadata(request: HttpRequest, room_id: str, payload: Changes) -> Any:
    """Change several keys at once, or none of them, as the method `update-metadata` does."""
    return perform(request, room_id, update_metadata, **payload.dict(exclude_unset=True))


@router.get(f"{ENTRY}/history", **answers(PageOf[Past], 404))
def get_history(request: HttpRequest, room_id: str, key: str, query: Query[PageQuery]) -> Any:
    """How a key of the session that goes on came to what it is: its changes in the audit, newest first."""
    session = Session.objects.filter(room=room_id, ended_at=None).first()
    if session is None:
        raise NotFound("room: nobody is in it")
    of_room = AuditEntry.objects.filter(room_id=room_id).order_by("-id")
    # By the one index that there is: not through years of a room for a key that seldom changes.
    oldest = of_room.values_list("id", flat=True)[MAX_LOOKED_BACK : MAX_LOOKED_BACK + 1].first() or 0
    changes = of_room.filter(
        session_id=session.pk, key=key, id__gt=oldest, what__in=("metadata.set", "metadata.remove")
    )
    return page(changes, query, _past, order=("-id",))


@router.get(ENTRY, **answers(OneEntry, 404, also=NOT_MODIFIED), exclude_unset=True)
def get_entry(
    request: HttpRequest, response: HttpResponse, room_id: str, key: str, conditions: Header[NoneMatch]
) -> Any:
    """The entry of a key that is set, with its version as `ETag`. 304: it is at the version of `If-None-Match`."""
    entry = tagged(response, perform(request, room_id, read_entry, key=key))
    return Status(304, None) if conditions.names(entry["tag"]) else entry


@router.put(ENTRY, **answers(OneEntry, 403, 404, 405, 409, 412, 422), exclude_unset=True)
def put_entry(
    request: HttpRequest, response: HttpResponse, room_id: str, key: str, payload: Value, conditions: Header[Conditions]
) -> Any:
    """Set a key. 405: it ends in `/history`, see `POST`."""
    given = payload.dict(exclude_unset=True)
    if_lock = given.pop("if_lock", None)
    return _change(request, response, room_id, key, given, conditions, if_lock)


@router.delete(ENTRY, **answers(OneEntry, 403, 404, 405, 409, 412, 422), exclude_unset=True)
def delete_entry(
    request: HttpRequest, response: HttpResponse, room_id: str, key: str, conditions: Header[Conditions]
) -> Any:
    """Remove a key. One that is not set stays so, and is no error. 405: it ends in `/history`, see `POST`."""
    return _change(request, response, room_id, key, {"remove": True}, conditions)


def _one_of(*kinds: str) -> dict[str, Any]:
    content = {kind: {"schema": {"description": "As its RFC says"}} for kind in kinds}
    return {"requestBody": {"required": True, "content": content}}


@router.patch(
    ENTRY,
    **answers(OneEntry, 403, 404, 405, 409, 412, 415, 422, extra=_one_of(MERGE_PATCH, JSON_PATCH)),
    exclude_unset=True,
)
def patch_entry(
    request: HttpRequest, response: HttpResponse, room_id: str, key: str, conditions: Header[Conditions]
) -> Any:
    """Change a part of a value: by a merge patch (RFC 7396) or a JSON Patch (RFC 6902), as the content type says."""
    kind, patch = request.content_type, json_value(request)
    if kind not in (MERGE_PATCH, JSON_PATCH):
        raise UnknownMediaType(f"Content-Type: expected {MERGE_PATCH} or {JSON_PATCH}")
    if kind == JSON_PATCH and not isinstance(patch, list):
        raise BadRequest("body: expected a list of steps")
    # A merge patch that is no object is the new value.
    change = {"patch": patch} if kind == JSON_PATCH or isinstance(patch, dict) else {"data": patch}
    return _change(request, response, room_id, key, change, conditions)


def _change(
    request: HttpRequest,
    response: HttpResponse,
    room_id: str,
    key: str,
    change: Mapping[str, Any],
    conditions: Conditions,
    if_lock: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    # Checked here already, where the fields have the names that were sent.
    bound = bind(fields_of(Wanted), {"key": key, **change})
    with as_named({"changes[0].patch": "body", "changes[0].": "", "changes[0]": "data"}):
        entry = perform(
            request,
            room_id,
            change_entry,
            change=bound,
            if_lock=if_lock,
            tags=conditions.tags(),
            is_set=conditions.is_set(),
        )
    return tagged(response, entry)


def _past(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": str(entry.pk),
        "change_version": entry.version,
        "updated_by": entry.author_id,
        "removed": entry.what == "metadata.remove",
        **{name: getattr(entry, name) for name in ("at", "source", "author", "old", "new")},
    }
