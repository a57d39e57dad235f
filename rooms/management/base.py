"""What the commands share."""

from typing import Any

from django.core.management.base import BaseCommand

from hmsroom import start


class DatabaseCommand(BaseCommand):
    """A command that needs the database, and says so at once if it is away."""

    def execute(self, *arguments: Any, **options: Any) -> str | None:
        with start.explained():
            # First, for the command would meet it somewhere within, with a page of traceback.
            start.reach_database()
        return super().execute(*arguments, **options)
