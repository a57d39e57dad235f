"""Session metadata: values under keys that the session's peers share, each with a version.

The version of a key starts at 1 and grows by one with each change, a removal included, until the session ends.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from django.conf import settings

from rooms.models import MetadataEntry, Session, milliseconds
from rooms.operations.engine.gate import Context, operation
from rooms.operations.messaging import public_message
from rooms.wire.effects import Refresh
from rooms.wire.errors import TooLarge, VersionConflict
from rooms.wire.events import Audience, Event, compact
from rooms.wire.json_gate import JSON
from rooms.wire.parameters import MISSING, Between, Bytes, Chars, Data, Items, Missing
from rooms.wire.results import Observation, Outcome

DEFAULT_KEY = "default"
"""The key of calls that name none: the one value of clients from before keys."""

PINS_KEY = "pinnedMessages"
MAX_PINS = 3
MAX_PINS_SET = 20
"""Pins that a client may keep by itself."""

Key = Annotated[str, Bytes(1, "MAX_KEY_BYTES")]
MessageId = Annotated[str, Chars(1, 64)]


def as_wire(entry: MetadataEntry) -> dict[str, Any]:
    """``{key, data, change_version, …}``; data is null for a key that was removed or never set."""
    return _as_wire(entry, value_of(entry))


def _as_wire(entry: MetadataEntry, value: JSON) -> dict[str, Any]:
    return {**_head(entry), "data": value}


def _head(entry: MetadataEntry) -> dict[str, Any]:
    """All of an entry but its value."""
    head = {"key": entry.key, "change_version": entry.change_version}
    if entry.change_version:
        head |= {"updated_by": entry.updated_by, "updated_at": milliseconds(entry.updated_at)}
    return head


def value_of(entry: MetadataEntry) -> JSON:
    return None if entry.data is None else json.loads(entry.data)


@operation("set-metadata", requires="writeMetadata")
def set_metadata(
    context: Context,
    *,
    key: Key = DEFAULT_KEY,
    data: Annotated[JSON, Data(0, "MAX_VALUE_BYTES")] | Missing = MISSING,
    if_change_version: Annotated[int, Between(0, 2**53)] | None = None,
) -> Outcome:
    """Store data under key, or remove the key if there is no data, and tell the peers who observe it.

    Pins that a client keeps by itself are made of the messages that they name, like those of ``pin-message``, and show
    under ``default`` too, as long as that holds what the pins before put there.

    Raises VersionConflict, which carries the current entry, when if_change_version is given and is not the entry's
    version; a key never set is at version 0. Raises TooLarge over MAX_VALUE_BYTES, MAX_STORE_BYTES or MAX_KEYS.
    """
    # The room's row is locked: nobody changes the entry between this look and the write.
    entry = context.work.entry(context.session, key)
    if if_change_version is not None and if_change_version != entry.change_version:
        raise VersionConflict(
            f"if_change_version: {if_change_version}, the key is at {entry.change_version}", data=as_wire(entry)
        )
    if key == PINS_KEY:
        data = _checked_pins(context, data)
    text, value = (None, None) if isinstance(data, Missing) else (compact(data), data)
    changes = [(entry, text)]
    if key == PINS_KEY:
        changes += _default_after(context, value)
    events = _apply(context, changes)
    return Outcome(_as_wire(entry, value), events)


@operation("get-metadata")
def get_metadata(context: Context, *, key: Key = DEFAULT_KEY) -> Outcome:
    """The entry of a key; one never set is at version 0."""
    return Outcome(as_wire(context.work.entry(context.session, key)))


@operation("listen-metadata-change")
def listen_metadata_change(context: Context, *, keys: Annotated[list[Key], Items("MAX_KEYS")]) -> Outcome:
    """Observe these keys and no others. Their present values are sent, those of keys that are set.

    Gives the socket an Observation.
    """
    # In one order: the same set asked for again writes nothing.
    observed = sorted(set(keys))
    if observed != context.peer.observed:
        context.peer.observed = observed
        context.work.changed(context.peer, "observed")
    values = [value for value in present_values(context, context.session, observed) if value["change_version"]]
    return Outcome({"keys": observed}, for_socket=Observation(frozenset(observed), values))


def present_values(context: Context, session: Session, keys: Iterable[str]) -> list[dict[str, Any]]:
    """What these keys hold now; null where there is nothing."""
    return [as_wire(entry) for entry in context.work.entries(session, list(keys))]


# --- Pins ---------------------------------------------------------------------------------------


@operation("pin-message", requires="writeMetadata")
def pin_message(context: Context, *, id: MessageId) -> Outcome:
    """Pin a message of this session for everybody, as the newest of three, or of fewer if they are long.

    A pin shows ``Name: message``, as the message was sent. The pins are the key ``pinnedMessages``, a list of
    ``{text, id, pinnedBy, author, pinner}``, the last two ``{name, person}``; the text of the newest is also the
    session metadata without a key. Pinning what is pinned changes nothing. Raises NotFound if there is no such message
    for the caller, Forbidden if it was not for everybody.
    """
    pins = _pins(context)
    if any(pin.get("id") == id for pin in pins):
        return Outcome({"pinned": pins})
    pins = [_pin(context, id, field="id"), *pins][:MAX_PINS]
    while len(pins) > 1 and len(compact(pins).encode()) > settings.MAX_VALUE_BYTES:
        pins.pop()
    return _set_pins(context, pins)


@operation("unpin-message", requires="writeMetadata")
def unpin_message(context: Context, *, id: MessageId) -> Outcome:
    """Take a pin away. One that is not there changes nothing."""
    pins = _pins(context)
    kept = [pin for pin in pins if pin.get("id") != id]
    if len(kept) == len(pins):
        return Outcome({"pinned": pins})
    return _set_pins(context, kept)


def _pin(context: Context, message_id: str, *, field: str) -> dict[str, Any]:
    message = json.loads(public_message(context, message_id, field=field).body)
    sender, pinner = message["peer"], context.known_peer
    author = {"name": sender["info"]["name"], "person": sender.get("person", "")}
    return {
        "text": f"{author['name']}: {message['info']['message']}",
        "id": message_id,
        "pinnedBy": context.actor_name,
        "author": author,
        "pinner": {"name": context.actor_name, "person": pinner.person if pinner else ""},
    }


def _checked_pins(context: Context, data: JSON | Missing) -> JSON | Missing:
    """Pins of a client's own making: each is one that is held already, or is made of the message that it names.

    Raises NotFound or Forbidden, as ``pin_message``. What is no pin at all is left as it is: nobody takes it for one.
    """
    if not isinstance(data, list):
        return data
    if sum(isinstance(pin, dict) for pin in data) > MAX_PINS_SET:
        raise TooLarge(f"data: more than {MAX_PINS_SET} pins")
    held = {pin.get("id"): pin for pin in _pins(context) if isinstance(pin.get("id"), str)}
    checked = []
    for place, pin in enumerate(data, 1):
        if isinstance(pin, dict):
            name = pin.get("id")
            pin = held.get(name) if isinstance(name, str) else None
            pin = pin or _pin(context, name if isinstance(name, str) else "", field=f"data[{place}].id")
        checked.append(pin)
    return checked


def _pins(context: Context) -> list[dict[str, Any]]:
    return _pins_in(value_of(context.work.entry(context.session, PINS_KEY)))


def _pins_in(held: JSON) -> list[dict[str, Any]]:
    # Any peer with the right may have stored something else under the key.
    return [pin for pin in held if isinstance(pin, dict)] if isinstance(held, list) else []


def _newest(pins: list[dict[str, Any]]) -> str | None:
    text = pins[0].get("text") if pins else None
    return text if isinstance(text, str) else None


def _default_after(context: Context, pins: JSON) -> list[tuple[MetadataEntry, str | None]]:
    """How the session metadata without a key follows pins that are set by their key."""
    default = context.work.entry(context.session, DEFAULT_KEY)
    shown, newest = _newest(_pins(context)), _newest(_pins_in(pins))
    # An app may keep something of its own there, which pins must not write over.
    follows = value_of(default) == shown and newest != shown
    return [(default, compact(newest))] if follows else []


def _set_pins(context: Context, pins: list[dict[str, Any]]) -> Outcome:
    wanted = {PINS_KEY: pins, DEFAULT_KEY: _newest(pins)}
    entries = {key: context.work.entry(context.session, key) for key in wanted}
    changes = [(entries[key], compact(value)) for key, value in wanted.items() if value_of(entries[key]) != value]
    return Outcome({"pinned": pins}, _apply(context, changes))


# --- Changing entries ---------------------------------------------------------------------------


def _apply(context: Context, changes: Sequence[tuple[MetadataEntry, str | None]]) -> list[Event]:
    """Give entries new JSON text, or None to remove them; the events that say so. Raises TooLarge before any change."""
    _check_fits(context, changes)
    return [_change(context, entry, data) for entry, data in changes]


def _change(context: Context, entry: MetadataEntry, data: str | None) -> Event:
    entry.data = data
    entry.size = _size(entry.key, data)
    entry.change_version += 1
    entry.updated_by, entry.updated_by_name = context.actor, context.actor_name
    entry.updated_at = context.now
    context.work.entry_changed(entry)
    # The value goes as the text that it is stored as.
    body = f'{{"values":[{compact(_head(entry))[:-1]},"data":{data or "null"}}}]}}'
    # Old clients cannot hear this event. One that writes tells the others itself.
    refresh = entry.key == DEFAULT_KEY and not context.caller.legacy
    effect = Refresh(milliseconds(context.now)) if refresh else None
    return Event("on-metadata-change", body, Audience(key=entry.key), effect)


def _check_fits(context: Context, changes: Sequence[tuple[MetadataEntry, str | None]]) -> None:
    """Raises TooLarge if the session cannot take all of these texts, or these keys."""
    # All before any is changed: of several entries that do not fit together none may stand.
    growth = never_used = added = 0
    for entry, data in changes:
        size = _size(entry.key, data)
        if data is not None and size - len(entry.key.encode()) > settings.MAX_VALUE_BYTES:
            raise TooLarge(f"data: {len(data.encode())} bytes, at most {settings.MAX_VALUE_BYTES}")
        growth += size - entry.size
        never_used += not entry.change_version
        added += entry.data is None and data is not None
    # What shrinks fits always, also when a setting was made smaller meanwhile.
    if growth <= 0 and not never_used:
        return
    total, keys, ever = _totals(context)
    if growth > 0 and total + growth > settings.MAX_STORE_BYTES:
        raise TooLarge(f"data: all keys would take {total + growth} bytes, at most {settings.MAX_STORE_BYTES}")
    if added and keys + added > settings.MAX_KEYS:
        raise TooLarge(f"key: the session has {keys} keys, at most {settings.MAX_KEYS}")
    # A removed key keeps its version, so its row stays: those are bounded too.
    if never_used and ever + never_used > settings.MAX_KEYS_EVER:
        raise TooLarge(f"key: the session has used {ever} keys, at most {settings.MAX_KEYS_EVER}")


def _size(key: str, data: str | None) -> int:
    return 0 if data is None else len(key.encode()) + len(data.encode())


def _totals(context: Context) -> tuple[int, int, int]:
    """Bytes held, keys held, and keys ever used in the session."""
    sizes = context.work.entry_sizes(context.session).values()
    return sum(sizes), sum(size > 0 for size in sizes), len(sizes)
