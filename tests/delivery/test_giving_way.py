"""Whoever works beside the event loop and the writer gives way to them."""

import sys
import threading

import pytest

from rooms.delivery.giving_way import giving_way


def test_turns_are_short_until_the_last_is_done():
    usual = sys.getswitchinterval()
    with giving_way():
        with giving_way():
            assert sys.getswitchinterval() < usual / 2
        assert sys.getswitchinterval() < usual / 2
    assert sys.getswitchinterval() == usual


def test_turns_are_as_usual_after_an_error():
    usual = sys.getswitchinterval()
    with pytest.raises(ZeroDivisionError), giving_way():
        raise ZeroDivisionError
    assert sys.getswitchinterval() == usual


def test_many_threads_at_once_leave_it_as_it_was():
    usual = sys.getswitchinterval()

    def work() -> None:
        for _ in range(2_000):
            with giving_way():
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.getswitchinterval() == usual
