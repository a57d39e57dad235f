"""Who may do what. Every change and every read of a session passes here, whoever asks for it.

An operation is a function with the decorator ``operation``. The gate turns a *caller*, which is what a token claims,
into a *context*, which is what the database confirms in the operation's own transaction.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection, transaction

from rooms.models import Session
from rooms.observe import metrics
from rooms.observe.logs import describe
from rooms.operations.engine.calls import Answer, Call, Caller, Operation
from rooms.operations.engine.context import Context
from rooms.operations.engine.presence_log import chronicle
from rooms.operations.engine.transaction import Cursor, Transaction
from rooms.operations.engine.work import Work
from rooms.wire import parameters
from rooms.wire.errors import Forbidden, HeldUp, InternalError, NotFound, NotJoined, RoomError, Unavailable
from rooms.wire.events import Event, Numbered
from rooms.wire.results import Outcome
from rooms.wire.roles import PERMISSIONS, absent_role

log = logging.getLogger("rooms.operations")


METHODS: dict[str, Operation] = {}
"""Operations by the method that calls them."""


def operation(
    method: str = "", *, requires: str = "", joined: bool = True, reads: bool = False
) -> Callable[[Callable[..., Outcome]], Operation]:
    """Make a function an operation, see Operation. Its keyword-only signature is its parameter schema.

    Whatever a peer can give to a method has a limit there. Raises TypeError if it has not, if there is no such
    permission, or if another operation has the method.
    """
    if requires and requires not in PERMISSIONS:
        raise TypeError(f"requires={requires!r}: there is no such permission, see rooms/wire/roles.py")

    def register(function: Callable[..., Outcome]) -> Operation:
        made = Operation(function.__name__, function, method, requires, joined, parameters.schema(function), reads)
        if method:
            if method in METHODS:
                raise TypeError(f"{method}: is {METHODS[method].name} already")
            if unlimited := [parameter.name for parameter in made.parameters if not parameter.is_limited]:
                raise TypeError(f"{method}: without a limit in the signature: {', '.join(unlimited)}")
            METHODS[method] = made
        return made

    return register


_when_due: list[Callable[[Context], Sequence[Event]]] = []


def when_due(function: Callable[[Context], Sequence[Event]]) -> Callable[[Context], Sequence[Event]]:
    """Have a function run, for the server, before whatever is done in a session of which something is past its time."""
    _when_due.append(function)
    return function


LOCK_SECONDS = 5.0
"""How long a room waits for a lock that another program holds."""

_LOCK_NOT_AVAILABLE = "55P03"


@contextmanager
def acting() -> Iterator[None]:
    """A transaction for an act that is no operation. Raises HeldUp, after waiting for others as long as those do."""
    try:
        with transaction.atomic():
            if connection.vendor != "sqlite":
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL lock_timeout = {int(LOCK_SECONDS * 1000)}")
            yield
    except OperationalError as error:
        if _is_held(error):
            raise HeldUp from None
        raise


def _is_held(error: OperationalError | InterfaceError) -> bool:
    """Whether somebody else held what a statement waited for."""
    return getattr(error.__cause__, "sqlstate", "") == _LOCK_NOT_AVAILABLE


def run(calls: Sequence[Call], *, patience: float = LOCK_SECONDS) -> list[Answer]:
    """Run the calls in order in one transaction, and answer each.

    A refused call leaves the others alone. If something else goes wrong, nothing is kept and each call is run by
    itself. Calls of a room that somebody else holds the lock of, for more than ``patience`` seconds or while the set is
    of several rooms, are answered HeldUp.
    """
    try:
        with Transaction() as tx:
            work = Work(calls, tx, patience=patience)
            answers = [_answer(work, call) for call in calls]
            work.flush()
            tx.on_commit = work.remember
    except (OperationalError, InterfaceError) as error:
        if _is_held(error):
            return _run_rooms_apart(calls, patience)
        metrics.DATABASE_FAILURES.inc()
        log.error("the database cannot be used", extra={"context": {"calls": len(calls), "why": describe(error)}})
        return [Answer(call, error=Unavailable()) for call in calls]
    except Exception:
        # One of them is at fault, and nobody can tell which: the others must not suffer for it.
        if len(calls) > 1:
            return _run_one_by_one(calls, patience)
        [call] = calls
        context = {"operation": call.operation.name, "room": call.caller.room_id, "peer": call.caller.peer_id}
        log.exception("an operation failed", extra={"context": context})
        return [Answer(call, error=InternalError())]
    chronicle(answers)
    return answers


def _run_one_by_one(calls: Sequence[Call], patience: float) -> list[Answer]:
    answers: list[Answer] = []
    held: set[str] = set()
    for call in calls:
        room_id = call.caller.room_id
        # What comes after a call that waits waits as well, or it would be done before it.
        answer = Answer(call, error=HeldUp()) if room_id in held else run([call], patience=patience)[0]
        if isinstance(answer.error, HeldUp):
            held.add(room_id)
        answers.append(answer)
    return answers


def _run_rooms_apart(calls: Sequence[Call], patience: float) -> list[Answer]:
    by_room: dict[str, list[Call]] = {}
    for call in calls:
        by_room.setdefault(call.caller.room_id, []).append(call)
    if len(by_room) == 1:
        return [Answer(call, error=HeldUp()) for call in calls]
    answers = {room_id: iter(run(of_room, patience=patience)) for room_id, of_room in by_room.items()}
    # In the order of the calls again: those of each room were answered in it.
    return [next(answers[call.caller.room_id]) for call in calls]


def read(call: Call) -> Answer:
    """Answer a call of an operation that only reads, from one view of the database and without any lock."""
    try:
        with _view(), Cursor() as cursor:
            return _answer(Work([call], cursor, patience=None), call)
    except (OperationalError, InterfaceError) as error:
        metrics.DATABASE_FAILURES.inc()
        log.error("the database cannot be used", extra={"context": {"calls": 1, "why": describe(error)}})
        return Answer(call, error=Unavailable())
    except Exception:
        context = {"operation": call.operation.name, "room": call.caller.room_id, "peer": call.caller.peer_id}
        log.exception("an operation failed", extra={"context": context})
        return Answer(call, error=InternalError())


@contextmanager
def _view() -> Iterator[None]:
    """What is committed now, for several statements: so what is read is as of the place that is read with it."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        # By hand, for atomic() is told to take the lock of those that write.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def _answer(work: Work, call: Call) -> Answer:
    if call.caller.room_id in work.held:
        return Answer(call, error=HeldUp())
    session = work.session(call.caller.room_id)
    is_due = session is not None and session.due_at is not None and session.due_at <= work.at
    due = _settle(work, session) if session and is_due and not call.operation.reads else []
    try:
        context = _enter(work, call)
        outcome = call.operation.function(context, **call.arguments)
    except RoomError as error:
        # Operations refuse before they change anything, so what the others did in this set stands.
        # Such calls ask to come in; one that only reads is asked before a socket is opened, which asks again.
        if work.outbox and not call.operation.joined and not call.operation.reads:
            work.outbox.refused(call, error)
        session = work.session(call.caller.room_id)
        place = (session.id, session.seq) if session else ("", 0)
        return Answer(call, {}, error, *place, due, history=work.history)
    # Looked up again, for the operation may have started it.
    session = context.live_session or work.session(call.caller.room_id)
    if session is None:
        return Answer(call, outcome.result, for_socket=outcome.for_socket, history=work.history)
    caused = work.record(session, outcome.events) if outcome.events else []
    numbered = [*due, *caused] if due else caused
    if work.outbox and (caused or outcome.end):
        work.outbox.note(call, session, caused, outcome.end)
    if outcome.end:
        work.end_session(session, outcome.end)
    # The answer's place is after its own events, so that whoever asked has got all of them when it comes.
    result = {"seq": session.seq, **outcome.result}
    return Answer(call, result, None, session.id, session.seq, numbered, outcome.end, outcome.for_socket, work.history)


def _settle(work: Work, session: Session) -> list[Numbered]:
    """Do what is past its time in a session."""
    room = work.rooms[session.room_id]
    context = Context(work, Caller(room.id), room, session, None, None)
    # Each recorded by itself, for an event may tell its own number.
    due = [event for function in _when_due for event in work.record(session, function(context))]
    if work.outbox:
        work.outbox.note(None, session, due)
    work.look_again(session)
    return due


def _enter(work: Work, call: Call) -> Context:
    caller, wanted = call.caller, call.operation
    room = work.rooms.get(caller.room_id)
    if room is None:
        # Strangers are not told which rooms there are.
        raise NotFound("room: no such room") if caller.is_server else Forbidden("room not available")
    session = work.session(room.id)
    if caller.session_id and (session is None or session.id != caller.session_id):
        raise NotFound("the session is over")
    peer = role = None
    if caller.peer_id:
        peer = work.peer(session, caller.peer_id) if session else None
        present = peer if peer and peer.present else None
        if wanted.joined:
            if present is None:
                raise NotJoined("not joined")
            # The fence: a socket that lost its peer to another one can do nothing more in its name.
            if present.conn_id != caller.conn_id:
                raise NotJoined("another connection has taken this peer over")
        # What was given in the session goes before the token, which may be older.
        held = present.role if present else work.given_role(session, caller.owner)
        role = room.template.role(held or caller.role)
        if role is None and held:
            role = absent_role(held)
        # In the words that strangers get, see above.
        if role is None:
            raise Forbidden("room not available")
    context = Context(work, caller, room, session, peer, role, call.follows)
    if wanted.requires:
        context.require(wanted.requires)
    return context
