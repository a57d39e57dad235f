"""``manage.py management_token``: sign a token for the REST API."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from hmsroom.environment import seconds_in
from rooms.access import keys, tokens
from rooms.management.base import DatabaseCommand


class Command(DatabaseCommand):
    help = "Prints one management token and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--key", default="", help="an access key; without it that of the environment")
        parser.add_argument("--valid", default="1h", help="how long it is good: 90s, 15m, 1h, 7d")

    def handle(self, *, key: str, valid: str, **options: Any) -> None:
        found = keys.find(key) if key else keys.own()
        if found is None:
            raise CommandError(f"There is no access key {key!r} that is good, see `manage.py access_key list`.")
        lifetime = seconds_in(valid)
        if not lifetime:
            raise CommandError(f"--valid: {valid!r} is not a time such as 90s, 15m, 1h, 7d.")
        self.stdout.write(tokens.sign_management(found, lifetime=lifetime))
