"""Entries that end by themselves: with their owners, and by their time."""

from datetime import timedelta

from rooms.models import MetadataEntry, Session, milliseconds
from rooms.operations.engine import clock
from rooms.operations.leaving import disconnect
from rooms.operations.metadata.lapses import settle_due
from rooms.wire.results import Observation
from tests.operations.driver import ask, call, do, error_of, kinds, refused, row, say, server, told, visitor


def held(room) -> dict[str, str | None]:
    return dict(MetadataEntry.objects.filter(session__room=room).values_list("key", "data"))


# --- Owners -------------------------------------------------------------------------------------


def test_i39_what_becomes_of_the_keys_of_a_peer_that_leaves(alice, bob, room):
    do(bob, "listen-metadata-change", keys=["gone", "null", "kept", "his"])
    for key, params in (
        ("gone", {"owner": True}),
        ("null", {"owner": True, "on_leave": "null"}),
        ("kept", {"on_leave": "keep"}),
        ("his", {"owner": "peer-Bob"}),
    ):
        entry = do(alice, "set-metadata", key=key, data=1, **params)
        assert entry["owner"] == ("peer-Bob" if key == "his" else "peer-Alice")

    events = told(bob, call(alice, "leave").events)
    assert [kind for kind, _ in events] == ["on-metadata-change", "on-peer-leave"]
    values = {value["key"]: value for value in events[0][1]["values"]}
    assert {key: value["data"] for key, value in values.items()} == {"gone": None, "null": None, "kept": 1}
    assert all("owner" not in value and value["change_version"] == 2 for value in values.values())
    assert held(room) == {"gone": None, "null": "null", "kept": "1", "his": "1"}


def test_a_lost_connection_is_no_leave(alice, bob, room):
    do(alice, "set-metadata", key="mine", data=1, owner=True)
    ask(alice, disconnect)
    assert held(room) == {"mine": "1"}


def test_an_owner_must_be_there(alice):
    assert refused(alice, "set-metadata", key="k", data=1, owner="nobody") == (404, "owner: no such peer in the room")


def test_another_write_undoes_what_the_last_one_said(alice, bob, room):
    do(alice, "set-metadata", key="k", data=1, owner=True, expires_in=60)
    entry = do(bob, "set-metadata", key="k", data=1)
    assert entry["change_version"] == 2
    assert "owner" not in entry
    assert "expires_at" not in entry
    do(alice, "leave")
    assert held(room) == {"k": "1"}


def test_a_session_that_ends_tells_of_no_entries(alice, bob):
    do(bob, "leave")
    do(alice, "set-metadata", key="k", data=1, owner=True)
    answer = call(alice, "leave")
    assert kinds(bob, answer.events) == ["on-peer-leave"]
    assert answer.end


def test_limits_keep_nobody_from_leaving(alice, bob, room, settings):
    host = visitor(room, "Host", "host")
    do(host, "join", name="Host")
    for key, on_leave in (("null", "null"), ("kept", "keep")):
        do(alice, "set-metadata", key=key, data=1, owner=True, on_leave=on_leave)
    do(alice, "set-metadata", key="long", data="long", owner=True, on_leave="keep")
    # By now either would be too large: null is longer than 1.
    do(host, "set-metadata-rules", rules=[{"key": "*", "max_bytes": 1}])
    settings.MAX_STORE_BYTES = 10
    do(alice, "leave")
    assert held(room) == {"null": "null", "kept": "1", "long": '"long"'}


# --- Expiry -------------------------------------------------------------------------------------


def test_i40_a_key_is_removed_when_its_time_is_over(alice, bob, room, later):
    do(bob, "listen-metadata-change", keys=["k"])
    entry = do(alice, "set-metadata", key="k", data=1, expires_in=10)
    assert entry["expires_at"] == milliseconds(clock.now() + timedelta(seconds=10))
    later(9)
    assert not ask(server(room), settle_due).events
    later(1)
    answer = ask(server(room), settle_due)
    [(_, body)] = told(bob, answer.events)
    [value] = body["values"]
    assert (value["data"], value["change_version"], value["updated_by"]) == (None, 2, "")
    assert not ask(server(room), settle_due).events
    assert Session.objects.get(room=room).due_at is None


def test_i40_what_is_past_its_time_is_gone_for_whoever_asks_first(alice, bob, later):
    do(alice, "set-metadata", key="k", data=1, expires_in=10)
    do(alice, "set-metadata", key="l", data=1, expires_in=20)
    later(15)
    assert error_of(bob, "set-metadata", key="k", data=2, if_change_version=1).code == 409
    assert do(bob, "get-metadata", key="k")["data"] is None
    assert do(bob, "set-metadata", key="k", data=2, if_change_version=2)["change_version"] == 3
    later(5)
    observation = call(bob, "listen-metadata-change", keys=["l"]).for_socket
    assert isinstance(observation, Observation)
    assert [(value["data"], value["change_version"]) for value in observation.values] == [(None, 2)]


def test_touching_prolongs_and_tells_nobody(alice, bob, room, later):
    do(bob, "listen-metadata-change", keys=["k"])
    do(alice, "set-metadata", key="k", data=1, expires_in=10)
    later(8)
    answer = call(alice, "touch-metadata", key="k", expires_in=10)
    assert answer.result["change_version"] == 1
    assert not answer.events
    later(8)
    assert not ask(server(room), settle_due).events
    assert do(bob, "get-metadata", key="k")["data"] == 1
    later(2)
    assert len(ask(server(room), settle_due).events) == 1
    assert refused(alice, "touch-metadata", key="k", expires_in=10) == (404, "key: is not set")


def test_a_rule_says_when_the_write_does_not(alice, bob, room, later):
    host = visitor(room, "Host", "host")
    do(host, "join", name="Host")
    do(host, "set-metadata-rules", rules=[{"key": "cursor:*", "on_leave": "null", "expires_in": 30}])
    entry = do(bob, "set-metadata", key="cursor:b", data=1)
    assert entry["owner"] == "peer-Bob"
    assert entry["expires_at"] == milliseconds(clock.now() + timedelta(seconds=30))
    entry = do(bob, "set-metadata", key="cursor:b", data=2, expires_in=5)
    later(5)
    assert do(alice, "get-metadata", key="cursor:b")["data"] is None


def test_a_cached_session_knows_what_is_due_as_the_row_does(alice, room, later):
    do(alice, "set-metadata", key="k", data=1, expires_in=10)
    do(alice, "set-metadata", key="k", data=1)
    later(11)
    do(alice, "get-metadata", key="k")
    assert held(room) == {"k": "1"}
    assert row(alice).session.due_at is None


def test_a_rule_gives_no_other_owner_and_no_later_time_to_a_value_that_stands(alice, bob, room, later):
    host = visitor(room, "Host", "host")
    do(host, "join", name="Host")
    do(host, "set-metadata", key="cursor:b", data=1)
    do(host, "set-metadata-rules", rules=[{"key": "cursor:*", "on_leave": "null", "expires_in": 30}])
    entry = do(bob, "set-metadata", key="cursor:b", data=1)
    assert (entry["owner"], entry["change_version"]) == ("peer-Bob", 2)
    until = entry["expires_at"]
    later(10)
    for who in (alice, bob, server(room)):
        answer = call(who, "set-metadata", key="cursor:b", data=1)
        assert not answer.events
        assert (answer.result["owner"], answer.result["expires_at"]) == ("peer-Bob", until)
        assert answer.result["change_version"] == 2
    # Whoever says whose it is, or until when, means it.
    assert do(alice, "set-metadata", key="cursor:b", data=1, expires_in=30)["expires_at"] > until
    entry = do(alice, "set-metadata", key="cursor:b", data=1, owner=True)
    assert (entry["owner"], entry["change_version"]) == ("peer-Alice", 4)
    assert do(bob, "set-metadata", key="cursor:b", data=2)["owner"] == "peer-Bob"


# --- Pins ---------------------------------------------------------------------------------------


def test_pins_that_end_by_themselves_are_shown_to_old_clients_no_longer(alice, bob, room, later):
    host = visitor(room, "Host", "host")
    do(host, "join", name="Host")
    do(host, "listen-metadata-change", keys=["default", "pinnedMessages"])

    def pinned(rule, end):
        do(host, "set-metadata-rules", rules=[{"key": "pinnedMessages", **rule}])
        do(bob, "pin-message", id=say(bob, "hello"))
        assert do(host, "get-metadata")["data"] == "Bob: hello"
        return {value["key"]: value["data"] for _, body in told(host, end().events) for value in body.get("values", ())}

    def times_out():
        later(10)
        return ask(server(room), settle_due)

    gone = {"pinnedMessages": None, "default": None}
    assert pinned({"expires_in": 10}, times_out) == gone
    assert held(room) == {"pinnedMessages": None, "default": "null"}
    assert pinned({"on_leave": "null"}, lambda: call(bob, "leave")) == gone
    do(bob, "join", name="Bob")
    assert pinned({"on_leave": "keep"}, lambda: call(bob, "leave"))["pinnedMessages"]
    assert do(host, "get-metadata")["data"] == "Bob: hello"


def test_pins_that_end_by_themselves_spare_what_else_is_kept_without_a_key(alice, bob, room, later):
    host = visitor(room, "Host", "host")
    do(host, "join", name="Host")
    do(host, "set-metadata-rules", rules=[{"key": "pinnedMessages", "expires_in": 10}])
    do(bob, "pin-message", id=say(bob, "hello"))
    do(host, "set-metadata", data="agenda")
    later(10)
    ask(server(room), settle_due)
    assert held(room) == {"pinnedMessages": None, "default": '"agenda"'}


def test_pins_that_end_by_themselves_tell_nothing_to_who_may_not_read_them(alice, bob, room, later):
    host = visitor(room, "Host", "host")
    do(host, "join", name="Host")
    do(host, "pin-message", id=say(bob, "hello"))
    do(host, "set-metadata-rules", rules=[{"key": "pinnedMessages", "read": ["host"]}])
    do(host, "touch-metadata", key="pinnedMessages", expires_in=10)
    later(10)
    ask(server(room), settle_due)
    assert held(room) == {"pinnedMessages": None, "default": '"Bob: hello"'}
