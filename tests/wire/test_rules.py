"""Rules of session metadata: which one counts for a key, and which are refused. Needs no database."""

import copy
import tracemalloc

import pytest

from rooms.wire.rules import NO_RULE, Rules, check_rules, stored_rules, usable_rules

RULES = Rules(
    [
        {"key": "spotlight", "write": ["host"]},
        {"key": "cursor:$peer", "write": "owner"},
        {"key": "vote:$user:*", "write": "none", "create": ["host", "guest"], "read": ["host"]},
        {"key": "deck:*", "write": ["host"], "lock": "deck"},
        {"key": "deck:1", "write": ["guest"]},
        {"key": "a.c", "write": "server"},
    ]
)


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("spotlight", "spotlight"),
        ("spotlight2", ""),
        ("cursor:bob", "cursor:$peer"),
        ("cursor:", ""),
        ("cursor:bob:x", "cursor:$peer"),
        ("cursor::", "cursor:$peer"),
        ("cursor:*", "cursor:$peer"),
        ("vote:me:soup", "vote:$user:*"),
        ("vote:me:", "vote:$user:*"),
        ("vote:me", ""),
        ("deck:1", "deck:*"),
        ("deck:\n", "deck:*"),
        ("deck", ""),
        ("abc", ""),
        ("a.c", "a.c"),
    ],
)
def test_the_first_rule_that_fits_counts(key, rule):
    assert RULES.of(key).key == rule
    assert RULES.of(key) is RULES.of(key)


def test_a_segment_is_the_writers_own():
    rule = RULES.of("cursor:bob")
    assert rule.is_own("cursor:bob", peer_id="bob", person="x")
    assert not rule.is_own("cursor:bob", peer_id="x", person="bob")
    vote = RULES.of("vote:me:soup")
    assert vote.is_own("vote:me:soup", peer_id="bob", person="me")
    assert not vote.is_own("vote:me:soup", peer_id="me", person="you")
    assert NO_RULE.is_own("anything", peer_id="", person="")


def test_an_id_may_have_colons():
    rule = RULES.of("cursor:bob:x")
    assert rule.is_own("cursor:bob:x", peer_id="bob:x", person="")
    assert not rule.is_own("cursor:bob:x", peer_id="bob", person="x")
    assert not rule.is_own("cursor:bob:x", peer_id="x", person="bob")
    # Within a key it stands for one part: who is called so owns nothing there, and nothing of anybody else.
    rules = Rules([{"key": "shape:$peer:*", "write": "owner"}])
    assert not rules.of("shape:bob:x:1").is_own("shape:bob:x:1", peer_id="bob:x", person="")
    assert rules.of("shape:bob:x:1").is_own("shape:bob:x:1", peer_id="bob", person="")


def test_a_stored_rule_of_a_key_with_a_dollar_counts_still():
    assert Rules([{"key": "price:$", "write": "none"}]).of("price:$").write == "none"


def test_who_may_read():
    assert RULES.readable(["vote:me:soup", "spotlight", "free"], "guest") == ["spotlight", "free"]
    assert RULES.readable(["vote:me:soup", "spotlight"], "host") == ["vote:me:soup", "spotlight"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({}, "rules: expected a list of rules"),
        ([{"key": "a"}] * 101, "rules: 101 rules, at most 100"),
        ([{"key": "a"}, 3], "rules[1]: expected an object"),
        ([{}], "rules[0].key: expected 1 to 128 bytes, with * at the end only"),
        ([{"key": "a*b"}], "rules[0].key: expected 1 to 128 bytes"),
        ([{"key": "a:$peer*"}], "rules[0].key: expected 1 to 128 bytes"),
        ([{"key": "é" * 65}], "rules[0].key: expected 1 to 128 bytes"),
        ([{"key": "a", "writes": ["host"]}], "rules[0].writes: no field of a rule; those are key, write"),
        ([{"key": "a", "write": "guests"}], 'rules[0].write: expected a list of roles, "owner", "server" or "none"'),
        ([{"key": "a", "write": None}], "rules[0].write: expected"),
        ([{"key": "a", "read": "owner"}], "rules[0].read: expected a list of roles"),
        ([{"key": "a:$pear"}], "rules[0].key: expected $ in $peer and $user only"),
        ([{"key": "a$peer"}], "rules[0].key: expected $ in $peer and $user only"),
        ([{"key": "a:$user.b"}], "rules[0].key: expected $ in $peer and $user only"),
        ([{"key": "a"}, {"key": "b:$"}], "rules[1].key: expected $ in $peer and $user only"),
        ([{"key": "a", "read": ["nobody"]}], "rules[0].read: there is no role nobody"),
        ([{"key": "a", "max_bytes": True}], "rules[0].max_bytes: expected a whole number from 1"),
        ([{"key": "a", "max_bytes": 0}], "rules[0].max_bytes: expected a whole number from 1"),
        ([{"key": "a", "on_leave": "drop"}], "rules[0].on_leave: expected one of remove, null, keep"),
        ([{"key": "a", "expires_in": 10**9}], "rules[0].expires_in: expected seconds, 1 to 604800"),
        ([{"key": "a", "lock": ""}], "rules[0].lock: expected the name of a lock, 1 to 64 characters"),
        ([{"key": "a" * 128, "write": ["h" * 100] * 100}] * 2, "rules: 20899 bytes, at most 16384"),
    ],
)
def test_a_bad_rule_is_refused_by_name(rules, message):
    with pytest.raises(ValueError) as refusal:
        check_rules(rules, "rules", roles=["host", "guest", "h" * 100])
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize("wires", [[], [{"key": "a:*", "write": ["host"]}]])
def test_keys_that_somebody_makes_up_are_not_kept(wires):
    rules = Rules(wires)
    tracemalloc.start()
    for number in range(4000):
        rules.of(f"{number:0128d}")
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 200_000


def test_good_rules_pass():
    check_rules([dict(rule) for rule in RULES.wires], "rules", roles=["host", "guest"])
    check_rules([{"key": "a", "read": ["somebody"]}], "rules")


def test_a_rule_that_was_stored_by_hand_and_is_wrong_lets_nobody_in():
    stored = [{"key": "a", "write": "everybody"}, {"key": 3}, 7, {"key": "b", "write": ["host"]}]
    assert usable_rules(stored) == [{"key": "a", "write": "none", "read": []}, {"key": "b", "write": ["host"]}]
    assert usable_rules("rules") == []


def test_rules_that_are_read_again_are_not_made_again():
    room, template = [{"key": "spotlight", "write": ["host"]}], [{"key": "deck:*"}]
    rules = stored_rules(room, template)
    assert stored_rules(copy.deepcopy(room), copy.deepcopy(template)) is rules
    assert stored_rules([], template).of("spotlight") is NO_RULE
    assert rules.of("spotlight").write == ("host",)
