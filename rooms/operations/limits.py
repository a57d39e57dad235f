"""What clients are told of the limits that hold for them, and how much is used of them."""

from django.conf import settings

from rooms.models import Session
from rooms.operations.engine.context import Context
from rooms.operations.metadata.entries import usage


def limits(context: Context, session: Session) -> dict[str, float]:
    """Bytes, keys, characters; ``rate`` in requests a second, 0 for any, and ``burst`` at once; seconds to resume."""
    # Not of what the caller may not read: the size of a value tells much of it.
    used_bytes, used_keys, used_ever = usage(context, session, role=context.role.name)
    return {
        "max_value_bytes": settings.MAX_VALUE_BYTES,
        "max_store_bytes": settings.MAX_STORE_BYTES,
        "used_bytes": used_bytes,
        "max_keys": settings.MAX_KEYS,
        "used_keys": used_keys,
        "max_keys_ever": settings.MAX_KEYS_EVER,
        "used_keys_ever": used_ever,
        "max_message_chars": settings.MAX_MESSAGE_CHARS,
        "max_frame_bytes": settings.MAX_FRAME_BYTES,
        "rate": settings.RATE_LIMIT,
        "burst": settings.RATE_BURST,
        "resume_seconds": settings.PEER_GRACE,
    }
