"""A short way in for frames: complete small text frames are read here, everything else by the server's own parser.

The server's parser is handed whole frames or pieces of one, never the rest of a frame whose beginning was read here,
so it need not be asked what state it is in.
"""

from collections.abc import Callable
from time import monotonic

from rooms.wire.rates import Bucket

try:
    from websockets.speedups import apply_mask
except ImportError:  # a build without its compiled part
    from websockets.utils import apply_mask

_FINAL_TEXT = 0x81
_MASKED = 0x80
_DATA_OPCODES = (0x0, 0x1, 0x2)

MAX_FRAGMENTS = 1024

LEFT_RATE, LEFT_BURST = 100, 300
"""How many frames a second, and at once, a client may leave to the server's parser: one of six bytes costs it as much
as one of thousands. A client that is within its rate of requests sends far fewer."""


class FrameSplitter:
    """Splits what a client sends, RFC 6455 §5.2, between two readers.

    ``leave`` hands bytes to the server's parser. ``give_up`` closes the connection of a client that leaves it more
    frames than ``allowed``, or sends a message in more than MAX_FRAGMENTS pieces: servers keep each, and count the
    bytes alone. Nothing more is read from it. ``heard_at`` is when something came last, by the monotonic clock.
    """

    __slots__ = ("_allowed", "_begun", "_fragments", "_give_up", "_given_up", "_leave", "_left", "heard_at")

    def __init__(self, leave: Callable[[bytes], None], give_up: Callable[[], None], allowed: Bucket) -> None:
        self.heard_at = monotonic()
        self._leave = leave
        self._give_up = give_up
        self._allowed = allowed
        self._given_up = False
        self._begun = b""  # a header that has not arrived whole
        self._left = 0  # bytes of a frame that is the server's, still to arrive
        self._fragments = 0  # of a message that has not ended

    def take_text(self, payload: bytes) -> bool:
        """Take the text of a frame; False if that cannot be now, for frames that were left to the server wait."""
        raise NotImplementedError

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self.heard_at = monotonic()
        if self._given_up:
            return
        if self._begun:
            data, self._begun = self._begun + data, b""
        at, end = 0, len(data)
        while at < end:
            # The rest of a frame whose beginning the server's parser has got.
            if self._left:
                piece = data[at : at + self._left]
                self._left -= len(piece)
                at += len(piece)
                self._leave(piece)
                continue
            size = _frame_size(data, at)
            if size is None:
                self._begun = data[at:]
                return
            if at + size <= end and self._is_text(data, at) and self.take_text(_payload(data, at, size)):
                at += size
                continue
            self._note_fragments(data[at])
            if self._fragments > MAX_FRAGMENTS or not self._allowed.take():
                self._given_up = True
                self._give_up()
                return
            self._left = size

    def _is_text(self, data: bytes, at: int) -> bool:
        """Whether a frame is one that is read here: unfragmented, masked, its length in the shortest form."""
        # Clients mask, §5.1, and write lengths in the fewest bytes, §5.2; what breaks a rule is the server's to refuse.
        return (
            data[at] == _FINAL_TEXT
            and not self._fragments
            and _MASKED <= data[at + 1] <= _MASKED + 126
            and (data[at + 1] != _MASKED + 126 or data[at + 2] > 0 or data[at + 3] >= 126)
        )

    def _note_fragments(self, first: int) -> None:
        opcode, final = first & 0x0F, bool(first & 0x80)
        if opcode in _DATA_OPCODES:
            self._fragments = 0 if final else self._fragments + 1


def _frame_size(data: bytes, at: int) -> int | None:
    """The length of the frame that begins here, header included; None if its header has not arrived whole."""
    have = len(data) - at
    if have < 2:
        return None
    masked, length = data[at + 1] & _MASKED, data[at + 1] & 0x7F
    header = 2 + (4 if masked else 0) + (0 if length < 126 else 2 if length == 126 else 8)
    if have < header:
        return None
    if length == 126:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
    elif length == 127:
        length = int.from_bytes(data[at + 2 : at + 10], "big")
    return header + length


def _payload(data: bytes, at: int, size: int) -> bytes:
    mask = at + (2 if data[at + 1] < _MASKED + 126 else 4)
    return apply_mask(data[mask + 4 : at + size], data[mask : mask + 4])
