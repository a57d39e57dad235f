"""``manage.py audit``: who did what."""

import json
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q
from django.utils import timezone

from rooms.creation.rooms import find_room
from rooms.management.base import DatabaseCommand, span
from rooms.models import AuditEntry, milliseconds
from rooms.observe.logs import quoted

_FIELDS = [field.name for field in AuditEntry._meta.concrete_fields if field.name not in ("id", "at")]


class Command(DatabaseCommand):
    help = "Prints the audit, the newest entry last."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--room", default="", help="id or name; of a room that is deleted also the name it had")
        parser.add_argument("--since", type=_moment, help="how long ago, as 30m, 2h, 7d, or a day as 2026-11-27 (UTC)")
        parser.add_argument("--json", action="store_true", help="a line of JSON for each entry")

    def handle(self, *, room: str, since: datetime | None, json: bool, **options: Any) -> None:
        entries = AuditEntry.objects.order_by("pk")
        if room:
            found = find_room(room)
            entries = entries.filter(room_id=found.id) if found else entries.filter(_named(room))
        if since:
            entries = entries.filter(at__gte=milliseconds(since))
        for entry in entries.iterator():
            self.stdout.write(_as_json(entry) if json else _as_line(entry))


def _named(room: str) -> Q:
    # The name stands in what is written down last of a room; elsewhere its title, if it had one.
    gone = AuditEntry.objects.filter(what="room.delete", details__contains=f'"name":{json.dumps(room)}')
    return Q(room_id=room) | Q(room_name__iexact=room) | Q(room_id__in=gone.values("room_id"))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return timezone.now() - span(text)
    except ArgumentTypeError as error:
        raise ArgumentTypeError(f"{error}, nor a day such as 2026-11-27") from None


def _when(entry: AuditEntry) -> str:
    return datetime.fromtimestamp(entry.at / 1000, UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")


def _as_line(entry: AuditEntry) -> str:
    """The entry as a line of the log would tell it: nothing in it passes for another field, or for a line."""
    fields = {name: getattr(entry, name) for name in _FIELDS if name != "what"}
    told = (f"{name}={quoted(value)}" for name, value in fields.items() if value not in ("", None, 0))
    return " ".join([_when(entry), entry.what, *told])


def _as_json(entry: AuditEntry) -> str:
    fields = {name: getattr(entry, name) for name in _FIELDS}
    return json.dumps({"at": _when(entry), **fields, "details": json.loads(entry.details or "{}")})
