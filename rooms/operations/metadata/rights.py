"""Who may write and read a key: what the rules say of the caller, checked in the transaction of the write."""

from rooms.models import MetadataEntry
from rooms.operations.engine.context import Context
from rooms.operations.locks import check_held
from rooms.wire.errors import RuleForbids
from rooms.wire.rules import Rule, Who

PERMISSION = "writeMetadata"


def check_write(context: Context, entry: MetadataEntry, *, removes: bool = False, held: str = "") -> Rule:
    """The key's rule, which lets the caller change the entry. Raises Forbidden, LockConflict.

    ``held`` is the lock that the caller writes under.
    """
    rule = context.room.rules.of(entry.key)
    given = rule.remove if removes else rule.create if entry.data is None else rule.write
    who = rule.write if given is None else given
    peer = context.known_peer if rule.own else None
    if peer and not rule.is_own(entry.key, peer_id=peer.peer_id, person=peer.person):
        raise RuleForbids(f"key: {entry.key} is not the caller's own", key=entry.key, rule=rule.wire, roles=())
    if not _is_among(context, who, entry.owner):
        raise _refusal(context, entry, rule, who, removes=removes)
    if rule.lock:
        check_held(context, rule.lock, key=entry.key, held=held)
    return rule


def _is_among(context: Context, who: Who, owner: str) -> bool:
    if context.caller.is_server:
        return who != "none"
    if who is None or (who == "owner" and not owner):
        return context.role.allows(PERMISSION)
    if who == "owner":
        return owner == context.actor
    return isinstance(who, tuple) and context.role.name in who


def _refusal(context: Context, entry: MetadataEntry, rule: Rule, who: Who, *, removes: bool) -> RuleForbids:
    """What a caller is told who is not among those who may. Raises Forbidden if a permission is all that it lacks."""
    knows, create = reads(context, rule), rule.create or rule.write
    # Whoever may not read the key must not learn whether it is set, or somebody's.
    if (who is None and (knows or removes or create is None)) or (who == "owner" and not entry.owner and knows):
        context.require(PERMISSION)
    roles = _roles(who)
    if removes:
        wanted = f"removed by {_named(who)}"
    elif knows:
        wanted = f"{'created' if entry.data is None else 'written'} by {_named(who)}"
    elif create == rule.write:
        wanted = f"changed by {_named(who)}"
    else:
        wanted = f"created by {_named(create)} and written by {_named(rule.write)}"
        roles = tuple(dict.fromkeys((*_roles(create), *_roles(rule.write))))
    return RuleForbids(f"key: {entry.key} may be {wanted}", key=entry.key, rule=rule.wire, roles=roles)


def _roles(who: Who) -> tuple[str, ...]:
    return who if isinstance(who, tuple) else ()


def _named(who: Who) -> str:
    if isinstance(who, tuple):
        return ", ".join(who) or "nobody"
    return {"owner": "its owner", "server": "the server", "none": "nobody"}.get(who or "", "who may write")


def may_read(context: Context, key: str) -> bool:
    return reads(context, context.room.rules.of(key))


def reads(context: Context, rule: Rule) -> bool:
    """Whether the caller may know what a key holds that has this rule."""
    return context.caller.is_server or rule.readable_by(context.role.name)


def check_read(context: Context, key: str) -> None:
    """Raises Forbidden if the caller may not know what the key holds."""
    if not may_read(context, key):
        rule = context.room.rules.of(key)
        message = f"key: {key} may be read by {_named(rule.read)}"
        raise RuleForbids(message, key=key, rule=rule.wire, roles=_roles(rule.read))
