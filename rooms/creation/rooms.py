"""Rooms: made, changed, found and deleted."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone

from rooms.creation.checking import as_checked, lock_room
from rooms.creation.templates import default_template
from rooms.delivery.hub import perform_now
from rooms.models import Room, RoomCode, Session, Template, WebhookEndpoint, new_generation
from rooms.operations.engine.audit import record
from rooms.operations.engine.calls import SERVER, Author
from rooms.operations.engine.gate import acting
from rooms.operations.metadata.governing import set_metadata_rules, template_changed
from rooms.operations.moderation import end_room
from rooms.operations.room_settings import set_room
from rooms.wire.errors import NotFound

CHANGEABLE = (
    "name", "title", "size", "large_room", "history", "enabled", "metadata_rules", "template", "max_duration_seconds",
    "description", "slow_mode", "region", "polls",
)  # fmt: skip

TOLD = ("title", "description", "slow_mode", "history")
"""Of these what those who are inside are told when it changes."""


def create_room(*, name: str = "", template: Template | None = None, author: Author = SERVER, **fields: Any) -> Room:
    """A new room with one code for each role of its template. Raises ValidationError."""
    with transaction.atomic():
        room = Room(template=template or default_template(), **fields)
        if name:
            room.name = name
        room.full_clean()
        with as_checked(room):
            # An id that is there already is an error, and not a room to write over.
            room.save(force_insert=True)
        RoomCode.objects.bulk_create([RoomCode(room=room, role=role) for role in room.template.usable_roles])
        record(author, "room.create", room=room, details={"name": room.name, "template": room.template.name})
    return room


def find_room(name_or_id: str) -> Room | None:
    """The room with this id, else with this name in any case."""
    return Room.objects.filter(id=name_or_id).first() or named(name_or_id)


def change_room(
    room_id: str, *, author: Author = SERVER, look: Callable[[Room], object] | None = None, **fields: Any
) -> Room:
    """Give a room other values of CHANGEABLE, all of them or none. Who is inside stays. Raises ValidationError, HeldUp.

    ``look`` is called with the room as it is before, which nobody else changes meanwhile, and may refuse by raising.
    """
    with acting():
        room = lock_room(room_id)
        if look:
            look(room)
        template = room.template
        before = {name: getattr(room, name) for name in fields}
        for name, value in fields.items():
            setattr(room, name, value)
        # What a change of one field may make wrong of another is looked at too.
        checked = {*fields} | ({"size"} if "large_room" in fields else set())
        _check(room, checked | ({"metadata_rules"} if room.template != template else set()))
        room.updated_at = timezone.now()
        rules = fields.pop("metadata_rules", None)
        told = {name: getattr(room, name) for name in TOLD if name in fields}
        for name in told:
            del fields[name]
        with as_checked(room):
            room.save(update_fields=[*fields, "updated_at"])
        if changed := [name for name in fields if before[name] != getattr(room, name)]:
            details = {name: [_told(before[name]), _told(getattr(room, name))] for name in changed}
            record(author, "room.change", room=room, details=details)
        # What is remembered of a live session knows the room by its old name.
        Session.objects.filter(room=room, ended_at=None).update(generation=new_generation())
        # By operations, for those who are inside are told, once all is stored.
        caller = author.caller(room_id)
        if room.template != template:
            perform_now(template_changed, caller, rules=template.metadata_rules)
        if told:
            perform_now(set_room, caller, **told)
        if rules is not None:
            perform_now(set_metadata_rules, caller, rules=rules)
    return room


def _check(room: Room, names: Collection[str]) -> None:
    """Raises ValidationError for what is wrong with these fields.

    Not for what is with others: rules may name a role that the template has no longer, and that must keep nobody from
    closing the room.
    """
    try:
        room.full_clean()
    except ValidationError as error:
        if wrong := {name: found for name, found in error.error_dict.items() if name in names}:
            raise ValidationError(wrong) from None


def _told(value: Any) -> Any:
    """A field's value as the audit tells it."""
    return value.name if isinstance(value, Template) else value


def make_or_change_room(*, name: str, author: Author = SERVER, **fields: Any) -> Room:
    """The room of this name, in any case, with these values of CHANGEABLE; made if there is none.

    Raises ValidationError.
    """
    if found := named(name):
        return change_room(found.pk, author=author, **fields)
    try:
        return create_room(name=name, author=author, **fields)
    except ValidationError:
        # Somebody may have made it at this very moment.
        if found := named(name):
            return change_room(found.pk, author=author, **fields)
        raise


def named(name: str) -> Room | None:
    """The room of this name in any case."""
    # By the constraint's own index.
    return Room.objects.alias(lower=Lower("name")).filter(lower=name.lower()).first()


def delete_room(room_id: str, *, author: Author) -> None:
    """End a room's session, of which its peers are told, and delete it with its history. Raises HeldUp."""
    with acting():
        room = lock_room(room_id)  # so that nobody comes in between
        with suppress(NotFound):  # nobody is in it
            perform_now(end_room, author.caller(room_id))
        record(author, "room.delete", room=room, details={"name": room.name})
        _leave_endpoints([room.pk])
        room.delete()


def _leave_endpoints(room_ids: list[str]) -> None:
    """Let the endpoints of rooms that are about to be deleted be told what waits yet."""
    WebhookEndpoint.objects.filter(room__in=room_ids, gone=False).update(room=None, gone=True)


def delete_unused(now: datetime, *, days: float, most: int) -> None:
    """Delete rooms in which nobody was for so many days; at most so many of them, and of their sessions, at a time."""
    since = now - timedelta(days=days)
    in_use = Session.objects.filter(Q(ended_at=None) | Q(ended_at__gte=since), room=OuterRef("pk"))
    unused = Room.objects.filter(~Exists(in_use), created_at__lt=since)
    chosen = list(unused.values_list("pk", flat=True)[:most])
    over = Session.objects.filter(room__in=chosen, ended_at__lt=since).values_list("pk", flat=True)
    Session.objects.filter(pk__in=list(over[:most])).delete()
    with transaction.atomic():
        # With their locks, for somebody may come at this very moment; others have theirs, and those rooms go later.
        locked = [room.pk for room in Room.objects.select_for_update(skip_locked=True).filter(pk__in=chosen)]
        sessions = Session.objects.filter(room=OuterRef("pk"))
        going = Room.objects.filter(~Exists(sessions), pk__in=locked)
        for room in going:
            record(SERVER, "room.delete", cause="expiry", room=room, details={"name": room.name})
        _leave_endpoints([room.pk for room in going])
        going.delete()
