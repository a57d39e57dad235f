"""Token buckets."""

from rooms.rates import Bucket, Buckets


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


def test_i28_many_addresses_cost_bounded_memory():
    buckets = Buckets(1_000_000, 1)
    for number in range(10_000):
        assert buckets.take(f"address {number}")
    assert len(buckets) <= 3
