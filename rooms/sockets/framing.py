"""Text frames as servers send them, RFC 6455 §5.2: unfragmented, unmasked. Pure."""

from collections.abc import Iterator


def framed(text: str) -> bytes:
    """A text frame."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def frames_in(wire: bytes) -> Iterator[tuple[str, int]]:
    """Text and length of the frames that ``framed`` made, for servers that make their own frames."""
    start = 0
    while start < len(wire):
        first, size, start = start, wire[start + 1], start + 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size, start = int.from_bytes(wire[start : start + width], "big"), start + width
        text = wire[start : start + size].decode()
        start += size
        yield text, start - first
