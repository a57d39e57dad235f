"""What a client's user agent tells about the protocol that it speaks."""

import re

# A few digits each: a stranger may send thousands, which no number is made of.
_VERSION = re.compile(r"\bsdk_version:(\d{1,9})\.(\d{1,9})\.(\d{1,9})", re.ASCII)

_FIRST_WITH_SESSION_STORE = (0, 9, 1)


def is_legacy(user_agent: str) -> bool:
    """Whether this is the published web SDK from before it had keys for session metadata and heard of changes.

    The version in the agent is that of the SDK's core.
    """
    match = _VERSION.search(user_agent)
    return bool(match) and tuple(map(int, match.groups())) < _FIRST_WITH_SESSION_STORE  # type: ignore[union-attr]
