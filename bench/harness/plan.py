"""Which systems meet in which scenario, and which of their figures are compared."""

import dataclasses
from collections.abc import Callable

from harness import scenarios
from harness.systems import Running

EVERYBODY_ELSE = ("socket.io", "picows", "colyseus", "python-socketio", "tutorial")
OURS = ("hmsroom", "hmsroom-daphne")
STORING = ("storing-socket.io", "storing-each-socket.io")


@dataclasses.dataclass(frozen=True)
class Contest:
    """One scenario for several systems; `figure` names the row's figure by which they are compared."""

    scenario: Callable[[Running, float], scenarios.Turns]
    systems: tuple[str, ...]
    figure: str

    @property
    def name(self) -> str:
        return self.scenario.__name__


@dataclasses.dataclass(frozen=True)
class Ratio:
    """One (scenario, system)'s figure over another's, or by itself, under the name it has in latest.json."""

    name: str
    ours: tuple[str, str]
    theirs: tuple[str, str] | None = None


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
    Contest(scenarios.room1000, (*OURS, "socket.io", "picows"), "p99"),
    Contest(scenarios.acknowledgement, (*OURS, *STORING, "hmsroom-million-stored"), "ack_p50"),
    Contest(scenarios.metadata, (*OURS, "socket.io", "picows", "colyseus"), "all_p50"),
    Contest(scenarios.join250, (*OURS, "socket.io", "picows", "colyseus"), "told"),
    Contest(
        scenarios.join1000,
        (*OURS, "hmsroom-without-init", "socket.io", "socket.io-polling", "picows", "hmsroom-webhooks"),
        "told",
    ),
    Contest(scenarios.reconnect1000, (*OURS, "hmsroom-without-init"), "over_joins"),
    Contest(scenarios.reconnect_rooms, (*OURS, "hmsroom-without-init"), "over_joins"),
    Contest(scenarios.late_joiner, OURS, "ms"),
    Contest(scenarios.viewers, ("hmsroom-many-peers", "hmsroom-daphne-many-peers"), "p50"),
    Contest(scenarios.idle_rooms, OURS, "cpu_percent"),
    Contest(scenarios.updates_apart, (*OURS, "hmsroom-webhooks"), "all_p50"),
    Contest(scenarios.updates_shared, OURS, "all_p50"),
    Contest(scenarios.lock_handover, OURS, "p50"),
    Contest(scenarios.memory, (*OURS, "socket.io", "picows"), "kib_per_connection"),
    Contest(scenarios.slow_readers, ("hmsroom-long", "hmsroom-daphne-long"), "growth_mib"),
    Contest(scenarios.two_processes, ("hmsroom-two",), "max"),
    Contest(scenarios.rooms_clustered, ("hmsroom-clustered", "hmsroom-two", "hmsroom-four"), "per_cpu"),
    Contest(scenarios.sets, ("hmsroom",), "under_way_64"),
    Contest(scenarios.growth, ("hmsroom-uncoalesced", "hmsroom"), "peers_200"),
)

QUICK = (
    Contest(scenarios.room200, ("hmsroom-uncoalesced", "hmsroom", "socket.io", "picows"), "per_cpu"),
    Contest(scenarios.rooms, ("hmsroom", *STORING, "socket.io"), "max"),
    Contest(scenarios.metadata, ("hmsroom", "socket.io"), "all_p50"),
    Contest(scenarios.join1000, ("hmsroom", "socket.io"), "told"),
)

RATIOS = (
    Ratio("room200_socketio", ("room200", "hmsroom-uncoalesced"), ("room200", "socket.io")),
    Ratio("room200_picows", ("room200", "hmsroom-uncoalesced"), ("room200", "picows")),
    Ratio("room200_daphne_socketio", ("room200", "hmsroom-daphne-uncoalesced"), ("room200", "socket.io")),
    Ratio("room200_coalesced_socketio", ("room200", "hmsroom"), ("room200", "socket.io")),
    Ratio("room200_coalesced_daphne_socketio", ("room200", "hmsroom-daphne"), ("room200", "socket.io")),
    Ratio("room200_plain_tutorial", ("room200", "hmsroom-plain"), ("room200", "tutorial")),
    Ratio("room200_plain_daphne_tutorial", ("room200", "hmsroom-daphne-plain"), ("room200", "tutorial-daphne")),
    Ratio("rooms_socketio", ("rooms", "hmsroom"), ("rooms", "socket.io")),
    Ratio("rooms_storing_socketio", ("rooms", "hmsroom"), ("rooms", "storing-socket.io")),
    Ratio("rooms_storing_each_socketio", ("rooms", "hmsroom"), ("rooms", "storing-each-socket.io")),
    Ratio("rooms_daphne_socketio", ("rooms", "hmsroom-daphne"), ("rooms", "socket.io")),
    Ratio("rooms_picows", ("rooms", "hmsroom"), ("rooms", "picows")),
    Ratio("rooms_history", ("rooms", "hmsroom"), ("rooms", "hmsroom-without-history")),
    Ratio("room1000_p99_socketio", ("room1000", "hmsroom"), ("room1000", "socket.io")),
    Ratio("room1000_p99_daphne_socketio", ("room1000", "hmsroom-daphne"), ("room1000", "socket.io")),
    Ratio("metadata_socketio", ("metadata", "hmsroom"), ("metadata", "socket.io")),
    Ratio("metadata_daphne_socketio", ("metadata", "hmsroom-daphne"), ("metadata", "socket.io")),
    Ratio("metadata_colyseus", ("metadata", "hmsroom"), ("metadata", "colyseus")),
    Ratio("join1000_socketio", ("join1000", "hmsroom"), ("join1000", "socket.io")),
    Ratio("join1000_daphne_socketio", ("join1000", "hmsroom-daphne"), ("join1000", "socket.io")),
    Ratio("join1000_join250", ("join1000", "hmsroom"), ("join250", "hmsroom")),
    Ratio("join1000_join250_daphne", ("join1000", "hmsroom-daphne"), ("join250", "hmsroom-daphne")),
    Ratio("reconnect1000_join1000", ("reconnect1000", "hmsroom")),
    Ratio("reconnect_rooms", ("reconnect_rooms", "hmsroom")),
    Ratio("ack_million_stored", ("acknowledgement", "hmsroom-million-stored"), ("acknowledgement", "hmsroom")),
    Ratio("rooms_two_one", ("rooms_clustered", "hmsroom-two"), ("rooms_clustered", "hmsroom-clustered")),
    Ratio("late_joiner_ms", ("late_joiner", "hmsroom")),
    Ratio("idle_rooms_cpu", ("idle_rooms", "hmsroom")),
    Ratio("memory_kib", ("memory", "hmsroom")),
    Ratio("memory_daphne_kib", ("memory", "hmsroom-daphne")),
    Ratio("memory_socketio", ("memory", "hmsroom"), ("memory", "socket.io")),
)


def select(contests: tuple[Contest, ...], names: tuple[str, ...], systems: tuple[str, ...]) -> tuple[Contest, ...]:
    """The contests of these names, held between these systems; empty means all of them."""
    chosen = []
    for contest in contests:
        if not names or contest.name in names:
            entered = tuple(system for system in contest.systems if not systems or system in systems)
            chosen.append(dataclasses.replace(contest, systems=entered))
    return tuple(chosen)
