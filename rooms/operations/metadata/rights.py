"""Who may write and read a key: what the rules say of the caller, checked in the transaction of the write."""

from rooms.models import MetadataEntry
from rooms.operations.engine.gate import Context
from rooms.operations.locks import check_held
from rooms.wire.errors import RuleForbids
from rooms.wire.rules import Rule, Who

PERMISSION = "writeMetadata"


def check_write(context: Context, entry: MetadataEntry, *, removes: bool = False, held: str = "") -> Rule:
    """The key's rule, which lets the caller change the entry. Raises Forbidden, LockConflict.

    ``held`` is the lock that the caller writes under.
    """
    rule = context.room.rules.of(entry.key)
    if removes:
        wanted, who = "removed", rule.remove
    elif entry.data is None:
        wanted, who = "created", rule.create
    else:
        wanted, who = "written", rule.write
    if who is None:
        who = rule.write
    peer = context.known_peer if rule.own else None
    if peer and not rule.is_own(entry.key, peer_id=peer.peer_id, person=peer.person):
        raise RuleForbids(f"key: {entry.key} is not the caller's own", key=entry.key, rule=rule.wire, roles=())
    if who is None or (who == "owner" and not entry.owner):
        context.require(PERMISSION)
    elif not _is_among(context, who, entry.owner):
        if not may_read(context, entry.key):
            wanted = "changed"  # whether it is set is not for the caller to know
        message = f"key: {entry.key} may be {wanted} by {_named(who)}"
        raise RuleForbids(message, key=entry.key, rule=rule.wire, roles=_roles(who))
    if rule.lock:
        check_held(context, rule.lock, key=entry.key, held=held)
    return rule


def _is_among(context: Context, who: Who, owner: str) -> bool:
    if context.caller.is_server:
        return who != "none"
    if who == "owner":
        return owner == context.actor
    return isinstance(who, tuple) and context.role.name in who


def _roles(who: Who) -> tuple[str, ...]:
    return who if isinstance(who, tuple) else ()


def _named(who: Who) -> str:
    if isinstance(who, tuple):
        return ", ".join(who) or "nobody"
    return {"owner": "its owner", "server": "the server"}.get(who or "", "nobody")


def may_read(context: Context, key: str) -> bool:
    return context.caller.is_server or context.room.rules.of(key).readable_by(context.role.name)


def check_read(context: Context, key: str) -> None:
    """Raises Forbidden if the caller may not know what the key holds."""
    if not may_read(context, key):
        rule = context.room.rules.of(key)
        message = f"key: {key} may be read by {_named(rule.read)}"
        raise RuleForbids(message, key=key, rule=rule.wire, roles=_roles(rule.read))
