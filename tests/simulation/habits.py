"""What clients do of their own accord."""

from collections.abc import Callable
from random import Random
from typing import Any

from rooms.operations.groups import HANDS
from rooms.operations.metadata.entries import SPOTLIGHT_KEY
from tests.simulation.clients import Client
from tests.simulation.journal import SECRET
from tests.simulation.scheduler import Violation

Habit = Callable[[Client], None]


def mood(random: Random) -> list[float]:
    """How inclined clients are to each habit for a time: to some not at all, to some very much."""
    return [weight * random.choice((0, 1, 1, 1, 10)) for weight in _HABITS.values()]


def act(client: Client, mood: list[float]) -> None:
    """Do something."""
    random = client.scheduler.random
    if not client.wants:
        if random.random() < 0.2:
            client.enter()
    elif client.is_ready and any(mood):
        [habit] = random.choices(list(_HABITS), mood)
        habit(client)


def _say(client: Client) -> None:
    client.call("broadcast", info={"message": f"m{client.scheduler.steps}"})


def _say_again(client: Client) -> None:
    """Repeat a message under its client id: it must not become another one."""
    journals = client.world.journals
    client_id = f"{len(journals.timelines)}-{client.view.session_id[:8]}-{client.scheduler.now // 2:.0f}"
    asked = client.peer_id, client_id, len(journals.timelines)

    def answered(result: dict[str, Any]) -> None:
        first = client.sent.setdefault(asked, result["message_id"])
        if first != result["message_id"] and asked[2] == len(journals.timelines):
            raise Violation(f"{asked[0]} sent {client_id} twice, as {first} and as {result['message_id']}")

    client.call("broadcast", answered, info={"message": "again"}, client_id=client_id)


def _say_to(client: Client) -> None:
    peers = list(client.view.peers)
    if peers:
        client.call("broadcast", info={"message": "to you"}, peer_id=client.scheduler.random.choice(peers))


def _say_to_role(client: Client) -> None:
    role = client.scheduler.random.choice(("host", "guest", "viewer"))
    client.call("broadcast", info={"message": f"to {role}"}, roles=[role])


def _set(client: Client) -> None:
    random = client.scheduler.random
    key = random.choice(client.world.keys)
    client.call("set-metadata", key=key, data=None if random.random() < 0.1 else _value(client, key))


def _value(client: Client, key: str) -> Any:
    """A value that nobody set before."""
    if key != SECRET:
        return client.scheduler.steps
    value = f"{SECRET}-{client.scheduler.steps}"
    client.own.add(value)
    return value


def _update(client: Client) -> None:
    """Change several keys in one call, each in its own way, and some only for a while."""
    random = client.scheduler.random
    keys = random.sample(client.world.keys, random.choice((1, 2, 3)))
    changes: list[dict[str, Any]] = []
    for key in keys:
        how = {"expires_in": random.choice((1, 3, 20))} if random.random() < 0.4 else {}
        if random.random() < 0.2:
            changes.append({"key": key, "remove": True})
        else:
            changes.append({"key": key, "data": _value(client, key), **how})

    def answered(result: dict[str, Any]) -> None:
        if [entry["key"] for entry in result["entries"]] != keys:
            raise Violation(f"{client.peer_id} changed {keys} and was answered {result}")

    client.call("update-metadata", answered, changes=changes)


def _touch(client: Client) -> None:
    client.call("touch-metadata", key=client.scheduler.random.choice(client.world.keys), expires_in=3)


def _lock(client: Client) -> None:
    random = client.scheduler.random
    wait = random.choice((0, 500, 5000))
    how = {"expires_in": 2} if random.random() < 0.3 else {}

    def answered(result: dict[str, Any]) -> None:
        if result["holder"] != client.peer_id:
            raise Violation(f"{client.peer_id} was given the lock of {result}")
        client.scheduler.sometimes("a lock is had")
        lock = {"name": "deck", "token": result["token"]}
        if random.random() < 0.5:
            client.call("set-metadata", key="deck", data=client.scheduler.steps, if_lock=lock)
        if random.random() < 0.7:
            client.call("unlock", **lock)

    client.call("lock", answered, name="deck", wait_ms=wait, **how)


def _set_if(client: Client) -> None:
    key = client.scheduler.random.choice(client.world.keys)
    version, _ = client.view.metadata.get(key, (0, None))

    def answered(result: dict[str, Any]) -> None:
        if result["change_version"] != version + 1:
            raise Violation(f"{client.peer_id} set {key} at version {version} and made {result['change_version']}")

    client.call("set-metadata", answered, key=key, data=_value(client, key), if_change_version=version)


def _get(client: Client) -> None:
    key = client.scheduler.random.choice(client.world.keys)
    stream = client.stream

    def answered(result: dict[str, Any]) -> None:
        if stream and stream is client.stream and result["change_version"] < stream.versions.get(key, 0):
            raise Violation(f"{client.peer_id} read version {result['change_version']} of {key} after a later one")

    client.call("get-metadata", answered, key=key)


def _observe(client: Client) -> None:
    client.observe(client.wanted_keys())


def _rename(client: Client) -> None:
    client.call("peer-update", name=f"{client.name} {client.scheduler.random.randrange(5)}")


def _ping(client: Client) -> None:
    client.call("ping")


def _lose(client: Client) -> None:
    client.lose(client.scheduler.random.choice((0, 0.3, 2, 12)))


def _come_elsewhere(client: Client) -> None:
    client.scheduler.sometimes("another socket of a peer")
    client.come_elsewhere()


def _go(client: Client) -> None:
    client.go()


def _raise(client: Client) -> None:
    """Raise a hand, or lower it."""
    client.call("group-leave" if client.scheduler.chance(0.2) else "group-join", name=HANDS)


def _light(client: Client) -> None:
    """Put somebody into the spotlight: as the entry of who is seen, as our page does, or in another way."""
    random = client.scheduler.random
    seen = random.choice([client.peer_id, *client.view.peers])
    how = random.choice(({"owner": seen, "on_leave": "null"}, {"owner": True, "on_leave": "null"}, {}))
    client.call("set-metadata", key=SPOTLIGHT_KEY, data=seen, **how)


def _give_role(client: Client) -> None:
    random = client.scheduler.random
    if client.view.peers:
        role = random.choice(("guest", "viewer", "host"))
        client.call("role-change-request", requested_for=random.choice(list(client.view.peers)), role=role, force=True)


def _remove(client: Client) -> None:
    if client.view.peers:
        client.call("peer-leave-request", requested_for=client.scheduler.random.choice(list(client.view.peers)))


def _end(client: Client) -> None:
    client.call("end-room", lambda result: client.go())


_HABITS: dict[Habit, float] = {
    _say: 20,
    _say_again: 4,
    _say_to: 6,
    _say_to_role: 4,
    _set: 8,
    _set_if: 5,
    _update: 6,
    _touch: 1,
    _lock: 3,
    _get: 3,
    _observe: 3,
    _rename: 2,
    _ping: 3,
    _raise: 4,
    _light: 3,
    _give_role: 2,
    _lose: 2,
    _come_elsewhere: 0.5,
    _go: 1,
    _remove: 0.5,
    _end: 2,
}
