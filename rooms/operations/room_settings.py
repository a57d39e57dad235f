"""What who may manage a room sets in it while it runs: title, description, lock, slow mode, history."""

from typing import Annotated, Any

from rooms.models import (
    MAX_DESCRIPTION_CHARS,
    MAX_HISTORY,
    MAX_SLOW_MODE,
    MAX_TITLE_CHARS,
    Peer,
    Room,
    Session,
    milliseconds,
)
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.wire.effects import RoomChanged
from rooms.wire.errors import TooSoon
from rooms.wire.events import EVERYBODY, Event, compact
from rooms.wire.names import clean_name
from rooms.wire.parameters import Between, Chars
from rooms.wire.results import Outcome

MANAGES = "manageRoom"
"""The permission that it takes, and by which slow mode does not concern one."""


@operation("set-room", requires=MANAGES)
def set_room(
    context: Context,
    *,
    locked: bool | None = None,
    slow_mode: Annotated[int, Between(0, MAX_SLOW_MODE)] | None = None,
    title: Annotated[str, Chars(0, MAX_TITLE_CHARS)] | None = None,
    description: Annotated[str, Chars(0, MAX_DESCRIPTION_CHARS)] | None = None,
    history: Annotated[int, Between(0, MAX_HISTORY)] | None = None,
) -> Outcome:
    """Change what of these is given; everybody is told: ``{title, description, locked, slow_mode, history}``.

    ``locked`` lets nobody new in until the session ends, all others stay: ``slow_mode`` is how many seconds have to
    pass between two chat messages of one person, 0 for none, ``history`` how many messages of before newcomers are
    shown. Raises NotFound if nobody is in the room that is to be locked.
    """
    if title is not None:
        title = clean_name(title, limit=MAX_TITLE_CHARS, field="title")
    room = context.room
    changed: dict[str, list[Any]] = {}
    if locked is not None and (locked or context.live_session) and context.session.locked != locked:
        changed["locked"] = [context.session.locked, locked]
        context.session.locked = locked
        context.work.session_changed(context.session)
        if locked:
            _forget_let_in(context)
    kept = {"slow_mode": slow_mode, "title": title, "description": description, "history": history}
    for name, given in kept.items():
        if given is not None and given != (before := getattr(room, name)):
            changed[name] = [before, given]
            setattr(room, name, given)
    if fields := changed.keys() - {"locked"}:
        room.updated_at = context.now
        context.work.changed(room, *sorted(fields), "updated_at")
    result = _settings(room, context.live_session)
    if not changed:
        return Outcome(result)
    context.audit("room.change", details=changed)
    if context.live_session is None:
        return Outcome(result)
    context.work.room_changed(context.live_session)
    told = compact(room_as_told(room, context.live_session))
    return Outcome(result, [Event("on-room-change", told, EVERYBODY, RoomChanged())])


def _forget_let_in(context: Context) -> None:
    """Have those who were let in again be as new to the session as everybody else who is not in it."""
    for person in context.work.persons(context.session).values():
        if person.was_let_in:
            person.was_let_in = False
            context.work.changed(person, "was_let_in")


def room_as_told(room: Room, session: Session | None) -> dict[str, Any]:
    """The room as ``peer-list``, ``room-state`` and ``on-room-change`` tell it."""
    told: dict[str, Any] = {"name": room.title or room.name, **_settings(room, session)}
    if session:
        told |= {"session_id": session.id, "started_at": milliseconds(session.started_at)}
    return told


def _settings(room: Room, session: Session | None) -> dict[str, Any]:
    return {
        "title": room.title,
        "description": room.description,
        "locked": bool(session and session.locked),
        "slow_mode": room.slow_mode,
        "history": room.history,
    }


def check_slow_mode(context: Context, sender: Peer | None) -> None:
    """Raises TooSoon if the sender's owner said something too short a while ago; notes that it says something now.

    The server, and who may manage the room, speak when they like.
    """
    seconds = context.room.slow_mode
    if not seconds or sender is None or context.role.allows(MANAGES):
        return
    left = context.work.said_at(context.session, sender.owner) + seconds * 1000 - context.work.at
    # Of a moment that is yet to come the clock was set back since.
    if 0 < left <= seconds * 1000:
        raise TooSoon(slow_mode=seconds, left_ms=left)
    sender.said_at = context.work.at
    context.work.changed(sender, "said_at")
