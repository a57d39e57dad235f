"""Token buckets."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from rooms.wire.rates import Allowances, Bucket, Buckets, network


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_the_rate():
    clock = Clock()
    bucket = Bucket(10, 3, clock)

    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    clock.now += 0.25
    assert [bucket.take() for _ in range(4)] == [True, True, False, False]
    clock.now += 3600
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]


def test_no_rate_is_no_limit():
    bucket = Bucket(0, 1)
    assert all(bucket.take() for _ in range(1000))


def test_a_bucket_is_full_again_once_it_has_forgotten():
    clock = Clock()
    bucket = Bucket(10, 3, clock)
    assert bucket.is_full
    bucket.take()
    assert not bucket.is_full
    clock.now += 0.2
    assert bucket.is_full


def test_each_key_has_its_own_bucket():
    buckets = Buckets(0.001, 2)
    assert [buckets.take("a") for _ in range(3)] == [True, True, False]
    assert buckets.take("b")


@pytest.mark.parametrize("rate", [0, 10])
def test_a_key_that_was_forgotten_stands_as_one_that_took_nothing(rate):
    clock = Clock()
    buckets = Buckets(rate, 2, clock=clock)
    assert buckets.take("a")
    clock.now += 1
    assert buckets.take("b")

    assert len(buckets) == 1
    assert buckets.standing("a") == (2, 0.0)


def test_an_address_counts_as_the_network_that_one_client_has():
    assert network("2001:db8:1:2:3:4:5:6") == network("2001:db8:1:2::1%eth0") == "2001:db8:1:2::/64"
    assert network("2001:db8:1:3::1") != network("2001:db8:1:2::1")
    assert network("::ffff:192.0.2.7") == network("192.0.2.7") == "192.0.2.7"
    assert len(network("x" * 7000)) == 64


def test_those_used_longest_ago_are_forgotten_first():
    buckets = Buckets(0.001, 1, most=3)
    assert [buckets.take(key) for key in "abcad"] == [True, True, True, False, True]
    assert not buckets.take("a")
    assert buckets.take("b")


def test_an_allowance_outlives_its_sockets_until_it_is_full_again():
    clock = Clock()
    allowances = Allowances(1, 2, clock=clock)
    for _ in range(2):
        allowance = allowances.open(("room", "owner"))
        assert allowance.calls.take()
        allowances.close(("room", "owner"))
    assert not allowances.open(("room", "owner")).calls.take()
    allowances.close(("room", "owner"))
    clock.now += 2
    for owner in "ab":
        allowances.open(("room", owner))
        allowances.close(("room", owner))
    assert len(allowances) == 0  # none of these asked for anything


def test_i28_many_addresses_cost_bounded_memory():
    buckets = Buckets(1_000_000, 1)
    for number in range(10_000):
        assert buckets.take(f"address {number}")
    assert len(buckets) <= 3


def test_threads_that_ask_at_once_do_not_disturb_one_another():
    buckets = Buckets(1_000_000, 2, most=64)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            for asked in [threads.submit(lambda: [buckets.take(str(n % 97)) for n in range(20_000)]) for _ in range(4)]:
                asked.result()
    finally:
        sys.setswitchinterval(before)
    assert len(buckets) <= 64
