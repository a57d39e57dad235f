"""Several changes in one call: all or none of them, one number, one notification."""

import copy
import json
import time

import pytest

from rooms.models import AppliedChange, MetadataEntry
from rooms.operations.arriving import MAX_LEFT_OF_OWNER
from rooms.operations.engine.gate import run
from rooms.operations.engine.work import MAX_APPLIED
from rooms.operations.leaving import disconnect
from rooms.operations.metadata.patching import MAX_PATCH_WORK, Effort, patched
from rooms.operations.reaping import reap
from rooms.sockets.requests import MAX_WAITING
from tests.operations.driver import ask, call, do, error_of, kinds, position, prepare, refused, server, told, visitor

TEST = {"op": "test", "path": "/0", "value": "b"}


def update(caller, *changes):
    return do(caller, "update-metadata", changes=list(changes))


def test_i38_a_call_changes_several_keys_at_once_and_tells_of_it_once(alice, bob, room):
    do(bob, "listen-metadata-change", keys=["a", "b", "c"])
    do(alice, "set-metadata", key="c", data=1)
    before = position(room.id)
    answer = call(
        alice,
        "update-metadata",
        changes=[{"key": "a", "data": 7}, {"key": "b", "data": None}, {"key": "c", "remove": True}],
    )
    assert position(room.id) == before + 1
    assert [(entry["key"], entry["data"], entry["change_version"]) for entry in answer.result["entries"]] == [
        ("a", 7, 1),
        ("b", None, 1),
        ("c", None, 2),
    ]
    [(_, body)] = told(bob, answer.events)
    assert [value["key"] for value in body["values"]] == ["a", "b", "c"]
    assert MetadataEntry.objects.get(key="b").data == "null"
    assert MetadataEntry.objects.get(key="c").data is None


def test_a_peer_is_told_the_keys_that_it_observes(alice, bob):
    do(bob, "listen-metadata-change", keys=["b"])
    answer = call(alice, "update-metadata", changes=[{"key": "a", "data": "é"}, {"key": "b", "data": ["ü"]}])
    [(_, body)] = told(bob, answer.events)
    assert [(value["key"], value["data"]) for value in body["values"]] == [("b", ["ü"])]
    do(bob, "listen-metadata-change", keys=["other"])
    assert kinds(bob, call(alice, "update-metadata", changes=[{"key": "a", "data": 2}]).events) == []


def test_all_conflicts_are_told_and_nothing_is_changed(alice, bob):
    update(alice, {"key": "a", "data": 1}, {"key": "b", "data": 2}, {"key": "c", "data": 3})
    changes = [
        {"key": "a", "data": 9, "if_change_version": 4},
        {"key": "b", "data": 9, "if_change_version": 1},
        {"key": "c", "data": 9, "if_change_version": 0},
    ]
    before = position(alice.room_id)
    error = error_of(bob, "update-metadata", changes=changes)
    assert error.code == 409
    assert [(entry["key"], entry["data"]) for entry in error.data["entries"]] == [("a", 1), ("c", 3)]
    assert position(alice.room_id) == before
    assert [do(alice, "get-metadata", key=key)["data"] for key in "abc"] == [1, 2, 3]


def test_values_that_stand_are_left_out_of_the_news(alice, bob):
    do(bob, "listen-metadata-change", keys=["a", "b"])
    update(alice, {"key": "a", "data": 1})
    answer = call(alice, "update-metadata", changes=[{"key": "a", "data": 1}, {"key": "b", "data": 1}])
    [(_, body)] = told(bob, answer.events)
    assert [value["key"] for value in body["values"]] == ["b"]
    assert not call(alice, "update-metadata", changes=[{"key": "a", "data": 1}]).events


# --- Patches and increments ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": None, "e": 4}}, {"a": 1, "b": {"d": 3, "e": 4}}),
        ([1, 2], {"a": 1}, {"a": 1}),
        ({"a": [1]}, {"a": [2, None]}, {"a": [2, None]}),
        ({"a": "b"}, {"a": {"x": {"y": None}}}, {"a": {"x": {}}}),
        (["a", "b"], [{"op": "test", "path": "/0", "value": "a"}, {"op": "remove", "path": "/0"}], ["b"]),
        ({"l": [1]}, [{"op": "add", "path": "/l/-", "value": None}], {"l": [1, None]}),
    ],
)
def test_a_patch_changes_a_part_of_a_value(alice, before, patch, after):
    do(alice, "set-metadata", key="k", data=before)
    [entry] = update(alice, {"key": "k", "patch": patch})["entries"]
    assert entry["data"] == after
    assert do(alice, "get-metadata", key="k")["data"] == after


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        (
            [{"op": "remove", "path": "/1"}, {"op": "test", "path": "/0", "value": "b"}],
            422,
            "changes[0].patch[1]: the test fails",
        ),
        ([{"op": "remove", "path": "/7"}], 422, "changes[0].patch[0]: does not apply"),
        ([{"op": "jump", "path": "/0"}], 422, "changes[0].patch[0]: is no step"),
        ([{"path": "/0"}], 422, "changes[0].patch[0]: is no step"),
        ([3], 422, "changes[0].patch[0]: is no step"),
        (["x"], 422, "changes[0].patch[0]: is no step"),
        ([{"op": "move", "from": "", "path": "/0/a"}], 422, "changes[0].patch[0]: does not apply"),
        (3, 422, "changes[0].patch: expected an object or a list"),
        ([{"op": "copy", "from": "", "path": "/-"}] * 40, 413, "changes[0].patch[10]: makes the value larger"),
        ([{"op": "copy", "from": "", "path": "/0"}] * 40, 413, "changes[0].patch["),
        ([{"op": "add", "path": "/-", "value": 1}] * 101, 413, "changes[0].patch: 101 steps, at most 100"),
    ],
)
def test_a_patch_that_does_not_apply_is_refused(alice, patch, code, message):
    do(alice, "set-metadata", key="k", data=["a", "c"])
    found = refused(alice, "update-metadata", changes=[{"key": "k", "patch": patch}])
    assert (found[0], found[1][: len(message)]) == (code, message)


def test_a_refusal_names_the_change_and_what_would_be(alice, bob, room):
    host = visitor(room, "Host", "host")
    do(host, "join", name="Host")
    rule = {"key": "small", "max_bytes": 6}
    do(host, "set-metadata-rules", rules=[rule])
    update(alice, {"key": "list", "data": ["a"]}, {"key": "small", "data": {}})
    free = {"key": "free", "data": 1}
    half = "x" * 8_190

    def refusal(change):
        error = error_of(alice, "update-metadata", changes=[free, change])
        return error.code, error.message, error.data

    assert refusal({"key": "list", "patch": [{"op": "test", "path": "/0", "value": "b"}]}) == (
        422,
        "changes[1].patch[0]: the test fails",
        {"change": 1, "index": 0},
    )
    assert refusal({"key": "list", "increment": 1})[2] == {"change": 1}
    assert refusal({"key": "list", "data": 1, "owner": "nobody"})[:2] == (
        404,
        "changes[1].owner: no such peer in the room",
    )
    assert refusal({"key": "small", "patch": {"a": 11}}) == (
        413,
        "changes[1]: 8 bytes, at most 6 by the rule of small",
        {"limit": "max_bytes", "used": 8, "max": 6, "change": 1, "rule": rule},
    )
    limit = {"limit": "max_value_bytes", "max": 16_384, "change": 1}
    update(alice, {"key": "list", "data": {"a": half}})
    assert refusal({"key": "list", "patch": {"b": half}})[2] == {**limit, "used": 16_395}
    step = {"op": "add", "path": "/b", "value": half}
    assert refusal({"key": "list", "patch": [step]})[2] == {**limit, "used": 16_395, "index": 0}


def test_a_patch_must_not_nest_deeper_than_a_value_may(alice):
    do(alice, "set-metadata", key="k", data={"a": 1})
    deep = json.loads('{"a":' * 28 + "1" + "}" * 28)
    update(alice, {"key": "k", "data": deep})
    step = {"op": "copy", "from": "", "path": "/" + "/".join("a" * 28)}
    assert refused(alice, "update-metadata", changes=[{"key": "k", "patch": [step]}]) == (
        400,
        "JSON: more than 32 levels",
    )


def test_a_patch_that_nests_deeper_than_can_be_written_is_refused(alice):
    do(alice, "set-metadata", key="k", data={})
    steps = [{"op": "copy", "from": "", "path": "/a" * 2**number} for number in range(12)]
    found = refused(alice, "update-metadata", changes=[{"key": "k", "patch": steps}])
    assert found == (400, "changes[0].patch[9]: more than 32 levels")


def test_what_a_patch_adds_is_changed_by_its_later_steps_and_in_the_value_alone(alice):
    steps = [
        {"op": "add", "path": "/a", "value": {"n": [1]}},
        {"op": "copy", "from": "/a", "path": "/b"},
        {"op": "add", "path": "/a/n/-", "value": 2},
        {"op": "copy", "from": "/a/n", "path": "/b/n/-"},
    ]
    sent = json.dumps(steps)
    do(alice, "set-metadata", key="k", data={})
    [entry] = update(alice, {"key": "k", "patch": steps})["entries"]
    assert entry["data"] == {"a": {"n": [1, 2]}, "b": {"n": [1, [1, 2]]}}
    assert json.dumps(steps) == sent


class Unlimited(Effort):
    def spend(self, size: int, *, field: str, **more: int) -> None:
        pass


def test_the_steps_of_one_call_handle_so_many_bytes_and_no_more(alice, settings):
    settings.MAX_STORE_BYTES = 10**6
    for number in range(5):
        do(alice, "set-metadata", key=f"k{number}", data="x" * 12_000)
    long = [{"op": "replace", "path": "", "value": "x" * 12_000}] + [{"op": "copy", "from": "", "path": ""}] * 9
    update(alice, *({"key": f"k{number}", "patch": long} for number in range(4)))
    before = position(alice.room_id)
    error = error_of(alice, "update-metadata", changes=[{"key": f"k{number}", "patch": long} for number in range(5)])
    assert error.code == 413
    assert error.message.startswith("changes[4].patch[3]: the steps of the call would handle 528088 bytes")
    assert error.data == {"limit": "max_patch_work", "used": 528088, "max": MAX_PATCH_WORK, "change": 4, "index": 3}
    assert position(alice.room_id) == before


@pytest.mark.parametrize(
    "step",
    [
        {"op": "test", "path": "/a/0", "value": []},
        {"op": "remove", "path": "/b/0"},
        {"op": "copy", "from": "/a", "path": "/b"},
    ],
)
def test_the_steps_of_a_patch_take_less_than_to_copy_the_value_for_each(step):
    value: dict[str, list[object]] = {"a": [[] for _ in range(990)], "b": [[] for _ in range(990)]}

    def seconds(act) -> float:
        started = time.process_time()
        act()
        return time.process_time() - started

    copying = min(seconds(lambda: copy.deepcopy(value)) for _ in range(5))
    patch = [step] * 100
    patching = min(
        seconds(lambda: patched(copy.deepcopy(value), patch, change=0, effort=Unlimited())) for _ in range(3)
    )
    assert patching < 25 * copying


def test_increments_add_up(alice, bob):
    update(alice, {"key": "n", "increment": 1})
    update(bob, {"key": "n", "increment": -3})
    [entry] = update(bob, {"key": "n", "increment": 0.5})["entries"]
    assert entry["data"] == -1.5
    [entry] = update(bob, {"key": "n", "increment": 1.5})["entries"]
    assert (entry["data"], entry["change_version"]) == (0, 4)


def test_an_increment_of_something_else_is_refused(alice):
    for value in ("one", [1], True, {"n": 1}):
        do(alice, "set-metadata", key="n", data=value)
        assert refused(alice, "update-metadata", changes=[{"key": "n", "increment": 1}]) == (
            422,
            "changes[0].increment: n holds no number",
        )
    do(alice, "set-metadata", key="n", data=2**53)
    assert refused(alice, "update-metadata", changes=[{"key": "n", "increment": 1}])[0] == 422


# --- Repeated calls -----------------------------------------------------------------------------


def test_a_repeated_change_is_made_once_and_answered_as_it_was(alice, bob):
    changes = [{"key": "n", "increment": 1}]
    first = do(alice, "update-metadata", changes=changes, change_id="one")
    do(bob, "set-metadata", key="n", data=10)
    answer = call(alice, "update-metadata", changes=changes, change_id="one")
    assert answer.result == first
    assert not answer.events
    assert do(alice, "get-metadata", key="n")["data"] == 10
    assert do(bob, "update-metadata", changes=changes, change_id="one")["entries"][0]["data"] == 11
    assert do(alice, "update-metadata", changes=changes, change_id="two")["entries"][0]["data"] == 12


def test_a_change_is_recognised_in_the_same_transaction(alice):
    calls = [prepare(alice, "update-metadata", changes=[{"key": "n", "increment": 1}], change_id="one")] * 2
    assert [answer.result["entries"][0]["data"] for answer in run(calls)] == [1, 1]


def test_a_refused_change_may_be_tried_again_under_its_id(alice):
    changes = [{"key": "n", "data": 1, "if_change_version": 1}]
    assert error_of(alice, "update-metadata", changes=changes, change_id="one").code == 409
    do(alice, "set-metadata", key="n", data=0)
    assert do(alice, "update-metadata", changes=changes, change_id="one")["entries"][0]["change_version"] == 2


def test_few_changes_are_remembered_and_not_for_long(alice, settings):
    changes = [{"key": "n", "increment": 1}]
    for number in range(MAX_APPLIED + 5):
        do(alice, "update-metadata", changes=changes, change_id=f"id-{number}")
    assert AppliedChange.objects.count() == MAX_APPLIED
    settings.CLIENT_ID_SECONDS = -1
    last = f"id-{MAX_APPLIED + 4}"
    assert do(alice, "update-metadata", changes=changes, change_id=last)["entries"][0]["data"] == MAX_APPLIED + 6


def test_all_changes_that_may_be_under_way_are_recognised(alice, room):
    for caller, number in ((alice, MAX_WAITING + 1), (server(room), MAX_APPLIED + 1)):
        key = f"n-{number}"
        for _ in range(2):
            for place in range(number):
                changes = [{"key": key, "increment": 1}]
                last = do(caller, "update-metadata", changes=changes, change_id=f"id-{place}")
        assert last["entries"][0]["data"] == number


def test_answers_to_changes_are_kept_for_those_alone_who_may_repeat_them(alice, room, settings):
    settings.PEER_GRACE = 0

    def write(who):
        return prepare(who, "update-metadata", changes=[{"key": "n", "increment": 1}], change_id="one")

    for number in range(3):
        mallory = visitor(room, "Mallory", "guest", peer_id=f"m{number}")
        do(mallory, "join", name="Mallory")
        run([write(mallory)])
        removal = [{"key": "n", "remove": True}]
        run([prepare(mallory, "update-metadata", changes=removal, change_id="two"), prepare(mallory, "leave")])
    assert not AppliedChange.objects.exists()

    for number in range(MAX_LEFT_OF_OWNER + 3):
        mallory = visitor(room, "Mallory", "guest", peer_id=f"m{number}")
        do(mallory, "join", name="Mallory")
        [first] = run([write(mallory)])
        ask(mallory, disconnect)
        assert ask(server(room), reap).result["reaped"] == 1
    assert AppliedChange.objects.count() <= MAX_LEFT_OF_OWNER + 1
    do(mallory, "join", name="Mallory")
    assert run([write(mallory)])[0].result == first.result


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([], "changes: expected 1 to 100 entries"),
        ([{"key": "a"}], "changes[0]: expected one of data, patch, increment and remove"),
        ([{"key": "a", "remove": False}], "changes[0]: expected one of data, patch, increment and remove"),
        ([{"key": "a", "data": 1, "increment": 1}], "changes[0]: expected one of data, patch, increment and remove"),
        ([{"key": "a", "data": 1}, {"key": "a", "data": 2}], "changes[1].key: is changed before in the same call"),
        ([{"data": 1}], "changes[0].key: missing"),
        ([{"key": "a", "increment": "1"}], "changes[0].increment: expected a number"),
        ([{"key": "a", "data": 1, "on_leave": "drop"}], "changes[0].on_leave: expected one of remove, null, keep"),
        ([{"key": "a", "data": 1, "expires_in": 0.5}], "changes[0].expires_in: expected 1 to 604800"),
        ([{"key": "a", "data": 1, "owner": 3}], "changes[0].owner: expected true or false"),
    ],
)
def test_a_change_of_the_wrong_form_is_refused_by_name(alice, changes, message):
    assert refused(alice, "update-metadata", changes=changes) == (400, message)


def test_i38_of_changes_that_do_not_fit_together_none_is_made(alice, settings):
    settings.MAX_STORE_BYTES = 20
    changes = [{"key": "a", "data": "x" * 8}, {"key": "b", "data": "x" * 8}]
    error = error_of(alice, "update-metadata", changes=changes)
    assert error.code == 413
    assert error.data == {"limit": "max_store_bytes", "used": 22, "max": 20}
    assert do(alice, "get-metadata", key="a")["change_version"] == 0


def test_a_key_may_take_the_place_of_one_that_the_same_call_removes(alice, settings):
    settings.MAX_KEYS = 2
    update(alice, {"key": "a", "data": "long"}, {"key": "b", "data": 1})
    update(alice, {"key": "a", "remove": True}, {"key": "c", "data": 1})
    # But not two, also if they take less than it did.
    update(alice, {"key": "c", "data": "long " * 3})
    changes = [{"key": "c", "remove": True}, {"key": "a", "data": 1}, {"key": "d", "data": 1}]
    assert refused(alice, "update-metadata", changes=changes)[0] == 413
    update(alice, {"key": "b", "remove": True}, {"key": "a", "data": 1})
    changes = [{"key": "c", "remove": True}, {"key": "b", "data": 1}, {"key": "a", "data": 2}]
    update(alice, *changes)
