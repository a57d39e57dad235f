"""Ways to break the server that the simulation has to find. Each replaces one thing of the real code."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from rooms.delivery import hub, positions
from rooms.delivery.hub import Hub
from rooms.delivery.order import Missed
from rooms.operations import leaving, locks
from rooms.operations.engine import audit, gate, journal, memory
from rooms.operations.metadata import entries
from rooms.operations.metadata.terms import Terms
from rooms.wire.rules import Rules

Mutant = Callable[[], AbstractContextManager[Any]]


@contextmanager
def _generation() -> Iterator[None]:
    """What is remembered of a room is believed, whatever happened since."""
    recall = memory.recall

    def believe(place: memory.Place) -> Any:
        if standing := memory._remembered.get(place.room_id):
            standing.generations = place.session_generation, place.template_generation
        return recall(place)

    with mock.patch.object(memory, "recall", believe):
        yield


@contextmanager
def _lock() -> Iterator[None]:
    """Transactions take no lock of their rooms."""
    lock = memory.lock

    def pass_by(cursor: Any, room_ids: Any, *, patience: float | None) -> Any:
        return lock(cursor, room_ids, patience=None)

    with mock.patch.object(memory, "lock", pass_by):
        yield


@contextmanager
def _repair() -> Iterator[None]:
    """A feed skips what it missed."""
    missed = positions.missed

    def skip(*arguments: Any) -> Any:
        found = missed(*arguments)
        return Missed(found.events[-1:], found.history) if isinstance(found, Missed) else found

    with mock.patch.object(hub, "missed", skip):
        yield


@contextmanager
def _conn_id() -> Iterator[None]:
    """A connection acts for its peer although another one has taken it over."""
    enter = gate._enter

    def pass_for(work: Any, call: Any) -> Any:
        session = work.session(call.caller.room_id)
        peer = work.peer(session, call.caller.peer_id) if session and call.operation.joined else None
        if peer and peer.present:
            call = call._replace(caller=replace(call.caller, conn_id=peer.conn_id))
        return enter(work, call)

    with mock.patch.object(gate, "_enter", pass_for):
        yield


@contextmanager
def _late_bell() -> Iterator[None]:
    """News of the end of one session ends whichever the feed follows."""
    heard = Hub._heard

    def take(self: Any, room_id: str, news: Any) -> None:
        feed = self.feeds.get(room_id)
        if feed and news.end and news.session_id != feed.order.session_id:
            feed.finish(news.end)
        heard(self, room_id, news)

    with mock.patch.object(Hub, "_heard", take):
        yield


@contextmanager
def _job() -> Iterator[None]:
    """A job of the hub is done three times, and never again."""
    check = Hub._check_positions
    done: dict[Any, int] = {}

    async def tire(self: Any) -> None:
        done[self.name] = done.get(self.name, 0) + 1
        if done[self.name] <= 3:
            await check(self)

    with mock.patch.object(Hub, "_check_positions", tire):
        yield


@contextmanager
def _early_reply() -> Iterator[None]:
    """An answer does not wait for the events before it."""
    finished = Hub._finished

    def hurry(self: Any, answered: Any) -> None:
        later = []
        for answer, asked in answered:
            if answer.for_socket is None:
                asked.done(answer)
                asked = asked._replace(done=lambda answer: None)
            later.append((answer, asked))
        finished(self, later)

    with mock.patch.object(Hub, "_finished", hurry):
        yield


@contextmanager
def _history() -> Iterator[None]:
    """A place of what the database has forgotten is taken for one of its past."""
    with mock.patch.object(journal, "is_past", return_value=True):
        yield


@contextmanager
def _release() -> Iterator[None]:
    """What a peer owns stays when it leaves."""
    with mock.patch.object(leaving, "release", return_value=[]):
        yield


@contextmanager
def _heirs() -> Iterator[None]:
    """A raised hand ends with its tab, and so does the spotlight."""
    with mock.patch.object(leaving, "heirs_of", return_value={}):
        yield


@contextmanager
def _again() -> Iterator[None]:
    """What was removed expires once more."""
    begun = datetime.fromtimestamp(0, UTC)
    with mock.patch.object(entries, "NO_TERMS", Terms(expires_at=begun)):
        yield


@contextmanager
def _readers() -> Iterator[None]:
    """Whoever observes a key is told its changes, whatever may be read."""
    share: Any = vars(entries)["Share"]

    def for_all(key: str, readers: Any, chars: int) -> Any:
        return share(key, None, chars)

    with mock.patch.object(entries, "Share", for_all):
        yield


@contextmanager
def _present() -> Iterator[None]:
    """Who comes is told what its keys hold, whatever may be read."""

    def all_of_them(rules: Any, keys: Any, role: str) -> Any:
        return list(keys)

    with mock.patch.object(Rules, "readable", all_of_them):
        yield


@contextmanager
def _token() -> Iterator[None]:
    """A lock goes on under the token that its last holder had."""
    give = locks._give

    def hand_on(context: Any, held: Any, *arguments: Any, **named: Any) -> None:
        before = held.token
        give(context, held, *arguments, **named)
        held.token = before or held.token

    with mock.patch.object(locks, "_give", hand_on):
        yield


@contextmanager
def _written_down() -> Iterator[None]:
    """Of what a transaction changes at once the last is not written down."""
    append = audit.append

    def all_but_the_last(cursor: Any, entries: Any, *, at: int) -> None:
        append(cursor, entries[:-1] or entries, at=at)

    with mock.patch.object(audit, "append", all_but_the_last):
        yield


MUTANTS: dict[str, Mutant] = {
    "without the generation check": _generation,
    "without the room lock": _lock,
    "a repair is skipped": _repair,
    "conn_id is not compared": _conn_id,
    "a late bell closes the room": _late_bell,
    "a job of the hub dies": _job,
    "a reply before an earlier event": _early_reply,
    "a place of another history": _history,
    "what a peer owns stays": _release,
    "what is a person's ends with a tab": _heirs,
    "what expired expires again": _again,
    "changes are told to those who may not read": _readers,
    "values are told to those who may not read": _present,
    "a lock keeps its token": _token,
    "a change is not written down": _written_down,
}
