"""Locks of a session: one peer at a time holds a lock of a name, and those who wait for it get it in their order.

The token of a lock is the number of the event by which its holder got it. So it only rises, and what somebody writes
who does not know yet that it lost a lock can be told from what its next holder writes.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, NotRequired, TypedDict

from django.conf import settings

from rooms.models import Lock, Peer, Session, milliseconds
from rooms.operations.engine.audit import Cause
from rooms.operations.engine.context import Context
from rooms.operations.engine.gate import operation, when_due
from rooms.wire.effects import Granted
from rooms.wire.errors import Forbidden, LockConflict, NotFound, PreconditionFailed, TooLarge
from rooms.wire.events import Event, compact
from rooms.wire.parameters import Between, Chars
from rooms.wire.results import Outcome, Waiting
from rooms.wire.rules import MAX_EXPIRES_IN
from rooms.wire.tags import is_among, tag_of

MAX_LOCKS = 100
"""Of a session, held at the same time."""

MAX_WAITERS = 500
"""Of a session, for all of its locks."""

MAX_WAIT_MS = 60_000

LockName = Annotated[str, Chars(1, 64)]
Token = Annotated[int, Between(0, 2**53)]


class IfLock(TypedDict):
    """The lock that the caller of a write holds."""

    name: LockName
    token: Token


class Waiter(TypedDict):
    """Who waits for a lock, over which connection, until when (milliseconds), for how long it wants it (seconds)."""

    peer_id: str
    conn_id: NotRequired[str]  # earlier versions stored none
    until: int
    expires_in: float | None


@operation("lock")
def lock(
    context: Context,
    *,
    name: LockName,
    expires_in: Annotated[float, Between(1, MAX_EXPIRES_IN)] | None = None,
    wait_ms: Annotated[int, Between(0, MAX_WAIT_MS)] | None = None,
) -> Outcome:
    """Get a lock that nobody holds. Answers ``{name, holder, token, expires_at?}``.

    The holder gets its token again, and with ``expires_in`` the lock expires so many seconds from now. With ``wait_ms``
    a caller waits for a lock that another holds, and gives the socket a Waiting; who waits already keeps its place.
    Raises LockConflict if another holds the lock, Forbidden if the caller may write nothing that it would be for, and
    TooLarge over MAX_LOCKS or MAX_WAITERS.
    """
    _check_may_lock(context, name)
    found = _find(context, name)
    if found is None:
        return _take(context, name, expires_in)
    if found.holder == context.actor:
        return _prolong(context, found, expires_in)
    if not wait_ms:
        raise _conflict(name, found)
    until = milliseconds(context.now) + wait_ms
    me = context.caller
    _wait(context, found, {"peer_id": me.peer_id, "conn_id": me.conn_id, "until": until, "expires_in": expires_in})
    return Outcome(as_wire(name, found), for_socket=Waiting(name, wait_ms / 1000, until))


@operation("unlock")
def unlock(context: Context, *, name: LockName, token: Token) -> Outcome:
    """Free a lock under the token that it has; the next who waits for it gets it. Answers the lock as it is then.

    Who holds it may, and whoever may remove others. Raises LockConflict if the lock has another token, or is free.
    """
    found = _find(context, name)
    if found is None or found.token != token:
        raise _conflict(name, found)
    if found.holder != context.actor:
        context.require("removeOthers")
    event = _pass_on(context, found, "released" if found.holder == context.actor else "revoked")
    return Outcome(as_wire(name, _find(context, name)), [event])


@operation()
def revoke_lock(context: Context, *, name: LockName, tags: list[str] | None = None) -> Outcome:
    """Free a lock whoever holds it, for the server; the next who waits for it gets it.

    With tags only under the token of one of them. Answers the lock as it is then. Raises NotFound if nobody holds it,
    and PreconditionFailed, which carries the lock as it stands.
    """
    found = _held(context, name)
    if tags is not None and not is_among(tag_of(found.token, context.session.id), tags):
        raise PreconditionFailed(f"If-Match: the lock is held under {found.token}", data=as_wire(name, found))
    return unlock.function(context, name=name, token=found.token)


@operation()
def read_lock(context: Context, *, name: LockName) -> Outcome:
    """A lock that somebody holds, and the ``tag`` of its token. Raises NotFound."""
    found = _held(context, name)
    return Outcome({**as_wire(name, found), "tag": tag_of(found.token, context.session.id)})


def _held(context: Context, name: str) -> Lock:
    """A lock that somebody holds. Raises NotFound."""
    if (found := _find(context, name)) is None:
        raise NotFound("name: nobody holds the lock")
    return found


@operation("locks")
def list_locks(context: Context) -> Outcome:
    """The locks that somebody holds: ``{locks: [lock]}``."""
    return Outcome({"locks": as_they_stand(context, context.session)})


@operation()
def stop_waiting(context: Context, *, name: str, until: int) -> Outcome:
    """The time of a caller is over that waits for a lock until then. Answers the lock if it got it.

    Raises LockConflict, and from then on does not get it any more, unless it has asked again meanwhile.
    """
    found = _find(context, name)
    if found and found.holder == context.actor:
        return Outcome(as_wire(name, found))
    if found:
        others = [waiter for waiter in found.waiters if (waiter["peer_id"], waiter["until"]) != (context.actor, until)]
        # Though it refuses afterwards: that undoes nothing.
        _set_waiters(context, found, others)
    raise _conflict(name, found)


def as_wire(name: str, held: Lock | None) -> dict[str, Any]:
    """A lock as it stands; one that is free has no holder and no token."""
    if held is None:
        return {"name": name, "holder": None, "token": None}
    wire = {"name": name, "holder": held.holder, "token": held.token}
    if held.expires_at:
        wire["expires_at"] = milliseconds(held.expires_at)
    return wire


def as_they_stand(context: Context, session: Session) -> list[dict[str, Any]]:
    """All locks that somebody holds, as they are told to who comes."""
    return [as_wire(name, held) for name, held in context.work.locks(session).items()]


# --- Writing under a lock -----------------------------------------------------------------------


def held_by(context: Context, if_lock: IfLock | None) -> str:
    """The name of the lock that a write depends on, which the caller holds; empty if on none. Raises LockConflict.

    Of the server, which holds none, it is enough to know the token.
    """
    if if_lock is None:
        return ""
    found = _find(context, if_lock["name"])
    is_holder = found is not None and (context.caller.is_server or found.holder == context.actor)
    if found is None or not is_holder or found.token != if_lock["token"]:
        raise _conflict(if_lock["name"], found, field="if_lock")
    return found.name


def check_held(context: Context, name: str, *, key: str, held: str) -> None:
    """Raises LockConflict unless the caller holds the lock that a rule asks for; ``held`` is the one that it holds."""
    if name == held:
        return
    found = _find(context, name)
    # The server can get no lock; what nobody holds it does not disturb.
    if found or not context.caller.is_server:
        raise _refusal(f"if_lock: {key} needs the lock {name}, which", name, found)


# --- Getting and losing -------------------------------------------------------------------------


def let_go(context: Context, peers: Sequence[Peer], *, after: int) -> list[Event]:
    """Free what peers hold that leave, and let them wait no more; ``after`` events of the same call come before."""
    leaving = {peer.peer_id for peer in peers}
    events: list[Event] = []
    for held in list(context.work.locks(context.session).values()):
        staying = [waiter for waiter in held.waiters if waiter["peer_id"] not in leaving]
        if len(staying) < len(held.waiters):
            _set_waiters(context, held, staying)
        if held.holder in leaving:
            events.append(_pass_on(context, held, "left", after=after + len(events)))
    return events


@when_due
def settle(context: Context) -> list[Event]:
    """Free what is past its time."""
    events: list[Event] = []
    for held in list(context.work.locks(context.session).values()):
        if held.expires_at and milliseconds(held.expires_at) <= context.work.at:
            events.append(_pass_on(context, held, "expired", after=len(events)))
    return events


def _find(context: Context, name: str) -> Lock | None:
    return context.work.locks(context.session).get(name)


def _check_may_lock(context: Context, name: str) -> None:
    """Raises Forbidden. Whoever may not write must not keep others from it."""
    if context.caller.is_server:
        raise Forbidden("name: the server holds no locks")
    # By the rules that ask for this lock; where one of them names nobody, or there is none, by the permission.
    rules = context.room.rules.under(name)
    writers = {who for rule in rules for who in (rule.write, rule.create, rule.remove)}
    named = {role for who in writers if isinstance(who, tuple) for role in who}
    if context.role.name in named:
        return
    if rules and not any(rule.write in (None, "owner") for rule in rules):
        raise Forbidden(f"name: the lock is for {', '.join(sorted(named)) or 'nobody'}")
    context.require("writeMetadata")


def _take(context: Context, name: str, expires_in: float | None) -> Outcome:
    count = len(context.work.locks(context.session))
    if count >= MAX_LOCKS:
        message = f"name: {count} locks are held, at most {MAX_LOCKS}"
        raise TooLarge(message, limit="max_locks", used=count + 1, most=MAX_LOCKS)
    held = Lock(session=context.session, name=name)
    _give(context, held, context.actor, expires_in, after=0)
    context.work.add_lock(held)
    return Outcome(as_wire(name, held), [_changed(held, "locked")])


def _prolong(context: Context, held: Lock, expires_in: float | None) -> Outcome:
    if expires_in is None:
        return Outcome(as_wire(held.name, held))
    _expire(context, held, expires_in)
    context.work.changed(held, "expires_at")
    return Outcome(as_wire(held.name, held), [_told(held.name, held, "prolonged")])


def _wait(context: Context, held: Lock, waiter: Waiter) -> None:
    waiters = _waiting(context, held)
    place = next((at for at, other in enumerate(waiters) if other["peer_id"] == context.actor), None)
    if place is None:
        others = [other for other in context.work.locks(context.session).values() if other is not held]
        count = len(waiters) + sum(len(_waiting(context, other)) for other in others)
        if count >= MAX_WAITERS:
            message = f"wait_ms: {count} wait for locks, at most {MAX_WAITERS}"
            raise TooLarge(message, limit="max_waiters", used=count + 1, most=MAX_WAITERS)
        waiters.append(waiter)
    else:
        waiters[place] = waiter
    _set_waiters(context, held, waiters)


def _waiting(context: Context, held: Lock) -> list[Waiter]:
    """Those who wait for a lock yet."""
    return [waiter for waiter in held.waiters if _waits(context, waiter)]


def _waits(context: Context, waiter: Waiter) -> bool:
    late = context.work.at - waiter["until"]
    # Nobody is left to be told in a process that was killed, or stood still, for longer than a call may wait.
    if -MAX_WAIT_MS <= late < 0:
        return True
    # By then it is known of every process that is dead: over a connection that is there somebody waits, and it is the
    # clock that was set, forward, or back by more than a call may wait.
    return (late < 0 or late > 2000 * settings.LEASE_TTL) and _hears(context, waiter)


def _hears(context: Context, waiter: Waiter) -> bool:
    """Whether the connection is there over which somebody asked."""
    peer = context.work.peer(context.session, waiter["peer_id"])
    return peer is not None and peer.state == Peer.State.CONNECTED and peer.conn_id == waiter.get("conn_id")


_CAUSES: dict[str, Cause] = {"expired": "expiry", "left": "leave"}


def _pass_on(context: Context, held: Lock, reason: str, *, after: int = 0) -> Event:
    """Give a lock to the next who waits for it, or free it."""
    waiters = _waiting(context, held)
    # Who is away keeps its place: the others would wait for nothing until it is back, or gone.
    place = next((at for at, waiter in enumerate(waiters) if _is_connected(context, waiter["peer_id"])), 0)
    chosen = waiters.pop(place) if waiters else None
    if reason != "released":
        details = {"holder": held.holder, "next": chosen["peer_id"] if chosen else None, "reason": reason}
        context.audit("lock.release", cause=_CAUSES.get(reason), key=held.name, version=held.token, details=details)
    if chosen:
        _set_waiters(context, held, waiters)
        _give(context, held, chosen["peer_id"], chosen["expires_in"], after=after)
        context.work.changed(held, "holder", "token", "expires_at")
        return _changed(held, reason)
    context.work.forget_lock(held)
    return _told(held.name, None, reason)


def _is_connected(context: Context, peer_id: str) -> bool:
    peer = context.work.peer(context.session, peer_id)
    return peer is not None and peer.state == Peer.State.CONNECTED


def _set_waiters(context: Context, held: Lock, waiters: list[Waiter]) -> None:
    held.waiters = waiters
    context.work.changed(held, "waiters")


def _give(context: Context, held: Lock, peer_id: str, expires_in: float | None, *, after: int) -> None:
    held.holder, held.token = peer_id, context.session.seq + after + 1
    held.expires_at = None
    if expires_in is not None:
        _expire(context, held, expires_in)


def _expire(context: Context, held: Lock, seconds: float) -> None:
    held.expires_at = context.now + timedelta(seconds=seconds)
    context.work.expires(context.session, [held.expires_at])


# --- What is told -------------------------------------------------------------------------------


def _changed(held: Lock, reason: str) -> Event:
    return _told(held.name, held, reason)._replace(effect=Granted(held.holder))


def _told(name: str, held: Lock | None, reason: str) -> Event:
    return Event("on-lock-change", compact({**as_wire(name, held), "reason": reason}))


def _conflict(name: str, found: Lock | None, *, field: str = "name") -> LockConflict:
    return _refusal(f"{field}: the lock {name}", name, found)


def _refusal(what: str, name: str, found: Lock | None) -> LockConflict:
    return LockConflict(f"{what} is held by {found.holder if found else 'nobody'}", data=as_wire(name, found))
