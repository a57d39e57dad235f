"""The short way in: whatever the pieces in which bytes arrive, each frame is read once, by one reader, in order."""

import itertools
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.utils import apply_mask

from rooms.sockets.splitter import MAX_FRAGMENTS, FrameSplitter
from rooms.wire.rates import Bucket

TEXT, BINARY, PING, CONTINUATION = 0x1, 0x2, 0x9, 0x0


def frame(opcode: int, payload: bytes, *, final: bool = True, masked: bool = True) -> bytes:
    size = len(payload)
    mask_bit = 0x80 if masked else 0
    if size < 126:
        length = bytes([mask_bit | size])
    elif size < 1 << 16:
        length = bytes([mask_bit | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([mask_bit | 127]) + size.to_bytes(8, "big")
    mask = os.urandom(4) if masked else b""
    return bytes([(0x80 if final else 0) | opcode]) + length + mask + (apply_mask(payload, mask) if masked else payload)


class Readers(FrameSplitter):
    """Notes what each of the two readers gets."""

    def __init__(self, *, ready: bool = True, most: int = 0) -> None:
        super().__init__(self._note_left, self._note_flood, Bucket(most / 1e6, most))
        self.ready = ready
        self.given_up = False
        self.got: list[tuple[str, bytes]] = []

    def take_text(self, payload: bytes) -> bool:
        if self.ready:
            self.got.append(("taken", payload))
        return self.ready

    def _note_left(self, piece: bytes) -> None:
        if self.got and self.got[-1][0] == "left":
            self.got[-1] = ("left", self.got[-1][1] + piece)
        else:
            self.got.append(("left", piece))

    def _note_flood(self) -> None:
        self.given_up = True

    def feed_in_pieces(self, data: bytes, cuts: list[int]) -> list[tuple[str, bytes]]:
        places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
        for start, end in itertools.pairwise(places):
            self.feed(data[start:end])
        return self.got


payloads = st.one_of(st.binary(max_size=130), st.sampled_from([b"x" * 125, b"x" * 126, b"x" * 200, b"x" * 70_000]))
cuts = st.lists(st.integers(0, 1_000_000), max_size=12)


@given(st.lists(st.tuples(st.sampled_from([TEXT, BINARY, PING]), payloads), max_size=6), cuts)
def test_every_frame_reaches_one_reader_whole_and_in_order(kinds: list[tuple[int, bytes]], cuts: list[int]) -> None:
    frames = [(kind, payload, frame(kind, payload)) for kind, payload in kinds]

    got = Readers().feed_in_pieces(b"".join(wire for _, _, wire in frames), cuts)

    left, taken = b"".join(data for what, data in got if what == "left"), [d for what, d in got if what == "taken"]
    wires = [wire for kind, payload, wire in frames if kind == TEXT and len(payload) <= 65_535]
    # A text frame whose end had not arrived with its beginning is the server's to read.
    assert len(taken) <= len(wires)
    rest = list(frames)
    for what, data in got:
        if what == "taken":
            kind, payload, _ = rest.pop(0)
            assert (kind, payload) == (TEXT, data)
        else:
            while data:
                _, _, wire = rest.pop(0)
                assert data.startswith(wire)
                data = data[len(wire) :]
    assert not rest and left == b"".join(wire for what, wire in got if what == "left")


def test_complete_text_frames_are_taken() -> None:
    wire = frame(TEXT, b"one") + frame(TEXT, b"t" * 300) + frame(PING, b"") + frame(TEXT, b"two")

    got = Readers().feed_in_pieces(wire, [])

    assert [what for what, _ in got] == ["taken", "taken", "left", "taken"]


def test_nothing_is_taken_while_frames_wait() -> None:
    wire = frame(TEXT, b"one")

    assert Readers(ready=False).feed_in_pieces(wire, []) == [("left", wire)]


def test_fragments_and_what_stands_between_them_are_the_servers() -> None:
    parts = [frame(TEXT, b"a", final=False), frame(PING, b"p"), frame(TEXT, b"!"), frame(CONTINUATION, b"b")]

    got = Readers().feed_in_pieces(b"".join([*parts, frame(TEXT, b"next")]), [])

    assert got == [("left", b"".join(parts)), ("taken", b"next")]


def test_frames_that_break_the_rules_are_the_servers_to_refuse() -> None:
    unmasked = frame(TEXT, b"bare", masked=False)
    overlong = bytes([0x81, 0x80 | 126, 0, 3]) + b"\0\0\0\0abc"
    reserved = bytes([0xC1, 0x83]) + b"\0\0\0\0abc"

    for wire in (unmasked, overlong, reserved):
        assert Readers().feed_in_pieces(wire, []) == [("left", wire)]


def test_a_message_in_countless_pieces_is_given_up() -> None:
    readers = Readers()
    piece = frame(CONTINUATION, b"", final=False)

    readers.feed_in_pieces(frame(TEXT, b"", final=False) + piece * (MAX_FRAGMENTS - 1), [])
    assert not readers.given_up
    readers.feed_in_pieces(piece, [])
    assert readers.given_up


FLOODS = {"pings": frame(PING, b""), "binary": frame(BINARY, b""), "pieces": frame(CONTINUATION, b"", final=False)}


@pytest.mark.parametrize("wire", FLOODS.values(), ids=FLOODS)
def test_of_a_flood_of_frames_that_are_not_taken_nothing_more_is_read(wire: bytes) -> None:
    readers = Readers(most=20)

    readers.feed(wire * 20)
    assert not readers.given_up
    got = readers.feed_in_pieces(wire * 500 + frame(TEXT, b"too late"), [7])

    assert readers.given_up
    assert got == [("left", wire * 20)]


def test_text_that_is_not_taken_counts_as_well_and_what_is_taken_does_not() -> None:
    wire = frame(TEXT, b"one") * 50
    waiting, reading = Readers(ready=False, most=20), Readers(most=20)

    waiting.feed(wire)
    reading.feed(wire)

    assert (waiting.given_up, reading.given_up) == (True, False)
