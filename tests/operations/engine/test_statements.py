"""Rows that are read by hand are those that Django would read."""

from typing import Any

import pytest

from rooms.models import Peer, Room, Session
from rooms.operations.engine import statements
from rooms.operations.engine.transaction import Cursor
from tests.operations.driver import do, visitor


def _fields(peer: Peer) -> dict[str, Any]:
    return {field.attname: getattr(peer, field.attname) for field in Peer._meta.concrete_fields}


@pytest.mark.matrix
@pytest.mark.django_db(transaction=True)
def test_peers_are_read_as_django_reads_them(database: str, room: Room):
    alice, bob = visitor(room, "alice", "host"), visitor(room, "bob", "guest")
    for caller in (alice, bob):
        do(caller, "join", name="Zoë")
    do(bob, "listen-metadata-change", keys=["tea", "é"])
    do(alice, "leave")
    [session] = Session.objects.all()

    with Cursor() as cursor:
        here = statements.present_peers(cursor, session.id)
        found = statements.peers(cursor, [session.id], peer_id=[alice.peer_id], owner={alice.owner, bob.owner})
        nobody = statements.peers(cursor, [session.id], peer_id=[], owner=[])

    stored = {peer.peer_id: _fields(peer) for peer in Peer.objects.all()}
    assert [_fields(peer) for peer in here] == [stored[bob.peer_id]]
    assert {peer.peer_id: _fields(peer) for peer in found} == stored
    assert nobody == []
    assert here[0].joined_at.tzinfo is not None
    assert not here[0]._state.adding
