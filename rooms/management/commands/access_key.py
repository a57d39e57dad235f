"""``manage.py access_key``: pairs that back ends sign tokens with, made, listed and revoked."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from rooms.access import keys
from rooms.management.base import AUTHOR, DatabaseCommand, refused
from rooms.models import AccessKey


class Command(DatabaseCommand):
    help = "Makes, lists and revokes access keys. That of the environment is printed by `manage.py keys`."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("create", help="print a new pair; the secret is not shown again").add_argument("name")
        acts.add_parser("list", help="all pairs but that of the environment")
        acts.add_parser("revoke", help="let no token of a pair be good any more").add_argument("access_key")

    def handle(self, *, act: str, **given: Any) -> None:
        {"create": self._create, "list": self._list, "revoke": self._revoke}[act](given)

    def _create(self, given: dict[str, Any]) -> None:
        try:
            row, secret = keys.create(given["name"], author=AUTHOR)
        except ValidationError as error:
            raise refused(error) from None
        self.stdout.write(f"ACCESS_KEY={row.access_key}\nAPP_SECRET={secret}")

    def _list(self, given: dict[str, Any]) -> None:
        for row in AccessKey.objects.order_by("created_at"):
            used = f"{row.last_used_at:%Y-%m-%d %H:%M}" if row.last_used_at else "never"
            state = f"revoked {row.revoked_at:%Y-%m-%d %H:%M}" if row.revoked_at else f"last used {used}"
            self.stdout.write(f"{row.access_key}  {row.created_at:%Y-%m-%d}  {state}  {row.name}")

    def _revoke(self, given: dict[str, Any]) -> None:
        row = AccessKey.objects.filter(access_key=given["access_key"]).first()
        if row is None:
            raise CommandError(f"There is no access key {given['access_key']!r}, see `manage.py access_key list`.")
        keys.revoke(row, author=AUTHOR)
        self.stdout.write(f"{row.access_key} is revoked; its sockets are closed within a minute.")
