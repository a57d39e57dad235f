"""The rules of a running room, and what peers are told when they may read more, or less, than before."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, NamedTuple

from rooms.models import Peer
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.metadata.entries import Told, hidden_text, news, text_of
from rooms.operations.policies import policy
from rooms.wire.errors import BadRequest
from rooms.wire.events import Audience, Event, compact
from rooms.wire.json_gate import JSON
from rooms.wire.parameters import Data, Items
from rooms.wire.results import Outcome
from rooms.wire.rules import MAX_RULES, MAX_RULES_BYTES, Rule, Rules, check_rules

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
    context.audit("rules.change", old=compact(room.metadata_rules), new=compact(rules))
    room.metadata_rules = list(rules)
    room.save(update_fields=["metadata_rules"])
    # Made of what stood before.
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
    observed: dict[str, set[str]] = {}
    for peer in context.work.present(session):
        observed.setdefault(peer.role, set()).update(peer.observed)
    # Each key once for all roles, and none that nobody observes: there may be many, and they may be long.
    wanted = context.work.entry_heads(session).keys() & set().union(*observed.values())
    turning = _turning(context, before, sorted(wanted))
    for role, keys in sorted(observed.items()):
        told = compact(policy(context.room, role))
        events.append(Event("on-policy-change", told, Audience(roles=(role,))))
        events += _turned(context, [turn for turn in turning if turn.key in keys], role, role, roles=(role,))
    return events


def other_role(context: Context, peer: Peer, *, before: str) -> list[Event]:
    """What a peer is told of the keys that it observes when it has another role."""
    turning = _turning(context, context.room.rules, peer.observed)
    return _turned(context, turning, before, peer.role, peer=peer.peer_id)


class Turn(NamedTuple):
    """A key, and the rules that held for it and that hold."""

    key: str
    then: Rule
    now: Rule


def _turning(context: Context, before: Rules, keys: Iterable[str]) -> list[Turn]:
    rules = context.room.rules
    return [Turn(key, before.of(key), rules.of(key)) for key in keys]


def _turned(context: Context, turning: Sequence[Turn], before: str, role: str, **whom: Any) -> list[Event]:
    """The news for those of a role, which was another one before, of keys that they may read now or may no more."""
    shown: dict[str, tuple[str, ...] | None] = {}
    told: list[Told] = []
    for key, then, now in turning:
        could, can = then.readable_by(before), now.readable_by(role)
        if can and not could:
            shown[key] = now.read
        elif could and not can:
            told.append((key, None, hidden_text(key)))
    for entry in context.work.entries(context.session, list(shown)) if shown else ():
        told.append((entry.key, shown[entry.key], text_of(entry)))
    return [news(told, **whom)] if told else []
