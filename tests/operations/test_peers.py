"""What a peer says of itself."""

import pytest

from tests.operations.driver import call, do, refused, row, told


def test_only_what_is_given_changes_and_the_others_are_told(alice, bob):
    answer = call(bob, "peer-update", data='{"status":"away"}')
    [(kind, peer)] = told(alice, answer.events)
    assert (kind, peer["info"]["name"], peer["info"]["data"]) == ("on-peer-update", "Bob", '{"status":"away"}')
    assert told(bob, answer.events) == []

    do(bob, "peer-update", name="Bobby")
    assert (row(bob).name, row(bob).metadata) == ("Bobby", '{"status":"away"}')


def test_what_stands_already_is_no_change(alice, bob):
    do(bob, "peer-update", data="{}")
    assert not call(bob, "peer-update", name="Bob", data="{}").events
    assert not call(bob, "peer-update").events
    assert do(bob, "peer-update", name=" Bob ")["name"] == "Bob"


def test_i33_a_peer_changes_nobody_but_itself_and_nothing_but_name_and_metadata(alice, bob):
    do(bob, "peer-update", name="Bobby", peer_id="peer-Alice", role="host", groups=["_handraise"], user_id="user-Alice")
    peer = row(bob)
    assert (peer.name, peer.role, peer.groups, peer.user_id) == ("Bobby", "guest", [], "user-Bob")
    assert row(alice).name == "Alice"


def test_metadata_goes_with_the_peer(alice, bob):
    do(bob, "peer-update", data="{}")
    do(bob, "leave")
    do(bob, "join", name="Bob")
    assert row(bob).metadata == ""


def test_a_name_is_cleaned(alice, bob):
    do(bob, "peer-update", name="  Bo\u202eb \n Jr\u200f ")
    assert row(bob).name == "Bob Jr"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"name": ""}, 400),
        ({"name": " \u202e "}, 400),
        ({"name": "x" * 101}, 400),
        ({"name": 7}, 400),
        ({"data": {"status": "away"}}, 400),
        ({"data": "x" * 4097}, 413),
        ({"name": "Bobby", "data": "x" * 4097}, 413),
    ],
)
def test_what_cannot_be_said(alice, bob, params, code):
    assert refused(bob, "peer-update", **params)[0] == code
    assert row(bob).name == "Bob"


def test_markup_in_a_name_is_a_name(alice, bob):
    do(bob, "peer-update", name="<script>alert(1)</script>")
    assert row(bob).name == "<script>alert(1)</script>"
