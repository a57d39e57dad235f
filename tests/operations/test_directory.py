"""Finding peers by id, role, group and name."""

import asyncio
import threading
from typing import Any

import pytest
from django.db import transaction

from rooms.models import Room
from rooms.operations.engine import gate
from rooms.operations.engine.calls import Caller
from tests.operations.driver import do, prepare, refused, row, visitor
from tests.support.sockets import World, chat


@pytest.fixture
def crowd(alice: Caller, room: Room) -> list[Caller]:
    """25 guests, called Guest 1 to Guest 25, who came after Alice."""
    guests = [visitor(room, f"Guest {number}", "guest") for number in range(1, 26)]
    for guest in guests:
        do(guest, "join", name=guest.name)
    return guests


def ids(page: dict[str, Any]) -> list[str]:
    return [peer["peer_id"] for peer in page["peers"]]


def test_a_peer_is_found_by_its_id(alice, bob):
    found = do(alice, "get-peer", peer_id="peer-Bob")
    assert {name: found[name] for name in row(bob).as_wire()} == row(bob).as_wire()
    assert refused(alice, "get-peer", peer_id="nobody")[0] == 404


def test_a_peer_of_another_room_is_not_found(alice, carol):
    assert refused(alice, "get-peer", peer_id="peer-Carol")[0] == 404


def test_pages_go_through_all_peers_in_the_order_of_joining(alice, crowd):
    page = do(alice, "find-peer", role="guest")
    assert (page["total"], page["eof"], ids(page)) == (25, False, [g.peer_id for g in crowd[:10]])

    page = do(alice, "peer-iter-next", iterator=page["iterator"], limit=12)
    assert (page["total"], page["eof"], ids(page)) == (25, False, [g.peer_id for g in crowd[10:22]])

    page = do(alice, "peer-iter-next", iterator=page["iterator"])
    assert (page["eof"], ids(page)) == (True, [g.peer_id for g in crowd[22:]])


def test_pages_neither_repeat_nor_skip_when_peers_come_and_go(alice, crowd, room):
    page = do(alice, "find-peer", role="guest", limit=5)
    do(crowd[1], "leave")
    do(crowd[6], "leave")
    do(visitor(room, "Late", "guest"), "join", name="Late")

    seen = ids(page)
    while not page["eof"]:
        page = do(alice, "peer-iter-next", iterator=page["iterator"], limit=5)
        seen += ids(page)
    assert seen == [g.peer_id for g in crowd if g is not crowd[6]] + ["peer-Late"]


def test_queries_by_role_group_and_ids_combine(alice, bob, victor):
    do(bob, "group-join", name="_handraise")
    do(victor, "group-join", name="_handraise")

    assert ids(do(alice, "find-peer")) == ["peer-Alice", "peer-Bob", "peer-Victor"]
    assert ids(do(alice, "find-peer", group="_handraise")) == ["peer-Bob", "peer-Victor"]
    assert ids(do(alice, "find-peer", group="_handraise", role="viewer")) == ["peer-Victor"]
    assert ids(do(alice, "find-peer", peers=["peer-Alice", "peer-Bob", "nobody"], role="guest")) == ["peer-Bob"]
    nobody = do(alice, "find-peer", group="other")
    assert (nobody["peers"], nobody["total"], nobody["eof"]) == ([], 0, True)


def test_a_page_has_at_most_a_hundred_peers_and_at_least_one(alice, crowd):
    assert len(ids(do(alice, "find-peer", limit=10_000))) == 26
    assert len(ids(do(alice, "find-peer", limit=-3))) == 1


@pytest.mark.parametrize("iterator", ["", "x", "W10:abc"])
def test_a_made_up_iterator_is_refused(alice, iterator):
    assert refused(alice, "peer-iter-next", iterator=iterator)[0] == 400


def test_an_iterator_of_another_session_is_refused(alice, bob, carol):
    iterator = do(alice, "find-peer")["iterator"]
    assert refused(carol, "peer-iter-next", iterator=iterator)[0] == 400


def test_a_query_has_limits(alice):
    assert refused(alice, "find-peer", group="x" * 101)[0] == 400
    assert refused(alice, "find-peer", peers=["x"] * 101)[0] == 413


def test_names_are_searched_in_any_case(alice, bob, victor, room):
    do(visitor(room, "Ída", "guest"), "join", name="ÍDA Larsen")
    found = do(alice, "peer-name-search", query="ída")
    assert found["peers"] == [{"peer_id": "peer-Ída", "name": "ÍDA Larsen", "role": "guest", "type": "regular"}]
    assert [peer["name"] for peer in do(alice, "peer-name-search", query="i")["peers"]] == ["Alice", "Victor"]
    assert do(alice, "peer-name-search", query="%")["peers"] == []


def test_a_search_goes_on_at_its_offset(alice, crowd):
    first = do(alice, "peer-name-search", query="guest", limit=20)
    assert (first["count"], first["offset"], first["eof"]) == (20, 20, False)
    rest = do(alice, "peer-name-search", query="guest", limit=20, offset=first["offset"])
    assert (rest["count"], rest["offset"], rest["eof"]) == (5, 25, True)
    assert ids(first) + ids(rest) == [guest.peer_id for guest in crowd]


# --- Beside those that write --------------------------------------------------------------------

QUERIES: list[tuple[str, dict[str, Any]]] = [
    ("find-peer", {}),
    ("find-peer", {"group": "_handraise", "role": "guest"}),
    ("find-peer", {"group": ', ": "'}),
    ("find-peer", {"group": '"', "peers": ["peer-bob", "x"]}),
    ("peer-name-search", {"query": "B"}),
    ("peer-name-search", {"query": "ß%_\\"}),
]


@pytest.mark.matrix
async def test_finding_peers_waits_for_nobody_who_writes_and_is_the_same_everywhere(world: World):
    bob, alice = await world.peer("bob"), await world.peer("alice", "host")
    await bob.call("group-join", name="_handraise")
    await bob.call("group-join", name='a"b')
    await alice.call("group-join", name="x")
    expected = [["bob", "alice"], ["bob"], [], [], ["bob"], []]

    def hold() -> None:
        with transaction.atomic():
            Room.objects.select_for_update().get(id=world.room.id)  # with SQLite the lock of everything
            held.set()
            assert free.wait(30)

    held, free = threading.Event(), threading.Event()
    holding = asyncio.ensure_future(world.query(hold))
    await asyncio.to_thread(held.wait, 30)
    try:
        pages = [await alice.call(method, **params) for method, params in QUERIES]
        rest = await alice.call("peer-iter-next", iterator=pages[0]["iterator"])
    finally:
        free.set()
        await holding
    found = [[peer["peer_id"].partition("-")[0] for peer in page["peers"]] for page in pages]
    assert found == expected
    assert (rest["peers"], rest["total"], rest["eof"]) == ([], 2, True)
    assert pages[0]["seq"] == (await chat(alice, "hello"))["seq"] - 1


def test_a_search_reads_no_more_rows_than_a_page(alice, crowd, django_assert_max_num_queries):
    with django_assert_max_num_queries(8) as queries:
        gate.read(prepare(alice, "find-peer", limit=5))
    assert any("LIMIT 6" in query["sql"] for query in queries)
