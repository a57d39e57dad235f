"""Which parameters the HTTP endpoints declare."""

import sys

from rooms.urls import urlpatterns
from rooms.wire.parameters import Parameter


def declared_parameters() -> dict[str, tuple[Parameter, ...]]:
    """``{path: parameters}`` of the endpoints whose file has ``PARAMETERS``."""
    files = {f"/{entry.pattern}": sys.modules[entry.callback.__module__] for entry in urlpatterns}
    return {path: file.PARAMETERS for path, file in files.items() if hasattr(file, "PARAMETERS")}
