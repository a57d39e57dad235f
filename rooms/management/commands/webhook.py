"""``manage.py webhook``: where back ends are told what happens in rooms."""

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from rooms.access.sealing import Unreadable
from rooms.creation.rooms import find_room
from rooms.management.base import AUTHOR, DatabaseCommand, refused, span
from rooms.models import Room, WebhookEndpoint, milliseconds
from rooms.operations.engine.statements import database_now
from rooms.webhooks import endpoints, replays
from rooms.webhooks.deliveries import STATUSES, Filters
from rooms.wire.errors import RoomError
from rooms.wire.webhooks import EVENTS, METADATA


class Command(DatabaseCommand):
    help = "Lists, adds and removes the addresses that are told what happens in rooms, and replaces their secrets."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(
            dest="act", required=True, metavar="list | add | set | secret | remove | replay"
        )
        commands.add_parser("list", help="all endpoints: id, whose, on or off, address")
        add = commands.add_parser("add", help="tell another address; prints its id and its secret")
        add.add_argument("url")
        add.add_argument("--room", help="name or id; the room then tells this address alone, and no other")
        add.add_argument("--secret", default="", help="whsec_…, to sign with; a new one if none is given")
        change = commands.add_parser("set", help="change an endpoint")
        change.add_argument("endpoint", help="id")
        change.add_argument("--url")
        change.add_argument("--enabled", choices=("yes", "no"))
        for changing in (add, change):
            changing.add_argument(
                "--header", action="append", type=header, metavar="NAME:VALUE", help="sent with each event; '' for none"
            )
            names = ", ".join(name for name in EVENTS if name != METADATA)
            changing.add_argument(
                "--event", action="append", metavar="NAME", help=f"only these events, '' for all: {names}"
            )
            changing.add_argument(
                "--key",
                action="append",
                metavar="KEY",
                help=f"{METADATA} of these keys; score:* of all that begin so, '' of none",
            )
            changing.add_argument("--values", choices=("yes", "no"), help="of those keys, too")
        secret = commands.add_parser("secret", help="sign with a new secret beside the old ones, and print it")
        secret.add_argument("endpoint", help="id")
        secret.add_argument("--secret", default="")
        secret.add_argument("--drop-old", action="store_true", help="sign with the newest alone from now on")
        commands.add_parser("remove", help="tell it nothing more, and forget what it was told").add_argument("endpoint")

        replay = commands.add_parser("replay", help="tell again what was told or given up, ten events a second")
        replay.add_argument(
            "--since", type=span, required=True, metavar="SPAN", help="from so long ago on: 30m, 3h, 2d"
        )
        replay.add_argument("--until", type=span, metavar="SPAN", help="up to so long ago")
        replay.add_argument("--room", help="name or id")
        replay.add_argument("--status", choices=STATUSES, default="failed", help="failed if nothing is said")
        replay.add_argument("--event", action="append", metavar="NAME", choices=EVENTS, default=[])

    def handle(self, *, act: str, **options: Any) -> None:
        try:
            # The parser lets none but its own through.
            getattr(self, f"_{act}")(**options)
        except ValidationError as error:
            raise refused(error) from None
        except WebhookEndpoint.DoesNotExist:
            raise CommandError("There is no such endpoint. All are told by: python manage.py webhook list") from None
        except (RoomError, Unreadable) as error:
            raise CommandError(str(error)) from None

    def _list(self, **_: Any) -> None:
        known = endpoints.there().select_related("room").order_by("room__name", "created_at")
        for endpoint in known:
            whose = endpoint.room.name if endpoint.room else "all rooms"
            self.stdout.write(f"{endpoint.pk}\t{whose}\t{'on' if endpoint.enabled else 'off'}\t{endpoint.url}")

    def _add(self, *, url: str, room: str | None, secret: str, **options: Any) -> None:
        made = endpoints.add(url, room=_room(room) if room else None, secret=secret, author=AUTHOR, **_given(options))
        self._print(made, endpoints.secrets_of(made)[0])

    def _set(self, *, endpoint: str, url: str | None, enabled: str | None, **options: Any) -> None:
        fields = _given(options)
        if url:
            fields["url"] = url
        if enabled:
            fields["enabled"] = enabled == "yes"
        if not fields:
            raise CommandError("Nothing to set: name one of --url, --enabled, --header, --event, --key, --values.")
        endpoints.change(endpoint, author=AUTHOR, **fields)

    def _secret(self, *, endpoint: str, secret: str, drop_old: bool, **_: Any) -> None:
        if drop_old:
            endpoints.drop_secrets(endpoint, author=AUTHOR)
        else:
            self.stdout.write(endpoints.add_secret(endpoint, secret, author=AUTHOR))

    def _remove(self, *, endpoint: str, **_: Any) -> None:
        endpoints.remove(endpoint, author=AUTHOR)

    def _replay(
        self, *, since: timedelta, until: timedelta | None, room: str | None, status: str, **options: Any
    ) -> None:
        # To the minute, so that the same command within it is the same replay.
        now = database_now().replace(second=0, microsecond=0)
        room_id = _room(room).pk if room else ""
        start, end = milliseconds(now - since), None if until is None else milliseconds(now - until)
        workflow, is_new = replays.start(Filters(start, end, room_id, status, tuple(options["event"])), author=AUTHOR)
        which = {"failed": "that failed", "success": "that were taken", "all": "in all"}[status]
        self.stdout.write(f"{workflow.pk}\t{workflow.total} {which}\t{'started' if is_new else 'already running'}")

    def _print(self, endpoint: WebhookEndpoint, secret: str) -> None:
        self.stdout.write(f"{endpoint.pk}\t{secret}")


_NOTHING = "", ""


def header(text: str) -> tuple[str, str]:
    """The name and the value, both empty for nothing."""
    name, colon, value = text.partition(":")
    if text and not colon:
        raise ArgumentTypeError(f"{name[:100]!r} has no colon: expected NAME:VALUE")
    return name.strip(), value.strip()


def _room(name: str) -> Room:
    room = find_room(name)
    if room is None:
        raise CommandError(f"There is no room {name!r}. All are told by: python manage.py room list")
    return room


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Those fields of an endpoint that were named, as lists without what is empty, by which all can be taken away."""
    fields: dict[str, Any] = {}
    if options["header"] is not None:
        fields["headers"] = {name: value for name, value in options["header"] if (name, value) != _NOTHING}
    if options["event"] is not None:
        fields["events"] = [name for name in options["event"] if name]
    if options["key"] is not None:
        fields["metadata_keys"] = [key for key in options["key"] if key]
    if options["values"] is not None:
        fields["metadata_values"] = options["values"] == "yes"
    return fields
