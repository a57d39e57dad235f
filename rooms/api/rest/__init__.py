"""The REST API for back ends, one file per resource. Importing it registers every resource."""

from rooms.api.rest import (
    active_rooms,
    analytics,
    locks,
    messages,
    metadata,
    poll_answers,
    polls,
    room_codes,
    rooms,
    sessions,
    templates,
)
from rooms.api.rest.frame import rest

rest.add_router("/rooms", rooms.router)
rest.add_router("/room-codes", room_codes.router)
rest.add_router("/active-rooms", active_rooms.router)
rest.add_router("/active-rooms", metadata.router)
rest.add_router("/active-rooms", locks.router)
rest.add_router("/active-rooms", messages.router)
rest.add_router("/sessions", sessions.router)
rest.add_router("/analytics", analytics.router)
rest.add_router("/templates", templates.router)
rest.add_router("/polls", polls.router)
rest.add_router("/polls", poll_answers.router)

__all__ = ["rest"]
