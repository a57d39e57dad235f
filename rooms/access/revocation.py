"""Closing the sockets of this process whose tokens were signed by a key that is good no longer."""

from rooms.access import keys
from rooms.delivery import hub as hubs

INTERVAL = 15.0
"""Seconds after which the sockets of a revoked key are closed at the latest, a busy database aside."""


def close_revoked() -> None:
    """Ask once which keys of this process's sockets are revoked. For a thread that has a database connection."""
    hub = hubs.current()
    if hub and (revoked := keys.revoked(hub.access_keys())):
        hub.loop.call_soon_threadsafe(hub.revoke_tokens, revoked)
