"""Everything that can be done in a room. Importing this package fills ``gate.METHODS``."""

from rooms.operations import messaging, metadata, peers, presence

__all__ = ["messaging", "metadata", "peers", "presence"]
