"""What ends by itself: entries that expire, and those whose owners leave."""

from collections.abc import Sequence

from rooms.models import MetadataEntry, Peer, milliseconds
from rooms.operations.engine.audit import Cause
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation, when_due
from rooms.operations.metadata.entries import Change, make
from rooms.operations.metadata.pins import default_without
from rooms.operations.metadata.terms import Terms
from rooms.wire.events import Event
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


def release(context: Context, peers: Sequence[Peer]) -> list[Event]:
    """Do with the entries of peers that leave what is to be done with each of them."""
    leaving = {peer.peer_id for peer in peers}
    heads = context.work.entry_heads(context.session)
    owned = [key for key, head in heads.items() if head.owner in leaving]
    rules, entries = context.room.rules, context.work.entries(context.session, owned)
    return _end(context, [_without_owner(entry, rules.of(entry.key)) for entry in entries], cause="leave")


def _end(context: Context, changes: Sequence[Change], *, cause: Cause) -> list[Event]:
    return make(context, [*changes, *default_without(context, changes)], cause=cause)


def _without_owner(entry: MetadataEntry, rule: Rule) -> Change:
    match entry.on_leave:
        case "keep":
            return Change(entry, rule, entry.data, Terms(expires_at=entry.expires_at))
        case "null":
            return Change(entry, rule, "null", Terms(expires_at=entry.expires_at))
        case _:
            return Change(entry, rule, None)
