"""Session metadata: values, versions, observers, limits, pins."""

import json
from typing import Any

import pytest

from rooms.models import MetadataEntry
from rooms.operations.engine.gate import run
from rooms.wire.effects import Refresh
from rooms.wire.errors import VersionConflict
from rooms.wire.results import Observation
from tests.operations.driver import at_once, call, do, kinds, prepare, refused, row, say, server, told, visitor

VALUES: list[Any] = [
    "text",
    "",
    "Ünïcödé 🎉 \u2028 </script>",
    0,
    -7,
    1.5,
    1e300,
    2**80,
    True,
    False,
    None,
    [],
    {},
    [1, [2, {"three": None}]],
    {"z": 1, "a": {"y": 2, "b": 3}, "é": "x", "": 0},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_any_json_value_comes_back_as_it_was(alice, bob, value):
    do(alice, "set-metadata", key="topic", data=value)
    found = do(bob, "get-metadata", key="topic")["data"]
    # As text, so that the order of keys counts, and true is not 1.
    assert json.dumps(found) == json.dumps(value)


def test_a_value_replaces_the_whole_one_before(alice):
    do(alice, "set-metadata", data={"a": 1, "b": 2})
    do(alice, "set-metadata", data={"c": 3})
    assert do(alice, "get-metadata")["data"] == {"c": 3}


def test_calls_without_a_key_share_the_key_default(alice, bob):
    set_by_old = do(alice, "set-metadata", data="tea")
    assert (set_by_old["key"], set_by_old["change_version"]) == ("default", 1)
    assert do(bob, "get-metadata", key="default")["data"] == "tea"
    do(bob, "set-metadata", key="default", data="milk")
    assert do(alice, "get-metadata")["data"] == "milk"


def test_the_answer_is_the_entry(alice):
    entry = do(alice, "set-metadata", key="topic", data={"a": 1})
    assert entry.pop("updated_at") > 1_700_000_000_000
    assert entry.pop("seq") > 0
    assert entry == {"key": "topic", "data": {"a": 1}, "change_version": 1, "updated_by": "peer-Alice"}


def test_a_key_never_set_is_null_at_version_0(alice):
    entry = do(alice, "get-metadata", key="topic")
    assert {name: entry[name] for name in entry if name != "seq"} == {
        "key": "topic",
        "data": None,
        "change_version": 0,
    }
    assert not MetadataEntry.objects.exists()


# --- Versions -----------------------------------------------------------------------------------


def test_i15_versions_rise_by_one_over_removal(alice, bob):
    versions = [
        do(alice, "set-metadata", key="topic", data="tea")["change_version"],
        do(bob, "set-metadata", key="topic", data="coffee")["change_version"],
        do(bob, "set-metadata", key="topic")["change_version"],
        do(alice, "set-metadata", key="topic", data=None)["change_version"],
        do(alice, "set-metadata", key="topic", data="milk")["change_version"],
    ]
    assert versions == [1, 2, 3, 4, 5]
    assert do(bob, "set-metadata", key="other", data=1)["change_version"] == 1


@pytest.mark.parametrize("value", ["tea", None, {"a": 1, "b": [2.5]}])
def test_a_value_that_stands_is_no_change(alice, bob, value):
    do(bob, "listen-metadata-change", keys=["topic"])
    do(alice, "set-metadata", key="topic", data=value)
    answer = call(bob, "set-metadata", key="topic", data=value)
    assert answer.result["change_version"] == 1
    assert not answer.events
    do(alice, "set-metadata", key="topic")
    assert not call(bob, "set-metadata", key="topic").events


def test_a_removed_key_reads_as_null_and_keeps_its_version(alice):
    do(alice, "set-metadata", key="topic", data="tea")
    do(alice, "set-metadata", key="topic")
    entry = do(alice, "get-metadata", key="topic")
    assert (entry["data"], entry["change_version"]) == (None, 2)


def test_a_stale_version_is_refused_with_the_entry_as_it_stands(alice, bob):
    do(alice, "set-metadata", key="topic", data="tea")
    answer = call(bob, "set-metadata", key="topic", data="milk", if_change_version=0)

    assert isinstance(answer.error, VersionConflict)
    assert answer.error.code == 409
    held = do(bob, "get-metadata", key="topic")
    assert answer.error.data == {name: held[name] for name in held if name != "seq"}
    assert (held["data"], held["change_version"]) == ("tea", 1)
    assert do(bob, "set-metadata", key="topic", data="milk", if_change_version=1)["change_version"] == 2


def test_version_0_means_never_set(alice):
    do(alice, "set-metadata", key="topic", data="tea", if_change_version=0)
    do(alice, "set-metadata", key="topic")
    assert refused(alice, "set-metadata", key="topic", data="tea", if_change_version=0)[0] == 409


def test_i14_of_writes_with_one_expectation_in_one_transaction_one_succeeds(alice, bob):
    writes = [prepare(who, "set-metadata", key="n", data=who.name, if_change_version=0) for who in (alice, bob, alice)]
    answers = run(writes)
    assert [answer.error is None for answer in answers] == [True, False, False]
    for answer in answers[1:]:
        assert answer.error is not None
        assert answer.error.data["data"] == "Alice"


@pytest.mark.matrix
def test_i14_of_writes_with_one_expectation_at_once_one_succeeds(database, room):
    callers = [visitor(room, f"Writer {number}", "guest") for number in range(8)]
    for caller in callers:
        do(caller, "join", name=caller.name)
    for version in range(3):
        writes = [
            prepare(c, "set-metadata", key="n", data=f"{version}{c.name}", if_change_version=version) for c in callers
        ]
        answers = at_once(writes)
        [won] = [answer for answer in answers if answer.error is None]
        held = do(callers[0], "get-metadata", key="n")
        assert (held["data"], held["change_version"]) == (f"{version}{won.call.caller.name}", version + 1)
        lost = [answer.error for answer in answers if answer.error]
        assert [(error.code, error.data["change_version"]) for error in lost] == [(409, version + 1)] * 7


@pytest.mark.matrix
def test_i14_no_acknowledged_write_is_lost(database, room):
    """Counting up by compare-and-set, all at once and again and again."""
    callers = [visitor(room, f"Writer {number}", "guest") for number in range(4)]
    for caller in callers:
        do(caller, "join", name=caller.name)
    acknowledged = 0
    for _ in range(6):
        held = do(callers[0], "get-metadata", key="n")
        value = {"data": (held["data"] or 0) + 1, "if_change_version": held["change_version"]}
        answers = at_once([prepare(caller, "set-metadata", key="n", **value) for caller in callers])
        acknowledged += sum(answer.error is None for answer in answers)
    assert do(callers[0], "get-metadata", key="n")["data"] == acknowledged == 6


@pytest.mark.matrix
def test_different_keys_do_not_get_in_each_others_way(database, room):
    callers = [visitor(room, f"Writer {number}", "guest") for number in range(6)]
    for caller in callers:
        do(caller, "join", name=caller.name)
    at_once([prepare(caller, "set-metadata", key=caller.name, data=caller.name) for caller in callers])
    assert [do(callers[0], "get-metadata", key=caller.name)["data"] for caller in callers] == [
        caller.name for caller in callers
    ]


# --- Who is told --------------------------------------------------------------------------------


def test_those_who_observe_are_told_the_setter_too(alice, bob, victor):
    do(alice, "listen-metadata-change", keys=["topic"])
    do(bob, "listen-metadata-change", keys=["topic", "other"])
    answer = call(alice, "set-metadata", key="topic", data="tea")

    [(kind, body)] = told(bob, answer.events)
    assert kind == "on-metadata-change"
    [value] = body["values"]
    assert {name: value[name] for name in ("key", "data", "change_version", "updated_by")} == {
        "key": "topic",
        "data": "tea",
        "change_version": 1,
        "updated_by": "peer-Alice",
    }
    assert kinds(alice, answer.events) == ["on-metadata-change"]
    assert kinds(victor, answer.events) == []
    assert kinds(alice, call(bob, "set-metadata", key="other", data=1).events) == []


def test_observing_replaces_what_was_observed_and_brings_what_is_set(alice, bob):
    do(alice, "set-metadata", key="topic", data="tea")
    do(alice, "set-metadata", key="gone", data="x")
    do(alice, "set-metadata", key="gone")
    answer = call(bob, "listen-metadata-change", keys=["unset", "topic", "gone", "topic"])

    assert isinstance(answer.for_socket, Observation)
    assert answer.for_socket.keys == frozenset({"unset", "topic", "gone"})
    assert [(value["key"], value["data"], value["change_version"]) for value in answer.for_socket.values] == [
        ("gone", None, 2),
        ("topic", "tea", 1),
    ]
    do(bob, "listen-metadata-change", keys=["other"])
    assert row(bob).observed == ["other"]
    do(bob, "listen-metadata-change", keys=[])
    assert row(bob).observed == []


def test_old_clients_are_told_to_refresh_unless_the_writer_does_it_itself(alice, bob, room):
    old = visitor(room, "Old", "guest", legacy=True)
    do(old, "join", name="Old")

    def refreshes(who: Any, **params: Any) -> bool:
        [event] = call(who, "set-metadata", **params).events
        return isinstance(event.effect, Refresh)

    assert refreshes(alice, data="tea")
    assert not refreshes(old, data="coffee")
    assert not refreshes(alice, key="topic", data="tea")


def test_the_server_writes_without_a_peer(alice, room):
    entry = do(server(room), "set-metadata", key="topic", data="tea")
    assert entry["updated_by"] == ""
    assert MetadataEntry.objects.get().updated_by_name == "operator"


def test_one_room_does_not_see_the_other(alice, carol):
    do(alice, "set-metadata", key="topic", data="tea")
    assert do(carol, "get-metadata", key="topic")["change_version"] == 0


# --- Limits -------------------------------------------------------------------------------------


def test_a_value_has_a_limit_in_bytes(alice, settings):
    settings.MAX_VALUE_BYTES = 12
    do(alice, "set-metadata", data="é" * 5)
    code, message = refused(alice, "set-metadata", data="é" * 6)
    assert (code, message) == (413, "data: 14 bytes, at most 12")
    assert do(alice, "get-metadata")["data"] == "é" * 5


def test_all_values_together_have_a_limit_and_names_count(alice, settings):
    settings.MAX_STORE_BYTES = 30
    do(alice, "set-metadata", key="1234567890", data="12345678")  # 20 bytes
    assert refused(alice, "set-metadata", key="abcde", data="1234")[0] == 413
    do(alice, "set-metadata", key="abcde", data="123")  # 30 bytes
    assert refused(alice, "set-metadata", key="abcde", data="1234")[0] == 413
    do(alice, "set-metadata", key="abcde", data="1")
    do(alice, "set-metadata", key="1234567890")
    do(alice, "set-metadata", key="abcde", data="12345678901234567890")


def test_the_number_of_keys_has_a_limit_and_removal_makes_room(alice, settings):
    settings.MAX_KEYS = 2
    do(alice, "set-metadata", key="a", data=1)
    do(alice, "set-metadata", key="b", data=1)
    assert refused(alice, "set-metadata", key="c", data=1)[0] == 413
    do(alice, "set-metadata", key="b", data=2)
    do(alice, "set-metadata", key="a")
    do(alice, "set-metadata", key="c", data=1)
    assert refused(alice, "set-metadata", key="a", data=1)[0] == 413


def test_the_number_of_keys_ever_used_has_a_limit(alice, settings):
    settings.MAX_KEYS_EVER = 3
    for key in "abc":
        do(alice, "set-metadata", key=key, data=1)
        do(alice, "set-metadata", key=key)
    assert refused(alice, "set-metadata", key="d", data=1)[0] == 413
    do(alice, "set-metadata", key="a", data=1)


def test_what_others_fill_up_keeps_nobody_from_pins_and_spotlight(alice, bob, settings):
    settings.MAX_KEYS, settings.MAX_KEYS_EVER, settings.MAX_STORE_BYTES = 2, 2, 20
    said = say(bob, "hello")
    do(bob, "set-metadata", key="a", data="x" * 8)
    do(bob, "set-metadata", key="b", data="x" * 6)
    assert refused(bob, "set-metadata", key="c", data=1)[0] == 413
    do(alice, "pin-message", id=said)
    do(alice, "set-metadata", key="spotlight", data="peer-Bob")
    assert do(alice, "get-metadata")["data"] == "Bob: hello"
    do(bob, "set-metadata", key="a", data="x" * 8)


def test_a_key_has_a_length(alice):
    for method, params in (("set-metadata", {"data": 1}), ("get-metadata", {})):
        assert refused(alice, method, key="", **params)[0] == 400
        assert refused(alice, method, key="é" * 65, **params)[0] == 400
    assert refused(alice, "listen-metadata-change", keys=["x" * 129])[0] == 400
    do(alice, "set-metadata", key="é" * 64, data=1)


def test_the_number_of_observed_keys_has_a_limit(alice, settings):
    settings.MAX_KEYS = 3
    assert refused(alice, "listen-metadata-change", keys=list("abcd"))[0] == 413


@pytest.mark.parametrize(
    "params",
    [
        {"key": 1, "data": 1},
        {"key": None, "data": 1},
        {"data": 1, "if_change_version": "1"},
        {"data": 1, "if_change_version": True},
    ],
)
def test_parameters_have_types(alice, params):
    assert refused(alice, "set-metadata", **params)[0] == 400


def test_a_keys_list_is_a_list_of_strings(alice):
    wrong: list[Any] = [None, "topic", [1], [None], [True], {}]
    for keys in wrong:
        assert refused(alice, "listen-metadata-change", keys=keys)[0] == 400
