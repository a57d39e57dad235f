"""Making, changing and deleting rooms: one way for pages, commands and the admin."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from rooms.delivery.hub import perform_now
from rooms.models import Room, RoomCode, Session, Template, new_generation
from rooms.operations.engine.calls import Caller
from rooms.operations.metadata.governing import set_metadata_rules, template_changed
from rooms.operations.moderation import end_room
from rooms.wire.errors import NotFound
from rooms.wire.roles import DEFAULT_SETTINGS, DEFAULT_TEMPLATE, JSONObject, rules_of

DEFAULT = "default"
CHANGEABLE = ("name", "title", "size", "large_room", "enabled", "metadata_rules")


def default_template() -> Template:
    """The template that rooms get which name none; made if it is not there."""
    template, _ = Template.objects.get_or_create(
        name=DEFAULT, defaults={"roles": DEFAULT_TEMPLATE, "settings": DEFAULT_SETTINGS}
    )
    return template


def create_room(*, name: str = "", template: Template | None = None, **fields: Any) -> Room:
    """A new room with one code for each role of its template. Raises ValidationError."""
    with transaction.atomic():
        room = Room(template=template or default_template(), **fields)
        if name:
            room.name = name
        room.full_clean()
        # An id that is there already is an error, and not a room to write over.
        room.save(force_insert=True)
        RoomCode.objects.bulk_create([RoomCode(room=room, role=role) for role in room.template.usable_roles])
    return room


def load_template(name: str, given: JSONObject) -> Template:
    """Make a template of this name, or replace what it holds; whoever is in a room of it is told.

    ``given`` was checked by ``check_template``.
    """
    template = Template.objects.filter(name=name).first() or Template(name=name)
    before = template.metadata_rules
    # What was checked, and nothing else that was given.
    template.roles, template.settings = given["roles"], given.get("settings") or {}
    template.metadata_rules = rules_of(given)
    template.save()
    for room_id in Session.objects.filter(room__template=template, ended_at=None).values_list("room_id", flat=True):
        perform_now(template_changed, Caller(room_id), rules=before)
    return template


def find_room(name_or_id: str) -> Room | None:
    """The room with this id, else with this name in any case."""
    return Room.objects.filter(id=name_or_id).first() or Room.objects.filter(name__iexact=name_or_id).first()


def _lock(room_id: str) -> Room:
    """The room as it is now, which nobody else changes until the transaction ends. Raises Room.DoesNotExist."""
    return Room.objects.select_for_update(of=("self",)).select_related("template").get(pk=room_id)


def change_room(room_id: str, **fields: Any) -> Room:
    """Give a room other values of CHANGEABLE. Who is inside stays. Raises ValidationError."""
    with transaction.atomic():
        room = _lock(room_id)
        for name, value in fields.items():
            setattr(room, name, value)
        room.full_clean()
        rules = fields.pop("metadata_rules", None)
        room.save(update_fields=list(fields))
        # What is remembered of a live session knows the room by its old name.
        Session.objects.filter(room=room, ended_at=None).update(generation=new_generation())
    if rules is not None:
        # By the operation, for those who are inside are told.
        perform_now(set_metadata_rules, Caller(room_id), rules=rules)
    return room


def replace_code(room_id: str, role: str) -> RoomCode:
    """A new code for a role; older ones of it open nothing any more, and who is inside stays.

    Raises ValidationError if the room has no such role.
    """
    with transaction.atomic():
        room = _lock(room_id)
        if role not in room.template.usable_roles:
            raise ValidationError(
                f"The room has no role {role!r}, only {', '.join(sorted(room.template.usable_roles))}."
            )
        room.codes.filter(role=role).delete()
        return RoomCode.objects.create(room=room, role=role)


def delete_room(room_id: str, *, by: str) -> None:
    """Close a room, end its session, of which its peers are told, and delete it with its history."""
    change_room(room_id, enabled=False)  # so that nobody comes in between
    try:
        perform_now(end_room, Caller(room_id, name=by))
    except NotFound:
        pass  # nobody is in it
    with transaction.atomic():
        _lock(room_id).delete()


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
        Room.objects.filter(~Exists(sessions), pk__in=locked).delete()
