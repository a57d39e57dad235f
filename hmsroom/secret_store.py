"""The secrets a server signs with: from the environment, or from a file that development makes once."""

import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured

from hmsroom.environment import Environment


class Secrets(NamedTuple):
    """Django's key, the access key that tokens name, and the app secret that signs them."""

    secret_key: str
    access_key: str
    app_secret: str


def load(data_dir: Path, *, create: bool) -> Secrets:
    """The secrets of this installation.

    Each is read from its environment variable (SECRET_KEY, ACCESS_KEY, APP_SECRET), else from
    ``data_dir/secrets.json``, which is made if create is true.

    Raises ImproperlyConfigured, which names the missing variables, or says what is wrong with the file.
    """
    path = data_dir / "secrets.json"
    env = Environment()
    wanted = {name: env.text(name.upper(), secret=True) for name in Secrets._fields}
    if not all(wanted.values()):
        if create and not path.exists():
            _create(path)
        if path.exists():
            stored = _read(path)
            wanted = {name: value or stored.get(name, "") for name, value in wanted.items()}
    missing = [name.upper() for name, value in wanted.items() if not value]
    if missing:
        raise ImproperlyConfigured(
            f"Set {', '.join(missing)} in the environment (or HMSROOM_DEV=1, which makes {path} for development)."
        )
    return Secrets(**wanted)


def _read(path: Path) -> dict[str, str]:
    """What the file holds; it was made by ``_create``, or by somebody's hand."""
    restore = "Put a copy of it back, or delete it; with new secrets all tokens and logins become void"
    try:
        stored = json.loads(path.read_text())
    except OSError as error:
        raise ImproperlyConfigured(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise ImproperlyConfigured(f"{path} is empty or broken. {restore}.") from None
    if not isinstance(stored, dict) or not all(isinstance(stored.get(name, ""), str) for name in Secrets._fields):
        raise ImproperlyConfigured(f"{path}: expected an object of {', '.join(Secrets._fields)}. {restore}.")
    return stored


def _create(path: Path) -> None:
    made = {
        "secret_key": secrets.token_urlsafe(50),
        "access_key": secrets.token_hex(12),
        "app_secret": secrets.token_urlsafe(48),
    }
    # Written aside and linked, so that of two processes starting at once both read the same file.
    draft = path.with_name(f".secrets-{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(made, file, indent=1)
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError as error:
        raise ImproperlyConfigured(f"{path} cannot be made: {error.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
