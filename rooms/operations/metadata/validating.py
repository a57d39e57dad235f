"""The site's own word on values: a Python function that may refuse what somebody writes."""

import functools
from collections.abc import Callable, Sequence

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from rooms.operations.engine.context import Context
from rooms.operations.metadata.entries import Change, parsed
from rooms.wire.errors import Unprocessable
from rooms.wire.json_gate import JSON

Validator = Callable[[str, str, JSON, str], object]
"""Takes room id, key, value (None to remove it) and the peer id of the writer, which is empty for the server.

Raises ValueError to refuse. It is called in the transaction of the write, so it must be quick.
"""


@functools.cache
def validator() -> Validator | None:
    """The function that METADATA_VALIDATOR names, if it names one. Raises ImproperlyConfigured."""
    path = settings.METADATA_VALIDATOR
    if not path:
        return None
    try:
        function: Validator = import_string(path)
    except ImportError as error:
        raise ImproperlyConfigured(f"METADATA_VALIDATOR: {error}") from None
    if not callable(function):
        raise ImproperlyConfigured(f"METADATA_VALIDATOR: {path} is no function")
    return function


setting_changed.connect(lambda **_: validator.cache_clear(), weak=False)


def validated(context: Context, changes: Sequence[Change]) -> Sequence[Change]:
    """The changes, which somebody wants to make. Raises Unprocessable."""
    if function := validator():
        for change in changes:
            try:
                function(context.room.id, change.entry.key, parsed(change.text), context.actor)
            except ValueError as error:
                raise Unprocessable(f"data: {change.entry.key}: {error}") from None
    return changes
