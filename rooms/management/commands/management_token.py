"""``manage.py management_token``: sign a token for the REST API."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from rooms.access import keys, tokens
from rooms.management.base import DatabaseCommand, span


class Command(DatabaseCommand):
    help = "Prints one management token and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--key", default="", help="an access key; without it that of the environment")
        parser.add_argument("--valid", type=span, default="1h", help="how long it is good: 90s, 15m, 1h, 7d")

    def handle(self, *, key: str, valid: timedelta, **options: Any) -> None:
        found = keys.find(key) if key else keys.own()
        if found is None:
            raise CommandError(f"There is no access key {key!r} that is good, see `manage.py access_key list`.")
        if not valid:
            raise CommandError("--valid: a token is good for a second at least.")
        self.stdout.write(tokens.sign_management(found, lifetime=valid.total_seconds()))
