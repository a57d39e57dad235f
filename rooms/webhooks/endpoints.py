"""Where webhooks go: one way to add, change and remove endpoints, for commands, REST and the admin.

Whatever is committed in a room after one of these returns follows it: what was under way in the rooms concerned is
waited for, but not for long: each raises HeldUp then, and nothing is changed.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from rooms.access.sealing import Unreadable, seal, unseal
from rooms.models import Room, WebhookDelivery, WebhookEndpoint, WebhookStream, milliseconds
from rooms.observe import background
from rooms.operations.engine.audit import What, record
from rooms.operations.engine.calls import SERVER, Author
from rooms.operations.engine.gate import acting
from rooms.operations.engine.statements import database_now
from rooms.webhooks import guard, signing
from rooms.webhooks.guard import Refused
from rooms.wire.webhooks import EVENTS, METADATA, microseconds, switched

MAX_ENDPOINTS = 20
"""For all rooms, and for one: each event is written once for each of them."""

MAX_HEADERS = 20
MAX_HEADER_CHARS = 1000
MAX_SECRETS = 5
MAX_KEYS = 50

_OURS = {"host", "content-length", "content-type", "transfer-encoding", "connection", "user-agent", "accept-encoding"}
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_NEVER = 10**12
"""Milliseconds: thirty years."""
_MOST_REMOVED = 500


def add(
    url: str,
    *,
    room: Room | None = None,
    headers: Mapping[str, str] | None = None,
    events: Sequence[str] = (),
    metadata_keys: Sequence[str] = (),
    metadata_values: bool = False,
    enabled: bool = True,
    secret: str = "",
    author: Author = SERVER,
) -> WebhookEndpoint:
    """A new endpoint, of all rooms or of one. Its secret, if none is given, is a new one. Raises ValidationError."""
    made = WebhookEndpoint(
        room=room, enabled=enabled, secrets=_sealed([_checked_secret(secret or signing.new_secret())])
    )
    wanted = {"events": events, "metadata_keys": metadata_keys, "metadata_values": metadata_values}
    _set(made, {"url": url, "headers": headers or {}, **wanted})
    with _changing(room):
        if there().filter(room=room).count() >= MAX_ENDPOINTS:
            raise ValidationError({"url": f"There are {MAX_ENDPOINTS} endpoints already."})
        made.spans = switched([], microseconds(database_now()), on=made.enabled)
        made.save(force_insert=True)
        if room:
            _tell_others(room)
        _record(author, "webhook.create", made)
    return made


def change(
    endpoint_id: str,
    *,
    author: Author = SERVER,
    look: Callable[[WebhookEndpoint], object] | None = None,
    **fields: Any,
) -> WebhookEndpoint:
    """Give an endpoint other values of the fields that ``add`` takes.

    Headers that are not given go with the scheme, host and port that they were set for. ``look`` is called with the
    endpoint as it is before, which nobody else changes meanwhile, and may raise to refuse. Raises ValidationError,
    WebhookEndpoint.DoesNotExist.
    """
    with _changing_one(endpoint_id) as endpoint:
        if look:
            look(endpoint)
        was_enabled, heard_of_joins = endpoint.enabled, _hears_of_joins(endpoint)
        before = {name: _value(endpoint, name) for name in {*fields, "headers"}}
        _set(endpoint, fields)
        if not (changed := sorted(name for name in before if _value(endpoint, name) != before[name])):
            return endpoint
        now = database_now()
        # Whoever is inside was not said to have come to one that hears of it only from now on.
        spans = [] if _hears_of_joins(endpoint) and not heard_of_joins else endpoint.spans
        endpoint.spans = switched(spans, microseconds(now), on=endpoint.enabled)
        endpoint.save(update_fields=[*changed, "receiver", "spans"])
        _record(author, "webhook.change", endpoint, fields=changed)
        if was_enabled != endpoint.enabled:
            # Nobody looks at what waits for one that is told nothing; what waited is told at once.
            at = milliseconds(now)
            WebhookStream.objects.filter(endpoint=endpoint).update(next_at=at if endpoint.enabled else at + _NEVER)
    return endpoint


def _value(endpoint: WebhookEndpoint, name: str) -> Any:
    """A field's value, to be compared; sealed text is another each time."""
    if name != "headers" or not endpoint.headers:
        return getattr(endpoint, name)
    try:
        return unseal(endpoint.headers)
    except Unreadable:
        return None  # whatever is given is another


def _hears_of_joins(endpoint: WebhookEndpoint) -> bool:
    return not endpoint.events or "peer.join.success" in endpoint.events


def remove(endpoint_id: str, *, author: Author = SERVER) -> None:
    """Tell an endpoint nothing more; what it was told is forgotten soon. Raises WebhookEndpoint.DoesNotExist."""
    with _changing_one(endpoint_id) as endpoint:
        WebhookEndpoint.objects.filter(pk=endpoint_id).update(room=None, gone=True, enabled=False)
        if endpoint.room:
            _tell_others(endpoint.room)
        _record(author, "webhook.delete", endpoint)


def _tell_others(room: Room) -> None:
    """Write down whether from now on those of all rooms are told of one."""
    kept, _ = WebhookEndpoint.objects.get_or_create(
        room=room, gone=True, defaults={"url": "", "enabled": False, "spans": [0]}
    )
    has_none = not there().filter(room=room).exists()
    kept.spans = switched(kept.spans, microseconds(database_now()), on=has_none)
    kept.save(update_fields=["spans"])


def forget_gone() -> None:
    """Delete endpoints that are gone and for which nothing is told any more, with what they were told.

    That may be much, so nobody waits for it; what is left when the process ends is deleted by another.
    """
    waiting = WebhookStream.objects.filter(endpoint=OuterRef("pk"))
    over = WebhookEndpoint.objects.filter(Q(enabled=False) | ~Exists(waiting), gone=True, room=None)
    ids = list(over.values_list("pk", flat=True))
    rows = WebhookDelivery.objects.filter(endpoint__in=ids).order_by("pk").values_list("pk", flat=True)
    last = 0
    # A few at a time: with SQLite everybody waits for it.
    while ids and (chosen := list(rows.filter(pk__gt=last)[:_MOST_REMOVED])):
        if background.is_stopping():
            return
        last = chosen[-1]
        WebhookDelivery.objects.filter(pk__in=chosen).delete()
    WebhookEndpoint.objects.filter(pk__in=ids).delete()


def check(**fields: Any) -> None:
    """Raises ValidationError if no endpoint may have these values of the fields that ``add`` takes."""
    _set(WebhookEndpoint(), fields)


def set_of_room(room: Room, url: str, headers: Mapping[str, str] | None = None, *, author: Author = SERVER) -> None:
    """Let a room have this endpoint alone, instead of those of all rooms; with no URL, those again.

    Without headers it keeps what it sends to this URL already. Raises ValidationError.
    """
    with _changing(room):
        own = listed(room)
        if url and own:
            # Not to another URL, for headers are what it is known by.
            kept: dict[str, Any] = {} if headers is None and own[0].url == url else {"headers": headers or {}}
            change(own[0].pk, url=url, enabled=True, author=author, **kept)
        elif url:
            add(url, room=room, headers=headers, author=author)
        for endpoint in own[1:] if url else own:
            remove(endpoint.pk, author=author)


def there() -> QuerySet[WebhookEndpoint]:
    """The endpoints that are not gone."""
    return WebhookEndpoint.objects.filter(gone=False)


def listed(room: Room | None) -> list[WebhookEndpoint]:
    """The endpoints of all rooms, or a room's own."""
    return list(there().filter(room=room).order_by("created_at", "pk"))


# --- Secrets ------------------------------------------------------------------------------------


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """The secrets that sign, the newest first."""
    found: list[str] = json.loads(unseal(endpoint.secrets))
    return found


def add_secret(endpoint_id: str, secret: str = "", *, author: Author = SERVER) -> str:
    """Sign with another secret too, a new one if none is given, until ``drop_secrets``. Raises ValidationError."""
    chosen = _checked_secret(secret or signing.new_secret())
    with acting():
        endpoint = _locked(endpoint_id)
        before = [known for known in secrets_of(endpoint) if known != chosen]
        if len(before) >= MAX_SECRETS:
            raise ValidationError({"secret": f"There are {len(before)} secrets already."})
        endpoint.secrets = _sealed([chosen, *before])
        endpoint.save(update_fields=["secrets"])
        _record(author, "webhook.change", endpoint, fields=["secrets"])
    return chosen


def drop_secrets(endpoint_id: str, *, author: Author = SERVER) -> None:
    """Sign with the newest secret alone."""
    with acting():
        endpoint = _locked(endpoint_id)
        endpoint.secrets = _sealed(secrets_of(endpoint)[:1])
        endpoint.save(update_fields=["secrets"])
        _record(author, "webhook.change", endpoint, fields=["secrets"])


def _sealed(secrets: Sequence[str]) -> str:
    return seal(json.dumps(secrets))


def _checked_secret(secret: str) -> str:
    try:
        signing.key_of(secret)
    except ValueError as error:
        raise ValidationError({"secret": f"{error}."}) from None
    return secret


# --- Changing -----------------------------------------------------------------------------------


def _record(author: Author, what: What, endpoint: WebhookEndpoint, **more: Any) -> None:
    """Write down an act by the endpoint's id and host: the rest of its URL may be as good as a password."""
    details = {"host": urlsplit(endpoint.url).hostname, **more}
    record(author, what, room=endpoint.room, key=endpoint.pk, details=details)


def _locked(endpoint_id: str) -> WebhookEndpoint:
    """An endpoint that nobody else changes until the transaction ends. Raises WebhookEndpoint.DoesNotExist."""
    # Not of its key, which whoever writes down what it is to be told holds a share of.
    rows = there().select_related("room").select_for_update(of=("self",), no_key=True)
    return rows.get(pk=endpoint_id)


@contextmanager
def _changing_one(endpoint_id: str) -> Iterator[WebhookEndpoint]:
    """As ``_changing``, of the room of an endpoint, which is locked too. Raises WebhookEndpoint.DoesNotExist."""
    room = there().select_related("room").get(pk=endpoint_id).room
    with _changing(room):
        yield _locked(endpoint_id)


@contextmanager
def _changing(room: Room | None) -> Iterator[None]:
    """A transaction that begins when all that is under way in the room, or in all of them, is committed.

    Raises HeldUp.
    """
    with acting():
        if connection.vendor != "sqlite":
            with connection.cursor() as cursor:
                if room:
                    cursor.execute("SELECT id FROM rooms_room WHERE id = %s FOR UPDATE", [room.pk])
                else:
                    # Whoever changes anything in a room holds its row, which this does not go together with.
                    cursor.execute("LOCK TABLE rooms_room IN EXCLUSIVE MODE")
        yield


def _set(endpoint: WebhookEndpoint, fields: Mapping[str, Any]) -> None:
    """Set fields after a look at them. Raises ValidationError."""
    # The URL first, with which former headers may go.
    for name, value in sorted(fields.items(), key=lambda field: field[0] != "url"):
        try:
            match name:
                case "url":
                    target = guard.target_of(value, allow_http=settings.WEBHOOK_HTTP)
                    if endpoint.url and urlsplit(endpoint.url)[:2] != urlsplit(value)[:2]:
                        # Whoever may change it need not know them, and they may be as good as a password.
                        _set(endpoint, {"headers": {}})
                    endpoint.url, endpoint.receiver = value, f"{target.host}:{target.port}"
                case "headers":
                    endpoint.headers = seal(json.dumps(_checked_headers(value)))
                case "events":
                    endpoint.events = _checked_events(value)
                case "metadata_keys":
                    endpoint.metadata_keys = _checked_keys(value)
                case "metadata_values" | "enabled":
                    setattr(endpoint, name, bool(value))
                case _:
                    raise TypeError(f"an endpoint has no {name}")
        except (Refused, ValueError) as error:
            raise ValidationError({name: str(error)}) from None


def _checked_headers(given: Mapping[str, str]) -> dict[str, str]:
    if len(given) > MAX_HEADERS:
        raise ValueError(f"more than {MAX_HEADERS} headers")
    for name, value in given.items():
        lower = name.lower()
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:100]!r} is no name of a header")
        if lower in _OURS or lower.startswith("webhook-"):
            raise ValueError(f"{name}: is set by the server")
        if not (isinstance(value, str) and value.isascii() and value.isprintable() and value == value.strip()):
            raise ValueError(f"{name}: expected plain ASCII text")
        if len(value) > MAX_HEADER_CHARS:
            raise ValueError(f"{name}: more than {MAX_HEADER_CHARS} characters")
    return dict(given)


def _checked_events(given: Sequence[str]) -> list[str]:
    if unknown := [name for name in given if name not in EVENTS or name == METADATA]:
        known = ", ".join(name for name in EVENTS if name != METADATA)
        raise ValueError(f"{unknown[0]!r} is none of {known}")
    return list(dict.fromkeys(given))


def _checked_keys(given: Sequence[str]) -> list[str]:
    if len(given) > MAX_KEYS:
        raise ValueError(f"more than {MAX_KEYS} keys")
    for pattern in given:
        if not pattern or len(pattern) > 128 or "*" in pattern[:-1]:
            raise ValueError(f"{pattern[:128]!r}: expected a key, or what keys begin with and an asterisk")
    return list(dict.fromkeys(given))
