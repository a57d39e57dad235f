"""Why a socket is closed: all codes that the server sends itself, RFC 6455 §7.4, as docs/protocol.md lists them."""

BUG = 1011
RESTART = 1012
"""The process ends, or another one may serve the peer better: it is to come back at once."""

PAGE_CLOSED = 3001
"""Not of the server: what a client says whose page is being closed, or put aside."""

TOKEN_EXPIRED = 4001
OPENED_ELSEWHERE = 4002
SENT_AWAY = 4003
TOO_SLOW = 4008
TOO_MANY_REFUSALS = 4029


def refused(code: int) -> int:
    """Of a socket that is not let in, by the code of the error that it was told."""
    return 4000 + code
