"""What is set otherwise than by default in the process that answers."""

from typing import NamedTuple

from django.conf import settings

SECRETS = ("SECRET_KEY", "ACCESS_KEY", "APP_SECRET")
"""From the environment, or from a file; never shown."""


class Difference(NamedTuple):
    """A setting; ``value`` is None if it may not be shown."""

    name: str
    value: str | None
    default: str


def differences() -> list[Difference]:
    """Settings whose variable says something else than holds without it, by name; secrets without what they are."""
    found = [
        Difference(name, None if asked.secret else asked.given, asked.default)
        for name, asked in settings.ENVIRONMENT.asked.items()
        if asked.given is not None and asked.given.strip() != asked.default
    ]
    return sorted([*found, *(Difference(name, None, "") for name in SECRETS)])
