"""Which messages a connection sent while it held its peer, by their client ids, so that a repetition is recognised.

No index of the table tells: ids are random, and an entry at a random place costs each message as much as half of all
else that is stored for it. What a connection sent passes here, and what its peer sent over earlier ones is read when
it sends its first. Of a peer that is here no other process stores a message.
"""

from collections import OrderedDict
from collections.abc import Iterable

from rooms.models import Session
from rooms.operations.engine import statements
from rooms.operations.engine.calls import Caller
from rooms.operations.engine.transaction import Cursor

_MAX_CONNECTIONS = 16_384
_MAX_MORE = 1000
"""After so many more than were read, or as many, they are read anew: so none is remembered at length."""

_BUCKETS = 16
"""Parts of what is remembered, of which one is searched: who sends thousands would wait for a search of them all."""


class ClientIds:
    """Those of a connection."""

    __slots__ = ("_buckets", "_left")

    def __init__(self, client_ids: Iterable[str]) -> None:
        self._buckets: dict[int, bytearray] = {}
        self._left = 0
        self._left = max(_MAX_MORE, sum(map(self.take, client_ids)))

    def take(self, client_id: str) -> bool:
        """Add one that is not among them. False if it seems to be, of which the table has to tell more."""
        digest = _digest(client_id)
        digests = self._buckets.setdefault(digest[0] % _BUCKETS, bytearray())
        if digest in digests:
            return False
        digests += digest
        self._left -= 1
        return True

    @property
    def is_full(self) -> bool:
        return self._left <= 0


def _digest(client_id: str) -> bytes:
    # Python's hash is keyed anew in each process: nobody can choose ids that are taken for each other.
    return (hash(client_id) & 0xFFFFFFFF).to_bytes(4, "little")


_remembered: OrderedDict[tuple[str, str], ClientIds] = OrderedDict()
"""By session and connection, used longest ago first."""


def forget(session_id: str, conn_id: str) -> None:
    """A connection takes hold of its peer, for which others may have sent something since it did so before."""
    _remembered.pop((session_id, conn_id), None)


def of(cursor: Cursor, session: Session, caller: Caller, *, noted: Iterable[str]) -> ClientIds:
    """Those of the caller's connection, with those ``noted`` that are not in the table yet; under the room's lock."""
    key = session.id, caller.conn_id
    client_ids = _remembered.pop(key, None)
    if client_ids is None or client_ids.is_full:
        client_ids = ClientIds([*statements.client_ids(cursor, session.id, caller.peer_id), *noted])
    if caller.conn_id:  # else any process may be asked the next time
        _remembered[key] = client_ids
        if len(_remembered) > _MAX_CONNECTIONS:
            _remembered.popitem(last=False)
    return client_ids
