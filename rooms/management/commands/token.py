"""``manage.py token``: sign an auth token."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from rooms.access import tokens
from rooms.creation.rooms import create_room, find_room
from rooms.management.base import AUTHOR, DatabaseCommand, refused


class Command(DatabaseCommand):
    help = "Prints one auth token and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--room", required=True, help="id or name of the room")
        parser.add_argument("--role", required=True)
        parser.add_argument("--user", required=True, help="user_id: whose peer it will be")
        parser.add_argument("--create", action="store_true", help="make the room if there is none of this name")

    def handle(self, *, room: str, role: str, user: str, create: bool, **options: Any) -> None:
        with transaction.atomic():  # so that no room is left behind for which nothing was signed
            signed = _signed(room, role, user, create=create)
        self.stdout.write(signed)


def _signed(room: str, role: str, user: str, *, create: bool) -> str:
    found = find_room(room)
    if found is None and create:
        try:
            found = create_room(name=room, author=AUTHOR)
        except ValidationError as error:
            raise refused(error) from None
    if found is None:
        raise CommandError(f"There is no room {room!r}; --create makes one.")
    if role not in found.template.usable_roles:
        raise CommandError(f"The room has no role {role!r}, only {', '.join(sorted(found.template.usable_roles))}.")
    if len(user) > settings.MAX_USER_ID_CHARS:
        raise CommandError(f"--user takes at most {settings.MAX_USER_ID_CHARS} characters.")
    signed, _ = tokens.sign(found.id, role, user)
    return signed
