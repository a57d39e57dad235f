"""Making, changing and deleting rooms: one way for pages, commands, the admin and back ends.

Each act is written down in the audit as its author's.
"""

import copy
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone

from rooms.delivery.hub import perform_now
from rooms.models import Room, RoomCode, Session, Template, WebhookEndpoint, new_generation
from rooms.operations.codes import MAX_CODES, replace_room_code
from rooms.operations.engine.audit import record
from rooms.operations.engine.calls import SERVER, Author
from rooms.operations.engine.gate import LOCK_SECONDS, acting
from rooms.operations.metadata.governing import set_metadata_rules, template_changed
from rooms.operations.moderation import end_room
from rooms.operations.room_settings import set_room
from rooms.wire.errors import BadRequest, Forbidden, NotFound, RoomError
from rooms.wire.json_gate import JSON
from rooms.wire.roles import DEFAULT_SETTINGS, DEFAULT_TEMPLATE, JSONObject, check_template, rules_of

log = logging.getLogger("rooms.creation")

DEFAULT = "default"
CHANGEABLE = (
    "name", "title", "size", "large_room", "history", "enabled", "metadata_rules", "template", "max_duration_seconds",
    "description", "slow_mode", "region", "polls",
)  # fmt: skip

TOLD = ("title", "description", "slow_mode", "history")
"""Of these what those who are inside are told when it changes."""


def default_template() -> Template:
    """The template that rooms get which name none; made if it is not there."""
    with transaction.atomic():
        template, is_new = Template.objects.get_or_create(
            name=DEFAULT, defaults={"roles": DEFAULT_TEMPLATE, "settings": DEFAULT_SETTINGS}
        )
        if is_new:
            record(SERVER, "template.create", key=DEFAULT)
    return template


def create_room(*, name: str = "", template: Template | None = None, author: Author = SERVER, **fields: Any) -> Room:
    """A new room with one code for each role of its template. Raises ValidationError."""
    with transaction.atomic():
        room = Room(template=template or default_template(), **fields)
        if name:
            room.name = name
        room.full_clean()
        with _as_checked(room):
            # An id that is there already is an error, and not a room to write over.
            room.save(force_insert=True)
        RoomCode.objects.bulk_create([RoomCode(room=room, role=role) for role in room.template.usable_roles])
        record(author, "room.create", room=room, details={"name": room.name, "template": room.template.name})
    return room


def load_template(name: str, given: JSONObject, *, author: Author = SERVER) -> Template:
    """Make a template of this name, or replace what it holds; whoever is in a room of it is told.

    ``given`` was checked by ``check_template``.
    """
    with transaction.atomic():
        template, is_new = Template.objects.get_or_create(name=name, defaults=_held(given))
        if is_new:
            record(author, "template.create", key=name)
            return template
    return change_template(template.pk, lambda found: replace_held(found, given), author=author)


def replace_held(template: Template, given: JSONObject) -> None:
    """Let a template hold all that is given, which was checked, and nothing else."""
    for field, value in _held(given).items():
        setattr(template, field, value)


def _held(given: JSONObject) -> dict[str, Any]:
    # Where recordings go, and by which credentials, is of no use here.
    settings = {name: value for name, value in (given.get("settings") or {}).items() if name != "recording"}
    plugins = {name: value for name, value in (given.get("plugins") or {}).items() if name != "metadata"}
    return {"roles": given["roles"], "settings": settings, "plugins": plugins, "metadata_rules": rules_of(given)}


def change_template(template_id: str, change: Callable[[Template], object], *, author: Author = SERVER) -> Template:
    """Have a template changed, which nobody else changes meanwhile; whoever is in a room of it is told.

    Raises ValidationError if it then is of the wrong form, or has another's name, and Template.DoesNotExist.
    """
    with acting():
        template = Template.objects.select_for_update().get(pk=template_id)
        before = {field: getattr(template, field) for field in _OF_A_TEMPLATE}
        roles = copy.deepcopy(template.roles)  # it may be changed as it stands
        change(template)
        try:
            check_template(template.as_wire())
        except ValueError as error:
            raise ValidationError(str(error)) from None
        template.validate_unique()
        with _as_checked(template):
            template.save()
        _record_template(author, template, {**before, "roles": roles})
    live = Session.objects.filter(room__template=template, ended_at=None).values_list("room_id", flat=True)
    _tell_of_template(live, before["metadata_rules"], author)
    return template


def _tell_of_template(room_ids: Iterable[str], rules: list[JSON], author: Author) -> None:
    """Tell rooms what their template says now, after the ``rules`` that it had.

    It is stored already, so one that somebody else holds does not stand in the way of others, nor fail the change.
    """
    held = list(room_ids)
    for patience in (_SHORT_PATIENCE, LOCK_SECONDS):
        going, held = held, []
        for room_id in going:
            try:
                perform_now(template_changed, author.caller(room_id), patience=patience, rules=rules)
            except RoomError as error:
                held.append(room_id)
                why = error.message
    for room_id in held:
        log.error("a room was not told of its template", extra={"context": {"room": room_id, "why": why}})


_SHORT_PATIENCE = 0.5
"""Seconds that a room gets while others wait to be told."""


_OF_A_TEMPLATE = ("name", "roles", "settings", "plugins", "metadata_rules")


def _record_template(author: Author, template: Template, before: dict[str, Any]) -> None:
    """Write down which of its fields, and which of its roles, a template has otherwise than before."""
    if changed := [field for field in _OF_A_TEMPLATE if getattr(template, field) != before[field]]:
        then, now = before["roles"], template.roles
        roles = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
        record(author, "template.change", key=template.name, details={"changed": changed, "roles": roles})


@contextmanager
def _as_checked(row: Room | Template) -> Iterator[None]:
    """Let a name that another got since the check be told as one that another had. Raises ValidationError."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        row.validate_unique()
        row.validate_constraints()
        raise


def find_room(name_or_id: str) -> Room | None:
    """The room with this id, else with this name in any case."""
    return Room.objects.filter(id=name_or_id).first() or named(name_or_id)


def _lock(room_id: str) -> Room:
    """The room as it is now, which nobody else changes until the transaction ends. Raises Room.DoesNotExist."""
    return Room.objects.select_for_update(of=("self",)).select_related("template").get(pk=room_id)


def change_room(
    room_id: str, *, author: Author = SERVER, look: Callable[[Room], object] | None = None, **fields: Any
) -> Room:
    """Give a room other values of CHANGEABLE, all of them or none. Who is inside stays. Raises ValidationError, HeldUp.

    ``look`` is called with the room as it is before, which nobody else changes meanwhile, and may refuse by raising.
    """
    with acting():
        room = _lock(room_id)
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
        with _as_checked(room):
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


def make_codes(room_id: str, role: str = "", *, author: Author = SERVER) -> list[RoomCode]:
    """A code that opens the room for each of its roles, or for one: that which there is, else a new one.

    Codes of roles that the room has no longer are closed. Raises Forbidden if the room is closed, NotFound if it has no
    such role, BadRequest if it has too many codes.
    """
    with acting():
        room = _lock(room_id)
        if not room.enabled:
            raise Forbidden("room: it is disabled")
        roles = list(room.template.usable_roles)
        if role and role not in roles:
            raise NotFound("role: the room has no such role")
        codes = list(room.codes.order_by("created_at", "code"))
        for code in codes:
            if code.enabled and code.role not in roles:
                _switch(code, on=False, author=author)
        found = {code.role: code for code in codes if code.enabled}
        wanted = [role] if role else roles
        missing = [name for name in wanted if name not in found]
        if len(codes) + len(missing) > MAX_CODES:
            raise BadRequest(f"room: it has {len(codes)} codes, at most {MAX_CODES}")
        for made in RoomCode.objects.bulk_create([RoomCode(room=room, role=name) for name in missing]):
            found[made.role] = made
            record(author, "code.create", room=room, key=made.role)
        return [found[name] for name in wanted]


def switch_code(code: str, *, on: bool, author: Author = SERVER) -> RoomCode:
    """Let a code open its room, or nothing. Raises NotFound, and Forbidden if it would open nothing in any case."""
    room_id = RoomCode.objects.filter(code=code).values_list("room_id", flat=True).first()
    if room_id is None:
        raise NotFound("code: no such room code")
    with acting():
        room = _lock(room_id)
        found = room.codes.filter(code=code).first()
        if found is None:
            raise NotFound("code: no such room code")
        if on and not room.enabled:
            raise Forbidden("code: its room is disabled")
        if on and found.role not in room.template.usable_roles:
            raise Forbidden("code: the room has its role no longer")
        if found.enabled != on:
            _switch(found, on=on, author=author)
        return found


def _switch(code: RoomCode, *, on: bool, author: Author) -> None:
    code.enabled, code.updated_at = on, timezone.now()
    code.save(update_fields=["enabled", "updated_at"])
    record(author, "code.change", room=code.room, key=code.role, details={"enabled": on})


def replace_code(room_id: str, role: str, *, author: Author = SERVER) -> RoomCode:
    """A new code for a role; older ones of it open nothing any more, and who is inside stays.

    Raises ValidationError if the room has no such role.
    """
    room = Room.objects.select_related("template").get(pk=room_id)
    if role not in room.template.usable_roles:
        raise ValidationError(f"The room has no role {role!r}, only {', '.join(sorted(room.template.usable_roles))}.")
    made = perform_now(replace_room_code, author.caller(room_id), role=role)
    return RoomCode.objects.get(code=made["code"])


def delete_room(room_id: str, *, author: Author) -> None:
    """End a room's session, of which its peers are told, and delete it with its history. Raises HeldUp."""
    with acting():
        room = _lock(room_id)  # so that nobody comes in between
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
