"""Ways to a socket that are shorter than the server's own."""

from rooms.outbox import AsgiOutbox, Outbox, Send


def open_outbox(send: Send) -> Outbox:
    """The outbox of a socket that was just accepted."""
    return AsgiOutbox(send)
