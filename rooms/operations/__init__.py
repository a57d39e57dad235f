"""Everything that can be done in a room, one file per subject. Importing this package fills ``gate.METHODS``."""

import importlib
import pkgutil

for _file in pkgutil.walk_packages(__path__, f"{__name__}."):
    importlib.import_module(_file.name)
