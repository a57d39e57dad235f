"""What must be so when nothing has gone wrong for a while: clients and database hold the same."""

import json
from typing import TYPE_CHECKING, Any

from tests.simulation.journal import SECRET, addressed
from tests.simulation.scheduler import Violation

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.world import World

_PEERS = (
    "SELECT p.peer_id, p.name, p.role, p.state, p.hand_raised_at, p.session_id FROM rooms_peer p"
    " JOIN rooms_session s ON s.id = p.session_id"
    " WHERE s.room_id = ? AND s.ended_at IS NULL AND p.state IN ('connected', 'reconnecting')"
)
_ENTRIES = (
    "SELECT e.key, e.change_version, e.data FROM rooms_metadataentry e JOIN rooms_session s ON s.id = e.session_id"
    " WHERE s.room_id = ? AND s.ended_at IS NULL"
)


def check_agreement(world: "World") -> None:
    """Raises Violation if a client holds something else than the database, or is not where it believes to be."""
    execute = world.database.storage.execute
    for room_id in world.room_ids:
        peers = {row[0]: row[1:] for row in execute(_PEERS, (room_id,))}
        entries = {key: (version, data) for key, version, data in execute(_ENTRIES, (room_id,))}
        clients = [client for client in world.clients if client.room_id == room_id and client.wants]
        for client in clients:
            _check_client(world, client, peers, entries)
        strangers = peers.keys() - {client.peer_id for client in clients}
        if strangers:
            raise Violation(f"nobody removed {sorted(strangers)}, who are gone")
    world.scheduler.sometimes("all agree")


def _check_client(
    world: "World", client: "Client", peers: dict[str, Any], entries: dict[str, tuple[int, str | None]]
) -> None:
    if not (client.inside and client.socket and client.stream):
        raise Violation(f"{client.peer_id} could not come back")
    if [socket for socket in client.sockets if socket.open and not (socket is client.socket or socket.parts)]:
        raise Violation(f"{client.peer_id} has another socket, and the server leaves it open")
    if client.peer_id not in peers:
        raise Violation(f"{client.peer_id} is connected, and not in the session")
    _, role, state, _, session_id = peers[client.peer_id]
    if state != "connected":
        raise Violation(f"{client.peer_id} is connected, and taken for {state}")
    if client.view.session_id != session_id:
        raise Violation(f"{client.peer_id} is in session {client.view.session_id} and not in {session_id}")
    if client.view.role != role:
        raise Violation(f"{client.peer_id} believes to be {client.view.role} and is {role}")
    held = {
        peer_id: (peer["info"]["name"], peer["role"], peer["state"], peer.get("hand_raised_at", 0))
        for peer_id, peer in client.view.peers.items()
        if peer_id != client.peer_id
    }
    there = {peer_id: peer[:4] for peer_id, peer in peers.items() if peer_id != client.peer_id}
    if held != there:
        raise Violation(f"{client.peer_id} holds the peers {held} and not {there}")
    for key in client.observed or ():
        version, text = entries.get(key, (0, None))
        if key == SECRET and role != "host":
            version, text = 0, None
        value = version, None if text is None else json.loads(text)
        if client.view.metadata.get(key, (0, None)) != value:
            raise Violation(f"{client.peer_id} holds {client.view.metadata.get(key)} for {key} and not {value}")
    journal = world.journals.present[session_id]
    if client.view.locks != journal.locks:
        raise Violation(f"{client.peer_id} holds the locks {client.view.locks} and not {journal.locks}")
    position = client.stream.position
    for seq in range(position + 1, journal.last + 1) if position is not None else ():
        entry = journal.entries[seq]
        # Values were looked at above: who observes a key since this event was sent the value, and not the event.
        if entry.kind == "on-metadata-change" or SECRET in entry.body:
            continue
        if addressed(entry, client.peer_id, role, client.observed):
            raise Violation(f"{client.peer_id} was never sent event {seq}: {journal.entries[seq].frame}")
