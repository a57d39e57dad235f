"""Writing session metadata: one key, or several at once."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, NotRequired, TypedDict

from rooms.models import MetadataEntry
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.locks import IfLock, held_by
from rooms.operations.metadata import pins
from rooms.operations.metadata.entries import DEFAULT_KEY, PINS_KEY, Change, Key, apply, as_wire, head, value_of
from rooms.operations.metadata.patching import Effort, patched
from rooms.operations.metadata.rights import check_read, check_write, may_read, reads
from rooms.operations.metadata.terms import moment, terms
from rooms.operations.metadata.validating import validated
from rooms.wire.errors import BadRequest, NotFound, Unprocessable, VersionConflict
from rooms.wire.events import compact
from rooms.wire.json_gate import JSON, load_json
from rooms.wire.parameters import MISSING, Between, Chars, Data, Items, Missing, OneOf, PeerId
from rooms.wire.results import Outcome
from rooms.wire.rules import MAX_EXPIRES_IN, ON_LEAVE

MAX_CHANGES = 100
"""Of one call."""

MAX_NUMBER = 2**53
"""Beyond, clients take whole numbers for others."""

Value = Annotated[JSON, Data(0, "MAX_VALUE_BYTES")]
Version = Annotated[int, Between(0, MAX_NUMBER)]
ExpiresIn = Annotated[float, Between(1, MAX_EXPIRES_IN)]
ChangeId = Annotated[str, Chars(1, 64)]
OnLeave = Annotated[str, OneOf(ON_LEAVE)]


class Wanted(TypedDict):
    """One change of several: the key, one of ``data``, ``patch``, ``increment`` and ``remove``, and on what terms."""

    key: Key
    data: NotRequired[Value]
    patch: NotRequired[Value]
    increment: NotRequired[Annotated[float, Between(-MAX_NUMBER, MAX_NUMBER)]]
    remove: NotRequired[bool]
    if_change_version: NotRequired[Version | None]
    expires_in: NotRequired[ExpiresIn | None]
    owner: NotRequired[bool | PeerId | None]
    on_leave: NotRequired[OnLeave | None]


@operation("set-metadata")
def set_metadata(
    context: Context,
    *,
    key: Key = DEFAULT_KEY,
    data: Value | Missing = MISSING,
    if_change_version: Version | None = None,
    expires_in: ExpiresIn | None = None,
    owner: bool | PeerId | None = None,
    on_leave: OnLeave | None = None,
    if_lock: IfLock | None = None,
) -> Outcome:
    """Store data under key, or remove the key if there is no data, and tell the peers who observe it.

    The answer is the entry. Writing the value that stands changes nothing. For ``expires_in`` seconds, for as long as
    the ``owner`` stays, and ``on_leave``, see ``update-metadata``.

    Pins that a client keeps by itself are made of the messages that they name, like those of ``pin-message``, and show
    under ``default`` too, as long as that holds what the pins before put there.

    Raises VersionConflict, which carries the current entry, when if_change_version is given and is not the entry's
    version; a key never set is at version 0. Raises LockConflict, which carries the lock as it stands, unless the
    caller holds the lock of ``if_lock``, and that which a rule asks for. Raises RuleForbids, and TooLarge over
    MAX_VALUE_BYTES, MAX_STORE_BYTES or MAX_KEYS.
    """
    wanted: Wanted = {"key": key, "expires_in": expires_in, "owner": owner, "on_leave": on_leave}
    wanted["if_change_version"] = if_change_version
    if isinstance(data, Missing):
        wanted["remove"] = True
    else:
        wanted["data"] = data
    # The room's row is locked: nobody changes the entry between this look and the write.
    entry = context.work.entry(context.session, key)
    held = held_by(context, if_lock)
    if conflicts := _conflicts(context, [(wanted, entry)], held):
        message = f"if_change_version: {if_change_version}, the key is at {entry.change_version}"
        raise VersionConflict(message, data=conflicts[0])
    events = apply(context, _changes(context, [(wanted, entry)], held))
    return Outcome(_answered(context, wanted, entry), events)


@operation("update-metadata")
def update_metadata(
    context: Context,
    *,
    changes: Annotated[list[Wanted], Items(MAX_CHANGES, least=1)],
    change_id: ChangeId | None = None,
    if_lock: IfLock | None = None,
) -> Outcome:
    """Change several keys at once, or none of them. Answers ``{entries: [entry]}``, in the order of the changes.

    ``patch`` changes a part of the value: an object as RFC 7396 says, a list as RFC 6902. ``increment`` adds to a
    number; a key that is not set counts as 0. With ``expires_in`` the key is removed so many seconds later, with
    ``owner`` (true: the caller; or the id of a peer that is present) when that peer leaves, unless ``on_leave`` is
    ``null``, which leaves null there, or ``keep``. A write that says nothing of these undoes them, unless a rule does.
    A ``change_id`` that the caller used within CLIENT_ID_SECONDS changes nothing, and is answered as it was then.

    Raises VersionConflict, whose ``data`` is ``{entries}``, all those that are at another version than asked for;
    Unprocessable for a patch or an increment that does not apply; RuleForbids, LockConflict and
    TooLarge as ``set-metadata``.
    """
    if change_id and (first := context.work.applied(context.session, context.actor, change_id)):
        return Outcome(_as_first(context, json.loads(first)))
    held = held_by(context, if_lock)
    keys = [wanted["key"] for wanted in changes]
    for place, wanted in enumerate(changes):
        kinds = ("data" in wanted) + ("patch" in wanted) + ("increment" in wanted) + (wanted.get("remove") is True)
        if kinds != 1:
            raise BadRequest(f"changes[{place}]: expected one of data, patch, increment and remove")
    if len(set(keys)) < len(keys):
        place = next(place for place, key in enumerate(keys) if key in keys[:place])
        raise BadRequest(f"changes[{place}].key: is changed before in the same call")
    pairs = list(zip(changes, context.work.entries(context.session, keys), strict=True))
    if conflicts := _conflicts(context, pairs, held):
        others = ", ".join(entry["key"] for entry in conflicts)
        raise VersionConflict(f"if_change_version: at another version: {others}", data={"entries": conflicts})
    events = apply(context, _changes(context, pairs, held, numbered=True))
    result = {"entries": [_answered(context, wanted, entry) for wanted, entry in pairs]}
    if change_id:
        answer = compact({"seq": context.session.seq + len(events), **result})
        context.work.add_applied(context.session, context.actor, change_id, answer)
    return Outcome(result, events)


@operation("touch-metadata")
def touch_metadata(context: Context, *, key: Key, expires_in: ExpiresIn, if_lock: IfLock | None = None) -> Outcome:
    """Let a key that is set expire in so many seconds from now. Nobody is told.

    Raises NotFound, and RuleForbids and LockConflict as ``set-metadata``.
    """
    entry = context.work.entry(context.session, key)
    check_write(context, entry, held=held_by(context, if_lock))
    if entry.data is None:
        raise NotFound("key: is not set")
    entry.expires_at = moment(context, expires_in)
    context.work.entry_touched(entry)
    context.audit_act("metadata.touch", key=key)
    context.work.expires(context.session, [entry.expires_at])
    return Outcome(_shown(context, entry))


# --- Conditions and answers ---------------------------------------------------------------------


def _conflicts(context: Context, pairs: Sequence[tuple[Wanted, MetadataEntry]], held: str) -> list[dict[str, Any]]:
    """The entries, as they stand, that are at another version than the caller asks for."""
    found = []
    for wanted, entry in pairs:
        version = wanted.get("if_change_version")
        if version is not None and version != entry.change_version:
            # Nor does one learn by a condition what one may not read.
            check_write(context, entry, removes=wanted.get("remove") is True, held=held)
            found.append(_shown(context, entry))
    return found


def _as_first(context: Context, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer to a call that is repeated, without what the caller may not read any more."""
    for entry in answer["entries"]:
        if not may_read(context, entry["key"]):
            entry.pop("data", None)
    return answer


def _answered(context: Context, wanted: Wanted, entry: MetadataEntry) -> dict[str, Any]:
    # Who may write and not read is told no more than what it wrote: pins are made of more.
    if "data" in wanted and not (entry.key == PINS_KEY and may_read(context, entry.key)):
        return {**head(entry), "data": wanted["data"]}
    return _shown(context, entry)


def _shown(context: Context, entry: MetadataEntry) -> dict[str, Any]:
    """An entry as the caller may know it, which may write it."""
    return as_wire(entry) if may_read(context, entry.key) else head(entry)


# --- What is to be written ----------------------------------------------------------------------


def _changes(
    context: Context, pairs: Sequence[tuple[Wanted, MetadataEntry]], held: str, *, numbered: bool = False
) -> Sequence[Change]:
    """The changes that are wanted, those that change nothing left out, and what goes with them. Raises RoomError.

    ``numbered`` is whether refusals name the change by its number, from 0.
    """
    changes: list[Change] = []
    pinned, effort = False, Effort()
    for place, (wanted, entry) in enumerate(pairs):
        rule = check_write(context, entry, removes=wanted.get("remove") is True, held=held)
        value = _value(context, wanted, entry, effort, place=place)
        if entry.key == PINS_KEY:
            value, pinned = pins.checked(context, value), True
        text = None if isinstance(value, Missing) else compact(value)
        owner, on_leave, expires_in = wanted.get("owner"), wanted.get("on_leave"), wanted.get("expires_in")
        # Whoever may not read the key must not learn by this what it holds.
        knows = reads(context, rule)
        kept = terms(
            context,
            rule,
            entry,
            owner=owner,
            on_leave=on_leave,
            expires_in=expires_in,
            stands=knows and text == entry.data,
            within=f"changes[{place}]." if numbered else "",
        )
        change = Change(entry, rule, text, kept, place if numbered else None)
        if change.is_news or not knows:
            changes.append(change)
    if pinned and all(entry.key != DEFAULT_KEY for _, entry in pairs):
        changes += pins.default_after(context, changes, held=held)
    return validated(context, changes)


def _value(context: Context, wanted: Wanted, entry: MetadataEntry, effort: Effort, *, place: int) -> JSON | Missing:
    if wanted.get("remove") is True:
        return MISSING
    if "data" in wanted:
        return wanted["data"]
    # Both tell of the value that they change.
    check_read(context, entry.key)
    before, field = value_of(entry), f"changes[{place}].increment"
    if "patch" in wanted:
        value = patched(before, wanted["patch"], change=place, effort=effort)
        return load_json(compact(value))  # of more values, or deeper, than may be
    number = 0 if before is None else before
    if type(number) not in (int, float):
        raise Unprocessable(f"{field}: {entry.key} holds no number", data={"change": place})
    by = wanted["increment"]
    # Whole numbers as such: beyond 2^53 others would swallow what is added.
    number += int(by) if by.is_integer() else by
    if abs(number) > MAX_NUMBER:
        raise Unprocessable(f"{field}: the number would be beyond 2^53", data={"change": place})
    return int(number) if isinstance(number, float) and number.is_integer() else number
