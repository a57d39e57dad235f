"""Each anomaly by its name, in small histories that have it."""

import pytest

from tests.histories.story import Story


@pytest.fixture
def story() -> Story:
    """Alice hosts and Bob is a guest; nothing has happened yet."""
    story = Story()
    story.come("alice", role="host")
    story.come("bob")
    return story


# --- Session metadata


def test_lost_update_when_the_condition_is_not_looked_at(story: Story):
    story.sets("alice", "tea", version=1, seq=1)
    story.sets("bob", "milk", expected=0, version=2, seq=2)

    assert story.wrong == {"lost update"}


def test_lost_update_when_a_version_is_given_twice(story: Story):
    first, second = story.asks_to_set("alice", "tea"), story.asks_to_set("bob", "tea")
    story.answer(first, seq=1, change_version=1)
    story.answer(second, seq=2, change_version=1)

    assert story.wrong == {"lost update"}


def test_stale_read_after_an_acknowledged_write(story: Story):
    story.sets("alice", "tea", version=1, seq=1)
    story.gets("bob", None, version=0, seq=0)

    assert story.wrong == {"stale read"}


def test_stale_read_after_somebody_else_read_the_new_value(story: Story):
    write = story.asks_to_set("alice", "tea")
    story.gets("bob", "tea", version=1, seq=1)
    story.gets("alice", None, version=0, seq=1)
    story.answer(write, seq=1, change_version=1)

    assert "stale read" in story.wrong


def test_stale_read_after_somebody_was_told_the_new_value(story: Story):
    write = story.asks_to_set("alice", "tea")
    story.changed("bob", "tea", version=1, seq=1)
    story.gets("bob", None, version=0, seq=0)
    story.answer(write, seq=1, change_version=1)

    assert story.wrong == {"stale read"}


def test_stale_conflict(story: Story):
    story.sets("alice", "tea", version=1, seq=1)
    story.sets("alice", "milk", version=2, seq=2)
    entry = {"key": "topic", "data": "tea", "change_version": 1}
    story.refuse(story.asks_to_set("bob", "water", expected=2), 409, entry)

    assert story.wrong == {"stale read"}


def test_false_conflict(story: Story):
    story.sets("alice", "tea", version=1, seq=1)
    entry = {"key": "topic", "data": "tea", "change_version": 1}
    story.refuse(story.asks_to_set("bob", "milk", expected=1), 409, entry)

    assert story.wrong == {"false conflict"}


def test_read_from_the_future(story: Story):
    story.gets("bob", "tea", version=1, seq=1)
    story.sets("alice", "tea", version=1, seq=1)

    assert "read from the future" in story.wrong


def test_read_from_the_future_of_a_write_without_an_answer(story: Story):
    story.changed("bob", "tea", version=1)
    story.lose(story.asks_to_set("alice", "tea"))

    assert story.wrong == {"read from the future"}


def test_aborted_read(story: Story):
    story.refuse(story.asks_to_set("alice", "tea"), 403)
    story.gets("bob", "tea", version=1, seq=1)

    assert story.wrong == {"aborted read"}


def test_phantom_value(story: Story):
    story.sets("alice", "tea", version=1, seq=1)
    story.gets("bob", "milk", version=2, seq=2)

    assert story.wrong == {"phantom"}


def test_phantom_version(story: Story):
    story.sets("alice", "tea", version=1, seq=1)
    story.sets("alice", "milk", version=3, seq=3)

    assert story.wrong == {"phantom"}


def test_phantom_second_effect_of_one_write(story: Story):
    story.lose(story.asks_to_set("alice", "tea"))
    story.gets("bob", "tea", version=1, seq=1)
    story.gets("bob", "tea", version=2, seq=2)

    assert story.wrong == {"phantom"}


def test_split_brain_of_one_version(story: Story):
    story.sets("alice", "tea", version=1, seq=1)
    story.gets("bob", "milk", version=1, seq=1)

    assert story.wrong == {"split brain"}


def test_reordered_writes(story: Story):
    story.sets("alice", "tea", version=2, seq=2)
    story.sets("bob", "milk", version=1, seq=1)

    assert story.wrong == {"reorder"}


def test_versions_against_the_numbers_of_the_session(story: Story):
    first, second = story.asks_to_set("alice", "tea"), story.asks_to_set("bob", "milk")
    story.answer(first, seq=1, change_version=2)
    story.answer(second, seq=2, change_version=1)

    assert story.wrong == {"reorder"}


def test_changes_told_in_the_wrong_order(story: Story):
    story.sets("alice", "tea", version=1, seq=1)
    story.sets("alice", "milk", version=2, seq=2)
    story.changed("bob", "milk", version=2)
    story.changed("bob", "tea", version=1)

    assert story.wrong == {"reorder"}


def test_missed_change(story: Story):
    for version in (1, 2, 3):
        story.sets("alice", version, version=version, seq=version)
    story.changed("bob", 1, version=1, seq=1)
    story.changed("bob", 3, version=3, seq=3)

    assert story.wrong == {"missed change"}


# --- Messages


def test_lost_message(story: Story):
    story.say("alice", "hi", seq=1)
    story.say("alice", "you?", seq=2)
    story.hears("bob", "you?", seq=2)

    assert story.wrong == {"lost message"}


def test_lost_message_that_is_known_by_others_alone(story: Story):
    story.come("carol")
    story.lose(story.says("alice", "hi"))
    story.hears("carol", "hi", seq=1)
    story.say("alice", "you?", seq=2)
    story.hears("bob", "you?", seq=2)

    assert story.wrong == {"lost message"}


def test_lost_message_before_a_later_answer(story: Story):
    story.say("alice", "hi", seq=1)
    story.sets("bob", "tea", version=1, seq=2)

    assert story.wrong == {"lost message"}


def test_duplicate_to_one_peer(story: Story):
    story.say("alice", "hi", seq=1)
    story.hears("bob", "hi", seq=1)
    story.hears("bob", "hi", seq=1)

    assert story.wrong == {"duplicate"}


def test_duplicate_of_a_message_that_was_sent_again(story: Story):
    story.lose(story.says("alice", "hi"))
    story.hears("bob", "hi", seq=1)
    story.say("alice", "hi", seq=2)
    story.hears("bob", "hi", seq=2)

    assert story.wrong == {"duplicate"}


def test_reordered_events(story: Story):
    story.come("carol")
    first, second = story.says("alice", "hi"), story.says("alice", "you?")
    story.answer(first, seq=1)
    story.answer(second, seq=2)
    for peer, order in (("bob", (1, 2)), ("carol", (2, 1))):
        for seq in order:
            story.hears(peer, {1: "hi", 2: "you?"}[seq], seq=seq)

    assert story.wrong == {"reorder"}


def test_reordered_messages_of_one_sender(story: Story):
    story.say("alice", "hi", seq=2)
    story.say("alice", "you?", seq=1)

    assert story.wrong == {"reorder"}


def test_message_from_the_future(story: Story):
    story.hears("bob", "hi", seq=1)
    story.say("alice", "hi", seq=1)

    assert "read from the future" in story.wrong


def test_aborted_message(story: Story):
    story.refuse(story.says("alice", "hi"), 403)
    story.hears("bob", "hi", seq=1)

    assert story.wrong == {"aborted read"}


def test_phantom_message(story: Story):
    story.hears("bob", "hi", seq=1)

    assert story.wrong == {"phantom"}


def test_phantom_sender(story: Story):
    story.come("carol")
    story.say("alice", "hi", seq=1)
    story.hears("bob", "hi", seq=1, by="carol")

    assert story.wrong == {"phantom"}


def test_split_brain_of_one_number(story: Story):
    story.come("carol")
    first, second = story.says("alice", "hi"), story.says("alice", "you?")
    story.answer(first, seq=1)
    story.answer(second, seq=1)
    story.hears("bob", "hi", seq=1)
    story.hears("carol", "you?", seq=1)

    assert "split brain" in story.wrong


def test_split_brain_of_two_sessions(story: Story):
    story.sets("alice", "tea", version=1, seq=1, session="one")
    story.sets("bob", "tea", version=1, seq=1, session="other")
    story.sets("alice", "milk", version=2, seq=2, session="one")
    story.sets("bob", "milk", version=2, seq=2, session="other")

    assert story.wrong == {"split brain"}


def test_leak_to_the_sender(story: Story):
    story.say("alice", "hi", seq=1)
    story.hears("alice", "hi", seq=1)
    story.hears("bob", "hi", seq=1)

    assert story.wrong == {"leak"}


def test_leak_of_a_private_message(story: Story):
    story.come("carol")
    story.say("alice", "between us", seq=1, peer_id="bob")
    story.hears("bob", "between us", seq=1)
    story.hears("carol", "between us", seq=1)

    assert story.wrong == {"leak"}


def test_leak_of_a_message_to_a_role(story: Story):
    story.say("alice", "to hosts", seq=1, roles=["host"])
    story.hears("bob", "to hosts", seq=1)

    assert story.wrong == {"leak"}


def test_leak_to_a_role_that_is_held_no_longer(story: Story):
    story.role("bob", "host", seq=1)
    story.role("bob", "guest", seq=2)
    story.say("alice", "to hosts", seq=3, roles=["host"])
    story.hears("bob", "to hosts", seq=3)

    assert story.wrong == {"leak"}
