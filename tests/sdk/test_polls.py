import uuid
from typing import Any

import pytest

from tests.sdk.driver import ends_of, since

pytestmark = [pytest.mark.sdk, pytest.mark.asyncio(loop_scope="session")]


def options(*texts: str) -> list[dict[str, str]]:
    return [{"text": text} for text in texts]


def lunch() -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "title": "Lunch",
        "type": "poll",
        "questions": [
            {"text": "Soup?", "type": "single-choice", "options": [{"text": "yes"}, {"text": "no"}]},
            {
                "text": "Sides?",
                "type": "multiple-choice",
                "options": [{"text": "rice"}, {"text": "peas"}, {"text": "beans"}],
            },
        ],
    }


def sums() -> dict[str, Any]:
    right, wrong = {"text": "4", "isCorrectAnswer": True}, {"text": "5", "isCorrectAnswer": False}
    return {
        "id": str(uuid.uuid4()),
        "title": "Sums",
        "type": "quiz",
        "questions": [{"text": "2 + 2?", "type": "single-choice", "options": [wrong, right], "weight": 10}],
    }


@pytest.mark.parametrize("release", ends_of(since("0.10.16")))
async def test_a_poll_is_made_answered_and_stopped(room, release):
    alice, bob, carol = await room.meet(
        (release, "Alice", "host"), (release, "Bob", "guest"), (release, "Carol", "guest")
    )
    poll = lunch()
    await alice.call("interactivityCenter.createPoll", poll)
    await alice.call("interactivityCenter.startPoll", poll["id"])
    for peer in (alice, bob, carol):
        await peer.sees({"state": "started", "type": "poll", "questions": ["Soup?", "Sides?"]}, "poll", "Lunch")

    await bob.call("answerPoll", "Lunch", [{"questionIndex": 1, "option": 1}, {"questionIndex": 2, "options": [1, 3]}])
    await carol.call("answerPoll", "Lunch", [{"questionIndex": 1, "option": 1}, {"questionIndex": 2, "options": [3]}])
    for peer in (alice, bob, carol):
        await peer.sees([[2, 0], [1, 0, 2]], "votes", "Lunch")

    await alice.call("stopPoll", "Lunch")
    for peer in (alice, bob, carol):
        await peer.sees({"state": "stopped", "type": "poll", "questions": ["Soup?", "Sides?"]}, "poll", "Lunch")
        await peer.sees(["POLL_STOPPED"], "notices", "POLL_STOPPED")

    late = await carol.refused("answerPoll", "Lunch", [{"questionIndex": 1, "option": 2}])
    assert 400 <= late["code"] < 500


@pytest.mark.parametrize("release", ends_of(since("0.11.7")))
async def test_a_late_joiner_finds_the_running_poll(room, release):
    alice = await room.join(release, "Alice")
    await alice.call("interactivityCenter.startPoll", lunch())
    await alice.sees({"state": "started", "type": "poll", "questions": ["Soup?", "Sides?"]}, "poll", "Lunch")

    bob = await room.join(release, "Bob", "guest")
    assert await bob.call("listPolls") == [{"title": "Lunch", "state": "started"}]
    await bob.call("answerPoll", "Lunch", [{"questionIndex": 1, "option": 2}])
    await alice.sees([[0, 1], [0, 0, 0]], "votes", "Lunch")


@pytest.mark.parametrize("release", ends_of(since("0.11.7")))
async def test_a_quiz_ranks_those_who_answered(room, release):
    alice, bob, carol = await room.meet(
        (release, "Alice", "host"), (release, "Bob", "guest"), (release, "Carol", "guest")
    )
    quiz = sums()
    await alice.call("interactivityCenter.createPoll", quiz)
    await alice.call("interactivityCenter.startPoll", quiz["id"])
    # The SDK drops counts that come while it still reads the questions of a poll that was started, its maker's too.
    for peer in (alice, bob, carol):
        await peer.sees({"state": "started", "type": "quiz", "questions": ["2 + 2?"]}, "poll", "Sums")
    await bob.call("answerPoll", "Sums", [{"questionIndex": 1, "option": 1}])
    await carol.call("answerPoll", "Sums", [{"questionIndex": 1, "option": 2}])
    await alice.sees([[1, 1]], "votes", "Sums")
    await alice.call("stopPoll", "Sums")
    await alice.sees({"state": "stopped", "type": "quiz", "questions": ["2 + 2?"]}, "poll", "Sums")

    board = await alice.call("leaderboard", "Sums")
    places = [(entry["position"], entry["peer"]["username"], entry["score"]) for entry in board["entries"]]
    assert places == [(1, "Carol", 10), (2, "Bob", 0)]
    assert (board["summary"]["votedUsers"], board["summary"]["correctUsers"]) == (2, 1)


@pytest.mark.parametrize("release", ends_of(since("0.11.7")))
async def test_a_peer_that_was_cut_off_learns_what_became_of_polls(room, proxy, release):
    alice = await room.join(release, "Alice")
    bob = await room.join(release, "Bob", "guest", server=f"http://127.0.0.1:{proxy.port}")
    for title in ("Ended", "Answered"):
        poll = {**lunch(), "title": title}
        await alice.call("interactivityCenter.createPoll", poll)
        await alice.call("interactivityCenter.startPoll", poll["id"])
        await bob.sees("started", "pollState", title)

    proxy.block()
    await bob.sees(["RECONNECTING"], "notices", "RECONNECTING")
    await alice.call("stopPoll", "Ended")
    await alice.call("answerPoll", "Answered", [{"questionIndex": 1, "option": 2}])
    await alice.call("interactivityCenter.startPoll", {**lunch(), "title": "Begun"})
    proxy.unblock()

    await bob.sees("stopped", "pollState", "Ended")
    await bob.sees("started", "pollState", "Begun")
    await bob.sees([[0, 1], [0, 0, 0]], "votes", "Answered")
