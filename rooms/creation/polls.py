"""Prepared polls, deleted with their places in rooms."""

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from rooms.models import PreparedPoll, Room
from rooms.operations.engine.audit import record
from rooms.operations.engine.calls import Author
from rooms.operations.engine.gate import acting
from rooms.wire.errors import NotFound


def delete_prepared(poll_id: str, *, author: Author) -> None:
    """Delete a prepared poll, and its id in all rooms. Sessions that have begun keep it. Raises NotFound, HeldUp."""
    with acting():
        # As text, for SQLite looks into no list. All ids are of the same length.
        naming = Room.objects.alias(ids=Cast("polls", TextField())).filter(ids__contains=f'"{poll_id}"')
        for room in naming.select_for_update().order_by("pk"):
            before, room.polls = room.polls, [other for other in room.polls if other != poll_id]
            room.updated_at = timezone.now()
            room.save(update_fields=["polls", "updated_at"])
            record(author, "room.change", room=room, details={"polls": [before, room.polls]})
        deleted, _ = PreparedPoll.objects.filter(pk=poll_id).delete()
        if not deleted:
            raise NotFound("poll: no such poll")
        record(author, "poll.delete", key=poll_id)
