"""Pins: messages of the session that are shown to everybody, kept under a key of the session's metadata."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.conf import settings

from rooms.models import MetadataEntry
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.kept import public_message
from rooms.operations.locks import IfLock, held_by
from rooms.operations.metadata.entries import DEFAULT_KEY, PINS_KEY, Change, apply, make, parsed, value_of
from rooms.operations.metadata.rights import check_read, check_write
from rooms.operations.metadata.terms import Terms, terms
from rooms.operations.metadata.validating import validated
from rooms.wire.errors import Forbidden, LockConflict, TooLarge
from rooms.wire.events import Event, compact, size_of
from rooms.wire.json_gate import JSON
from rooms.wire.parameters import MessageId, Missing
from rooms.wire.results import Outcome

MAX_PINS = 3
MAX_PINS_SET = 20
"""Pins that a client may keep by itself."""


@operation("pin-message")
def pin_message(context: Context, *, id: MessageId, if_lock: IfLock | None = None) -> Outcome:
    """Pin a message of this session for everybody, as the newest of three, or of fewer if they are long.

    A pin shows ``Name: message``, as the message was sent; what the server said has no name. The pins are the key
    ``pinnedMessages``, a list of ``{text, id, timestamp, pinnedBy, author, pinner}``, the last two ``{name, person}``;
    the text of the newest is also the session metadata without a key. Pinning what is pinned changes nothing. Raises
    NotFound if there is no such message for the caller, Forbidden if it was not for everybody, and LockConflict as
    ``set-metadata``.
    """
    held = _check(context, if_lock)
    pins = _pins(context)
    if any(pin.get("id") == id for pin in pins):
        return Outcome({"pinned": pins})
    pins = [_pin(context, id, field="id"), *pins][:MAX_PINS]
    most = min(settings.MAX_VALUE_BYTES, context.room.rules.of(PINS_KEY).max_bytes or settings.MAX_VALUE_BYTES)
    while len(pins) > 1 and size_of(compact(pins)) > most:
        pins.pop()
    return _set_pins(context, pins, held)


@operation("unpin-message")
def unpin_message(context: Context, *, id: MessageId, if_lock: IfLock | None = None) -> Outcome:
    """Take a pin away. One that is not there changes nothing. Raises LockConflict as ``set-metadata``."""
    held = _check(context, if_lock)
    pins = _pins(context)
    kept = [pin for pin in pins if pin.get("id") != id]
    if len(kept) == len(pins):
        return Outcome({"pinned": pins})
    return _set_pins(context, kept, held)


def _check(context: Context, if_lock: IfLock | None) -> str:
    """The lock that the caller pins under. Raises Forbidden, LockConflict. The pins are answered, so they are read."""
    held = held_by(context, if_lock)
    check_write(context, context.work.entry(context.session, PINS_KEY), held=held)
    check_read(context, PINS_KEY)
    return held


def _pin(context: Context, message_id: str, *, field: str) -> dict[str, Any]:
    row = public_message(context, message_id, field=field)
    if not row.pinned:
        # So that what it says can be found again where pins are told and stored.
        row.pinned = True
        context.work.message_changed(row)
    message = json.loads(row.body)
    sender, pinner = message.get("peer"), context.known_peer
    author = {"name": "", "person": ""}  # of what the server said
    if sender:
        author = {"name": sender["info"]["name"], "person": sender.get("person", "")}
    return {
        "text": shown_text(message),
        "id": message_id,
        "timestamp": message["timestamp"],
        "pinnedBy": context.actor_name,
        "author": author,
        "pinner": {"name": context.actor_name, "person": pinner.person if pinner else ""},
    }


def shown_text(message: Mapping[str, Any]) -> str:
    """What a pin shows of a message, as ``on-broadcast`` tells it."""
    sender, text = message.get("peer"), message["info"]["message"]
    return f"{sender['info']['name']}: {text}" if sender else str(text)


def checked(context: Context, data: JSON | Missing) -> JSON | Missing:
    """Pins of a client's own making: each is one that is held already, or is made of the message that it names.

    Raises NotFound or Forbidden, as ``pin_message``. What is no pin at all is left as it is: nobody takes it for one.
    """
    if not isinstance(data, list):
        return data
    if sum(isinstance(pin, dict) for pin in data) > MAX_PINS_SET:
        raise TooLarge(f"data: more than {MAX_PINS_SET} pins")
    held = {pin.get("id"): pin for pin in _pins(context) if isinstance(pin.get("id"), str)}
    checked = []
    for place, pin in enumerate(data):
        if isinstance(pin, dict):
            name = pin.get("id")
            pin = held.get(name) if isinstance(name, str) else None
            pin = pin or _pin(context, name if isinstance(name, str) else "", field=f"data[{place}].id")
        checked.append(pin)
    return checked


def _pins(context: Context) -> list[dict[str, Any]]:
    return _pins_in(value_of(context.work.entry(context.session, PINS_KEY)))


def pins_held(context: Context) -> list[dict[str, Any]]:
    """The pins that there are, each with its ``id`` and ``text``."""
    return [pin for pin in _pins(context) if isinstance(pin.get("id"), str) and isinstance(pin.get("text"), str)]


def _pins_in(held: JSON) -> list[dict[str, Any]]:
    # Any peer with the right may have stored something else under the key.
    return [pin for pin in held if isinstance(pin, dict)] if isinstance(held, list) else []


def _newest(pins: list[dict[str, Any]]) -> str | None:
    text = pins[0].get("text") if pins else None
    return text if isinstance(text, str) else None


def default_after(context: Context, changes: Sequence[Change], *, held: str) -> list[Change]:
    """How the session metadata without a key follows pins that are set by their key."""
    default = context.work.entry(context.session, DEFAULT_KEY)
    return [
        _change(context, default, newest)
        for newest in _shown_after(context, changes, default)
        if _may_write(context, default, held)
    ]


def default_without(context: Context, changes: Sequence[Change]) -> list[Change]:
    """How it follows pins that end by themselves, with their time or their owner: whoever may write it."""
    if all(change.entry.key != PINS_KEY for change in changes):
        return []
    if any(change.entry.key == DEFAULT_KEY for change in changes):
        return []
    default = context.work.entry(context.session, DEFAULT_KEY)
    return [
        Change(default, context.room.rules.of(DEFAULT_KEY), compact(newest))
        for newest in _shown_after(context, changes, default)
        if _may_show(context)
    ]


def _shown_after(context: Context, changes: Sequence[Change], default: MetadataEntry) -> list[str | None]:
    """What is to be shown in place of the pin that is, if the changes have another one."""
    for change in changes:
        if change.entry.key == PINS_KEY:
            shown, newest = _newest(_pins(context)), _newest(_pins_in(parsed(change.text)))
            # An app may keep something of its own there, which pins must not write over.
            if value_of(default) == shown and newest != shown:
                return [newest]
    return []


PIN_KEYS = (PINS_KEY, DEFAULT_KEY)
"""The keys that hold what pins show."""


class Shown(NamedTuple):
    """What pins showed of a message, and what they are to show; None if it is gone."""

    was: str
    now: str | None


def without(key: str, value: JSON, *, changed: Mapping[str, Shown]) -> JSON:
    """The value of one of PIN_KEYS once messages, by their ids, say something else than it was shown with."""
    if key != PINS_KEY or not isinstance(value, list):
        return next((shown.now for shown in changed.values() if shown.was == value), value)
    kept: list[JSON] = []
    for pin in value:
        shown = changed.get(str(pin.get("id"))) if isinstance(pin, dict) else None
        if isinstance(pin, dict) and shown:
            if shown.now is None:
                continue
            pin = {**pin, "text": shown.now}
        kept.append(pin)
    return kept


def follow(context: Context, changed: Mapping[str, Shown]) -> list[Event]:
    """Let pins show what messages, by their ids, say now. Whoever may write them, under whatever lock.

    Of pins that do not fit together any more those make way that were changed, from the oldest on: their authors may
    have no right to take away others.
    """
    pins, default = context.work.entries(context.session, PIN_KEYS)
    held, shown = value_of(pins), value_of(default)
    value = without(PINS_KEY, held, changed=changed)
    while isinstance(value, list) and value != held and size_of(compact(value)) > settings.MAX_VALUE_BYTES:
        value.pop(max((place for place, pin in enumerate(value) if _names(pin, changed)), default=-1))
    changes = [_as_kept(context, pins, value)] if value != held else []
    if any(one.was == shown for one in changed.values()):
        changes.append(_as_kept(context, default, _newest(_pins_in(value)) if _may_show(context) else None))
    return make(context, changes)


def _names(pin: JSON, messages: Mapping[str, Shown]) -> bool:
    return isinstance(pin, dict) and str(pin.get("id")) in messages


def _as_kept(context: Context, entry: MetadataEntry, value: JSON) -> Change:
    """Another value, on the terms that the entry is kept on."""
    kept = Terms(entry.owner, entry.on_leave, entry.expires_at)
    return Change(entry, context.room.rules.of(entry.key), compact(value), kept)


def _set_pins(context: Context, pins: list[dict[str, Any]], held: str) -> Outcome:
    work, session = context.work, context.session
    default = work.entry(session, DEFAULT_KEY)
    changes = [_change(context, work.entry(session, PINS_KEY), pins)]
    if _may_write(context, default, held):
        changes.append(_change(context, default, _newest(pins)))
    return Outcome(
        {"pinned": pins}, apply(context, validated(context, [change for change in changes if change.is_news]))
    )


def _change(context: Context, entry: MetadataEntry, value: JSON) -> Change:
    text, rule = compact(value), context.room.rules.of(entry.key)
    return Change(entry, rule, text, terms(context, rule, entry, stands=text == entry.data))


def _may_write(context: Context, default: MetadataEntry, held: str) -> bool:
    """Whether the caller may write what follows the pins, for which there may be a rule of its own."""
    if not _may_show(context):
        return False
    try:
        check_write(context, default, held=held)
    except (Forbidden, LockConflict):
        return False
    return True


def _may_show(context: Context) -> bool:
    """Whether it would not tell of the pins to those who may not read them."""
    rules = context.room.rules
    readers = rules.of(PINS_KEY).read
    return readers is None or readers == rules.of(DEFAULT_KEY).read
