"""A run: one world after another, each with storms and calms of its own, all from one seed."""

import random
import sqlite3
from collections import Counter

from django.core.management import call_command
from django.db import connection

from rooms.creation import create_room
from tests.simulation.story import Story
from tests.simulation.world import World


def template() -> tuple[sqlite3.Connection, list[str]]:
    """A database with the project's tables and two rooms, and the ids of these."""
    connection.close()
    connection.settings_dict["NAME"] = ":memory:"
    call_command("migrate", interactive=False, verbosity=0)
    room_ids = ["a" * 24, "b" * 24]
    for room_id in room_ids:
        create_room(id=room_id, title=room_id[:3], name=room_id[:3])
    made = sqlite3.connect(":memory:")
    connection.ensure_connection()
    connection.connection.backup(made)
    return made, room_ids


class Run:
    """See the module."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.done = 0
        self.seen: Counter[str] = Counter()
        self.digest = ""
        self.world: World
        self._template, self._room_ids = template()

    def steps(self, number: int) -> None:
        """So many steps. Raises Violation."""
        episode = 0
        while self.done < number:
            self._episode(f"{self.seed}/{episode}", number - self.done)
            episode += 1

    def _episode(self, seed: str, most: int) -> None:
        before = self.done
        embedded = random.Random(seed).random() < 0.2
        with World(seed, self._template, self._room_ids, embedded=embedded) as self.world:
            story = Story(self.world)
            try:
                while self.world.scheduler.steps < most and story.calms < 2:
                    self.world.step()
                    self.done = before + self.world.scheduler.steps
            finally:
                self.seen += self.world.scheduler.seen
                self.digest += self.world.scheduler.digest
