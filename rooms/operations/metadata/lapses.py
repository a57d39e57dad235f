"""What ends by itself: entries that expire, and those whose owners leave."""

from collections.abc import Collection, Mapping, Sequence

from rooms.models import MetadataEntry, Peer, milliseconds
from rooms.operations.engine.audit import Cause
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation, when_due
from rooms.operations.metadata.entries import SPOTLIGHT_KEY, Change, make, value_of
from rooms.operations.metadata.pins import default_without
from rooms.operations.metadata.terms import Terms
from rooms.wire.events import Event, compact
from rooms.wire.results import Outcome
from rooms.wire.rules import Rule


@when_due
def settle(context: Context) -> list[Event]:
    """Remove what is past its time. Runs before whatever else is done in the session."""
    heads = context.work.entry_heads(context.session)
    # By the millisecond, as the session's due_at.
    expired = [
        key for key, head in heads.items() if head.expires_at and milliseconds(head.expires_at) <= context.work.at
    ]
    rules, entries = context.room.rules, context.work.entries(context.session, expired)
    return _end(context, [Change(entry, rules.of(entry.key), None) for entry in entries], cause="expiry")


@operation()
def settle_due(context: Context) -> Outcome:
    """For the server's clock: what is due is done before any operation."""
    return Outcome()


def release(context: Context, peers: Sequence[Peer], heirs: Mapping[str, Peer]) -> list[Event]:
    """Do with the entries of peers that leave what is to be done with each of them; the spotlight goes to their heirs.

    ``heirs`` are by the ids of those who leave.
    """
    leaving = {peer.peer_id for peer in peers}
    heads = context.work.entry_heads(context.session)
    keys = [key for key, head in heads.items() if head.owner in leaving or (heirs and key == SPOTLIGHT_KEY)]
    rules, entries = context.room.rules, context.work.entries(context.session, keys)
    changes = [_without(leaving, heirs, entry, rules.of(entry.key)) for entry in entries]
    return _end(context, [change for change in changes if change.is_news], cause="leave")


def in_spotlight(context: Context) -> set[str]:
    """The ids of the peers that the spotlight is about: who is seen in it, and whose entry it is."""
    entry = context.work.entry(context.session, SPOTLIGHT_KEY)
    return {entry.owner, _seen(entry)} - {""}


def _seen(entry: MetadataEntry) -> str:
    """The peer id that an entry holds; empty if it is another value, for anybody may have written any."""
    value = value_of(entry)
    return value if isinstance(value, str) else ""


def _end(context: Context, changes: Sequence[Change], *, cause: Cause) -> list[Event]:
    return make(context, [*changes, *default_without(context, changes)], cause=cause)


def _without(leaving: Collection[str], heirs: Mapping[str, Peer], entry: MetadataEntry, rule: Rule) -> Change:
    """What an entry is to be when these peers are gone."""
    text, terms = entry.data, Terms(entry.owner, entry.on_leave, entry.expires_at)
    if entry.key == SPOTLIGHT_KEY:
        if seen := heirs.get(_seen(entry)):
            text = compact(seen.peer_id)
        if owner := heirs.get(entry.owner):
            terms = terms._replace(owner=owner.peer_id)
    if terms.owner not in leaving:
        return Change(entry, rule, text, terms)
    match entry.on_leave:
        case "keep":
            return Change(entry, rule, text, Terms(expires_at=entry.expires_at))
        case "null":
            return Change(entry, rule, "null", Terms(expires_at=entry.expires_at))
        case _:
            return Change(entry, rule, None)
