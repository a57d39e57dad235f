"""One room's events on their way to sockets: every number once, in order, whatever arrives when."""

import asyncio
import json
import random
from typing import Any

import pytest

from rooms.events import EVERYBODY, NOBODY, Audience, End, Numbered
from rooms.feed import Arrival, Feed, Member, Missed
from rooms.operations.calls import Answer
from rooms.operations.presence import Attachment
from rooms.outbox import Outbox, texts_in
from rooms.protocol import notification

SESSION = "s" * 24


class Paper(Outbox):
    """An outbox that keeps what is written."""

    def __init__(self) -> None:
        super().__init__(lambda: None)
        self.frames: list[dict[str, Any]] = []
        self.write = self._take

    def _take(self, wire: bytes) -> None:
        self.frames += [json.loads(text) for text in texts_in(wire)]

    @property
    def unsent(self) -> int:
        return 0

    def numbers(self) -> list[int]:
        return [frame["seq"] for frame in self.frames if "seq" in frame]


class Room:
    """A feed whose journal is a list."""

    def __init__(self) -> None:
        self.journal: list[Numbered] = []
        self.trimmed_to = 0
        self.ended: End | None = None
        self.fetches = 0
        self.codes: dict[str, int | None] = {}
        self.feed = Feed("r" * 24, self._fetch)

    async def _fetch(self, session_id: str, after: int, until: int, history: str) -> Missed | End | None:
        self.fetches += 1
        await asyncio.sleep(0)
        if self.ended:
            return self.ended
        return None if after < self.trimmed_to else Missed(self.journal[after:until], history)

    def write(self, count: int = 1, audience: Audience = EVERYBODY, **facts: Any) -> list[Numbered]:
        """Events that are stored and not told yet."""
        start = len(self.journal)
        numbers = range(start + 1, start + 1 + count)
        new = [Numbered(seq, "on-test", f'{{"n":{seq}}}', audience, facts) for seq in numbers]
        self.journal += new
        return new

    def tell(self, *events: Numbered) -> None:
        """News from another process."""
        self.bring(Arrival(SESSION, events[-1].seq, events, None))

    def bring(self, arrival: Arrival) -> None:
        self.feed.arrive(arrival)
        self.feed.advance()

    def enter(self, peer_id: str, *, observed: frozenset[str] = frozenset(), **fields: Any) -> Paper:
        """A member that joins by an operation of this process; its join is the next event."""
        [joined] = self.write(1, Audience(but=peer_id), peer=peer_id, attached=[peer_id, f"conn-{peer_id}"])
        follows = self.feed.session_id == SESSION
        attachment = Attachment(
            peer_id=peer_id,
            role="guest",
            observed=observed,
            room={"session_id": SESSION},
            peers=None if follows else {peer_id: "{}"},
        )
        paper = Paper()
        member = Member(
            peer_id=peer_id,
            conn_id=f"conn-{peer_id}",
            role="guest",
            observed=observed,
            legacy=False,
            outbox=paper,
            gone=lambda code: self.codes.__setitem__(peer_id, code),
            **fields,
        )
        answer = Answer(None, session_id=SESSION, seq=joined.seq, events=[joined], aside=attachment)  # type: ignore[arg-type]
        self.bring(Arrival(SESSION, joined.seq, [joined], None, answer, lambda _: self.feed.attach(member, attachment)))
        return paper

    async def reach(self, paper: Paper, seq: int) -> None:
        async with asyncio.timeout(10):
            while paper.numbers()[-1:] != [seq]:
                await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def at_once(settings):
    settings.COALESCE_MS = 0


async def test_events_are_delivered_in_order_and_once():
    room = Room()
    paper = room.enter("a")
    first, second, third = room.write(3)
    for event in (first, first, second, first, second, third, second):
        room.tell(event)

    assert paper.numbers() == [2, 3, 4]
    assert room.fetches == 0


async def test_a_number_that_comes_a_little_late_is_waited_for():
    room = Room()
    paper = room.enter("a")
    first, second, third = room.write(3)
    room.tell(third)
    room.tell(second)
    assert paper.numbers() == []
    room.tell(first)

    assert paper.numbers() == [2, 3, 4]
    assert room.fetches == 0


async def test_a_number_that_does_not_come_is_read():
    room = Room()
    paper = room.enter("a")
    _, _, third = room.write(3)
    room.tell(third)

    await room.reach(paper, 4)
    assert paper.numbers() == [2, 3, 4]
    assert room.fetches == 1


async def test_a_last_event_that_nobody_told_of_is_read_on_request():
    room = Room()
    paper = room.enter("a")
    room.write(5)
    room.feed.compare(6)

    await room.reach(paper, 6)
    assert paper.numbers() == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("seed", range(20))
async def test_i21_whatever_is_lost_repeated_or_reordered_each_arrives_once(seed: int, settings):
    settings.COALESCE_MS = seed % 3
    chance = random.Random(seed)
    room = Room()
    papers = {"a": (1, room.enter("a"))}
    for round_number in range(30):
        told = []
        for _ in range(chance.randrange(1, 4)):
            events = room.write(chance.randrange(1, 4))
            told += [events] * chance.choice((0, 1, 1, 1, 2))
        chance.shuffle(told)
        for events in told:
            room.tell(*events)
            if chance.random() < 0.3:
                await asyncio.sleep(0)
        if round_number % 10 == 5:
            name = f"late{round_number}"
            papers[name] = (len(room.journal) + 1, room.enter(name))
    room.feed.compare(len(room.journal))
    last = room.write(1)
    room.tell(*last)

    for since, paper in papers.values():
        await room.reach(paper, last[0].seq)
        assert paper.numbers() == list(range(since + 1, last[0].seq + 1))


@pytest.mark.parametrize("seed", range(20))
async def test_who_observes_a_key_gets_its_changes_and_nobody_else_does(seed: int):
    chance = random.Random(seed)
    room = Room()
    room.enter("host", observed=frozenset("ab"))
    papers: dict[str, Paper] = {}
    due: dict[Paper, list[int]] = {}
    for _ in range(100):
        name, keys = chance.choice("wxyz"), frozenset(chance.sample("ab", chance.randrange(3)))
        member = room.feed.members.get(name)
        if member is None or chance.random() < 0.2:
            if member:
                room.feed.detach(member)
            papers[name] = room.enter(name, observed=keys)
            due[papers[name]] = []
        elif chance.random() < 0.3:
            room.feed.detach(member)
        else:
            room.feed.observe(member, keys, [])
        key = chance.choice("ab")
        [event] = room.write(1, Audience(key=key))
        room.tell(event)
        for other in room.feed.members.values():
            if other.peer_id in papers and key in other.observed:
                due[papers[other.peer_id]].append(event.seq)

    changes = {event.seq for event in room.journal if event.audience.key}
    for paper, expected in due.items():
        assert [seq for seq in paper.numbers() if seq in changes] == expected


async def test_i18_a_newcomer_gets_the_list_and_then_all_that_follows(settings):
    settings.COALESCE_MS = 1000
    room = Room()
    first = room.enter("a")
    room.tell(*room.write(1))
    room.tell(*room.write(1))  # waits to be written together with what comes next
    second = room.enter("b")
    room.tell(*room.write(2))
    room.feed.close_all(1012)

    assert [frame["method"] for frame in second.frames] == ["peer-list", "session-info", "on-test", "on-test"]
    assert second.numbers() == [5, 6]
    assert first.numbers() == [2, 3, 4, 5, 6]


async def test_only_who_is_meant_gets_an_event():
    room = Room()
    a, b = room.enter("a"), room.enter("b")
    room.feed.members["b"].role = "host"
    room.feed.members["b"].observed = frozenset({"k"})
    room.tell(*room.write(1, Audience(peer="b")))
    room.tell(*room.write(1, Audience(roles=("host",))))
    room.tell(*room.write(1, Audience(key="k"), version=1))
    room.tell(*room.write(1, NOBODY))
    room.tell(*room.write(1, Audience(but="b")))
    room.tell(*room.write(1))

    assert a.numbers() == [2, 7, 8]
    assert b.numbers() == [3, 4, 5, 8]


async def test_a_lost_place_closes_every_socket_and_starts_over():
    room = Room()
    a, b = room.enter("a"), room.enter("b")
    room.trimmed_to = len(room.write(10)) + 2
    room.feed.compare(12)
    async with asyncio.timeout(5):
        while len(room.codes) < 2:
            await asyncio.sleep(0.001)

    assert room.codes == {"a": 4008, "b": 4008}
    assert a.numbers() == [2]
    assert b.numbers() == []
    assert room.feed.session_id == ""
    c = room.enter("c")
    room.tell(*room.write(1))
    assert c.numbers() == [14]


async def test_i02_nothing_follows_the_end():
    room = Room()
    paper = room.enter("a")
    late = room.write(2)
    room.feed.finish(End("over"))
    room.tell(*late)
    await asyncio.sleep(0.03)

    assert [frame["method"] for frame in paper.frames][-1] == "on-peer-leave-request"
    assert paper.frames[-1]["params"] == {"reason": "over", "room_end": True}
    assert room.codes == {"a": 4003}


async def test_an_end_found_while_reading_is_told():
    room = Room()
    paper = room.enter("a")
    room.ended = End("over")
    room.feed.compare(5)
    async with asyncio.timeout(5):
        while not room.codes:
            await asyncio.sleep(0.001)
    assert paper.frames[-1]["params"]["reason"] == "over"


async def test_news_of_another_process_waits_for_answers_under_way():
    room = Room()
    paper = room.enter("a")
    [own, other] = room.write(2)
    room.feed.in_flight = 1
    room.tell(other)
    await asyncio.sleep(0.03)
    assert paper.numbers() == []

    answer = Answer(None, session_id=SESSION, seq=own.seq, events=[own])  # type: ignore[arg-type]
    member = room.feed.members["a"]
    room.feed.arrive(
        Arrival(SESSION, own.seq, [own], None, answer, lambda _: room.feed.write(member, notification("done", {})))
    )
    room.feed.in_flight = 0
    room.feed.advance()

    assert [frame.get("seq", frame["method"]) for frame in paper.frames][-3:] == [2, "done", 3]


async def test_frames_are_held_for_a_socket_that_may_ask_to_resume():
    room = Room()
    held = room.enter("a", held=[])
    room.tell(*room.write(2))
    assert held.frames == []

    room.feed.settle(room.feed.members["a"])
    assert held.numbers() == [2, 3]
    assert [frame["method"] for frame in held.frames][:2] == ["peer-list", "session-info"]


class Gone(Paper):
    """A socket that was lost, of which its consumer has not heard yet."""

    def __init__(self) -> None:
        super().__init__()
        self.write = self._refuse

    def _refuse(self, wire: bytes) -> None:
        raise RuntimeError("the handler is closed")


@pytest.mark.parametrize("window", [0, 5])
async def test_a_socket_that_is_gone_keeps_nobody_from_his_frames(settings, window: int, monkeypatch):
    settings.COALESCE_MS = window
    room = Room()
    before = room.enter("a")
    monkeypatch.setitem(globals(), "Paper", Gone)
    room.enter("b")
    monkeypatch.undo()
    settings.COALESCE_MS = window
    after = room.enter("c")

    room.tell(*room.write(1))
    room.tell(*room.write(1, Audience(roles=("guest",))))
    room.tell(*room.write(1))

    await room.reach(before, 6)
    await room.reach(after, 6)
    assert before.numbers() == [2, 3, 4, 5, 6]
    assert after.numbers() == [4, 5, 6]


async def test_who_cannot_take_an_answer_stops_nothing():
    room = Room()
    paper = room.enter("a")
    [event] = room.write(1)

    def fail(answer: Answer) -> None:
        raise ZeroDivisionError

    answer = Answer(None, session_id=SESSION, seq=event.seq, events=[event])  # type: ignore[arg-type]
    room.bring(Arrival(SESSION, event.seq, [event], None, answer, fail))
    room.tell(*room.write(1))
    await room.reach(paper, 3)

    assert paper.numbers() == [2, 3]
