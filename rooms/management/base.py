"""What the commands share."""

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from hmsroom import start
from hmsroom.environment import seconds_in
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


_LONGEST = timedelta(days=36_500)


def span(text: str) -> timedelta:
    """A length of time as settings have them, ``30m`` or ``1h30m``. Raises ArgumentTypeError."""
    seconds = seconds_in(text)
    if seconds is None or seconds > _LONGEST.total_seconds():
        raise ArgumentTypeError(f"{text[:100]!r} is not a time such as 90s, 30m, 2h, 7d, of {_LONGEST.days:,}d at most")
    return timedelta(seconds=seconds)


def refused(error: ValidationError) -> CommandError:
    """What a command says of values that cannot be: each field with one reason."""
    if not hasattr(error, "error_dict"):
        return CommandError("; ".join(error.messages))
    told = {name: min(reasons, key=_is_of_the_database) for name, reasons in error.error_dict.items()}
    return CommandError("; ".join(f"{name}: {reason.messages[0]}" for name, reason in told.items()))


def _is_of_the_database(reason: ValidationError) -> bool:
    # Beside a limit of our own that of the database's numbers, which are far greater, says nothing.
    return reason.code in ("min_value", "max_value")
