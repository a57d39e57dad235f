"""What the commands share."""

from typing import Any

from django.core.management.base import BaseCommand

from hmsroom import start
from rooms.operations.engine.calls import Author

AUTHOR = Author("manage.py", "command")
"""Of what commands do: nobody has logged in."""


class DatabaseCommand(BaseCommand):
    """A command that needs the database, and says so at once if it is away."""

    def execute(self, *arguments: Any, **options: Any) -> str | None:
        with start.explained():
            # First, for the command would meet it somewhere within, with a page of traceback.
            start.reach_database()
        return super().execute(*arguments, **options)
