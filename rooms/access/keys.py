"""Access keys: pairs of a public name and a secret that back ends sign tokens with.

One pair is the environment's, see hmsroom/secret_store.py; the others are rows, made and revoked while the server runs.
"""

import logging
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from rooms.access.sealing import Unreadable, seal, unseal
from rooms.models import OWN_KEY, AccessKey
from rooms.operations.engine.audit import record
from rooms.operations.engine.calls import SERVER, Author
from rooms.wire.json_gate import is_storable

log = logging.getLogger("rooms.access")

_USE_NOTED = timedelta(minutes=1)
"""So often the last use is written down at most."""


class Key(NamedTuple):
    """A pair that is good now."""

    name: str
    access_key: str
    secret: str
    last_used_at: datetime | None = None


def own() -> Key:
    """The pair of the environment, which signs what this server signs itself."""
    return Key(OWN_KEY, settings.ACCESS_KEY, settings.APP_SECRET)


def is_own(access_key: object) -> bool:
    return access_key == settings.ACCESS_KEY


def find(access_key: object) -> Key | None:
    """The pair of this public name, unless it is revoked. Asks the database for any but the environment's."""
    if is_own(access_key):
        return own()
    if not isinstance(access_key, str) or not is_storable(access_key):
        return None
    row = AccessKey.objects.filter(access_key=access_key, revoked_at=None).first()
    if row is None:
        return None
    try:
        secret = unseal(row.secret)
    except Unreadable as error:
        log.error("an access key cannot be used", extra={"context": {"key": row.name, "why": str(error)}})
        return None
    return Key(row.name, row.access_key, secret, row.last_used_at)


def note_use(key: Key) -> None:
    """Note that a token of a key was good."""
    now = timezone.now()
    # Looked at first: with SQLite also a write that changes no row waits for all that others write.
    if is_own(key.access_key) or (key.last_used_at and key.last_used_at > now - _USE_NOTED):
        return
    AccessKey.objects.filter(access_key=key.access_key).update(last_used_at=now)


def create(name: str, *, author: Author = SERVER) -> tuple[AccessKey, str]:
    """A new pair: its row, and its secret. Raises ValidationError."""
    row = AccessKey(name=name)
    secret = give_secret(row)
    row.full_clean()
    store(row, author=author)
    return row, secret


def store(row: AccessKey, *, author: Author) -> None:
    """Store a new pair. Raises ValidationError if another got its name meanwhile."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            record(author, "key.create", key=row.name)
    except IntegrityError:
        row.validate_constraints()
        raise


def give_secret(row: AccessKey) -> str:
    """A new secret for a pair that is not yet stored; nobody is shown it again."""
    secret = secrets.token_urlsafe(48)
    row.secret = seal(secret)
    return secret


def revoke(row: AccessKey, *, author: Author = SERVER) -> None:
    """Let no token of a pair be good any more; the processes close the sockets of such soon, see ``revoked``."""
    with transaction.atomic():
        if AccessKey.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=timezone.now()):
            record(author, "key.revoke", key=row.name)


def revoked(access_keys: Collection[str]) -> set[str]:
    """Those of the public names that are good no longer."""
    known = {access_key for access_key in access_keys if not is_own(access_key)}
    if not known:
        return set()
    good = AccessKey.objects.filter(access_key__in=known, revoked_at=None)
    return known - set(good.values_list("access_key", flat=True))
