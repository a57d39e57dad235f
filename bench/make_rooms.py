"""Make rooms of the names given as arguments, in the database of the environment; prints their ids by name.

Those whose name begins with `v` are large: their viewers are not told of each other.

Run by systems.py in a process of its own: nothing else here needs Django.
"""

import json
import sys

import django

django.setup()

from django.db import transaction  # noqa: E402

from rooms.creation.rooms import create_room  # noqa: E402

with transaction.atomic():
    print(json.dumps({name: create_room(name=name, large_room=name.startswith("v")).id for name in sys.argv[1:]}))
