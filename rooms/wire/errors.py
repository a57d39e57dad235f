"""What a caller can do wrong. Each error has one code, used on the wire and as the HTTP status.

Only 429 and 5xx invite a client to try again by itself; the published SDK repeats those calls.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


def printable(text: str) -> str:
    """A message that may quote a key or a name, as pages and logs may show it: one line, without controls."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in " ".join(text.split())
    )


class RoomError(Exception):
    """A refusal that the caller can understand: the message names the field and the limit."""

    code: ClassVar[int] = 400

    def __init__(self, message: str, *, data: Any = None) -> None:
        self.message = printable(message)
        super().__init__(self.message)
        self.data = data

    def as_wire(self) -> dict[str, Any]:
        """``{code, message}``, with ``data`` where the error carries some."""
        wire: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            wire["data"] = self.data
        return wire


class BadRequest(RoomError):
    """The frame or a parameter has the wrong form."""


class Unauthorized(RoomError):
    """The token is missing, forged or expired."""

    code = 401


class Forbidden(RoomError):
    """The caller may not do this."""

    code = 403


class RuleForbids(Forbidden):
    """A rule of session metadata keeps the caller from it; ``data`` is ``{key, rule, roles}``, the roles that may."""

    def __init__(self, message: str, *, key: str, rule: Mapping[str, Any], roles: Sequence[str]) -> None:
        super().__init__(message, data={"key": key, "rule": rule, "roles": list(roles)})


class Removed(Forbidden):
    """The caller was removed from the session; ``data`` is ``{removed: true, reason}``."""

    def __init__(self, reason: str) -> None:
        message = "removed from this session"
        super().__init__(f"{message}: {reason}" if reason else message, data={"removed": True, "reason": reason})


class Locked(Forbidden):
    """The room lets nobody in who is not inside; ``data`` is ``{locked: true}``."""

    def __init__(self) -> None:
        super().__init__("the room is locked: nobody new can enter now", data={"locked": True})


class TooSoon(Forbidden):
    """Slow mode; ``data`` is ``{slow_mode, retry_after_ms}``: the seconds between two messages, and what is left.

    No TooFast, for clients repeat by themselves what was refused so.
    """

    def __init__(self, *, slow_mode: int, left_ms: int) -> None:
        left = math.ceil(left_ms / 1000)
        message = f"slow mode: one message in {slow_mode} seconds, wait {left} more"
        super().__init__(message, data={"slow_mode": slow_mode, "retry_after_ms": left_ms})


class NotFound(RoomError):
    """No such method, peer, poll, room or code."""

    code = 404


class VersionConflict(RoomError):
    """The entry is at another version; ``data`` is the entry as it stands, or ``{entries}`` of those that are."""

    code = 409


class LockConflict(RoomError):
    """A lock is held by another, or by the caller under another token; ``data`` is the lock as it stands."""

    code = 409


class NotJoined(RoomError):
    """The caller is not in the session, or another connection has taken its place."""

    code = 410


class PreconditionFailed(RoomError):
    """What an HTTP request makes its condition is not so; ``data`` is the entry, or the lock, as it stands."""

    code = 412


class TooLarge(RoomError):
    """A value is over its limit; ``data`` may be ``{limit, used, max}``, the limit's name and figures, and more.

    ``used`` is how much it would be.
    """

    code = 413

    def __init__(self, message: str, *, limit: str = "", used: int = 0, most: int = 0, **more: Any) -> None:
        super().__init__(message, data={"limit": limit, "used": used, "max": most, **more} if limit else None)


class UnknownMediaType(RoomError):
    """The body of an HTTP request is of a kind that nothing is known to do with."""

    code = 415


class Unprocessable(RoomError):
    """The change does not apply to the value as it stands."""

    code = 422


class TooFast(RoomError):
    """The caller exceeds its rate; ``data`` may be ``{retry_after_ms}``."""

    code = 429

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        """``retry_after`` in seconds."""
        self.retry_after = retry_after or 0.0
        super().__init__(
            message, data=None if retry_after is None else {"retry_after_ms": math.ceil(retry_after * 1000)}
        )


class InternalError(RoomError):
    """A bug of ours; it was logged."""

    code = 500

    def __init__(self) -> None:
        # Not what it was: a traceback may hold what others wrote.
        super().__init__("internal error")


class Unavailable(RoomError):
    """The server cannot answer now; try again."""

    code = 503

    def __init__(self, message: str = "the server cannot reach its database, try again") -> None:
        super().__init__(message)


class HeldUp(Unavailable):
    """Somebody else holds a lock of the room."""

    def __init__(self) -> None:
        super().__init__("the room is locked by another program, try again")
