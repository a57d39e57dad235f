"""Which systems meet in which scenario."""

import dataclasses
from collections.abc import Callable

from harness import coming, scenarios
from harness.clients import Turns
from harness.systems import Running

EVERYBODY_ELSE = ("socket.io", "picows", "colyseus", "python-socketio", "tutorial")
OURS = ("hmsroom", "hmsroom-daphne")
STORING = ("storing-socket.io", "storing-each-socket.io")


@dataclasses.dataclass(frozen=True)
class Contest:
    """One scenario for several systems; `figure` names the row's figure by which they are compared."""

    scenario: Callable[[Running, float], Turns]
    systems: tuple[str, ...]
    figure: str

    @property
    def name(self) -> str:
        return self.scenario.__name__


FULL = (
    Contest(
        scenarios.room200,
        (
            "hmsroom-uncoalesced",
            "hmsroom-daphne-uncoalesced",
            *OURS,
            "hmsroom-plain",
            "hmsroom-daphne-plain",
            *EVERYBODY_ELSE,
            "tutorial-daphne",
        ),
        "per_cpu",
    ),
    Contest(
        scenarios.rooms,
        (*OURS, *STORING, *EVERYBODY_ELSE, "hmsroom-webhooks", "hmsroom-bare", "hmsroom-without-history"),
        "max",
    ),
    Contest(scenarios.rooms_pruning, ("hmsroom-pruning", "storing-socket.io-pruning"), "max"),
    Contest(scenarios.room1000, (*OURS, "socket.io", "picows"), "p99"),
    Contest(scenarios.acknowledgement, (*OURS, *STORING, "hmsroom-million-stored"), "ack_p50"),
    Contest(scenarios.metadata, (*OURS, "socket.io", "picows", "colyseus"), "all_p50"),
    Contest(coming.join250, (*OURS, "socket.io", "picows", "colyseus"), "told"),
    Contest(
        coming.join1000,
        (*OURS, "hmsroom-without-init", "socket.io", "socket.io-polling", "picows", "hmsroom-webhooks"),
        "told",
    ),
    Contest(coming.reconnect1000, (*OURS, "hmsroom-without-init", "hmsroom-counting"), "over_joins"),
    Contest(coming.reconnect_rooms, (*OURS, "hmsroom-without-init", "hmsroom-counting"), "over_joins"),
    Contest(coming.late_joiner, OURS, "ms"),
    Contest(coming.viewers, ("hmsroom-many-peers", "hmsroom-daphne-many-peers"), "p50"),
    Contest(scenarios.idle_rooms, OURS, "cpu_percent"),
    Contest(scenarios.updates_apart, (*OURS, "hmsroom-webhooks"), "all_p50"),
    Contest(scenarios.updates_shared, OURS, "all_p50"),
    Contest(scenarios.lock_handover, OURS, "p50"),
    Contest(scenarios.memory, (*OURS, "socket.io", "picows"), "kib_per_connection"),
    Contest(scenarios.slow_readers, ("hmsroom-long", "hmsroom-daphne-long"), "growth_mib"),
    Contest(scenarios.two_processes, ("hmsroom-two",), "max"),
    Contest(scenarios.rooms_clustered, ("hmsroom-clustered", "hmsroom-two", "hmsroom-four"), "max"),
    Contest(scenarios.sets, ("hmsroom",), "under_way_64"),
    Contest(scenarios.growth, ("hmsroom-uncoalesced", "hmsroom"), "peers_200"),
)

QUICK = (
    Contest(scenarios.room200, ("hmsroom-uncoalesced", "socket.io", "picows"), "per_cpu"),
    Contest(scenarios.rooms, ("hmsroom", *STORING, "socket.io"), "max"),
    Contest(scenarios.metadata, ("hmsroom", "socket.io"), "all_p50"),
    Contest(coming.join1000, ("hmsroom", "socket.io"), "told"),
)


def select(contests: tuple[Contest, ...], names: tuple[str, ...], systems: tuple[str, ...]) -> tuple[Contest, ...]:
    """The contests of these names, held between these systems; empty means all of them."""
    chosen = []
    for contest in contests:
        if not names or contest.name in names:
            entered = tuple(system for system in contest.systems if not systems or system in systems)
            chosen.append(dataclasses.replace(contest, systems=entered))
    return tuple(chosen)
