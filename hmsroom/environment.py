"""Reading the environment: a value of the wrong form stops the start with a line that names the variable."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_YES, _NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


class Environment(environ.Env):
    """django-environ, stricter."""

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        try:
            return super().get_value(var, cast, default, parse_default)
        except ValueError:
            kind = {int: "a whole number", float: "a number"}.get(cast, "readable")
            raise ImproperlyConfigured(f"{var}: {os.environ[var]!r} is not {kind}.") from None

    def switch(self, var: str, *, default: bool) -> bool:
        """1, true, yes or on; 0, false, no or off."""
        text = os.environ.get(var, "on" if default else "off").strip().lower()
        if text not in _YES | _NO:
            raise ImproperlyConfigured(f"{var}: {text!r} is neither 1 nor 0.")
        return text in _YES

    def one_of(self, var: str, *choices: str) -> str:
        """One of the choices, the first if the variable is not set."""
        text = os.environ.get(var, choices[0])
        if text not in choices:
            raise ImproperlyConfigured(f"{var}: {text!r} is not {' or '.join(choices)}.")
        return text

    def url_of(self, var: str, *schemes: str, default: str = "") -> str:
        """A URL with one of the schemes."""
        text = os.environ.get(var) or default
        if text and urlsplit(text).scheme not in schemes:
            # Not the value: it may hold a password.
            raise ImproperlyConfigured(f"{var}: expected {' or '.join(f'{scheme}://…' for scheme in schemes)}.")
        return text


def make_private(directory: Path) -> None:
    """Make the directory for its owner alone, if it is not there."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"DATA_DIR: {directory} cannot be made: {error.strerror}.") from None
