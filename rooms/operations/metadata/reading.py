"""Reading session metadata, and observing it."""

from collections.abc import Sequence
from typing import Annotated, Any

from rooms.models import Peer, Session
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation
from rooms.operations.metadata.entries import DEFAULT_KEY, Key, as_wire, hidden
from rooms.operations.metadata.rights import check_read
from rooms.wire.parameters import Items
from rooms.wire.results import Observation, Outcome


@operation("get-metadata")
def get_metadata(context: Context, *, key: Key = DEFAULT_KEY) -> Outcome:
    """The entry of a key; one never set is at version 0. Raises RuleForbids if the caller may not read it."""
    check_read(context, key)
    return Outcome(as_wire(context.work.entry(context.session, key)))


Keys = Annotated[list[Key], Items("MAX_KEYS")]


@operation("listen-metadata-change")
def listen_metadata_change(context: Context, *, keys: Keys) -> Outcome:
    """Observe these keys and no others. Their present values are sent, those of keys that are set.

    A key that the caller may not read is told as if it were not set, until it may. Gives the socket an Observation.
    """
    observed = observe(context, context.peer, keys)
    values = [value for value in present_values(context, context.session, observed) if value["change_version"]]
    return Outcome({"keys": observed}, for_socket=Observation(frozenset(observed), values))


def observe(context: Context, peer: Peer, keys: Sequence[str]) -> list[str]:
    """Let a peer observe these keys and no others; returns them in one order, so that the same again writes nothing."""
    observed = sorted(set(keys))
    if observed != peer.observed:
        peer.observed = observed
        context.work.changed(peer, "observed")
    return observed


def present_values(context: Context, session: Session, keys: Sequence[str]) -> list[dict[str, Any]]:
    """What these keys hold now, as the caller may know it; null where there is nothing."""
    known = set(context.room.rules.readable(keys, context.role.name))
    entries = {entry.key: entry for entry in context.work.entries(session, [key for key in keys if key in known])}
    return [as_wire(entries[key]) if key in entries else hidden(key) for key in keys]
