"""The rules of a running room, and what peers are told when they may read more, or less, than before."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from rooms.models import Peer
from rooms.operations.engine.gate import Context, operation
from rooms.operations.metadata.entries import hidden_text, news, text_of
from rooms.operations.policies import policy
from rooms.wire.errors import BadRequest
from rooms.wire.events import Audience, Event, compact
from rooms.wire.json_gate import JSON
from rooms.wire.parameters import Data, Items
from rooms.wire.results import Outcome
from rooms.wire.rules import MAX_RULES, MAX_RULES_BYTES, Rules, check_rules

Wires = Annotated[list[Annotated[JSON, Data(0, MAX_RULES_BYTES)]], Items(MAX_RULES)]


@operation("set-metadata-rules", requires="manageRoom")
def set_metadata_rules(context: Context, *, rules: Wires) -> Outcome:
    """Give the room other rules of its own, which go before those of its template, for this session and later ones.

    Everybody is told the rules, and then, of the keys that they observe, those that they may read now with their
    values, and those that they may read no more. Raises BadRequest, which names the rule's field.
    """
    room = context.room
    try:
        check_rules(rules, "rules", roles=list(room.template.usable_roles))
    except ValueError as error:
        raise BadRequest(str(error)) from None
    before = room.rules
    if rules == room.metadata_rules:
        return Outcome({"rules": rules})
    room.metadata_rules = list(rules)
    room.save(update_fields=["metadata_rules"])
    room.__dict__.pop("rules")
    return Outcome({"rules": rules}, _changed(context, before))


@operation()
def template_changed(context: Context, *, rules: Sequence[JSON]) -> Outcome:
    """Tell everybody what the room's template says now; ``rules`` are those that it had before."""
    room = context.room
    return Outcome(events=_changed(context, Rules(room.metadata_rules, rules)))


def _changed(context: Context, before: Rules) -> list[Event]:
    """What those who are in the room are told when other rules hold, role by role."""
    session, events = context.live_session, []
    if session is None:
        return []
    context.work.room_changed(session)
    for role in sorted({peer.role for peer in context.work.present(session)}):
        told = compact(policy(context.room, role))
        events.append(Event("on-policy-change", told, Audience(roles=(role,))))
        events += _turned(context, before, (role, role), context.work.entry_heads(session), roles=(role,))
    return events


def other_role(context: Context, peer: Peer, *, before: str) -> list[Event]:
    """What a peer is told of the keys that it observes when it has another role."""
    return _turned(context, context.room.rules, (before, peer.role), peer.observed, peer=peer.peer_id)


def _turned(
    context: Context, before: Rules, roles_then_and_now: tuple[str, str], keys: Iterable[str], **whom: Any
) -> list[Event]:
    """The news of those keys that can be read now and could not before, or the other way round."""
    then, now = roles_then_and_now
    rules, told = context.room.rules, []
    for key in keys:
        could, can = before.of(key).readable_by(then), rules.of(key).readable_by(now)
        if can and not could:
            entry = context.work.entry(context.session, key)
            told.append((key, rules.of(key).read, text_of(entry)))
        elif could and not can:
            told.append((key, None, hidden_text(key)))
    return [news(told, **whom)] if told else []
