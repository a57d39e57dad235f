"""The compiled load generator, called through ctypes. load/generator.h says what it does."""

import ctypes
import functools

from harness.install import LIBRARY

NANOSECONDS = 1_000_000_000


class Plan(ctypes.Structure):
    """One run: see `plan` in load/generator.h. Times are nanoseconds."""

    _fields_ = [
        ("kind", ctypes.c_int32),
        ("window", ctypes.c_int32),
        ("rate", ctypes.c_double),
        ("fan_out", ctypes.c_double),
        ("duration", ctypes.c_int64),
        ("drain", ctypes.c_int64),
        ("limit", ctypes.c_int64),
        ("audience", ctypes.c_int32),
    ]


class Result(ctypes.Structure):
    """What one run counted: see `result` in load/generator.h. Times are nanoseconds."""

    _fields_ = [
        *((name, ctypes.c_uint64) for name in ("sent", "received", "acked", "frames", "bytes", "complete")),
        *((name, ctypes.c_int64) for name in ("first_send", "last_receive")),
        *((name, ctypes.c_int64) for name in ("p50", "p95", "p99", "max", "ack_p50", "ack_p99", "ack_max")),
        *((name, ctypes.c_int64) for name in ("full_p50", "full_p95", "full_p99", "lag_p99", "dead")),
    ]


@functools.cache
def library() -> ctypes.CDLL:
    """The library, with the types of its functions declared."""
    lib = ctypes.CDLL(str(LIBRARY))
    handle, integer, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    long, count = ctypes.c_int64, ctypes.c_uint64
    signatures: dict[str, tuple[type | None, list[type]]] = {
        "wl_new": (handle, [integer, text]),
        "wl_application_ping": (None, [handle, text, integer, text, integer]),
        "wl_add": (integer, [handle, integer, text, integer, integer, integer]),
        "wl_ask": (None, [handle, integer, text, integer]),
        "wl_step": (None, [handle, integer, integer, text, integer, text, integer]),
        "wl_open": (long, [handle, integer, integer, integer, long]),
        "wl_drain": (long, [handle, long, long]),
        "wl_await_sightings": (None, [handle, count, long]),
        "wl_pause": (None, [handle, integer]),
        "wl_clear_senders": (None, [handle]),
        "wl_sender": (None, [handle, integer, integer, text, integer]),
        "wl_send_all": (None, [handle]),
        "wl_run": (None, [handle, ctypes.POINTER(Plan), ctypes.POINTER(Result)]),
        "wl_now": (long, []),
        "wl_lazy": (None, [handle, long]),
        "wl_frames": (count, [handle]),
        "wl_bytes": (count, [handle]),
        "wl_messages": (count, [handle]),
        "wl_sightings": (count, [handle]),
        "wl_last_sighting": (long, [handle]),
        "wl_last_news": (long, [handle]),
        "wl_look_for": (None, [handle, text, integer]),
        "wl_found": (count, [handle]),
        "wl_kept": (text, [handle, integer]),
        "wl_order": (count, [handle, integer]),
        "wl_dead": (integer, [handle]),
        "wl_free": (None, [handle]),
    }
    for name, (returned, arguments) in signatures.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = returned, arguments
    return lib
