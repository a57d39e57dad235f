"""Room codes: made, switched on and off, and replaced."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from rooms.creation.checking import lock_room
from rooms.delivery.hub import perform_now
from rooms.models import Room, RoomCode
from rooms.operations.codes import MAX_CODES, replace_room_code
from rooms.operations.engine.audit import record
from rooms.operations.engine.calls import SERVER, Author
from rooms.operations.engine.gate import acting
from rooms.wire.errors import BadRequest, Forbidden, NotFound


def make_codes(room_id: str, role: str = "", *, author: Author = SERVER) -> list[RoomCode]:
    """A code that opens the room for each of its roles, or for one: that which there is, else a new one.

    Codes of roles that the room has no longer are closed. Raises Forbidden if the room is closed, NotFound if it has no
    such role, BadRequest if it has too many codes.
    """
    with acting():
        room = lock_room(room_id)
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
        room = lock_room(room_id)
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
