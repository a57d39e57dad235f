"""Histories that look odd and are right."""

from pathlib import Path

from tests.histories.story import Story


def test_calls_at_the_same_time_take_effect_in_any_order():
    story = Story()
    first, second = story.asks_to_set("alice", "tea"), story.asks_to_set("bob", "milk")
    story.answer(first, seq=2, change_version=2)
    story.gets("carol", "tea", version=2, seq=2)
    story.answer(second, seq=1, change_version=1)

    assert story.wrong == set()


def test_a_read_during_a_write_sees_it_or_not():
    story = Story()
    write = story.asks_to_set("alice", "tea")
    story.gets("bob", None, version=0, seq=0)
    story.gets("bob", "tea", version=1, seq=1)
    story.answer(write, seq=1, change_version=1)

    assert story.wrong == set()


def test_a_write_without_an_answer_may_have_happened_even_later():
    story = Story()
    story.lose(story.asks_to_set("alice", "tea"))
    story.gets("bob", None, version=0, seq=0)
    story.gets("bob", "tea", version=1, seq=1)

    assert story.wrong == set()


def test_a_write_without_an_answer_fills_a_version_that_nobody_saw():
    story = Story()
    story.lose(story.asks_to_set("alice", "tea", expected=4))
    story.lose(story.asks_to_set("alice", "tea"))
    story.sets("bob", "milk", version=2, seq=2)

    assert story.wrong == set()


def test_of_writes_of_one_value_without_an_answer_each_may_have_happened():
    story = Story()
    story.lose(story.asks_to_set("alice", "tea"))
    story.lose(story.asks_to_set("alice", "tea"))
    story.gets("bob", "tea", version=1, seq=1)
    story.gets("bob", "tea", version=2, seq=2)

    assert story.wrong == set()


def test_a_conflict_tells_what_there_is():
    story = Story()
    story.sets("alice", "tea", version=1, seq=1)
    entry = {"key": "topic", "data": "tea", "change_version": 1}
    story.refuse(story.asks_to_set("bob", "milk", expected=0), 409, entry)

    assert story.wrong == set()


def test_the_next_session_starts_anew():
    story = Story()
    story.sets("alice", "tea", version=1, seq=7)
    story.sets("bob", "milk", version=1, seq=2, session="the next")

    assert story.wrong == set()


def test_a_message_sent_again_counts_once():
    story = Story()
    story.come("alice", "bob")
    story.lose(story.says("alice", "hi"))
    story.hears("bob", "hi", seq=1)
    story.sets("bob", "tea", version=1, seq=2)
    story.say("alice", "hi", seq=1)

    assert story.wrong == set()


def test_who_comes_later_or_goes_earlier_is_told_less():
    story = Story()
    story.come("alice", "bob")
    story.say("alice", "hi", seq=1)
    story.come("carol", seq=1)
    story.say("alice", "still there?", seq=2)
    story.hears("carol", "still there?", seq=2)

    assert story.wrong == set()


def test_a_role_is_told_what_is_said_while_it_is_held():
    story = Story()
    story.come("alice", "bob")
    story.say("alice", "to hosts", seq=1, roles=["host"])
    story.role("bob", "host", seq=2)
    story.say("alice", "to all hosts", seq=3, roles=["host"])
    story.hears("bob", "to all hosts", seq=3)
    story.role("bob", "guest", seq=4)
    story.say("alice", "to hosts alone", seq=5, roles=["host"])
    story.say("alice", "to all", seq=6)
    story.hears("bob", "to all", seq=6)

    assert story.wrong == set()


def test_what_an_observer_is_told_at_first_may_be_any_version():
    story = Story()
    story.come("bob")
    for version in (1, 2, 3):
        story.sets("alice", version, version=version, seq=version)
    story.changed("bob", 3, version=3)
    story.sets("alice", 4, version=4, seq=4)
    story.changed("bob", 4, version=4, seq=4)

    assert story.wrong == set()


def test_a_history_that_is_kept_is_the_same(tmp_path: Path):
    story = Story()
    story.come("bob")
    story.sets("alice", {"of": ["tea"]}, version=1, seq=1)
    story.changed("bob", {"of": ["tea"]}, version=1, seq=1)
    story.save(tmp_path / "kept")

    assert Story.load(tmp_path / "kept").entries == story.entries
