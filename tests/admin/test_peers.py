"""A peer's own page: what became of it."""

import re

from rooms.models import Peer
from rooms.operations.leaving import disconnect
from tests.admin.driver import page, staff
from tests.operations.driver import again, ask, do, row, server, visitor, welcome


def timeline(client, peer: Peer) -> list[str]:
    html = page(client, f"peer/{peer.pk}/change/").partition("field-timeline")[2]
    return re.findall(r"<td>[\d: -]+</td><td>(.*?)</td>", html)


def test_it_tells_what_became_of_a_peer(operator, room, alice):
    do(visitor(room, "Bob", "guest"), "join", name="Bob")
    ask(alice, disconnect)
    welcome(again(alice))
    do(server(room), "role-change-request", requested_for="peer-Alice", role="guest", force=True)
    do(server(room), "peer-leave-request", requested_for="peer-Alice")

    assert timeline(operator, row(alice)) == [
        "joined as host", "lost the connection", "is back on a new connection", "role: host, now guest",
        "left: peer kicked",
    ]  # fmt: skip
    assert timeline(operator, Peer.objects.get(peer_id="peer-Bob")) == ["joined as guest"]


def test_of_a_session_that_is_over_it_tells_what_is_kept_and_says_so(operator, room, alice):
    do(server(room), "end-room")
    assert timeline(operator, row(alice)) == ["joined as host", "left: server removed peer"]
    assert "the journal of its session" in page(operator, f"peer/{row(alice).pk}/change/")


def test_who_may_act_can_do_so_from_a_peers_page(operator, client, room, alice):
    assert "Remove…" in page(operator, f"peer/{row(alice).pk}/change/")
    client.force_login(staff("vera", "view_peer"))
    assert "Remove…" not in page(client, f"peer/{row(alice).pk}/change/")
