"""On what terms an entry is kept: whose it is, what becomes of it when that peer leaves, and when it expires."""

from datetime import datetime, timedelta
from typing import NamedTuple

from rooms.models import MetadataEntry
from rooms.operations.engine.context import Context
from rooms.wire.rules import Rule


class Terms(NamedTuple):
    """``owner`` is a peer id, empty for nobody, and then ``on_leave`` is as well."""

    owner: str = ""
    on_leave: str = ""
    expires_at: datetime | None = None


NO_TERMS = Terms()


def terms(
    context: Context,
    rule: Rule,
    entry: MetadataEntry,
    *,
    owner: bool | str | None = None,
    on_leave: str | None = None,
    expires_in: float | None = None,
    stands: bool = False,
    within: str = "",
) -> Terms:
    """What holds for an entry that is written: what the write says, or else the rule.

    Raises NotFound, which names the owner's field with ``within`` before it.

    ``stands`` is whether the value is the one that it has. Then a rule gives no other owner and no later time, or
    clients that write back what they hear would never fall silent.
    """
    says_whose = owner is not None or on_leave is not None
    if not (says_whose or expires_in or rule.keeps_for_a_time):
        return NO_TERMS
    on_leave = on_leave or rule.on_leave
    if isinstance(owner, str):
        owner = context.present_peer(owner, field=f"{within}owner").peer_id
    elif owner or (owner is None and (on_leave or rule.write == "owner")):
        # The server has no peer; what it writes of somebody's stays theirs.
        owner = context.actor or entry.owner
    else:
        owner = ""
    on_leave = (on_leave or "remove") if owner else ""
    if stands and owner and entry.owner and not says_whose:
        owner, on_leave = entry.owner, entry.on_leave
    seconds = expires_in or rule.expires_in
    expires_at = moment(context, seconds) if seconds else None
    if stands and expires_at and entry.expires_at and not expires_in:
        expires_at = entry.expires_at
    return Terms(owner, on_leave, expires_at)


def moment(context: Context, seconds: float) -> datetime:
    """So many seconds from now."""
    return context.now + timedelta(seconds=seconds)
