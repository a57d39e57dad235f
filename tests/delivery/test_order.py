"""Which news is next, of whatever arrives when. Needs no event loop, no database and no clock."""

import random

import pytest

from rooms.delivery.order import PATIENCE, Arrival, Gap, Order
from rooms.wire.events import EVERYBODY, End, Numbered

SESSION, NEXT = "s" * 24, "n" * 24


def events(*numbers: int) -> list[Numbered]:
    return [Numbered(seq, "on-test", "{}", EVERYBODY) for seq in numbers]


def bell(*numbers: int, session_id: str = SESSION, history: str = "one") -> Arrival:
    return Arrival(session_id, numbers[-1], events(*numbers), history=history)


def answer(*numbers: int, seq: int = 0, history: str = "one", reads: bool = False) -> Arrival:
    return Arrival(SESSION, seq or numbers[-1], events(*numbers), done=lambda: None, history=history, reads=reads)


@pytest.fixture
def order() -> Order:
    made = Order()
    made.begin(SESSION, 10, "one")
    return made


def taken(order: Order, *, now: float = 0) -> list[list[int] | str]:
    """The numbers of what is next, as long as there is any, or what is to be read."""
    found: list[list[int] | str] = []
    while news := order.next(now):
        if isinstance(news, Gap):
            found.append(f"read {news.after}..{news.until}")
        else:
            found.append([event.seq for event in news.events])
            order.seq = max([order.seq, *(event.seq for event in news.events)])
    return found


def bring(order: Order, *news: Arrival) -> None:
    for arrival in news:
        order.arrive(arrival)


def test_news_of_others_is_put_in_order_and_waited_for(order):
    bring(order, bell(13), bell(12))
    assert taken(order, now=5) == []
    assert order.look_at == 5 + PATIENCE

    bring(order, bell(11))
    assert taken(order) == [[11], [12], [13]]


def test_what_does_not_come_in_time_is_read(order):
    bring(order, bell(13), bell(15))
    taken(order)

    assert order.look() == Gap(SESSION, 10, 14, "one", frozenset({"one"}))
    assert taken(order) == []  # while it is read
    bring(order, bell(11))
    assert order.look() is None
    assert order.compare(99) is None


def test_nothing_is_read_if_what_was_missing_has_come(order):
    bring(order, bell(12))
    taken(order)
    bring(order, bell(11))
    taken(order)
    assert order.look() is None


def test_an_answer_of_this_process_does_not_wait_for_what_is_missing(order):
    bring(order, bell(11), bell(13), answer(14))
    assert taken(order) == [[11], "read 11..13"]


def test_news_of_others_waits_for_answers_under_way(order):
    order.in_flight = 1
    bring(order, bell(12))
    assert taken(order) == []
    assert order.look_at > PATIENCE

    bring(order, answer(11))
    order.in_flight = 0
    assert taken(order) == [[11], [12]]


def test_what_was_read_comes_after_its_place_and_waits_for_nothing_later(order):
    order.in_flight = 1
    bring(order, answer(seq=12, reads=True), answer(seq=10, reads=True))
    assert taken(order) == [[]]
    order.in_flight = 0
    bring(order, bell(11), bell(12), bell(13))
    assert taken(order) == [[11], [12], [], [13]]


def test_news_of_a_later_session_is_kept_while_an_answer_may_lead_there(order):
    bring(order, bell(1, session_id=NEXT))
    order.in_flight = 1
    bring(order, bell(3, session_id=NEXT), bell(2, session_id=NEXT))
    order.in_flight = 0
    order.begin(NEXT, 1, "one")
    assert taken(order) == [[2], [3]]


def test_early_news_is_forgotten_when_no_answer_leads_there(order):
    order.in_flight = 1
    bring(order, bell(2, session_id=NEXT))
    order.in_flight = 0
    taken(order)
    order.begin(NEXT, 1, "one")
    assert taken(order) == []


def test_news_of_another_session_is_not_waited_for(order):
    late = Arrival(NEXT, 5, events(5), End("over"), done=lambda: None)
    bring(order, late)
    assert order.next(0) is late


def test_news_of_another_history_is_looked_into_before_it_is_taken(order):
    bring(order, answer(11, history="two"))
    gap = order.next(0)
    assert gap == Gap(SESSION, 10, 10, "one", frozenset({"two"}))

    assert order.close(gap)
    assert order.turn_to("two", told=gap.told)
    assert order.place == (10, "two")
    assert taken(order) == [[11]]
    assert order.past == {"one"}


def test_a_history_that_is_not_in_the_database_is_past(order):
    bring(order, answer(11, history="two"))
    gap = order.next(0)
    assert isinstance(gap, Gap)
    order.close(gap)
    assert not order.turn_to("one", told=gap.told)
    assert order.past == {"two"}
    assert taken(order) == [[11]]  # so that whoever asked is answered


def test_a_gap_of_a_session_that_is_over_is_of_no_use(order):
    gap = order.compare(12)
    assert gap
    order.forget()
    order.begin(NEXT, 1, "one")
    assert taken(order) == []
    assert not order.close(gap)
    bring(order, bell(2, session_id=NEXT))
    assert taken(order) == [[2]]


def test_nothing_is_left_of_a_session_that_is_forgotten(order):
    bring(order, bell(12))
    taken(order)
    order.forget()
    assert (order.session_id, order.place, order.look()) == ("", (0, ""), None)
    order.begin(SESSION, 10, "one")
    assert taken(order) == []


@pytest.mark.parametrize("seed", range(50))
def test_i21_whatever_is_lost_doubled_and_swapped_each_number_comes_once_in_order(seed: int):
    chance = random.Random(seed)
    order = Order()
    order.begin(SESSION, 0, "one")
    got: list[int] = []
    last, now, reading = 60, 0.0, None
    untold = [bell(*range(start, start + 3)) for start in range(1, last, 3)] * 2
    chance.shuffle(untold)

    def deliver(news: list[Numbered]) -> None:
        for event in news:
            if event.seq > order.seq:
                order.seq = event.seq
                got.append(event.seq)

    while order.seq < last:
        now += 0.01
        if untold and chance.random() < 0.6:
            told = untold.pop()
            if chance.random() < 0.7:
                order.arrive(told)
        elif not untold:
            reading = reading or order.compare(last)
        if order.look_at <= now:
            reading = order.look() or reading
        while news := order.next(now):
            if isinstance(news, Gap):
                reading = news
            else:
                deliver(list(news.events))
        if reading and chance.random() < 0.5:
            gap, reading = reading, None
            assert order.close(gap)
            deliver(events(*range(gap.after + 1, min(gap.until, last) + 1)))
    assert got == list(range(1, last + 1))


def test_the_first_place_of_a_history_is_taken_over_without_a_look(order):
    order.begin(SESSION, 10, "")
    assert order.turn_to("one")
    assert not order.turn_to("one")
    assert order.past == set()
