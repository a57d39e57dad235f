"""The codes by which people come into a room, for those who may manage it."""

from rooms.models import RoomCode
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.room_settings import MANAGES
from rooms.wire.errors import Forbidden, NotFound
from rooms.wire.events import Event, compact
from rooms.wire.parameters import RoleName
from rooms.wire.results import Outcome

MAX_CODES = 100
"""Of one room, those included that open nothing."""


@operation("room-codes", requires=MANAGES)
def room_codes(context: Context) -> Outcome:
    """The code of each role that the caller may hand out: ``{codes: [{role, code}]}``; null if it has none that is on.

    Those are roles that may do nothing which the caller may not: who has a code can enter with its role.
    """
    codes = context.room.codes.filter(enabled=True).order_by("created_at", "code")
    found = {code.role: code.code for code in codes}
    roles = [name for name in sorted(context.room.template.usable_roles) if _may_hand_out(context, name)]
    return Outcome({"codes": [{"role": name, "code": found.get(name)} for name in roles]})


@operation("replace-room-code", requires=MANAGES)
def replace_room_code(context: Context, *, role: RoleName) -> Outcome:
    """A new code for a role, as ``{role, code}``; those that it had open nothing any more, and who is inside stays.

    Everybody is told that it is another, and nobody which. Raises NotFound if the room has no such role, Forbidden if
    that may do what the caller may not.
    """
    room = context.room
    if role not in room.template.usable_roles:
        raise NotFound("role: the room has no such role")
    if not _may_hand_out(context, role):
        raise Forbidden(f"role: {role} may do more than you may")
    # Kept, and off: who is inside by such a code finds the way back after a reload.
    room.codes.filter(role=role, enabled=True).update(enabled=False, updated_at=context.now)
    dead = room.codes.filter(enabled=False).order_by("-updated_at", "-created_at").values_list("code", flat=True)
    spare = MAX_CODES - 1 - room.codes.filter(enabled=True).count()
    room.codes.filter(code__in=list(dead[max(spare, 0) :])).delete()
    made = RoomCode.objects.create(room=room, role=role)
    context.audit("code.replace", key=role)
    events = [Event("on-room-code-change", compact({"role": role}))] if context.live_session else []
    return Outcome({"role": role, "code": made.code}, events)


def _may_hand_out(context: Context, name: str) -> bool:
    role, held = context.room.template.role(name), context.held_role
    return role is not None and (held is None or role.permissions <= held.permissions)
