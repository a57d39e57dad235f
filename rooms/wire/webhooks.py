"""What a back end is told by webhooks: the events, their fields, and the text that is sent. Pure."""

import json
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from rooms.wire.events import compact

METADATA = "metadata.change.success"

EVENTS = (
    "session.open.success",
    "session.close.success",
    "peer.join.success",
    "peer.join.failure",
    "peer.leave.success",
    "role.change.success",
    "room.end.success",
    METADATA,
)
"""METADATA goes only to endpoints that name keys, the others to all that do not name events."""

NEVER = "0001-01-01T00:00:00Z"
"""The service's word for a moment that there was not."""


_MOST_MOMENTS = 20
"""Of the spans of an endpoint."""


class Fact(NamedTuple):
    """What is told. ``seq`` rises within a session; ``changed`` are the entries of METADATA, as peers are told them.

    ``joined_at`` is of one that left: who was not told that it came is not told that it goes.
    """

    name: str
    at: datetime
    seq: int
    data: Mapping[str, Any]
    changed: Sequence[Mapping[str, Any]] = ()
    joined_at: datetime | None = None


class Wish(NamedTuple):
    """What an endpoint wants to be told: names of events, none for all; keys of METADATA, and whether with values."""

    events: Collection[str] = ()
    keys: Sequence[str] = ()
    with_values: bool = False


def moment(at: datetime) -> str:
    """RFC 3339, in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def microseconds(at: datetime) -> int:
    """Since 1970: as exact as moments are stored."""
    return round(at.timestamp() * 1_000_000)


def is_within(spans: Sequence[int], at: int) -> bool:
    """Whether a moment is in one of the spans, which are told by where they begin and end in turn."""
    return bisect_right(spans, at) % 2 == 1


def switched(spans: Sequence[int], at: int, *, on: bool) -> list[int]:
    """The spans from which on the last one goes on, or ends, at a moment; the oldest are forgotten."""
    if bool(len(spans) % 2) == on:
        return list(spans)
    return [*(spans[2:] if len(spans) >= _MOST_MOMENTS else spans), at]


def fits(pattern: str, key: str) -> bool:
    """Whether a pattern stands for a key: the key itself, or what it begins with and an asterisk."""
    return key.startswith(pattern[:-1]) if pattern.endswith("*") else key == pattern


def data_for(fact: Fact, wish: Wish) -> Mapping[str, Any] | None:
    """What an endpoint is told of a fact; None if it is not."""
    if fact.name != METADATA:
        return fact.data if not wish.events or fact.name in wish.events else None
    # Naming keys is naming the event.
    entries = [entry for entry in fact.changed if any(fits(pattern, entry["key"]) for pattern in wish.keys)]
    return {**fact.data, "changes": [_change(entry, wish.with_values) for entry in entries]} if entries else None


def _change(entry: Mapping[str, Any], with_value: bool) -> dict[str, Any]:
    told = {
        name: entry[name] for name in ("key", "change_version", "updated_by", "owner", "expires_at") if name in entry
    }
    told["removed"] = entry["removed"]
    if with_value:
        told["data"] = entry["data"]
    return told


def entries_of(body: str, removed: Collection[str]) -> list[dict[str, Any]]:
    """The entries of the body of ``on-metadata-change``, of which these keys were removed."""
    # Not by the fast parser, for a value may have whole numbers of more than 64 bits.
    return [{**entry, "removed": entry["key"] in removed} for entry in json.loads(body)["values"]]


def text(event_id: str, account: str, fact: Fact, data: Mapping[str, Any]) -> str:
    """What is sent; the signature is of exactly this."""
    return compact(
        {
            "version": "2.0",
            "id": event_id,
            "account_id": account,
            "app_id": account,
            "timestamp": moment(fact.at),
            "type": fact.name,
            "data": data,
        }
    )


def replayed(body: str) -> str:
    """What is sent when the event is told again on demand."""
    return f'{body[:-1]},"is_replay":true}}'
