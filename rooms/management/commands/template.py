"""``manage.py template``: load a set of roles."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from rooms.creation.templates import load_template
from rooms.management.base import AUTHOR, DatabaseCommand
from rooms.wire import json_gate
from rooms.wire.errors import RoomError
from rooms.wire.roles import NAME, check_template, shows_as_written


class Command(DatabaseCommand):
    help = (
        "Loads a template from a JSON file {roles: {name: role}, settings: {…}, plugins: {metadata: {rules}}};"
        " an older one of the name is replaced."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("file", type=Path)

    def handle(self, *, name: str, file: Path, **options: Any) -> None:
        if not shows_as_written(name):
            raise CommandError(f"name: expected {NAME}")
        try:
            given = json_gate.load_json(file.read_text())
            check_template(given)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
        except RoomError as error:
            raise CommandError(f"{file}: {error.message}") from None
        except ValueError as error:
            raise CommandError(f"{file}: {error}") from None
        assert isinstance(given, dict)
        load_template(name, given, author=AUTHOR)
        self.stdout.write(f"Template {name}: {', '.join(sorted(given['roles']))}")
