"""What stands in frames as they leave for a socket."""

from rooms.sockets.framing import frames_in


def texts_in(wire: bytes) -> list[str]:
    return [text for text, _ in frames_in(wire)]
