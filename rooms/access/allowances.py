"""What the sockets of one owner in one room may ask for together."""

from weakref import WeakKeyDictionary

from django.conf import settings

from rooms.delivery.hub import Hub
from rooms.wire.errors import TooFast
from rooms.wire.rates import OTHERS, Allowance, Allowances

_of_hub: WeakKeyDictionary[Hub, Allowances] = WeakKeyDictionary()


def allowances(hub: Hub) -> Allowances:
    """Those of all owners whose sockets a hub has."""
    if hub not in _of_hub:
        _of_hub[hub] = Allowances(settings.RATE_LIMIT, settings.RATE_BURST)
    return _of_hub[hub]


def check_socket(allowance: Allowance) -> None:
    """Count a socket that was opened as a call, too. Raises TooFast."""
    most = 2 * settings.MAX_PEERS_PER_OWNER  # a peer's next socket may open before its last one is closed
    if allowance.sockets > most:
        raise TooFast(f"at most {most} sockets at once")
    if not allowance.calls.take():
        message = f"at most {settings.RATE_LIMIT:g} requests and sockets a second"
        raise TooFast(message, retry_after=allowance.calls.retry_after)


def too_fast(allowance: Allowance, *, cheap: bool) -> TooFast:
    """What a request beyond the rate is refused with; ``cheap`` ones have a looser rate."""
    if cheap:
        message = f"at most {settings.RATE_LIMIT * OTHERS:g} such requests a second"
        return TooFast(message, retry_after=allowance.others.retry_after)
    return TooFast(f"at most {settings.RATE_LIMIT:g} requests a second", retry_after=allowance.calls.retry_after)
