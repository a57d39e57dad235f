"""Which figures are compared or stand by themselves in latest.json, and what is asked of them."""

import dataclasses

Entrant = tuple[str, str]  # a scenario and a system in it


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a ratio is to be, at least or at most."""

    relation: str
    bound: float

    def __str__(self) -> str:
        return f"{self.relation} {self.bound:g}"

    def met(self, value: float) -> bool:
        return value >= self.bound if self.relation == "≥" else value <= self.bound


@dataclasses.dataclass(frozen=True)
class Ratio:
    """One entrant's figure over another's, or by itself; the figure is the one its contest is about unless named."""

    name: str
    ours: Entrant
    theirs: Entrant | None = None
    figure: str = ""
    asked: Asked | None = None


def _rooms(
    name: str, ours: str, theirs: str, asked: Asked | None = None, contest: str = "rooms"
) -> tuple[Ratio, Ratio]:
    """By most deliveries a second, and by deliveries for each second of server CPU."""
    sides = ((contest, ours), (contest, theirs))
    return Ratio(name, *sides, asked=asked), Ratio(f"{name}_per_cpu", *sides, figure="per_cpu")


def _clustered(count: str) -> tuple[Ratio, ...]:
    """So many processes beside one, with the database and Redis on the same core."""
    one, more = ("rooms_clustered", "hmsroom-clustered"), ("rooms_clustered", f"hmsroom-{count}")
    # Where there is no core for each process, what is asked is this.
    asked = Asked("≤", 1.2) if count == "two" else None
    return (
        Ratio(f"rooms_{count}_one_most", more, one, figure="max"),
        Ratio(f"rooms_{count}_one_per_cpu", more, one, figure="per_cpu"),
        Ratio(f"rooms_{count}_one_cpu_per_message", one, more, figure="per_cpu", asked=asked),
        Ratio(f"rooms_{count}_one_calm_cpu_per_message", more, one, figure="calm_cpu_us"),
    )


def _restart(contest: str, name: str, *, reads: Asked | None = None) -> tuple[Ratio, ...]:
    """Of both servers: the time over that of the joins, and what it cost besides."""
    ours, daphne = (contest, "hmsroom"), (contest, "hmsroom-daphne")
    return (
        Ratio(name, ours, asked=Asked("≤", 1.5)),
        Ratio(f"{name}_daphne", daphne),
        Ratio(f"{name}_without_init", (contest, "hmsroom-without-init")),
        Ratio(f"{contest}_resynchronised", ours, figure="resynchronised", asked=Asked("≤", 0)),
        Ratio(f"{contest}_journal_reads", (contest, "hmsroom-counting"), figure="journal_reads", asked=reads),
    )


RATIOS = (
    Ratio("room200_socketio", ("room200", "hmsroom-uncoalesced"), ("room200", "socket.io"), asked=Asked("≥", 1.3)),
    Ratio("room200_picows", ("room200", "hmsroom-uncoalesced"), ("room200", "picows"), asked=Asked("≥", 0.85)),
    Ratio(
        "room200_daphne_socketio",
        ("room200", "hmsroom-daphne-uncoalesced"),
        ("room200", "socket.io"),
        asked=Asked("≥", 1.2),
    ),
    Ratio("room200_socketio_most", ("room200", "hmsroom-uncoalesced"), ("room200", "socket.io"), figure="max"),
    Ratio("room200_picows_most", ("room200", "hmsroom-uncoalesced"), ("room200", "picows"), figure="max"),
    Ratio(
        "room200_daphne_socketio_most",
        ("room200", "hmsroom-daphne-uncoalesced"),
        ("room200", "socket.io"),
        figure="max",
    ),
    Ratio("room200_coalesced_socketio", ("room200", "hmsroom"), ("room200", "socket.io")),
    Ratio("room200_coalesced_daphne_socketio", ("room200", "hmsroom-daphne"), ("room200", "socket.io")),
    Ratio("room200_plain_tutorial", ("room200", "hmsroom-plain"), ("room200", "tutorial")),
    Ratio("room200_plain_daphne_tutorial", ("room200", "hmsroom-daphne-plain"), ("room200", "tutorial-daphne")),
    *_rooms("rooms_socketio", "hmsroom", "socket.io", Asked("≥", 0.7)),
    *_rooms("rooms_storing_socketio", "hmsroom", "storing-socket.io", Asked("≥", 1.1)),
    *_rooms("rooms_storing_each_socketio", "hmsroom", "storing-each-socket.io", Asked("≥", 2.2)),
    *_rooms("rooms_daphne_socketio", "hmsroom-daphne", "socket.io"),
    *_rooms("rooms_picows", "hmsroom", "picows"),
    *_rooms("rooms_colyseus", "hmsroom", "colyseus"),
    *_rooms("rooms_history", "hmsroom", "hmsroom-without-history"),
    *_rooms("rooms_bare", "hmsroom-bare", "hmsroom"),
    *_rooms("rooms_webhooks", "hmsroom-webhooks", "hmsroom"),
    Ratio("rooms_calm_p50_socketio", ("rooms", "hmsroom"), ("rooms", "socket.io"), figure="calm_p50"),
    Ratio("rooms_calm_p50_storing_socketio", ("rooms", "hmsroom"), ("rooms", "storing-socket.io"), figure="calm_p50"),
    *_rooms("rooms_pruning_storing_socketio", "hmsroom-pruning", "storing-socket.io-pruning", contest="rooms_pruning"),
    Ratio("room1000_p99_socketio", ("room1000", "hmsroom"), ("room1000", "socket.io")),
    Ratio("room1000_p99_daphne_socketio", ("room1000", "hmsroom-daphne"), ("room1000", "socket.io")),
    Ratio("ack_p50_ms", ("acknowledgement", "hmsroom"), asked=Asked("≤", 1)),
    Ratio("ack_p99_ms", ("acknowledgement", "hmsroom"), figure="ack_p99", asked=Asked("≤", 5)),
    Ratio("ack_storing_socketio", ("acknowledgement", "hmsroom"), ("acknowledgement", "storing-socket.io")),
    Ratio("ack_storing_each_socketio", ("acknowledgement", "hmsroom"), ("acknowledgement", "storing-each-socket.io")),
    Ratio(
        "ack_million_stored",
        ("acknowledgement", "hmsroom-million-stored"),
        ("acknowledgement", "hmsroom"),
        asked=Asked("≤", 1.1),
    ),
    Ratio(
        "ack_million_stored_p99",
        ("acknowledgement", "hmsroom-million-stored"),
        ("acknowledgement", "hmsroom"),
        figure="ack_p99",
        asked=Asked("≤", 1.1),
    ),
    Ratio("metadata_socketio", ("metadata", "hmsroom"), ("metadata", "socket.io"), asked=Asked("≤", 0.9)),
    Ratio("metadata_daphne_socketio", ("metadata", "hmsroom-daphne"), ("metadata", "socket.io"), asked=Asked("≤", 1)),
    Ratio("metadata_p99_socketio", ("metadata", "hmsroom"), ("metadata", "socket.io"), figure="all_p99"),
    Ratio("metadata_p99_daphne_socketio", ("metadata", "hmsroom-daphne"), ("metadata", "socket.io"), figure="all_p99"),
    Ratio("metadata_colyseus", ("metadata", "hmsroom"), ("metadata", "colyseus")),
    Ratio("join1000_socketio", ("join1000", "hmsroom"), ("join1000", "socket.io"), asked=Asked("≤", 0.2)),
    Ratio("join1000_daphne_socketio", ("join1000", "hmsroom-daphne"), ("join1000", "socket.io")),
    Ratio(
        "join1000_socketio_polling", ("join1000", "hmsroom"), ("join1000", "socket.io-polling"), asked=Asked("≤", 0.2)
    ),
    Ratio("join1000_without_init_socketio", ("join1000", "hmsroom-without-init"), ("join1000", "socket.io")),
    Ratio("join1000_webhooks", ("join1000", "hmsroom-webhooks"), ("join1000", "hmsroom")),
    Ratio("join1000_join250", ("join1000", "hmsroom"), ("join250", "hmsroom")),
    Ratio("join1000_join250_daphne", ("join1000", "hmsroom-daphne"), ("join250", "hmsroom-daphne")),
    *_restart("reconnect1000", "reconnect1000_join1000", reads=Asked("≤", 1)),
    *_restart("reconnect_rooms", "reconnect_rooms"),
    Ratio("late_joiner_ms", ("late_joiner", "hmsroom"), asked=Asked("≤", 30)),
    Ratio("late_joiner_daphne_ms", ("late_joiner", "hmsroom-daphne")),
    Ratio("viewers_p50_ms", ("viewers", "hmsroom-many-peers")),
    Ratio("viewers_p99_ms", ("viewers", "hmsroom-many-peers"), figure="p99"),
    Ratio("viewers_loss", ("viewers", "hmsroom-many-peers"), figure="loss", asked=Asked("≤", 0)),
    Ratio("viewers_join_seconds", ("viewers", "hmsroom-many-peers"), figure="joined"),
    Ratio("viewers_daphne_p99_ms", ("viewers", "hmsroom-daphne-many-peers"), figure="p99"),
    Ratio("viewers_daphne_loss", ("viewers", "hmsroom-daphne-many-peers"), figure="loss"),
    Ratio("viewers_mib", ("viewers", "hmsroom-many-peers"), figure="mib"),
    Ratio("idle_rooms_cpu", ("idle_rooms", "hmsroom"), asked=Asked("≤", 3)),
    Ratio("idle_rooms_silent_cpu", ("idle_rooms", "hmsroom"), figure="silent_cpu_percent"),
    Ratio("idle_rooms_daphne_cpu", ("idle_rooms", "hmsroom-daphne")),
    Ratio("idle_rooms_kib", ("idle_rooms", "hmsroom"), figure="kib_per_room"),
    Ratio("updates_apart_ms", ("updates_apart", "hmsroom")),
    Ratio("updates_shared_ms", ("updates_shared", "hmsroom")),
    Ratio("lock_handover_ms", ("lock_handover", "hmsroom")),
    Ratio("updates_apart_webhooks", ("updates_apart", "hmsroom-webhooks"), ("updates_apart", "hmsroom")),
    *_clustered("two"),
    *_clustered("four"),
    Ratio("memory_kib", ("memory", "hmsroom"), asked=Asked("≤", 24)),
    Ratio("memory_daphne_kib", ("memory", "hmsroom-daphne"), asked=Asked("≤", 28)),
    Ratio("memory_socketio", ("memory", "hmsroom"), ("memory", "socket.io")),
)
