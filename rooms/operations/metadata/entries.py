"""Entries of session metadata: how they are told, and how they are changed."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from django.conf import settings

from rooms.models import MetadataEntry, Session, milliseconds
from rooms.operations.engine.audit import Cause, What
from rooms.operations.engine.context import Context
from rooms.operations.metadata.terms import NO_TERMS, Terms
from rooms.wire.effects import Refresh
from rooms.wire.errors import TooLarge
from rooms.wire.events import Audience, Event, Share, compact, size_of, values_body
from rooms.wire.json_gate import JSON
from rooms.wire.parameters import Bytes
from rooms.wire.rules import Rule

DEFAULT_KEY = "default"
"""The key of calls that name none: the one value of clients from before keys."""

PINS_KEY = "pinnedMessages"

SPOTLIGHT_KEY = "spotlight"
"""The key of the id of the peer that everybody is to see large."""

OWN_KEYS = frozenset({DEFAULT_KEY, PINS_KEY, SPOTLIGHT_KEY})
"""Keys that the page and old clients need. Nobody can use up what they would take, for they count against no limit."""

Key = Annotated[str, Bytes(1, "MAX_KEY_BYTES")]


def as_wire(entry: MetadataEntry) -> dict[str, Any]:
    """``{key, data, change_version, …}``; data is null for a key that was removed or never set."""
    return {**head(entry), "data": value_of(entry)}


def hidden(key: str) -> dict[str, Any]:
    """How a key is told to whoever may not read it: as one that was never set."""
    return {"key": key, "change_version": 0, "data": None}


def value_of(entry: MetadataEntry) -> JSON:
    return parsed(entry.data)


def parsed(text: str | None) -> JSON:
    """The value of what is stored; None for what was removed."""
    return None if text is None else json.loads(text)


def head(entry: MetadataEntry) -> dict[str, Any]:
    """All of an entry but its value."""
    told: dict[str, Any] = {"key": entry.key, "change_version": entry.change_version}
    if entry.change_version:
        told["updated_by"], told["updated_at"] = entry.updated_by, milliseconds(entry.updated_at)
    if entry.owner:
        told["owner"] = entry.owner
    if entry.expires_at:
        told["expires_at"] = milliseconds(entry.expires_at)
    return told


def text_of(entry: MetadataEntry) -> str:
    """``as_wire`` as JSON text."""
    # The value goes as the text that it is stored as.
    return f'{compact(head(entry))[:-1]},"data":{entry.data or "null"}}}'


def hidden_text(key: str) -> str:
    return compact(hidden(key))


class Change(NamedTuple):
    """What an entry is to be under its key's rule: ``text`` is its value as JSON, None to remove it.

    ``place`` is its number among the changes of one call.
    """

    entry: MetadataEntry
    rule: Rule
    text: str | None
    terms: Terms = NO_TERMS
    place: int | None = None

    @property
    def is_news(self) -> bool:
        """Whether it is another value than the one that stands, or is kept on other terms."""
        entry = self.entry
        if self.text is None:
            return entry.data is not None
        return self.text != entry.data or self.terms != (entry.owner, entry.on_leave, entry.expires_at)


def apply(context: Context, changes: Sequence[Change]) -> list[Event]:
    """Make the changes; the one event that tells of all of them. Raises TooLarge before any change."""
    _check_fits(context, changes)
    return make(context, changes)


def make(context: Context, changes: Sequence[Change], *, cause: Cause | None = None) -> list[Event]:
    """As ``apply``, but whatever the limits: for what must be done for a cause, as when somebody leaves."""
    if not changes:
        return []
    work, author, name = context.work, context.actor, context.actor_name
    told, refresh = [], None
    for change in changes:
        entry, text, before = change.entry, change.text, change.entry.data
        entry.data, entry.size = text, _size(entry.key, text)
        entry.owner, entry.on_leave, entry.expires_at = NO_TERMS if text is None else change.terms
        entry.change_version += 1
        entry.updated_by, entry.updated_by_name, entry.updated_at = author, name, work.now
        what: What = "metadata.remove" if text is None else "metadata.set"
        context.audit(what, cause=cause, key=entry.key, version=entry.change_version, old=before, new=text)
        told.append((entry.key, change.rule.read, text_of(entry)))
        # Old clients cannot hear this event. One that writes tells the others itself.
        if entry.key == DEFAULT_KEY and not context.caller.legacy:
            refresh = Refresh(work.at)
    work.entries_changed(context.session, [change.entry for change in changes])
    return [news(told, effect=refresh)]


Told = tuple[str, tuple[str, ...] | None, str]
"""A key, the roles that may read it, None for all, and its entry as JSON text."""


def news(told: Sequence[Told], *, effect: Refresh | None = None, **whom: Any) -> Event:
    """The event that tells entries to those whom the fields of an audience name, to each what it may read."""
    texts, shares = [], []
    for key, readers, text in told:
        texts.append(text)
        shares.append(Share(key, readers, len(text)))
    return Event("on-metadata-change", values_body(texts), Audience(entries=tuple(shares), **whom), effect)


def _check_fits(context: Context, changes: Sequence[Change]) -> None:
    """Raises TooLarge if the session cannot take all of these texts, or these keys."""
    # All before any is changed: of several entries that do not fit together none may stand.
    growth = never_used = added = 0
    most = settings.MAX_VALUE_BYTES
    for change in changes:
        entry, text, size = change.entry, change.text, 0
        if text is not None:
            size = size_of(text)
            _check_value(change, size, most)
            size += size_of(entry.key)
        if entry.key in OWN_KEYS:
            continue
        growth += size - entry.size
        never_used += not entry.change_version
        added += (text is not None) - (entry.data is not None)
    # What shrinks fits always, also when a setting was made smaller meanwhile.
    if growth <= 0 and added <= 0 and not never_used:
        return
    bytes_held, keys, ever = usage(context, context.session)
    if growth > 0 and bytes_held + growth > settings.MAX_STORE_BYTES:
        most = settings.MAX_STORE_BYTES
        message = f"data: all keys would take {bytes_held + growth} bytes, at most {most}"
        raise TooLarge(message, limit="max_store_bytes", used=bytes_held + growth, most=most)
    if added > 0 and keys + added > settings.MAX_KEYS:
        message = f"key: the session would have {keys + added} keys, at most {settings.MAX_KEYS}"
        raise TooLarge(message, limit="max_keys", used=keys + added, most=settings.MAX_KEYS)
    # A removed key keeps its version, so its row stays: those are bounded too.
    if never_used and ever + never_used > settings.MAX_KEYS_EVER:
        message = f"key: the session would have used {ever + never_used} keys, at most {settings.MAX_KEYS_EVER}"
        raise TooLarge(message, limit="max_keys_ever", used=ever + never_used, most=settings.MAX_KEYS_EVER)


def _check_value(change: Change, size: int, most: int) -> None:
    rule, by_rule = change.rule, False
    if rule.max_bytes is not None and rule.max_bytes < most:
        most, by_rule = rule.max_bytes, True
    if size <= most:
        return
    more: dict[str, Any] = {}
    field, limit, reason = "data", "max_value_bytes", ""
    if change.place is not None:
        field, more = f"changes[{change.place}]", {"change": change.place}
    if by_rule:
        limit, reason, more = "max_bytes", f" by the rule of {change.entry.key}", {**more, "rule": rule.wire}
    raise TooLarge(f"{field}: {size} bytes, at most {most}{reason}", limit=limit, used=size, most=most, **more)


def _size(key: str, text: str | None) -> int:
    return 0 if text is None else size_of(key) + size_of(text)


def usage(context: Context, session: Session, *, role: str | None = None) -> tuple[int, int, int]:
    """Bytes held, keys held, and keys ever used in the session, OWN_KEYS left out; with a role of those it may read."""
    heads = context.work.entry_heads(session)
    keys = [key for key in heads if key not in OWN_KEYS]
    if role is not None and context.room.rules.wires:
        keys = context.room.rules.readable(keys, role)
    sizes = [heads[key].size for key in keys]
    return sum(sizes), len(sizes) - sizes.count(0), len(sizes)
