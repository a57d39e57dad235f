"""What is done to messages that were sent: their authors change them, people react, authors and moderators delete."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from rooms.models import Event as EventRow
from rooms.models import Message, Peer
from rooms.operations.engine.context import Context
from rooms.operations.engine.erasing import EDITED, Copies
from rooms.operations.engine.gate import operation
from rooms.operations.kept import find, is_by, is_for
from rooms.operations.messaging import CHAT, Mentions, check_shows
from rooms.operations.metadata.pins import PIN_KEYS, Shown, follow, pins_held, shown_text, without
from rooms.wire.errors import BadRequest, Forbidden, NotFound, TooLarge
from rooms.wire.events import EVERYBODY, Audience, Event, compact, size_of
from rooms.wire.parameters import Bytes, MessageId, Text
from rooms.wire.results import Outcome

MODERATES = "removeOthers"
"""The permission that lets one delete what others said."""

MAX_EMOJI = 20
"""Different ones under a message."""

MAX_REACTIONS = 1_000
"""Under a message, of all persons."""


@operation("message-edit", requires="sendMessages")
def edit_message(
    context: Context,
    *,
    id: MessageId,
    message: Annotated[str, Text(1, "MAX_MESSAGE_CHARS")],
    mentions: Mentions | None = None,
) -> Outcome:
    """Let a message of one's own say something else: ``{message_id, edited_at}``. What it said before is kept nowhere.

    Its type stays, and so does who is mentioned, if ``mentions`` does not say otherwise. Saying the same changes
    nothing. Raises NotFound if there is no such message for the caller, Forbidden if it is another's.
    """
    row, audience, is_own = _find(context, id)
    if not is_own:
        raise Forbidden("id: the message is another's")
    if audience.nobody:
        raise _no_such()
    body = json.loads(row.body)
    was, names = shown_text(body), body.get("mentions", [])
    check_shows(message, row.type, field="message")
    named = names if mentions is None else list(dict.fromkeys(mentions))
    if (body["info"]["message"], names) == (message, named):
        return Outcome({"message_id": id, "edited_at": body.get("edited_at", row.at)})
    body["info"]["message"], body["edited_at"] = message, context.work.at
    body.pop("mentions", None)
    if named:
        body["mentions"] = named
    told = {name: body[name] for name in ("message_id", "info", "mentions", "edited_at") if name in body}
    pins = _change(context, row, audience, compact(body), was=was, now=shown_text(body))
    row.edit_seq = context.session.seq + len(pins) + 1
    context.work.message_changed(row)
    context.audit_act("message.edit", details={"message": id})
    result = {"message_id": id, "edited_at": context.work.at}
    return Outcome(result, [*pins, *_news(context, row, audience, EDITED, told)])


@operation("message-delete")
def delete_message(context: Context, *, id: MessageId) -> Outcome:
    """Delete a message of one's own, or, with ``removeOthers``, any that was for the caller: ``{message_id}``.

    With it goes all that is stored of what it said, its pins included. Deleting it again changes nothing. Of a message
    that is kept no more its pin goes, which may still be there. Raises NotFound if there is no such message for the
    caller.
    """
    found = find(context, id)
    if found is None:
        return _delete_pinned(context, id)
    row, audience, is_own = _for_caller(context, *found)
    if not is_own:
        context.require(MODERATES)
    if audience.nobody:
        return Outcome({"message_id": id})
    body = json.loads(row.body)
    pins = _change(context, row, audience._replace(nobody=True), "", was=shown_text(body), now=None)
    if is_own:
        context.audit_act("message.delete", details={"message": id})
    else:
        name = body["peer"]["info"]["name"] if "peer" in body else ""
        context.audit("message.delete", details={"message": id, "peer": row.peer_id, "name": name})
    told = {"message_id": id, "by": context.actor}
    return Outcome({"message_id": id}, [*pins, *_news(context, row, audience, "on-message-delete", told)])


def _delete_pinned(context: Context, message_id: str) -> Outcome:
    """Take away the pin of a message that is kept no more, and with it the last of what it said."""
    pin = next((pin for pin in pins_held(context) if pin["id"] == message_id), None)
    if pin is None:
        raise _no_such()
    author, peer = pin.get("author"), context.known_peer
    author = author if isinstance(author, dict) else {}
    if peer is not None and author.get("person") == peer.person:
        context.audit_act("message.delete", details={"message": message_id})
    else:
        context.require(MODERATES)
        context.audit("message.delete", details={"message": message_id, "peer": "", "name": author.get("name", "")})
    edited = {edited: seq for edited, seq in _edited(context).items() if edited == message_id}
    pins = _take_away(context, [], {message_id: Shown(pin["text"], None)}, edited)
    told = {"message_id": message_id, "by": context.actor}
    # Only what was for everybody is pinned.
    others = EVERYBODY._replace(but=context.actor)
    return Outcome({"message_id": message_id}, [*pins, Event("on-message-delete", compact(told), others)])


@operation("clear-messages", requires=MODERATES)
def clear_messages(context: Context) -> Outcome:
    """Delete all messages of the type ``chat``, private ones too, with all that is stored of what they said.

    With them go the pins of messages that are kept no more. Everybody is told at once, and not of each: ``{cleared}``,
    how many there were.
    """
    # What others said in this very transaction is a row only after this.
    context.work.flush()
    rows = list(Message.objects.filter(session_id=context.session.id, type=CHAT).exclude(body=""))
    # Messages that are kept no more are not among them: their pins may be there, and the events of their edits.
    forgotten = [pin for pin in pins_held(context) if find(context, pin["id"]) is None]
    edited = _edited(context)
    if not rows and not forgotten and not edited:
        return Outcome({"cleared": 0})
    pinned = {row.message_id: Shown(shown_text(json.loads(row.body)), None) for row in rows if row.pinned}
    pinned |= {pin["id"]: Shown(pin["text"], None) for pin in forgotten}
    for row in rows:
        # Whom it was for stays: others do not learn even now that it was there.
        _rewrite(context, row, Audience.decode(row.audience)._replace(nobody=True), "")
    pins = _take_away(context, rows, pinned, edited)
    context.audit("message.clear", details={"messages": len(rows)})
    return Outcome(
        {"cleared": len(rows)}, [*pins, Event("on-messages-clear", compact({"by": context.actor}), EVERYBODY)]
    )


def _edited(context: Context) -> dict[str, int]:
    """Of messages of the type ``chat`` that were edited the numbers of the events that tell it, by their ids."""
    events = EventRow.objects.filter(session_id=context.session.id, kind=EDITED).values_list("seq", "body")
    told = [(seq, json.loads(body)) for seq, body in events]
    return {edit["message_id"]: seq for seq, edit in told if edit and edit["info"]["type"] == CHAT}


@operation("message-react", requires="sendMessages")
def react(context: Context, *, id: MessageId, emoji: Annotated[str, Bytes(1, 64)], on: bool | None = None) -> Outcome:
    """React to a message by an emoji, or take it back: ``{message_id, emoji, on, count}``.

    ``on`` says which; without it the caller's is taken back if it is there. A person has each once. Raises BadRequest
    if it is no emoji, TooLarge beyond MAX_EMOJI and MAX_REACTIONS, NotFound if there is no such message for the caller.
    """
    if not is_emoji(emoji):
        raise BadRequest("emoji: expected one emoji")
    row, audience, _ = _find(context, id)
    if audience.nobody:
        raise _no_such()
    held: dict[str, list[str]] = json.loads(row.reactions or "{}")
    persons, person = held.get(emoji, []), context.peer.person
    had = person in persons
    wanted = not had if on is None else on
    if wanted and not had:
        _check_room(held, emoji)
        held[emoji] = persons = [*persons, person]
    elif had and not wanted:
        held[emoji] = persons = [other for other in persons if other != person]
    result = {"message_id": id, "emoji": emoji, "on": wanted, "count": len(persons)}
    if wanted == had:
        return Outcome(result)
    reactions = {kind: by for kind, by in held.items() if by}
    before, row.reactions = row.reactions, compact(reactions) if reactions else ""
    context.session.journal_bytes += size_of(row.reactions) - size_of(before)
    context.work.message_changed(row)
    told = {**result, "peer_id": context.actor, "person": person}
    return Outcome(result, _news(context, row, audience, "on-message-react", told))


def _check_room(held: dict[str, list[str]], emoji: str) -> None:
    """Raises TooLarge if a message can have no more reactions."""
    kinds, number = len(held) + (emoji not in held), sum(map(len, held.values())) + 1
    if kinds > MAX_EMOJI:
        message = f"emoji: the message would have {kinds} different ones, at most {MAX_EMOJI}"
        raise TooLarge(message, limit="max_emoji", used=kinds, most=MAX_EMOJI)
    if number > MAX_REACTIONS:
        message = f"emoji: the message would have {number} reactions, at most {MAX_REACTIONS}"
        raise TooLarge(message, limit="max_reactions", used=number, most=MAX_REACTIONS)


_JOINS = "\N{ZERO WIDTH JOINER}\N{VARIATION SELECTOR-16}\N{VARIATION SELECTOR-15}\N{COMBINING ENCLOSING KEYCAP}"
_KEYS = "0123456789#*"


def is_emoji(text: str) -> bool:
    """Whether a text is made of what emoji are made of: a picture, or a key with the frame of one."""
    pictures = [character for character in text if _is_picture(character)]
    if not pictures:
        return text[0] in _KEYS and text.endswith("\N{COMBINING ENCLOSING KEYCAP}") and len(text) <= 3
    others = [character for character in text if not _is_picture(character)]
    return all(other in _JOINS or _is_tag(other) or unicodedata.category(other) == "Sk" for other in others)


def _is_picture(character: str) -> bool:
    # By its block too, for this Python may know fewer than the peers' keyboards.
    is_skin = "\U0001f3fb" <= character <= "\U0001f3ff"
    return not is_skin and ("\U0001f000" <= character <= "\U0001faff" or unicodedata.category(character) == "So")


def _is_tag(character: str) -> bool:
    """Whether it is one of those that flags of regions are spelt with."""
    return "\U000e0020" <= character <= "\U000e007f"


# --- What they share ----------------------------------------------------------------------------


def _no_such() -> NotFound:
    return NotFound("id: no such message")


def _find(context: Context, message_id: str) -> tuple[Message, Audience, bool]:
    """A message, whom it is for, nobody if it was deleted, and whether the caller said it.

    Raises NotFound for one that is not for the caller, as if it did not exist.
    """
    found = find(context, message_id)
    if found is None:
        raise _no_such()
    return _for_caller(context, *found)


def _for_caller(context: Context, row: Message, audience: Audience) -> tuple[Message, Audience, bool]:
    """As ``_find`` gives it, of a message that was found."""
    if context.caller.is_server:
        return row, audience, row.peer_id == ""
    is_own = is_by(context.peer, row)
    if is_own or is_for(context.peer, row, audience._replace(nobody=False)):
        return row, audience, is_own
    raise _no_such()


def _change(
    context: Context, row: Message, audience: Audience, body: str, *, was: str, now: str | None
) -> Sequence[Event]:
    """Have a message say something else, or nothing; the events that tell of its pins. What it said is gone."""
    _rewrite(context, row, audience, body)
    pinned = {row.message_id: Shown(was, now)} if row.pinned else {}
    return _take_away(context, [row], pinned, {row.message_id: row.edit_seq} if row.edit_seq else {})


def _rewrite(context: Context, row: Message, audience: Audience, body: str) -> None:
    before = size_of(row.audience + row.body + row.reactions)
    row.audience, row.body = audience.encode(), body
    if not body:
        row.reactions = ""
    context.session.journal_bytes += size_of(row.audience + row.body + row.reactions) - before
    context.work.message_changed(row)


def _take_away(
    context: Context, rows: Sequence[Message], pinned: Mapping[str, Shown], edited: Mapping[str, int]
) -> Sequence[Event]:
    """Take what messages said out of all that is stored besides; the events that tell of their pins.

    ``edited`` are the numbers of the events that told their last edits, by their ids.
    """
    pins = follow(context, pinned) if pinned else []
    # Of what is kept no more nobody knows when it was said.
    are_kept = pinned.keys() <= {row.message_id for row in rows}
    copies = Copies(
        context.session,
        seq=min((row.seq for row in rows), default=0) if are_kept else 0,
        at=min((row.at for row in rows), default=0) if are_kept else 0,
        edits=min(edited.values(), default=0),
        until=context.session.seq + 1,
        edited=frozenset(edited),
        pinned={message_id: shown.was for message_id, shown in pinned.items()},
        keys=PIN_KEYS,
        replace=partial(without, changed=pinned),
    )
    context.work.take_away(copies)
    return pins


def _news(context: Context, row: Message, audience: Audience, kind: str, told: dict[str, Any]) -> list[Event]:
    """The events that tell those whom a message is for of what was done to it, but not who did it."""
    # Those who came later were perhaps not shown it. What tells nothing of it may reach them all the same.
    was_shown = row.type == CHAT and context.session.messages - row.number < context.room.history
    is_shown = kind != EDITED or was_shown
    came = 0 if is_shown else row.seq
    body, others = compact(told), []
    if audience.peer:
        others = [*_present(context, row.person), *_present(context, row.receiver)]
    elif audience.roles:
        # Who said it need not hold the role.
        others = [peer for peer in _present(context, row.person) if not _has_role(peer, row, audience)]
    whom = [Audience(peer=peer.peer_id) for peer in dict.fromkeys(others) if not came or peer.joined_seq < came]
    if not audience.peer:
        whom.append(audience._replace(but=context.actor, came=came, since=row.seq if audience.roles else 0))
    return [Event(kind, body, one) for one in whom if one.peer != context.actor or not one.peer]


def _has_role(peer: Peer, row: Message, audience: Audience) -> bool:
    return peer.role in audience.roles and row.seq > peer.role_since


def _present(context: Context, person: str) -> list[Peer]:
    """The peers of a person that are there."""
    if not person:
        return []
    rows = Peer.objects.filter(session_id=context.session.id, person=person).exclude(state=Peer.State.LEFT)
    return list(rows.order_by("joined_seq"))
