"""What waits to be told, in the database: who takes it up, what is next of a session, what came of it.

Any number of processes may ask at once. Each of these is a short transaction of its own: nothing is sent in one.
"""

import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from rooms.access.sealing import Unreadable, unseal
from rooms.models import WebhookDelivery, milliseconds
from rooms.observe import metrics
from rooms.operations.engine import statements
from rooms.operations.engine.transaction import Cursor, Transaction
from rooms.webhooks import retries
from rooms.webhooks.places import Places
from rooms.webhooks.sending import Sent

log = logging.getLogger("rooms.webhooks")

MOST = 20
"""Of a session's events so many are taken up at once; if a process dies, so many are told again at most."""

_MOST_CHARS = 64 * 1024
"""After so many of them no more are taken up: each session that is told may be held so in memory."""

_MOST_TIDIED = 500


class Claim(NamedTuple):
    """One session's events for one endpoint, which nobody else tells until the claim runs out."""

    key: int
    endpoint_id: str
    stream: str
    receiver: str
    name: str


class Waiting(NamedTuple):
    key: int
    event_id: str
    body: str
    at: int
    attempts: int


class Tried(NamedTuple):
    waiting: Waiting
    sent: Sent


class _Outcome(NamedTuple):
    """Columns of a delivery."""

    state: str
    attempts: int
    status: int
    error: str
    done_at: int | None


class Endpoint(NamedTuple):
    """Where to and how."""

    url: str
    headers: Mapping[str, str]
    secrets: Sequence[str]


class Batch(NamedTuple):
    """What is next of a claim, in order."""

    endpoint: Endpoint
    deliveries: Sequence[Waiting]


_DUE = """
    SELECT s.id, s.endpoint_id, s.stream, e.receiver FROM rooms_webhookstream s
    JOIN rooms_webhookendpoint e ON e.id = s.endpoint_id
    WHERE s.next_at <= %s AND e.enabled {others} ORDER BY s.next_at, s.id LIMIT %s
"""
_SKIP_LOCKED = " FOR UPDATE OF s SKIP LOCKED"
_NEXT = """
    SELECT id, event_id, body, at, attempts FROM (
        SELECT *, SUM(LENGTH(body)) OVER (ORDER BY id) - LENGTH(body) AS before FROM (
            SELECT id, event_id, body, at, attempts FROM rooms_webhookdelivery
            WHERE endpoint_id = %s AND stream = %s AND state = 'waiting' ORDER BY id LIMIT %s
        ) AS next
    ) AS counted WHERE before < %s ORDER BY id
"""
_RECORD = """
    UPDATE rooms_webhookdelivery SET state = %s, attempts = %s, status = %s, error = %s, done_at = %s
    WHERE id IN ({keys}) AND state = 'waiting'
"""


def claim(places: Places, *, seconds: float) -> list[Claim]:
    """Take as many sessions of which something is due as there are places, for so long."""
    full = places.full()
    others = f"AND e.receiver NOT IN ({', '.join(['%s'] * len(full))})" if full else ""
    due = _DUE.format(others=others)
    with Cursor() as cursor:
        # Looked for without a lock first: nearly always there is nothing.
        cursor.execute(due, [milliseconds(statements.now(cursor)), *full, 1])
        if cursor.fetchone() is None:
            return []
    with Transaction() as tx:
        at = milliseconds(statements.now(tx))
        tx.execute(due + ("" if tx.vendor == "sqlite" else _SKIP_LOCKED), [at, *full, places.free])
        chosen = [
            Claim(key, endpoint_id, stream, receiver, secrets.token_hex(8))
            for key, endpoint_id, stream, receiver in tx.fetchall()
            if places.take(receiver)
        ]
        until = at + int(seconds * 1000)
        tx.executemany(
            "UPDATE rooms_webhookstream SET next_at = %s, claim = %s WHERE id = %s",
            [(until, taken.name, taken.key) for taken in chosen],
        )
    return chosen


def proceed(claimed: Claim, tried: Sequence[Tried], *, seconds: float) -> Batch | None:
    """Store what came of the tries, and give what is next; None if nothing is, or the claim ran out."""
    with Transaction() as tx:
        at = milliseconds(statements.now(tx))
        # Also holds the row, so that whoever writes more of this session now does so after this.
        if not _hold(tx, claimed, at + int(seconds * 1000)):
            return None
        wait = _record(tx, tried, at)
        if wait is not None:
            _hold(tx, claimed, at + int(wait * 1000), name="")
            return None
        tx.execute(_NEXT, [claimed.endpoint_id, claimed.stream, MOST, _MOST_CHARS])
        if found := [Waiting._make(row) for row in tx.fetchall()]:
            tx.execute(
                "SELECT url, headers, secrets, enabled FROM rooms_webhookendpoint WHERE id = %s", [claimed.endpoint_id]
            )
            url, headers, keys, enabled = tx.fetchone()
            if enabled:
                return Batch(_opened(claimed, url, headers, keys), found)
            _hold(tx, claimed, at, name="")
        else:
            tx.execute("DELETE FROM rooms_webhookstream WHERE id = %s", [claimed.key])
    return None


def _opened(claimed: Claim, url: str, headers: str, keys: str) -> Endpoint:
    try:
        return Endpoint(url, json.loads(unseal(headers)), json.loads(unseal(keys)))
    except Unreadable as error:
        context = {"endpoint": claimed.endpoint_id, "why": str(error)}
        log.error("the secrets of a webhook endpoint cannot be read", extra={"context": context})
        return Endpoint("", {}, ())  # which is refused: so its events are tried again, and given up in the end


def give_back(claimed: Claim) -> None:
    """Let others go on at once."""
    with Transaction() as tx:
        _hold(tx, claimed, milliseconds(statements.now(tx)), name="")


def _hold(cursor: Cursor, claimed: Claim, next_at: int, *, name: str | None = None) -> bool:
    """Say when it is the turn of a claim's session again; whether the claim still holds."""
    cursor.execute(
        "UPDATE rooms_webhookstream SET next_at = %s, claim = %s WHERE id = %s AND claim = %s RETURNING id",
        [next_at, claimed.name if name is None else name, claimed.key, claimed.name],
    )
    return cursor.fetchone() is not None


def _record(cursor: Cursor, tried: Sequence[Tried], at: int) -> float | None:
    """Store what came of the tries; seconds until the next one of the last, None if there is none."""
    wait = None
    alike: dict[_Outcome, list[int]] = {}
    for one in tried:
        # All but the last were taken, and have none.
        outcome, wait = _outcome(one, at)
        alike.setdefault(outcome, []).append(one.waiting.key)
    for outcome, keys in alike.items():
        marks = ", ".join(["%s"] * len(keys))
        cursor.execute(_RECORD.format(keys=marks), [*outcome, *keys])
    return wait


def _outcome(tried: Tried, at: int) -> tuple[_Outcome, float | None]:
    """What came of a try, and seconds until the next, None if there is none."""
    delivery, sent = tried
    attempts = delivery.attempts + 1
    wait = None if sent.taken else retries.wait(attempts, (at - delivery.at) / 1000)
    states = WebhookDelivery.State
    state = states.DELIVERED if sent.taken else states.DEAD if wait is None else states.WAITING
    if state == states.DEAD:
        metrics.WEBHOOKS_DEAD.inc()
        log.warning("a webhook is given up", extra={"context": {"event": delivery.event_id, "why": sent.error}})
    done_at = None if state == states.WAITING else at
    return _Outcome(str(state), attempts, sent.status, sent.error[:200], done_at), wait


def backlog() -> tuple[int, int]:
    """How many deliveries wait, and since when the oldest does, in milliseconds since 1970."""
    with Cursor() as cursor:
        cursor.execute("SELECT COUNT(*), COALESCE(MIN(at), 0) FROM rooms_webhookdelivery WHERE state = 'waiting'", ())
        number, oldest = cursor.fetchone()
        return int(number), int(oldest)


def tidy(now: datetime, *, days: float) -> bool:
    """Delete deliveries that are older than so many days, not all at once; whether there may be more."""
    before = milliseconds(now - timedelta(days=days))
    with Transaction() as tx:
        tx.execute(
            "DELETE FROM rooms_webhookdelivery WHERE id IN"
            " (SELECT id FROM rooms_webhookdelivery WHERE at < %s ORDER BY at LIMIT %s) RETURNING id",
            [before, _MOST_TIDIED],
        )
        return len(tx.fetchall()) == _MOST_TIDIED
