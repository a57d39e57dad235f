"""The turns of one socket's requests, however they come and are answered."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from rooms.sockets.requests import MAX_WAITING, Requests


class Request(NamedTuple):
    number: int
    method: str


class Socket:
    """Starts what it is told to; ``refused`` are methods that are done with as soon as they start."""

    def __init__(self, *, refused: str = "", is_open: bool = True) -> None:
        self.refused = refused
        self.started: list[int] = []
        self.under_way: list[Request] = []
        self.requests: Requests[Request] = Requests(self._start)
        if is_open:
            self.requests.finish()
        self._number = 0

    def _start(self, request: Request) -> bool:
        self.started.append(request.number)
        if request.method == self.refused:
            return False
        self.under_way.append(request)
        return True

    def add(self, method: str) -> bool:
        self._number += 1
        return self.requests.add(Request(self._number, method))

    def answer(self) -> None:
        self.under_way.pop(0)
        self.requests.finish()


def test_nothing_starts_before_the_socket_is_open():
    socket = Socket(is_open=False)
    socket.add("broadcast")
    assert socket.started == []
    socket.requests.finish()
    assert socket.started == [1]


def test_a_request_waits_for_the_answer_to_the_one_before_it():
    socket = Socket()
    for method in ("set-metadata", "get-metadata", "broadcast"):
        socket.add(method)
    assert socket.started == [1]
    socket.answer()
    assert socket.started == [1, 2]
    socket.answer()
    assert socket.started == [1, 2, 3]


def test_messages_may_be_under_way_together_and_others_wait_for_all_of_them():
    socket = Socket()
    for method in ("broadcast", "broadcast", "leave", "broadcast"):
        socket.add(method)
    assert socket.started == [1, 2]
    socket.answer()
    assert socket.started == [1, 2]
    socket.answer()
    assert socket.started == [1, 2, 3]
    socket.answer()
    assert socket.started == [1, 2, 3, 4]


def test_a_request_that_is_refused_at_once_holds_nobody_up():
    socket = Socket(refused="bad")
    for method in ("get-metadata", "bad", "bad", "get-metadata"):
        socket.add(method)
    socket.answer()
    assert socket.started == [1, 2, 3, 4]


def test_so_many_may_wait_and_no_more():
    socket = Socket()
    socket.add("get-metadata")
    assert all(socket.add("get-metadata") for _ in range(MAX_WAITING))
    assert not socket.add("get-metadata")
    socket.answer()
    assert socket.add("get-metadata")


def test_what_waits_is_given_up_with_the_socket():
    socket = Socket()
    for _ in range(3):
        socket.add("get-metadata")
    socket.requests.clear()
    socket.answer()
    assert socket.started == [1]


@given(st.lists(st.sampled_from(["broadcast", "get-metadata", "bad", "answer"]), max_size=MAX_WAITING))
def test_whatever_comes_all_start_in_order_and_only_messages_together(steps: list[str]):
    socket = Socket(refused="bad")
    for step in steps:
        if step != "answer":
            socket.add(step)
        elif socket.under_way:
            socket.answer()
        assert len(socket.under_way) <= 1 or {request.method for request in socket.under_way} == {"broadcast"}
    while socket.under_way:
        socket.answer()
    assert socket.started == list(range(1, len(socket.started) + 1))
    assert len(socket.started) == sum(step != "answer" for step in steps)
