"""``manage.py room``: list, make, change and delete rooms, and replace their codes."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db.models import Count, Q

from rooms.creation.codes import replace_code
from rooms.creation.rooms import CHANGEABLE, change_room, create_room, delete_room, find_room
from rooms.creation.templates import DEFAULT
from rooms.management.base import AUTHOR, DatabaseCommand, refused
from rooms.models import Peer, Room, Template
from rooms.wire import json_gate
from rooms.wire.errors import RoomError
from rooms.wire.events import compact

_YES, _NO = {"yes", "true", "on", "1"}, {"no", "false", "off", "0"}


class Command(DatabaseCommand):
    help = "Lists, makes, changes and deletes rooms, and replaces their codes."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(
            dest="act", required=True, metavar="list | show | create | set | code | delete"
        )
        commands.add_parser("list", help="all rooms: name, id, people in it, title")
        for act, says in (
            ("show", "print a room's settings, and its codes as links"),
            ("set", "change a room; who is inside stays"),
            ("code", "replace the code of a role by a new one; the old one opens nothing any more"),
            ("delete", "close a room, end its session and delete it with its history"),
        ):
            commands.add_parser(act, help=says).add_argument("room", help="name or id")
        create = commands.add_parser("create", help="make a room")
        create.add_argument("--template", default=DEFAULT)
        for changing in (create, commands.choices["set"]):
            changing.add_argument("--name")
            changing.add_argument("--title")
            changing.add_argument("--size", type=int, help="the most people it takes; 0 is MAX_ROOM_PEERS")
            changing.add_argument(
                "--max-duration-seconds", type=int, help="how long a session lasts at most, 120 to 43200; 0 is no limit"
            )
            changing.add_argument(
                "--history", type=int, help="how many messages from before somebody came it is shown; 0 is none"
            )
            changing.add_argument("--description", help="what people read about the room")
            changing.add_argument("--slow-mode", type=int, help="seconds between two messages of one person; 0 is none")
            changing.add_argument("--metadata-rules", type=rules_in, metavar="FILE", help="JSON, a list of rules")
            changing.add_argument("--large-room", type=yes_or_no, metavar="yes|no", help="told to clients")
        commands.choices["set"].add_argument(
            "--enabled", type=yes_or_no, metavar="yes|no", help="no lets no newcomer in"
        )
        commands.choices["code"].add_argument("role")
        commands.choices["delete"].add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, act: str, **options: Any) -> None:
        try:
            # The parser lets none but its own through.
            getattr(self, f"_{act}")(**options)
        except ValidationError as error:
            raise refused(error) from None
        except (Room.DoesNotExist, RoomError) as error:
            raise CommandError(str(error)) from None

    def _list(self, **_: Any) -> None:
        people = Count(
            "sessions__peers", filter=Q(sessions__ended_at=None) & ~Q(sessions__peers__state=Peer.State.LEFT)
        )
        for room in Room.objects.order_by("created_at").annotate(people=people).iterator():
            self.stdout.write(f"{room.name}\t{room.id}\t{room.people}\t{room.title}")

    def _show(self, *, room: str, **_: Any) -> None:
        self._print(_found(room))

    def _create(self, *, template: str, **options: Any) -> None:
        chosen = Template.objects.filter(name=template).first()
        if chosen is None and template != DEFAULT:
            raise CommandError(f"There is no template {template!r}. Load it: python manage.py template {template} FILE")
        self._print(create_room(template=chosen, author=AUTHOR, **_given(options)))

    def _set(self, *, room: str, **options: Any) -> None:
        if not (given := _given(options)):
            raise CommandError(
                "Nothing to set: name one of --name, --title, --size, --max-duration-seconds, --history, --large-room,"
                " --description, --slow-mode, --metadata-rules, --enabled."
            )
        self._print(change_room(_found(room).pk, author=AUTHOR, **given))

    def _code(self, *, room: str, role: str, **_: Any) -> None:
        self.stdout.write(f"{role}\t{_link(replace_code(_found(room).pk, role, author=AUTHOR).code)}")

    def _delete(self, *, room: str, yes: bool, **_: Any) -> None:
        found = _found(room)
        if not yes and not _confirmed(f"Delete {found.name} ({found}), its codes and its history? [y/N] "):
            raise CommandError("Nothing is deleted. Answer y, or confirm with --yes.")
        delete_room(found.pk, author=AUTHOR)
        self.stdout.write(f"{found.name} is deleted.")

    def _print(self, room: Room) -> None:
        for name in ("id", *CHANGEABLE):
            value = getattr(room, name)
            self.stdout.write(f"{name}\t{compact(value) if isinstance(value, list) else value}")
        for code in room.codes.order_by("role", "created_at"):
            self.stdout.write(f"{code.role}\t{_link(code.code)}{'' if code.enabled else ' (closed)'}")


def _found(name: str) -> Room:
    room = find_room(name)
    if room is None:
        raise CommandError(f"There is no room {name!r}. All are told by: python manage.py room list")
    return room


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Those options that are fields of a room and were named."""
    return {name: options[name] for name in CHANGEABLE if options.get(name) is not None}


def _link(code: str) -> str:
    return f"{settings.PUBLIC_URL}/r/{code}/" if settings.PUBLIC_URL else code


def _confirmed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt, RuntimeError, UnicodeDecodeError):
        # Nobody is there to answer, or wants to; a standard input that is closed is a RuntimeError.
        print()
        return False


def rules_in(file: str) -> Any:
    """The JSON that a file holds."""
    try:
        return json_gate.load_json(Path(file).read_text())
    except OSError as error:
        raise ArgumentTypeError(f"{file}: {error.strerror}") from None
    except (RoomError, UnicodeDecodeError) as error:
        raise ArgumentTypeError(f"{file}: {error}") from None


def yes_or_no(text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise ValueError(text)
    return text.lower() in _YES
