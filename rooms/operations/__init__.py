"""Everything that can be done in a room, one file per subject. Importing this package fills ``gate.METHODS``."""

import importlib
import pkgutil

for _file in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_file.name}")
