"""When a webhook is tried again. Pure."""

DAY = 24 * 60 * 60

_FIRST = (1, 3, 10)
"""Seconds after the first tries, as with the service."""

_MOST = 10 * 60
"""Seconds between two tries at most: so long everything may wait when a receiver is back."""


def wait(attempts: int, age: float) -> float | None:
    """Seconds until the next try after so many that failed, of an event of that age in seconds; None to give it up."""
    if age >= DAY:
        return None
    if attempts <= len(_FIRST):
        return _FIRST[attempts - 1]
    seconds: int = _FIRST[-1] * 2 ** min(attempts - len(_FIRST), 20)
    return min(seconds, _MOST)
