"""A run: one world after another, each with storms and calms of its own, all from one seed."""

import random
import sqlite3
import zlib
from collections import Counter

from django.core.management import call_command
from django.db import connection

from rooms.creation.rooms import create_room
from tests.simulation.journal import SECRET
from tests.simulation.story import Story
from tests.simulation.world import World

RULES = [
    {"key": SECRET, "write": ["host", "guest"], "read": ["host"]},
    {"key": "mine:*", "on_leave": "remove"},
    {"key": "deck", "lock": "deck"},
]


def template() -> tuple[sqlite3.Connection, list[str]]:
    """A database with the project's tables and two rooms, and the ids of these."""
    connection.close()
    connection.settings_dict["NAME"] = ":memory:"
    call_command("migrate", interactive=False, verbosity=0)
    room_ids = ["a" * 24, "b" * 24]
    for room_id in room_ids:
        create_room(id=room_id, title=room_id[:3], name=room_id[:3], metadata_rules=RULES)
    made = sqlite3.connect(":memory:")
    connection.ensure_connection()
    connection.connection.backup(made)
    return made, room_ids


class Run:
    """See the module. ``world`` is the one that runs, ``number`` its place among those of the seed."""

    def __init__(self, seed: str, first: int = 0) -> None:
        self.seed = seed
        self.done = 0
        self.number = first
        self.seen: Counter[str] = Counter()
        self.digest = ""
        self.world: World
        self._template, self._room_ids = template()

    def steps(self, number: int) -> None:
        """So many steps. Raises Violation."""
        while self.done < number:
            self._episode(f"{self.seed}/{self.number}", number - self.done)
            self.number += 1

    def _episode(self, seed: str, most: int) -> None:
        embedded = random.Random(seed).random() < 0.2
        with World(seed, self._template, self._room_ids, embedded=embedded) as self.world:
            story = Story(self.world)
            try:
                while self.world.scheduler.steps < most and story.calms < 2:
                    self.world.step()
            finally:
                self.done += self.world.scheduler.steps
                self.seen += self.world.scheduler.seen
                self.digest = f"{zlib.crc32((self.digest + self.world.scheduler.digest).encode()):08x}"
