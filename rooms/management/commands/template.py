"""``manage.py template``: load a set of roles."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from rooms.management.base import DatabaseCommand
from rooms.models import Template
from rooms.roles import parse_role


class Command(DatabaseCommand):
    help = (
        "Loads a template from a JSON file {roles: {name: role}, settings: {…}}; an older one of the name is replaced."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("file", type=Path)

    def handle(self, *, name: str, file: Path, **options: Any) -> None:
        try:
            given = json.loads(file.read_text())
            roles = given["roles"]
            for role, wire in roles.items():
                parse_role(role, wire)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CommandError(f"{file}: expected {{roles: {{name: role}}, settings: {{…}}}} ({error})") from None
        if not roles:
            raise CommandError(f"{file}: roles is empty")
        Template.objects.update_or_create(name=name, defaults={"roles": roles, "settings": given.get("settings") or {}})
        self.stdout.write(f"Template {name}: {', '.join(sorted(roles))}")
