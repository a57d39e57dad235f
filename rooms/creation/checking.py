"""A row that is changed as it was checked, whatever others do meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from rooms.models import Room, Template


def lock_room(room_id: str) -> Room:
    """The room as it is now, which nobody else changes until the transaction ends. Raises Room.DoesNotExist."""
    return Room.objects.select_for_update(of=("self",)).select_related("template").get(pk=room_id)


@contextmanager
def as_checked(row: Room | Template) -> Iterator[None]:
    """Let a name that another got since the check be told as one that another had. Raises ValidationError."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        row.validate_unique()
        row.validate_constraints()
        raise
