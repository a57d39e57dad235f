"""One room's events on their way to sockets: every number once, in order, whatever arrives when."""

import asyncio
import functools
import json
import random
from typing import Any

import pytest

from rooms.delivery.feed import Feed
from rooms.delivery.order import Arrival, Missed
from rooms.delivery.roster import Member
from rooms.operations.engine.journal import addressed_to
from rooms.sockets.outbox import Outbox
from rooms.wire.close_codes import TOO_SLOW
from rooms.wire.effects import Came, CameBack, Effect, Left, RoleChanged, StateChanged, Updated
from rooms.wire.events import EVERYBODY, NOBODY, Audience, End, Numbered
from rooms.wire.frames import notification
from rooms.wire.results import Attachment
from tests.support.audiences import observing
from tests.support.processes import PATIENCE
from tests.support.wire import texts_in

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
        self.history = ""
        self.ended: End | None = None
        self.fetches = 0
        self.fetched_after: list[tuple[int, str]] = []
        self.codes: dict[str, int | None] = {}
        self.feed = Feed("r" * 24, self._fetch)

    async def _fetch(self, session_id: str, after: int, until: int, history: str) -> Missed | End | None:
        self.fetches += 1
        self.fetched_after.append((after, history))
        await asyncio.sleep(0)
        if self.ended:
            return self.ended
        return None if after < self.trimmed_to else Missed(self.journal[after:until], self.history or history)

    def write(self, count: int = 1, audience: Audience = EVERYBODY, effect: Effect | None = None) -> list[Numbered]:
        """Events that are stored and not told yet."""
        start = len(self.journal)
        numbers = range(start + 1, start + 1 + count)
        new = [Numbered(seq, "on-test", f'{{"n":{seq}}}', audience, effect) for seq in numbers]
        self.journal += new
        return new

    def tell(self, *events: Numbered) -> None:
        """News from another process."""
        self.bring(Arrival(SESSION, events[-1].seq, events))

    def bring(self, arrival: Arrival) -> None:
        self.feed.arrive(arrival)
        self.feed.advance()

    def enter(
        self,
        peer_id: str,
        *,
        observed: frozenset[str] = frozenset(),
        role: str = "guest",
        replay_after: int | None = None,
    ) -> Paper:
        """A member that joins by an operation of this process; its join is the next event."""
        missed = None if replay_after is None else self.journal[replay_after:]
        [joined] = self.write(1, Audience(but=peer_id), Came(peer_id, f"conn-{peer_id}"))
        follows = self.feed.order.session_id == SESSION
        attachment = Attachment(
            peer_id=peer_id,
            role=role,
            observed=observed,
            room={"session_id": SESSION},
            peers=None if follows else {peer_id: "{}"},
            replay=None
            if missed is None
            else addressed_to(reversed(missed), peer_id=peer_id, role=role, observed=observed),
            with_self=missed is not None,
        )
        paper = Paper()
        member = Member(
            peer_id=peer_id,
            conn_id=f"conn-{peer_id}",
            role=role,
            observed=observed,
            legacy=False,
            outbox=paper,
            gone=lambda code: self.codes.__setitem__(peer_id, code),
        )
        self.bring(
            Arrival(
                SESSION,
                joined.seq,
                [joined],
                done=lambda: self.feed.attach(member, attachment, seq=joined.seq, told_policy=attachment.policy),
                attachment=attachment,
            )
        )
        return paper

    async def reach(self, paper: Paper, seq: int) -> None:
        async with asyncio.timeout(PATIENCE):
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
        member = room.feed.roster.members.get(name)
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
        [event] = room.write(1, observing(key))
        room.tell(event)
        for other in room.feed.roster.members.values():
            if other.peer_id in papers and key in other.observed:
                due[papers[other.peer_id]].append(event.seq)

    changes = {event.seq for event in room.journal if event.audience.entries}
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
    room.feed.roster.members["b"].role = "host"
    room.feed.observe(room.feed.roster.members["b"], frozenset({"k"}), [])
    room.tell(*room.write(1, Audience(peer="b")))
    room.tell(*room.write(1, Audience(roles=("host",))))
    room.tell(*room.write(1, observing("k")))
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
    async with asyncio.timeout(PATIENCE):
        while len(room.codes) < 2:
            await asyncio.sleep(0.001)

    assert room.codes == {"a": 4008, "b": 4008}
    assert a.numbers() == [2]
    assert b.numbers() == []
    assert room.feed.order.session_id == ""
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
    async with asyncio.timeout(PATIENCE):
        while not room.codes:
            await asyncio.sleep(0.001)
    assert paper.frames[-1]["params"]["reason"] == "over"


@pytest.mark.parametrize("is_answered", [True, False])
async def test_who_ended_the_session_is_told_by_the_answer_or_else_as_the_others(is_answered: bool):
    room = Room()
    paper = room.enter("a")
    end = End("over", by="a")
    if is_answered:
        room.bring(Arrival(SESSION, 1, end=end, done=lambda: None, answers="a"))
    else:
        room.feed.compare(end)
    told = [frame["params"] for frame in paper.frames if frame["method"] == "on-peer-leave-request"]
    assert told == ([] if is_answered else [{"reason": "over", "room_end": True}])
    assert room.codes == {"a": None if is_answered else 4003}


@pytest.mark.parametrize("is_answered", [True, False])
async def test_who_left_is_told_by_the_answer_or_else_that_it_is_here_no_more(is_answered: bool):
    room = Room()
    paper = room.enter("a")
    b = room.enter("b")
    left = room.write(1, effect=Left("a"))
    if is_answered:
        room.bring(Arrival(SESSION, 3, left, done=lambda: None, answers="a"))
    else:
        room.tell(*left)  # as by another call, which found it in the session
    told = [frame["params"] for frame in paper.frames if frame["method"] == "on-peer-leave-request"]
    assert told == ([] if is_answered else [{"reason": "session expired", "room_end": False}])
    assert room.codes == {"a": None if is_answered else 4003}
    assert b.numbers() == [3]


async def test_news_of_another_process_waits_for_answers_under_way():
    room = Room()
    paper = room.enter("a")
    [own, other] = room.write(2)
    room.feed.order.in_flight = 1
    room.tell(other)
    await asyncio.sleep(0.03)
    assert paper.numbers() == []

    member = room.feed.roster.members["a"]
    room.feed.arrive(Arrival(SESSION, own.seq, [own], done=lambda: room.feed.write(member, notification("done", {}))))
    room.feed.order.in_flight = 0
    room.feed.advance()

    assert [frame.get("seq", frame["method"]) for frame in paper.frames][-3:] == [2, "done", 3]


def read_at(seq: int, done: list[int]) -> Arrival:
    """What was read beside the writer when the session was at that number."""
    return Arrival(SESSION, seq, done=lambda: done.append(seq), reads=True)


async def test_what_was_read_beside_the_writer_overtakes_no_answer_under_way():
    room = Room()
    room.enter("a")
    room.feed.order.in_flight = 1
    done: list[int] = []
    told = len(room.journal)
    room.bring(read_at(told + 2, done))  # the set that is under way is stored already
    await asyncio.sleep(0.03)
    assert (done, room.fetches) == ([], 0)

    back = room.enter("b", replay_after=told)
    room.feed.order.in_flight = 0
    room.tell(*room.write(1))

    assert done == [told + 2]
    assert back.numbers() == [told + 2]
    assert room.fetches == 0


async def test_what_was_read_does_not_wait_for_others_longer_than_for_what_came_before_it():
    room = Room()
    room.enter("a")
    room.feed.order.in_flight = 1
    done: list[int] = []
    room.bring(read_at(1, done))
    assert done == [1]

    room.feed.order.in_flight = 0
    room.write(2)  # by a process that is not heard
    room.bring(read_at(3, done))
    assert done == [1]
    async with asyncio.timeout(PATIENCE):
        while done != [1, 3]:
            await asyncio.sleep(0.001)


async def test_what_was_read_is_answered_when_the_session_is_over():
    room = Room()
    room.enter("a")
    done: list[int] = []
    room.bring(read_at(3, done))
    room.feed.compare(End("over"))
    assert done == [3]


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

    def fail() -> None:
        raise ZeroDivisionError

    room.bring(Arrival(SESSION, event.seq, [event], done=fail))
    room.tell(*room.write(1))
    await room.reach(paper, 3)

    assert paper.numbers() == [2, 3]


# --- All of it by chance --------------------------------------------------------------------------


class Model:
    """What each paper should hold, by the rules alone: who is a member, with which role and keys, when an event is."""

    def __init__(self, room: Room, chance: random.Random) -> None:
        self.room = room
        self.chance = chance
        self.roles: dict[str, str] = {}
        self.observed: dict[str, frozenset[str]] = {}
        self.papers: dict[str, Paper] = {}
        self.expected: dict[Paper, list[int]] = {}

    def happens(self, event: Numbered) -> None:
        if isinstance(event.effect, RoleChanged) and event.effect.peer_id in self.roles:
            self.roles[event.effect.peer_id] = event.effect.now
        for peer_id, paper in self.papers.items():
            if event.audience.includes(peer_id, self.roles[peer_id], self.observed[peer_id]):
                self.expected[paper].append(event.seq)

    def write(self) -> Numbered:
        peer = self.chance.choice("abcdef")
        effect = None
        audience = self.chance.choice(
            [
                EVERYBODY,
                EVERYBODY,
                NOBODY,
                Audience(but=peer),
                Audience(peer=peer),
                Audience(roles=(self.chance.choice(("guest", "host")),)),
                observing(self.chance.choice("kl")),
            ]
        )
        if self.chance.random() < 0.15 and peer in self.roles:
            effect = RoleChanged(peer, self.roles[peer], self.chance.choice(("guest", "host")))
        [event] = self.room.write(1, audience, effect)
        self.happens(event)
        return event

    def part(self, peer_id: str) -> None:
        """The socket is gone; what it had not got yet it need not get."""
        paper = self.papers.pop(peer_id)
        self.room.feed.detach(self.room.feed.roster.members[peer_id])
        got = paper.numbers()
        assert got == self.expected[paper][: len(got)]
        del self.expected[paper]

    async def enter(self, peer_id: str) -> None:
        if peer_id in self.papers:
            self.part(peer_id)
        role, keys = (
            self.chance.choice(("guest", "host")),
            frozenset(self.chance.sample("kl", self.chance.randrange(3))),
        )
        place = self.chance.randrange(len(self.room.journal) + 1) if self.chance.random() < 0.5 else None
        missed = [] if place is None else self.room.journal[place:]
        paper = self.room.enter(peer_id, observed=keys, role=role, replay_after=place)
        self.happens(self.room.journal[-1])
        self.papers[peer_id], self.roles[peer_id], self.observed[peer_id] = paper, role, keys
        replayed = addressed_to(reversed(missed), peer_id=peer_id, role=role, observed=keys) or []
        self.expected[paper] = [event.seq for event in replayed]
        while peer_id not in self.room.feed.roster.members:  # what was missed before is read first
            await asyncio.sleep(0)


@pytest.mark.parametrize("window", [0, 2])
@pytest.mark.parametrize("seed", range(30))
async def test_i21_whatever_members_do_each_gets_what_is_meant_for_it_and_nothing_else(
    settings, seed: int, window: int
):
    settings.COALESCE_MS = window
    chance = random.Random(seed)
    room = Room()
    model = Model(room, chance)
    room.enter("host")
    untold: list[Numbered] = []
    for _ in range(150):
        deed = chance.random()
        if deed < 0.5:
            untold.append(model.write())
        elif deed < 0.65:
            await model.enter(chance.choice("abcdef"))
            untold.clear()  # whoever joins here brings all that was before
        elif deed < 0.72 and model.papers:
            model.part(chance.choice(list(model.papers)))
        elif deed < 0.8 and model.papers:
            peer_id = chance.choice(list(model.papers))
            if room.feed.order.seq == len(room.journal):
                keys = frozenset(chance.sample("kl", chance.randrange(3)))
                room.feed.observe(room.feed.roster.members[peer_id], keys, [])
                model.observed[peer_id] = keys
        if chance.random() < 0.5:
            chance.shuffle(untold)
            while untold and chance.random() < 0.7:
                event = untold.pop()
                for _ in range(chance.choice((0, 1, 1, 2))):
                    room.tell(event)
        if chance.random() < 0.2:
            await asyncio.sleep(0.001 * chance.randrange(3))
    last = model.write()
    room.tell(last)
    async with asyncio.timeout(PATIENCE):
        while room.feed.order.seq < last.seq:
            await asyncio.sleep(0.001)
    room.feed.close_all(1012)

    assert {paper: paper.numbers() for paper in model.expected} == model.expected


# --- News of other sessions, and of other histories ------------------------------------------------


NEXT = "n" * 24


def _move_on(room: Room) -> Paper:
    """A peer that comes to the room's next session, by an operation of this process."""
    room.journal.clear()
    [joined] = room.write(1, Audience(but="b"), Came("b", "conn-b"))
    attachment = Attachment("b", "guest", frozenset(), {"session_id": NEXT}, {"b": "{}"})
    paper = Paper()
    gone = functools.partial(room.codes.__setitem__, "b")
    member = Member("b", "conn-b", "guest", frozenset(), False, paper, gone)
    done = functools.partial(room.feed.attach, member, attachment, seq=1, told_policy=attachment.policy)
    room.bring(Arrival(NEXT, 1, [joined], done=done, attachment=attachment))
    return paper


async def test_a_peer_that_what_was_read_has_overtaken_is_not_let_in_with_a_hole():
    room = Room()
    room.enter("a")
    gone = functools.partial(room.codes.__setitem__, "b")
    member = Member("b", "conn-b", "guest", frozenset(), False, Paper(), gone)
    attachment = Attachment("b", "guest", frozenset(), {"session_id": SESSION}, None)

    room.feed.attach(member, attachment, seq=room.feed.order.seq - 1, told_policy={})

    assert room.codes == {"b": TOO_SLOW}


@pytest.mark.parametrize("seed", range(20))
async def test_i02_late_news_of_the_session_before_do_nothing_to_the_next(seed: int):
    chance = random.Random(seed)
    room = Room()
    room.enter("a")
    old = [Arrival(SESSION, seq, [Numbered(seq, "on-test", "{}", EVERYBODY)]) for seq in range(2, 500, 7)]
    old += [Arrival(SESSION, 499, [], End("over")), Arrival(SESSION, 0, [], End("over"))]
    room.feed.order.in_flight = 1  # the join that leads to the next session
    for news in chance.choices(old, k=20):
        room.feed.arrive(news)
    room.feed.advance()
    room.feed.order.in_flight = 0
    paper = _move_on(room)
    later = [Arrival(NEXT, event.seq, [event]) for event in room.write(6)]
    bells = [*later, *later, *chance.choices(old, k=20)]
    chance.shuffle(bells)
    for news in bells:
        if chance.random() < 0.8:
            room.bring(news)
        if chance.random() < 0.2:
            await asyncio.sleep(0.025)  # as long as a number that is missing is waited for
    room.feed.compare(7)
    await room.reach(paper, 7)

    assert paper.numbers() == [2, 3, 4, 5, 6, 7]
    assert "b" not in room.codes


async def test_news_of_the_next_session_that_are_early_are_kept():
    room = Room()
    room.enter("a")
    room.feed.order.in_flight = 1
    early = [Numbered(seq, "on-test", "{}", EVERYBODY) for seq in (2, 3)]
    room.bring(Arrival(NEXT, 3, early))
    room.feed.order.in_flight = 0
    paper = _move_on(room)

    assert paper.numbers() == [2, 3]


async def test_news_of_another_history_go_on_if_the_database_says_so():
    room = Room()
    room.feed.order.history = "one"
    paper = room.enter("a")
    room.feed.order.history = "one"
    [before, after] = room.write(2)
    room.history = "two"
    room.bring(Arrival(SESSION, 3, [after], history="two"))
    await room.reach(paper, 3)
    room.bring(Arrival(SESSION, 2, [before], history="one"))
    [news] = room.write(1)
    room.bring(Arrival(SESSION, 4, [news], history="two"))

    assert paper.numbers() == [2, 3, 4]
    assert room.codes == {}
    told = [frame["params"]["history"] for frame in paper.frames if frame["method"] == "session-info"]
    assert told[-1] == "two"


async def test_an_answer_of_another_history_does_not_let_news_of_it_pass_unseen():
    """Those of another process wait as it does, or the place would be of a history that did not number it."""
    room = Room()
    paper = room.enter("a")
    room.feed.order.history = "one"
    [news, own] = room.write(2)
    room.history = "two"
    room.feed.arrive(Arrival(SESSION, 2, [news], history="two"))
    room.bring(Arrival(SESSION, 3, [own], done=lambda: None, history="two"))
    await room.reach(paper, 3)

    assert room.fetched_after == [(1, "one")]
    assert paper.numbers() == [2, 3]
    assert room.feed.order.place == (3, "two")


async def test_news_of_another_history_without_continuity_lose_the_place():
    room = Room()
    room.enter("a")
    room.feed.order.history = "one"
    [again] = room.write(1)
    room.history, room.trimmed_to = "two", 99  # the place is not of the session's past any more
    room.bring(Arrival(SESSION, 2, [again], history="two"))
    async with asyncio.timeout(PATIENCE):
        while not room.codes:
            await asyncio.sleep(0.001)

    assert room.codes == {"a": 4008}
    assert room.feed.order.session_id == ""


async def test_news_of_a_history_that_the_database_has_forgotten_are_none():
    room = Room()
    paper = room.enter("a")
    room.feed.order.history = "two"
    room.history = "two"
    room.bring(Arrival(SESSION, 3, [Numbered(2, "on-test", "{}", EVERYBODY)], history="one"))
    for _ in range(5):
        await asyncio.sleep(0)
    [news] = room.write(1)
    room.bring(Arrival(SESSION, 2, [news], history="two"))
    await room.reach(paper, 2)

    assert [frame["params"] for frame in paper.frames if frame.get("seq") == 2] == [{"n": 2}]


# --- What goes wrong for one ------------------------------------------------------------------------


class Broken(Paper):
    """A socket whose transport fails in a way that nobody thought of."""

    def __init__(self) -> None:
        super().__init__()
        self.write = self._fail

    def _fail(self, wire: bytes) -> None:
        raise ZeroDivisionError


@pytest.mark.parametrize("window", [0, 2])
async def test_an_error_of_one_socket_keeps_nobody_from_his_frames(settings, window: int, monkeypatch):
    settings.COALESCE_MS = window
    room = Room()
    before = room.enter("a")
    monkeypatch.setitem(globals(), "Paper", Broken)
    room.enter("b")
    monkeypatch.undo()
    settings.COALESCE_MS = window
    after = room.enter("c")
    room.tell(*room.write(1, Audience(but="a")))
    room.tell(*room.write(1, Audience(roles=("guest",))))
    room.tell(*room.write(1))

    await room.reach(before, 6)
    await room.reach(after, 6)
    assert before.numbers() == [2, 3, 5, 6]
    assert after.numbers() == [4, 5, 6]


async def test_news_that_cannot_be_delivered_leave_the_answer_and_what_follows(monkeypatch):
    room = Room()
    paper = room.enter("a")
    bad = Numbered(2, "on-peer-update", "{}", EVERYBODY, StateChanged(None))  # type: ignore[arg-type]
    room.journal.append(bad)
    given: list[str] = []
    room.bring(Arrival(SESSION, 2, [bad], done=lambda: given.append("answer")))
    room.tell(*room.write(1))
    await room.reach(paper, 3)

    assert given == ["answer"]


# --- One's own row ----------------------------------------------------------------------


async def test_who_comes_back_is_told_how_it_is_itself_last():
    room = Room()
    room.enter("host")
    lowered = '{"peer_id":"a","state":"reconnecting","groups":[]}'
    room.journal.append(Numbered(2, "on-peer-update", lowered, EVERYBODY, Updated("a")))
    room.tell(room.journal[-1])
    back = {"peer_id": "a", "state": "connected", "groups": []}
    [attached] = room.write(1, Audience(but="a"), CameBack(back, "conn-a"))
    room.tell(attached)
    paper = room.enter("a", replay_after=1)
    room.feed.close_all(1012)

    assert paper.frames[0]["params"]["state"] == "reconnecting"
    assert paper.frames[-1] == {"method": "on-peer-update", "params": {"n": 4}}  # its object as its coming back has it


async def test_a_peer_that_was_taken_for_lost_is_told_that_it_is_there():
    room = Room()
    paper = room.enter("a")
    here = {"peer_id": "a", "state": "connected"}
    room.tell(*room.write(1, Audience(but="a"), StateChanged({"peer_id": "a", "state": "reconnecting"})))
    room.tell(*room.write(1))
    room.tell(*room.write(1, Audience(but="a"), StateChanged(here)))

    assert paper.frames[-1] == {"method": "on-peer-update", "params": here}


# --- What outboxes count ----------------------------------------------------------------------------


class Scales(Paper):
    """Weighs what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = 0

    def _take(self, wire: bytes) -> None:
        self.weight += len(wire)
        super()._take(wire)


@pytest.mark.parametrize("window", [0, 5])
async def test_an_outbox_counts_all_that_is_written_to_it_and_nothing_else(settings, window: int, monkeypatch):
    settings.COALESCE_MS = window
    monkeypatch.setitem(globals(), "Paper", Scales)
    room = Room()
    papers: list[Any] = [room.enter(name, observed=frozenset(keys)) for name, keys in (("a", "k"), ("b", ""))]
    for audience in (EVERYBODY, Audience(but="a"), Audience(peer="b"), observing("k"), Audience(roles=("guest",))):
        room.tell(*room.write(1, audience))
        room.feed.write(room.feed.roster.members["a"], notification("reply", {}))
    papers.append(room.enter("c"))
    room.feed.detach(room.feed.roster.members["b"])
    room.tell(*room.write(2))
    room.feed.close_all(1012)
    room.tell(*room.write(1))

    assert [paper.written for paper in papers] == [paper.weight for paper in papers]
    assert papers[0].numbers() == [2, 3, 6, 7, 8, 9, 10]


async def test_i07_a_member_whose_peer_has_another_connection_gets_no_more():
    room = Room()
    paper, other = room.enter("a"), room.enter("b")
    room.tell(*room.write(1, EVERYBODY, CameBack({"peer_id": "a", "state": "connected"}, "conn-2")))
    room.tell(*room.write(1))

    assert room.codes == {"a": 4002}
    assert [frame["method"] for frame in paper.frames][-2:] == ["on-test", "on-error"]
    assert (paper.numbers(), other.numbers()) == ([2], [3, 4])
